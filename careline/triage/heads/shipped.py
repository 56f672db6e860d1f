"""The heads that come with Careline, fitted on permissive data only (`careline triage ship`), and what they lend to heads fitted here."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from careline.triage.heads.head import Head
from careline.triage.heads.storing import read_head
from careline.triage.heads.views import Known

FOLDER: Final = Path(__file__).parents[1] / "shipped"


@lru_cache(maxsize=1)
def shipped_heads() -> dict[str, Head]:
    """By verdict; read once."""
    return {path.stem: read_head(path) for path in sorted(FOLDER.glob("*.head"))}


@lru_cache(maxsize=1)
def known_heads() -> tuple[Known, ...]:
    """What the shipped heads say by meaning alone: some kilobytes that a fitted head takes along, so it never depends on their version."""
    parts = [(head, part) for head in shipped_heads().values() for part in head.parts if part.views == ("use", "known")]
    return tuple(Known(head.views.centres["use"], (part.linear,)) for head, part in parts)
