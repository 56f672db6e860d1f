"""Runs before the server: a workspace with Olga (owner) and Ana, a brand and a team, and no channel. Prints the session keys as JSON."""

from __future__ import annotations

from tests.networks.telegram.seeding import main

__all__ = ["main"]
