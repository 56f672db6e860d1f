"""Links, mentions and tags of a text by the bytes they stand on, and back (app.bsky.richtext.facet: UTF-8 offsets; lexicons of 2026-08-20)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import regex

from careline.channels.bluesky import wire

_LINK: Final = regex.compile(r"https?://[^\s<>\"]+", regex.IGNORECASE)
_MENTION: Final = regex.compile(
    r"(?<![\w@./])@((?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z][a-zA-Z0-9-]*)"
)
_TAG: Final = regex.compile(r"(?<![\w#&/])#(\p{L}[\w]*|\d+\p{L}\w*)")
_TRAILING: Final = ".,;:!?'\u201d\u2019\u00bb"
_KIND: Final = "app.bsky.richtext.facet#"
_LONGEST_TAG: Final = 64
Resolve = Callable[[str], Awaitable[str]]


async def facets_of(text: str, resolve: Resolve) -> tuple[wire.Facet, ...]:
    """In the order they stand. A mention whose handle `resolve` does not know stays plain text."""
    links = [(found.start(), link, wire.Feature(kind=f"{_KIND}link", uri=link)) for found, link in _links(text)]
    taken = [(start, start + len(link)) for start, link, _ in links]
    free = [found for found in _MENTION.finditer(text) if not _lies_in(found.start(), taken)]
    people = [(found, await resolve(found[1].lower())) for found in free]
    mentions = [(f.start(), f[0], wire.Feature(kind=f"{_KIND}mention", did=did)) for f, did in people if did]
    tags = [
        (found.start(), found[0], wire.Feature(kind=f"{_KIND}tag", tag=found[1]))
        for found in _TAG.finditer(text)
        if not _lies_in(found.start(), taken) and len(found[1]) <= _LONGEST_TAG
    ]
    return tuple(_facet(text, *one) for one in sorted([*links, *mentions, *tags], key=lambda one: one[0]))


def _links(text: str) -> Iterable[tuple[regex.Match[str], str]]:
    for found in _LINK.finditer(text):
        link = found[0].rstrip(_TRAILING)
        yield found, link[:-1] if link.endswith(")") and "(" not in link else link


def _lies_in(at: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in spans)


def _facet(text: str, start: int, words: str, feature: wire.Feature) -> wire.Facet:
    begin = len(text[:start].encode())
    return wire.Facet(index=wire.ByteSlice(byte_start=begin, byte_end=begin + len(words.encode())), features=(feature,))


def unshortened(text: str, facets: Iterable[wire.Facet]) -> str:
    """A text as its reader must see it: where the app shows a link cut short, the whole link stands."""
    content = text.encode()
    for facet in sorted(facets, key=lambda one: -one.index.byte_start):
        start, end = facet.index.byte_start, facet.index.byte_end
        link = next((one.uri for one in facet.features if one.kind == f"{_KIND}link"), "")
        if (
            link
            and 0 <= start < end <= len(content)
            and content[start:end].decode(errors="ignore").endswith(("...", "\u2026"))
        ):
            content = content[:start] + link.encode() + content[end:]
    return content.decode(errors="replace")


def mentions(facets: Iterable[wire.Facet], did: str) -> bool:
    """Whether somebody is named in these facets."""
    return any(one.did == did for facet in facets for one in facet.features)
