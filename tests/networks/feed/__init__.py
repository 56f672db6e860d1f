"""Feeds from a real web server on loopback, and the story through the screens."""
