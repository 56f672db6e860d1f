"""Mastodon against an independent server."""
