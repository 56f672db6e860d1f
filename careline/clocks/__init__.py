"""Due times that fire once, and leases that say who works on what."""
