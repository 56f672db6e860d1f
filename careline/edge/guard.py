"""The guard before the core. Its adapter has three traps, each reproduced: slow senders hold all threads, a cut POST arrives as a complete one,
and a header written with `_` passes for its twin with `-`. So bodies are spooled whole first, and such headers never get through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import Request

from careline.edge.answers import error_answer
from careline.edge.bodies import read_body
from careline.errors import CarelineError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


# The core gets the body whole: it counts by content-length alone, and would take a chunked body for an empty one.
_OF_THE_BODY = frozenset({b"content-length", b"transfer-encoding"})


class CoreGuard:
    """ASGI in front of the core. `sign_in` serves slow password pages in a pool of its own, so that they never hold up the desk."""

    def __init__(self, core: App, sign_in: App, *, limit_bytes: int, trusted_proxies: list[str]) -> None:
        self._core = core
        self._sign_in = sign_in
        self._limit_bytes = limit_bytes
        self._trusted = frozenset(trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            body = (
                b""
                if scope["method"] in {"GET", "HEAD"}
                else await read_body(Request(scope, receive), self._limit_bytes)
            )
        except CarelineError as error:
            await error_answer(error)(scope, receive, send)
            return
        inner = {**scope, "headers": [*self._headers(scope), (b"content-length", str(len(body)).encode())]}
        inner["client"] = self._client(scope)
        if self._scheme(scope) == "https":
            inner["scheme"] = "https"
        target = (
            self._sign_in
            if scope["path"].startswith(("/accounts/", "/setup/", "/join/")) and scope["method"] == "POST"
            else self._core
        )
        await target(inner, _replay(body), send)

    def _headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        is_trusted = (scope.get("client") or ("", 0))[0] in self._trusted
        return [
            (name, value)
            for name, value in scope["headers"]
            if b"_" not in name and name not in _OF_THE_BODY and (is_trusted or not name.startswith(b"x-forwarded-"))
        ]

    def _client(self, scope: Scope) -> tuple[str, int]:
        """Who asked: behind trusted proxies the nearest address that is not one of them, so that limits count people and not the proxy."""
        address, port = scope.get("client") or ("", 0)
        if address not in self._trusted:
            return address, port
        forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode("latin-1")
        for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            if hop not in self._trusted:
                return hop, 0
        return address, port

    def _scheme(self, scope: Scope) -> str:
        if (scope.get("client") or ("", 0))[0] in self._trusted:
            for name, value in scope["headers"]:
                if name == b"x-forwarded-proto":
                    return str(value.decode("latin-1")).split(",")[0].strip()
        return str(scope.get("scheme", "http"))


def _replay(body: bytes) -> Receive:
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            # The core asks again only to learn of a disconnect; the answer is sent whole, so it may wait for ever.
            await asyncio.Event().wait()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
