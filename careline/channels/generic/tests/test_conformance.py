"""The generic channel keeps every rule; its platform is a receiver on loopback that drops repeats by `webhook-id`."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from aiohttp import web

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Outgoing, Part
from careline.channels.conformance import ChannelConformance, Fault, Standing, Words
from careline.channels.generic import NETWORK
from careline.channels.generic.tests.building import SECRET, outgoing
from careline.kit import clock, signing

_REFUSALS: dict[Fault, tuple[int, dict[str, str]]] = {
    "rate_limited": (429, {"Retry-After": "7"}),
    "rate_limited_silently": (429, {}),
    "revoked": (401, {}),
    "refused": (410, {}),
}


class Receiver:
    """A careful receiver: what it has seen once it answers the same way again, without posting it again."""

    def __init__(self, channel: ChannelView) -> None:
        self.channel = channel
        self._texts: dict[str, str] = {}
        self._deleted: set[str] = set()
        self._faults: list[Fault] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self) -> None:
        app = web.Application(client_max_size=10_000_000)
        app.router.add_post("/in", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/in"
        self.channel = msgspec.structs.replace(
            self.channel, settings={**self.channel.settings, "outbound_url": address}
        )
        self._ready.set()
        await self._stopped.wait()
        await runner.cleanup()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)
        self._loop.close()

    def plan(self, fault: Fault) -> None:
        self._faults.append(fault)

    def posted(self) -> list[str]:
        return list(self._texts.values())

    def standing(self, surface: str, *, ours: bool) -> Standing:
        return Standing("o-1", "t1")

    def commented(self) -> Standing:
        return Standing("m-public", "t-public", "marta")

    def done_to(self, platform_id: str) -> frozenset[str]:
        return frozenset({"deleted"}) if platform_id in self._deleted else frozenset()

    def happen_unseen(self, words: Words) -> None:
        raise AssertionError("the generic channel fetches nothing")

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        signing.check_webhook(SECRET, {name.lower(): value for name, value in request.headers.items()}, body)
        fault = self._faults.pop(0) if self._faults else None
        if fault in _REFUSALS:
            status, headers = _REFUSALS[fault]
            return web.Response(status=status, headers=headers)
        event = json.loads(body)
        if event["type"] == "deletion":
            self._deleted.add(event["id"])
        else:
            self._texts.setdefault(request.headers["webhook-id"], event["text"])
        if fault == "cut":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(
            {"id": f"out-{request.headers['webhook-id']}", "thread_id": event["thread_id"] or "t-new"},
            status=500 if fault == "failing" else 200,
        )


class GenericRig:
    network = NETWORK
    signed_headers = ("webhook-id", "webhook-timestamp", "webhook-signature")

    def __init__(self) -> None:
        self.connection = ConnectionView(1, 1, "generic", {"secret": SECRET}, {"shop": 11, "lounge": 12})
        settings = {"outbound_url": "http://127.0.0.1:9/in"}
        self.channel = ChannelView(11, 1, "generic", "shop", "Shop", "", settings, {"secret": SECRET})

    def say(self, words: Words) -> bytes:
        return self._event(
            "message",
            words,
            thread={"id": words.thread, "visibility": "public" if words.author == "otro" else "private"},
            customer={"id": words.author, "name": words.author.title()},
            text=words.text,
            ours=words.author == "us",
            idempotency_key=words.client_key,
        )

    def edit(self, of: Words, text: str) -> bytes | None:
        return self._event("edit", of, thread_id=of.thread, text=text)

    def delete(self, of: Words) -> bytes | None:
        return self._event("deletion", of, thread_id=of.thread)

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        event = {"type": "receipt", "account": "shop", "thread_id": "t1", "state": state, "id": platform_id}
        return msgspec.json.encode({**event, "idempotency_key": idempotency_key, "at": clock.now()})

    def novelty(self) -> bytes | None:
        return msgspec.json.encode({"type": "hologram", "account": "shop"})

    def _event(self, kind: str, of: Words, **more: object) -> bytes:
        account = list(self.connection.accounts)[of.account]
        return msgspec.json.encode({"type": kind, "account": account, "id": f"m-{of.key}", "at": of.at, **more})

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        body = msgspec.json.encode({"events": [msgspec.Raw(one) for one in events]})
        headers = signing.webhook_headers(secret or SECRET, "d-1", body, at_s=at_s)
        return HookRequest("POST", "/hooks/generic/t", headers, body)

    def fetch(self, event: bytes) -> Part:
        request = self.deliver([event])
        assert request is not None
        return NETWORK.split(request, self.connection)[0]

    def foreign(self) -> bytes:
        return b'{"object":"page","entry":[{"id":"1","changes":[]}]}'

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        return outgoing(text, surface=surface or "message", attempt=attempt, thread_key="t1", recipient="marta")

    @contextmanager
    def listening(self) -> Iterator[Receiver]:
        platform = Receiver(self.channel)
        try:
            yield platform
        finally:
            platform.stop()


class TestGenericConformance(ChannelConformance):
    @pytest.fixture
    def rig(self) -> GenericRig:
        return GenericRig()
