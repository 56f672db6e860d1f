"""How a name is drawn without a picture: its initials and one of twelve colours, the same everywhere."""

from __future__ import annotations

import zlib

HUES = 12


def initials(name: str) -> str:
    """At most two letters: of the first and last word, without signs such as @."""
    words = [word for word in ("".join(char for char in part if char.isalnum()) for part in name.split()) if word]
    if not words:
        return "?"
    return (words[0][:2] if len(words) == 1 else words[0][0] + words[-1][0]).upper()


def hue(name: str) -> int:
    """A colour number 0-11 that stays with the name (classes `hue-0` to `hue-11`)."""
    return zlib.crc32(name.strip().lower().encode()) % HUES
