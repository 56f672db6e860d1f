"""Acceptance by doing: an empty desk is opened, filled by customers, cleared by people, and counted from outside. Screens only."""
