"""WhatsApp's rig: deliveries in the shape of Meta's own examples, and a Cloud API on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Outgoing, Part
from careline.channels.conformance import Fault, Standing, Words
from careline.channels.meta.tests.rigging import SECRETS, channel_of, envelope, signed
from careline.channels.meta.whatsapp import NETWORK
from careline.channels.meta.whatsapp.tests.cloud import NUMBER, WABA, CloudApi

MARTA, OTRO = "16505551234", "16505559876"
SECOND = "106540352242999"
TOPIC = "whatsapp_business_account"


class WhatsAppPlatform:
    """The fake, as the rules know a platform."""

    def __init__(self, api: CloudApi, channel: ChannelView) -> None:
        self.api = api
        self.channel = msgspec.structs.replace(channel, settings={**channel.settings, "api": api.address})

    def plan(self, fault: Fault) -> None:
        self.api.faults.append(fault)

    def posted(self) -> list[str]:
        return list(self.api.posted)

    def standing(self, surface: str, *, ours: bool) -> Standing:
        return Standing("wamid.ours" if ours else "wamid.theirs", MARTA, MARTA)

    def done_to(self, platform_id: str) -> frozenset[str]:
        return frozenset({self.api.reactions.get(platform_id, "")} - {""})

    def happen_unseen(self, words: Words) -> None:
        """Meta repeats what it could not deliver, for 7 days; nothing can be fetched."""


class WhatsAppRig:
    network = NETWORK
    signed_headers = ("x-hub-signature-256",)

    def __init__(self) -> None:
        self.channel = channel_of("whatsapp", NUMBER, waba_id=WABA, phone_number_id=NUMBER)
        self.connection = ConnectionView(1, 1, "whatsapp", SECRETS, {NUMBER: 7, SECOND: 8})

    def say(self, words: Words) -> bytes:
        at = {"id": f"wamid.{words.key}", "timestamp": str(int(words.at.timestamp()))}
        text = {"type": "text", "text": {"body": words.text}}
        number = SECOND if words.account else NUMBER
        if words.author == "us":
            echo = {"from": "15550783881", "to": _phone(words), **at, **text}
            return change("smb_message_echoes", number, message_echoes=[echo])
        return told({"from": _phone(words), **at, **text}, number=number, name=words.author.title())

    def edit(self, of: Words, text: str) -> bytes | None:
        new = {"type": "text", "text": {"body": text}}
        return self._about(of, "edit", {"original_message_id": f"wamid.{of.key}", "message": new})

    def delete(self, of: Words) -> bytes | None:
        return self._about(of, "revoke", {"original_message_id": f"wamid.{of.key}"})

    def _about(self, of: Words, kind: str, what: dict[str, Any]) -> bytes:
        at = str(int(of.at.timestamp()) + 5)
        return told({"from": _phone(of), "id": f"wamid.{of.key}-{kind}", "timestamp": at, "type": kind, kind: what})

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        status = {
            "id": platform_id,
            "status": state,
            "timestamp": "1790000000",
            "recipient_id": MARTA,
            "biz_opaque_callback_data": idempotency_key,
        }
        if state == "failed":
            details = {"details": "Message failed to send because more than 24 hours have passed."}
            status = {**status, "errors": [{"code": 131047, "title": "Re-engagement message", "error_data": details}]}  # type: ignore[dict-item]
        return change("messages", NUMBER, statuses=[status])

    def novelty(self) -> bytes | None:
        return told({"from": MARTA, "id": "wamid.new", "timestamp": "1790000000", "type": "hologram", "hologram": {}})

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        entries = [entry for event in events for entry in json.loads(event)["entry"]]
        return signed("whatsapp", envelope(TOPIC, entries), secret)

    def fetch(self, event: bytes) -> Part:
        return self.network.split(signed("whatsapp", event), self.connection)[0]

    def foreign(self) -> bytes:
        return b'{"object":"page","entry":[{"id":"1","time":1,"changes":[]}]}'

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        return Outgoing(1, "key-1", attempt, "dm", 1, MARTA, MARTA, text, "human")

    @contextmanager
    def listening(self) -> Iterator[WhatsAppPlatform]:
        api = CloudApi()
        try:
            yield WhatsAppPlatform(api, self.channel)
        finally:
            api.stop()
        assert api.complaints == [], "every request is as Meta describes it"


def _phone(words: Words) -> str:
    base = OTRO if words.author == "otro" else MARTA
    return base if words.thread == "t1" else f"{base[:-1]}0"


def change(field: str, number: str, **value: Any) -> bytes:
    """A delivery with one change."""
    head = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
    }
    return envelope(TOPIC, [{"id": WABA, "changes": [{"value": {**head, **value}, "field": field}]}])


def told(message: dict[str, Any], *, number: str = NUMBER, name: str = "Marta Ruiz") -> bytes:
    """A delivery with one message of a customer's."""
    contact = {"profile": {"name": name}, "wa_id": message["from"]}
    return change("messages", number, contacts=[contact], messages=[message])
