"""Verbs of channels: connecting, changing, checking, holding."""
