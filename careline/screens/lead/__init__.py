"""One page for a lead: who waits, since when, where, with whom."""
