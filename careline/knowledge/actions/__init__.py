"""Verbs of knowledge: keeping snippets."""
