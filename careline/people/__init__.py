"""Customers: persons, their identities on networks, and the reversible links between the two."""
