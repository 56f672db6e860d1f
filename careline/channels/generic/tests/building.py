"""What the generic channel's tests are made of: a signed delivery, a channel, a receiver on loopback."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Outgoing, Tools
from careline.kit import signing
from careline.kit.http import guarded_client

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, so").decode()
MARTA = {"id": "c-4", "name": "Marta Ruiz"}
MESSAGE = {
    "type": "message",
    "id": "m-1",
    "thread": {"id": "t-9"},
    "customer": MARTA,
    "at": "2026-11-21T10:00:00Z",
    "text": "¿Dónde está mi paquete?",
}


def connection(**accounts: int) -> ConnectionView:
    return ConnectionView(1, 7, "generic", {"secret": SECRET}, accounts or {"shop": 11})


def channel(url: str = "") -> ChannelView:
    return ChannelView(11, 7, "generic", "shop", "Shop", "", {"outbound_url": url}, {"secret": SECRET})


def delivery(body: object, *, secret: str = SECRET, method: str = "POST") -> HookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HookRequest(method, "/hooks/generic/x", signing.webhook_headers(secret, "d-1", raw), raw)


def outgoing(text: str = "Hoy sale.", **changes: object) -> Outgoing:
    facts = {
        "delivery_id": 5,
        "idempotency_key": "key-5",
        "attempt": 1,
        "surface": "message",
        "thread_id": 3,
        "thread_key": "t-9",
    }
    return Outgoing(**{**facts, "recipient": "c-4", "text": text, "author_kind": "human", **changes})


Answering = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def receiver(
    answering: Answering, *, allow_private: bool = True
) -> AsyncIterator[tuple[ChannelView, Tools, list[tuple[dict[str, str], bytes]]]]:
    """A real HTTP server on loopback that keeps what it got and answers as told."""
    seen: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        seen.append(({name.lower(): value for name, value in request.headers.items()}, body))
        return await answering(request, body)

    app = web.Application()
    app.router.add_post("/in", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with guarded_client(allow_private=allow_private, timeout_s=5) as client:
            yield channel(f"http://127.0.0.1:{port}/in"), Tools(client), seen
    finally:
        await runner.cleanup()


def run(work: Awaitable[object]) -> object:
    return asyncio.run(work)  # type: ignore[arg-type]
