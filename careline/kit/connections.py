"""Database connections of long-lived threads: renewed between two pieces of work, as Django does between two requests."""

from __future__ import annotations

from django.db import close_old_connections, connection


def refresh_connections() -> None:
    """Drop connections that broke or are too old. Inside a transaction there is nothing to renew."""
    if not connection.in_atomic_block:
        close_old_connections()
