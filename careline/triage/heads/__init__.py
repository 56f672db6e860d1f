"""Heads: one general way to learn a verdict from labelled rows and to say how good it is."""

from careline.triage.heads.head import Card, Guess, Head, Reading
from careline.triage.heads.rows import Row

__all__ = ["Card", "Guess", "Head", "Reading", "Row"]
