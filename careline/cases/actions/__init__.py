"""Verbs on cases, one capability a file: each checks role and sight, opens its own unit of work, records its event."""
