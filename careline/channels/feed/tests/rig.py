"""The rig: Atom documents with comments on a post, read as the network's reader reads them, and a real web server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from html import escape
from pathlib import Path

import msgspec

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Outgoing, Part
from careline.channels.conformance import Fault, Words
from careline.channels.feed import NETWORK, cutting, formats
from careline.channels.feed.tests.server import FeedServer, serving
from careline.channels.feed.wire import FeedState, Letter

FEED = "http://forum.example/comments.atom"
NAMES = {"marta": "Marta Ruiz", "otro": "Otro", "us": "Aurora Air"}


def atom(*inside: str) -> str:
    """An Atom document with these entries and tombstones."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"'
        ' xmlns:thr="http://purl.org/syndication/thread/1.0" xmlns:at="http://purl.org/atompub/tombstones/1.0">'
        f"<title>Air forum</title><id>tag:forum.example,2026:all</id>{''.join(inside)}</feed>"
    )


def comment(words: Words, text: str = "") -> str:
    """An entry that answers the post of its thread."""
    at = words.at.isoformat()
    return (
        f"<entry><id>{_id(words)}</id><title>Re: luggage</title><published>{at}</published><updated>{at}</updated>"
        f'<author><name>{NAMES[words.author]}</name></author><thr:in-reply-to ref="tag:forum.example,2026:{words.thread}"/>'
        f'<content type="html">{escape(escape(text or words.text))}</content></entry>'
    )


def tombstone(words: Words) -> str:
    """RFC 6721."""
    return f'<at:deleted-entry ref="{_id(words)}" when="{words.at.isoformat()}"/>'


def _id(words: Words) -> str:
    return f"tag:forum.example,2026:{words.thread}:{words.key}"


class FeedRig:
    network = NETWORK
    signed_headers = ()

    def __init__(self) -> None:
        settings = {"feeds": FEED, "own_names": "Aurora Air", "every_min": "0.001"}
        self.channel = ChannelView(7, 1, "feed", "forum", "Forum", "forum.example", settings, {})
        self.connection = ConnectionView(1, 1, "feed", {}, {"forum": 7})

    def say(self, words: Words) -> bytes:
        return self._cut(FeedState(), atom(comment(words)))[1]

    def edit(self, of: Words, text: str) -> bytes | None:
        return self._cut(self._cut(FeedState(), atom(comment(of)))[0], atom(comment(of, text)))[1]

    def delete(self, of: Words) -> bytes | None:
        return self._cut(self._cut(FeedState(), atom(comment(of)))[0], atom(tombstone(of)))[1]

    def _cut(self, state: FeedState, document: str) -> tuple[FeedState, bytes]:
        read = formats.read(document.encode(), "application/atom+xml", FEED)
        after, letters = cutting.cut(FEED, state, read, self.channel)
        (letter,) = letters
        return after, msgspec.json.encode(msgspec.structs.replace(letter, seen_s=of_s(letter)))

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        return None

    def novelty(self) -> bytes | None:
        return None

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        return None

    def fetch(self, event: bytes) -> Part:
        return cutting.part_of(msgspec.json.decode(event, type=Letter), "forum")

    def foreign(self) -> bytes:
        return b'{"object":"page","entry":[]}'

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        return Outgoing(1, "key-1", attempt, surface or "post", 1, "t1", "marta", text, "human")

    def listening(self) -> AbstractContextManager[FeedPlatform] | None:
        """Nothing is sent."""
        return None


def of_s(letter: Letter) -> float:
    """A letter that is read again is the same letter."""
    return letter.entry.published_s or letter.deleted_s


class FeedPlatform:
    """A web server with one feed."""

    def __init__(self, server: FeedServer, channel: ChannelView) -> None:
        self._server, self._told = server, list[str]()
        self.channel = msgspec.structs.replace(
            channel, settings={**channel.settings, "feeds": server.write("feed.atom", atom())}
        )

    def plan(self, fault: Fault) -> None:
        """Nothing is sent, so nothing can fail."""

    def posted(self) -> list[str]:
        return []

    def happen_unseen(self, words: Words) -> None:
        self._told.insert(0, comment(words))
        self._server.write("feed.atom", atom(*self._told))


class ListeningRig(FeedRig):
    """The rig with a web server, for the rule about gaps."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    @contextmanager
    def _serve(self) -> Iterator[FeedPlatform]:
        with serving(self._folder) as server:
            yield FeedPlatform(server, self.channel)

    def listening(self) -> AbstractContextManager[FeedPlatform]:
        return self._serve()
