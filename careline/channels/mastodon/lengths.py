"""How long Mastodon says a text is: graphemes, a link as 23, of @user@server only @user.

Source: app/validators/status_length_validator.rb and app/models/account.rb (USERNAME_RE, MENTION_RE) of mastodon/mastodon, its links by
config/initializers/twitter_regex.rb; read 2026-11-22. There a link needs a known top-level domain; here any that looks like one will do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import regex

from careline.kit import counting

UNIT: Final = "graphemes_short_links"
LINK_WEIGHT: Final = 23
_LONGEST_DOMAIN: Final = 253
_LONGEST_LINK: Final = 4096
_MENTION: Final = regex.compile(
    r"(?<![=/\w])@(?P<user>[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)(?:@(?P<domain>\w+(?:[.-]+\w+)*))?", regex.IGNORECASE
)
_PATH: Final = r"(?:/(?:[^\s<>()?]|\((?:[^\s<>()?]|\([^\s<>()?]+\))+\))*(?<![!*\"'「」<>;:=,.$%\[\]~&|@]))?"
_QUERY: Final = r"(?:\?[a-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@^\u00a0-\U0010ffff]*[a-z0-9_&=#/\-\u00a0-\U0010ffff])?"
_LINK: Final = regex.compile(
    r"(?<![a-z0-9@＠$#＃])(?:https?|dat|dweb|ipfs|ipns|ssb|gopher|gemini)://"
    r"(?:[\p{L}\p{N}](?:[\p{L}\p{N}_-]*[\p{L}\p{N}])?\.)+(?:xn--[a-z0-9-]+|\p{L}{2,})(?::\d+)?" + _PATH + _QUERY,
    regex.IGNORECASE,
)


def measure(text: str) -> int:
    """Length in this unit. A link or domain that is too long to be one counts whole."""
    shown, last = [], 0
    for start, end, weight in _weighed(text):
        if start >= last:
            shown += [text[last:start], weight]
            last = end
    return counting.measure("".join([*shown, text[last:]]), "graphemes")


def _weighed(text: str) -> list[tuple[int, int, str]]:
    """Pieces that do not count as long as they are, with what stands for them."""
    links = [
        (one.start(), one.end(), "x" * LINK_WEIGHT) for one in _LINK.finditer(text) if len(one[0]) <= _LONGEST_LINK
    ]
    people = [
        (one.start(), one.end(), f"@{one['user']}")
        for one in _MENTION.finditer(text)
        if len(one["domain"] or "") <= _LONGEST_DOMAIN
    ]
    return sorted([*links, *people])


def mentions(text: str) -> Iterator[str]:
    """Who is named in a text, as written, without the first @, lower case."""
    for one in _MENTION.finditer(text):
        yield one[0][1:].lower()


def without_first_mentions(text: str) -> str:
    """A text after the names it begins with: those an app puts there by itself."""
    rest = text.lstrip()
    while found := _MENTION.match(rest):
        rest = rest[found.end() :].lstrip()
    return rest


counting.register_unit(UNIT, measure)
