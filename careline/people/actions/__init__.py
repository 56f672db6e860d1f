"""Verbs on persons, one capability a file; each checks role and sight and can be undone, but for erasure."""
