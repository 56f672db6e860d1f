"""Telegram against an independent Bot API server."""
