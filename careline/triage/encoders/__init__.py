"""Texts to vectors: one interface, a cache by digest, two encoders; loaded at the first text, shared by the process."""

from __future__ import annotations

from functools import lru_cache

from careline.triage.encoders.encoder import CachedEncoder, Encoder, Vectors
from careline.triage.encoders.minilm import MiniLM
from careline.triage.encoders.use import USE

__all__ = ["CachedEncoder", "Encoder", "Vectors", "minilm", "use"]


@lru_cache(maxsize=1)
def use() -> Encoder:
    """The encoder of the whole product."""
    return CachedEncoder(USE())


@lru_cache(maxsize=1)
def minilm() -> Encoder:
    """The English encoder, for heads that are not in a hurry."""
    return CachedEncoder(MiniLM(), most=25_000)
