"""Personal data in HTML: hidden as a reader sees the words, also where tags or entities stand between the digits."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from html import escape, unescape
from typing import Final, NamedTuple

import regex

from careline.threads.personal import SENSITIVE, Place, find_places, hide

# Cleaned HTML: every `<` outside a quoted value begins a tag, every `&` an entity (html.spec.whatwg.org, "Serializing HTML fragments", read 2026-11-22).
_TOKEN: Final = regex.compile(
    r"""<(?:"[^"]*"|'[^']*'|[^>"'])*>|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]\w{1,31});|[^<&]+|.""", regex.I | regex.S
)
# What of a tag a reader may see or be told; the rest is looks.
_SAYS: Final = regex.compile(r"\s(?:alt|title|href)=.*[\d@]", regex.IGNORECASE | regex.DOTALL)
_NAME: Final = regex.compile(r"</?([a-z0-9]+)", regex.IGNORECASE)
# A reader sees no gap at these; everywhere else words end.
_INLINE: Final = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q", "s", "small", "span", "strike", "strong", "sub", "sup", "tt", "u",
})  # fmt: skip


class _Piece(NamedTuple):
    """A stretch of the source: what a reader sees of it, and where that begins in the whole text."""

    source: str
    shown: str
    start: int

    @property
    def is_tag(self) -> bool:
        return self.source.startswith("<") and self.source.endswith(">") and len(self.source) > 1

    @property
    def end(self) -> int:
        return self.start + len(self.shown)


def hide_html(html: str, kinds: Collection[str] = SENSITIVE) -> str:
    """Cleaned HTML without what is of these kinds, in its words and in what its attributes say. The tags stay."""
    pieces = list(_pieces(html))
    text = "".join(piece.shown for piece in pieces)
    places = sorted((place for place in find_places(text) if place[2] in kinds), key=lambda place: int(place[0]))
    return "".join(_without(pieces, text, places, kinds))


def _pieces(html: str) -> Iterator[_Piece]:
    at = 0
    for found in _TOKEN.finditer(html):
        source = found[0]
        piece = _Piece(source, _shown(source), at)
        yield piece
        at = piece.end


def _shown(source: str) -> str:
    if source.startswith("<") and source.endswith(">") and len(source) > 1:
        name = _NAME.match(source)
        return "" if name and name[1].lower() in _INLINE else "\n"
    return unescape(source) if source.startswith("&") else source


def _without(pieces: list[_Piece], text: str, places: list[Place], kinds: Collection[str]) -> Iterator[str]:
    """The source piece by piece; what stands instead of a place is written where it begins."""
    waiting = list(reversed(places))
    for piece in pieces:
        while waiting and int(waiting[-1][1]) <= piece.start:
            waiting.pop()
        if piece.is_tag:
            yield hide(piece.source, kinds=kinds) if _SAYS.search(piece.source) else piece.source
        elif not waiting or int(waiting[-1][0]) >= piece.end:
            yield piece.source
        else:
            yield _cut(piece, text, waiting, kinds)


def _cut(piece: _Piece, text: str, waiting: list[Place], kinds: Collection[str]) -> str:
    """One stretch of words without the places that touch it."""
    parts, at = [], piece.start
    for place in reversed(waiting):
        start, end, kind = int(place[0]), int(place[1]), place[2]
        if start >= piece.end:
            break
        parts.append(escape(text[at : max(at, start)], quote=False))
        if start >= piece.start:
            parts.append(escape(hide(text[start:end], [[0, end - start, kind]], kinds), quote=False))
        at = max(at, min(end, piece.end))
    return "".join([*parts, escape(text[at : piece.end], quote=False)])
