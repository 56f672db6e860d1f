"""Writing down a call or a visit: the agents' page and the partners' page behind a signed link."""
