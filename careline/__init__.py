"""Careline: an open-source, self-hosted desk for social customer service. The folders tell the story of a customer being heard."""

__version__ = "0.1.0"
