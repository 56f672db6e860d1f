"""Telegram's rig: updates as the Bot API writes them, and a Bot API server on loopback.

Marta speaks in a chat of a connected business account, where deletions are told; Otro is a bystander in a group.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Outgoing, Part
from careline.channels.conformance import Fault, Standing, Words
from careline.channels.telegram import NETWORK
from careline.channels.telegram.inbound import SECRET_HEADER
from careline.channels.telegram.places import message_of, place_of
from careline.channels.telegram.tests.bot_api import TOKEN, BotApi

SECRET = "a-secret_of-the-hook-0123456789"
MARTA, OTRO, OWNER, GROUP = 4201, 4301, 4401, -1001001
_FAULTS: dict[Fault, str] = {"refused": "403:Forbidden: bot was blocked by the user"}
THREADS = {"dm": str(MARTA), "business": f"b:BC1:{MARTA}", "group": str(GROUP), "comment": f"{GROUP}/c12"}


class TelegramPlatform:
    """The fake, as the rules know a platform."""

    def __init__(self, api: BotApi, channel: ChannelView) -> None:
        self.api = api
        self.channel = msgspec.structs.replace(channel, settings={**channel.settings, "api": api.address})

    def plan(self, fault: Fault) -> None:
        self.api.faults.append(_FAULTS.get(fault, fault))

    def posted(self) -> list[str]:
        return [one.get("text", "") for one in self.api.posted]

    def standing(self, surface: str, *, ours: bool) -> Standing:
        place = place_of(THREADS[surface])
        return Standing(place.message_key(31 if ours else 30), place.thread_key, str(MARTA))

    def done_to(self, platform_id: str) -> frozenset[str]:
        place, number = message_of(platform_id)
        gone = {(place.chat_id, number), (0, number)} & self.api.deleted
        return frozenset(self.api.reactions.get((place.chat_id, number), [])) | ({"deleted"} if gone else set())

    def happen_unseen(self, words: Words) -> None:
        update = json.loads(TelegramRig().say(words))
        self.api.updates.append({**update, "update_id": 100 + len(self.api.requests)})

    def followed(self, link: str) -> bytes:
        text = f"/start {link.partition('?start=')[2]}"
        return update_of("message", message(message_id=9, text=text, entities=[_command(6)]))


class TelegramRig:
    network = NETWORK
    signed_headers = (SECRET_HEADER,)

    def __init__(self) -> None:
        secrets = {"token": TOKEN, "hook_secret": SECRET}
        self.connection = ConnectionView(1, 1, "telegram", secrets, {"777": 7})
        settings = {"mode": "polling", "api": "http://127.0.0.1:9", "username": "AuroraAirBot"}
        self.channel = ChannelView(
            7, 1, "telegram", "777", "Aurora", "@AuroraAirBot", settings, secrets, signing_key=b"k" * 32
        )

    def say(self, words: Words) -> bytes:
        return _update("message" if words.author == "otro" else "business_message", words.key, self._message(words))

    def _message(self, words: Words) -> dict[str, Any]:
        number = {"t1": 0}.get(words.thread, 1)
        at = {"message_id": _number(words.key), "date": int(words.at.timestamp()), "text": words.text}
        if words.author == "otro":
            return {**at, "from": user(OTRO, "Otro"), "chat": group(GROUP - number)}
        chat = MARTA + number
        sender = user(OWNER, "Aurora") if words.author == "us" else user(chat, "Marta", last_name="Ruiz")
        return {**at, "from": sender, "chat": private(chat), "business_connection_id": "BC1"}

    def edit(self, of: Words, text: str) -> bytes | None:
        changed = {**self._message(of), "text": text, "edit_date": int(of.at.timestamp()) + 5}
        return _update("edited_business_message", f"{of.key}-edited", changed)

    def delete(self, of: Words) -> bytes | None:
        told = self._message(of)
        gone = {"business_connection_id": "BC1", "chat": told["chat"], "message_ids": [told["message_id"]]}
        return _update("deleted_business_messages", f"{of.key}-deleted", gone)

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        return None

    def novelty(self) -> bytes | None:
        return _update("hologram_opened", "new", {"id": 1})

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        if len(events) != 1:
            return None
        return HookRequest("POST", "/hooks/telegram/t", {SECRET_HEADER: secret or SECRET}, events[0])

    def fetch(self, event: bytes) -> Part:
        request = self.deliver([event])
        assert request is not None
        return self.network.split(request, self.connection)[0]

    def foreign(self) -> bytes:
        return b'{"object":"page","entry":[{"id":"1","changes":[]}]}'

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        chosen = surface or "dm"
        return Outgoing(
            delivery_id=1,
            idempotency_key="key-1",
            attempt=attempt,
            surface=chosen,
            thread_id=1,
            thread_key=THREADS[chosen],
            recipient=str(MARTA),
            text=text,
            author_kind="human",
            reply_to=f"{GROUP}:30" if chosen in {"group", "comment"} else "",
        )

    @contextmanager
    def listening(self) -> Iterator[TelegramPlatform]:
        api = BotApi()
        try:
            yield TelegramPlatform(api, self.channel)
        finally:
            api.stop()
        assert api.complaints == [], "every request is as the Bot API describes it"


def user(number: int, name: str, **more: object) -> dict[str, Any]:
    return {"id": number, "is_bot": False, "first_name": name, **more}


def private(number: int, name: str = "Marta") -> dict[str, Any]:
    return {"id": number, "type": "private", "first_name": name}


def group(number: int = GROUP, **more: object) -> dict[str, Any]:
    return {"id": number, "type": "supergroup", "title": "Aurora travellers", **more}


def message(**more: Any) -> dict[str, Any]:
    """A private message of Marta's, unless said otherwise."""
    return {"message_id": 8, "date": 1_790_000_000, "from": user(MARTA, "Marta"), "chat": private(MARTA), **more}


def update_of(kind: str, told: dict[str, Any], number: int = 1) -> bytes:
    return json.dumps({"update_id": number, kind: told}, ensure_ascii=False).encode()


def _command(length: int) -> dict[str, Any]:
    return {"type": "bot_command", "offset": 0, "length": length}


def _update(kind: str, key: str, told: dict[str, Any]) -> bytes:
    return update_of(kind, told, _number(key))


def _number(key: str) -> int:
    return zlib.crc32(key.encode()) % 1_000_000 + 1
