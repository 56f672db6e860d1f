"""Judging what was said. For now its language; the rest comes as verdicts after the digest."""
