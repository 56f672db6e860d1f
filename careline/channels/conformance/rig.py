"""What a network supplies to be judged: its platform's voice (raw events, signed deliveries) and its ear (a fake on
loopback)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Network, Outgoing, Part

Fault = Literal["rate_limited", "rate_limited_silently", "failing", "cut", "revoked", "refused"]
"""What the platform does with the next message: 429 with `Retry-After: 7`, 429 without, 500 after it was taken, the
connection cut after it was taken, the token no longer valid, a final refusal (a closed window)."""
RETRY_AFTER_S = 7.0


class Words(msgspec.Struct, frozen=True):
    """An utterance the rig is asked for. The same `key` is the same utterance: same platform id, event id and bytes.

    `author`: marta (the customer), otro (a bystander), us (our own account, posting in the platform's own app).
    `account` 0 or 1, where the network serves several. `at` is the platform's time. `client_key` is set for an echo
    of a
    message of ours.
    """

    key: str
    at: datetime
    text: str = "hello"
    thread: str = "t1"
    author: Literal["marta", "otro", "us"] = "marta"
    account: int = 0
    client_key: str = ""


class Platform(Protocol):
    """A fake platform listening on loopback. It takes what comes unless a fault was planned, and remembers."""

    @property
    def channel(self) -> ChannelView:
        """The rig's channel, pointing here."""

    def plan(self, fault: Fault) -> None:
        """What happens to the next message."""

    def posted(self) -> list[str]:
        """Texts it has taken, in order; one that was taken twice stands twice."""

    def happen_unseen(self, words: Words) -> None:
        """Something is said that no webhook tells (an outage between us)."""


class Standing(msgspec.Struct, frozen=True):
    """A message that stands on the fake platform. `author_key` names who said it."""

    platform_id: str
    thread_key: str
    author_key: str = ""


class ActsPlatform(Platform, Protocol):
    """A platform whose messages can be hidden, liked, reacted to or deleted: only for networks that declare such acts."""

    def standing(self, surface: str, *, ours: bool) -> Standing:
        """A message on this surface, the customer's or one of ours; the same one at every call."""

    def done_to(self, platform_id: str) -> frozenset[str]:
        """What we did to it that holds: `hidden`, `liked`, `deleted`, and our reaction's emoji."""


class OpensPlatform(Platform, Protocol):
    """A platform on which a public word can be answered in private: only for networks that declare a private surface."""

    def commented(self) -> Standing:
        """A public word of somebody who never wrote to us in private."""


class LinkedPlatform(Platform, Protocol):
    """A platform on which only the customer can begin, by a link of ours: only for networks whose `private_way` is a link."""

    def followed(self, link: str) -> bytes:
        """The event of somebody following such a link and beginning the private conversation."""


class NamesPlatform(Platform, Protocol):
    """A platform that tells names only when asked: only for networks with a surface whose identity.names is `asked`."""

    def stranger(self, surface: str) -> bytes:
        """The event of somebody speaking on this surface without a name: a new word of theirs at every call."""

    def called(self, surface: str) -> str:
        """What the platform says when asked who that was: their name, else their handle."""

    def names_asked(self) -> int:
        """How often it was asked for a name, whatever came of it."""

    def plan_naming(self, fault: Fault) -> None:
        """What happens to the next question for a name; `refused` is that it may not be told."""


class VanishingPlatform(ActsPlatform, Protocol):
    """A platform that tells nobody of a deletion: only for networks that declare the duty to ask again."""

    def vanish(self, platform_id: str) -> None:
        """Its author deletes it, unsaid."""


class Rig(Protocol):
    """One network under test. What the platform has no such thing of gives None; the rule then checks the declaration.

    `signed_headers` are the names, lower case, of the headers that the signature covers or carries.
    """

    network: Network
    connection: ConnectionView
    channel: ChannelView
    signed_headers: tuple[str, ...]

    def say(self, words: Words) -> bytes:
        """The platform's raw event of an utterance."""

    def edit(self, of: Words, text: str) -> bytes | None:
        """The event of its author changing it."""

    def delete(self, of: Words) -> bytes | None:
        """The event of its author taking it back."""

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        """The event of a message of ours being sent, delivered, read or failed."""

    def novelty(self) -> bytes | None:
        """An event of a kind that this version does not know."""

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        """A webhook with these events, signed (with `secret` instead of the connection's) and stamped `at_s`.

        None where nothing is pushed.
        """

    def fetch(self, event: bytes) -> Part:
        """The event as a journal row's part: cut from a delivery, or as the network's reader would hand it over."""

    def foreign(self) -> bytes:
        """Bytes of something that is no delivery, and no event, of this network."""

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        """A message of ours to Marta; an empty surface is the network's first that can be answered on."""

    def listening(self) -> AbstractContextManager[Platform] | None:
        """A fake platform for the time of a block; None for a network that sends nothing itself."""
