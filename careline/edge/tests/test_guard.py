"""The guard before the core: whole bodies or none, no header that passes for another, no address a stranger invented."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from careline.edge import guard as guard_module
from careline.edge.guard import CoreGuard, Message, Scope

PROXY, PERSON = "10.0.0.5", "203.0.113.9"


class Core:
    """Remembers what reached it."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        message = await receive()
        assert message["more_body"] is False
        self.bodies.append(message["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.scopes[-1]["headers"])


def ask(
    core: Core,
    parts: list[bytes | None],
    *,
    method: str = "POST",
    path: str = "/w/air/cases",
    headers: dict[str, str] | None = None,
    client: str = PERSON,
    sign_in: Core | None = None,
    limit_bytes: int = 1000,
) -> int:
    """Send parts (None: the sender goes away) through the guard; the status, 0 when nothing was answered."""
    waiting = [
        {"type": "http.disconnect"} if part is None else {"type": "http.request", "body": part, "more_body": True}
        for part in parts
    ]
    statuses: list[int] = []

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "scheme": "http", "client": (client, 40_000), "server": ("x", 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
    }  # fmt: skip
    guard = CoreGuard(core, sign_in or core, limit_bytes=limit_bytes, trusted_proxies=[PROXY])
    asyncio.run(guard(scope, receive, send))
    return statuses[0] if statuses else 0


def test_a_body_in_pieces_reaches_the_core_as_one_with_its_length() -> None:
    core = Core()
    assert ask(core, [b"a=1", b"&b=", b"2"], headers={"Transfer-Encoding": "chunked"}) == 200
    assert core.bodies == [b"a=1&b=2"]
    assert core.headers[b"content-length"] == b"7" and b"transfer-encoding" not in core.headers


def test_a_post_cut_midway_never_reaches_the_core() -> None:
    core = Core()
    assert ask(core, [b"text=half a pub", None], headers={"Content-Length": "100"}) == 400
    assert ask(core, [b"text=half a pub"], headers={"Content-Length": "100"}) == 400
    assert core.scopes == []


def test_a_body_that_dawdles_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    from careline.edge import bodies

    async def hang() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        statuses.append(message.get("status"))

    statuses: list[Any] = []
    core = Core()
    plain = bodies.read_body
    monkeypatch.setattr(guard_module, "read_body", lambda request, limit: plain(request, limit, deadline_s=0.05))
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [], "client": (PERSON, 1)}
    asyncio.run(CoreGuard(core, core, limit_bytes=10, trusted_proxies=[])(scope, hang, send))
    assert statuses[0] == 408 and core.scopes == []


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "1001"}])
def test_a_body_over_the_limit_never_reaches_the_core(headers: dict[str, str]) -> None:
    core = Core()
    assert ask(core, [b"x" * 600, b"x" * 401], headers=headers) == 413
    assert core.scopes == []
    assert ask(core, [b"x" * 1000]) == 200


def test_a_header_with_an_underscore_never_passes_for_its_twin() -> None:
    core = Core()
    ask(
        core,
        [],
        headers={
            "X_Forwarded_For": "127.0.0.1",
            "Remote_User": "ben",
            "X_CSRFToken": "t",
            "X-CSRFToken": "genuine",
            "Content_Length": "7",
            "Cookie": "a=1",
        },
    )
    assert set(core.headers) == {b"x-csrftoken", b"cookie", b"content-length"}
    assert (core.headers[b"x-csrftoken"], core.headers[b"content-length"]) == (b"genuine", b"0")


def test_what_a_stranger_says_of_forwarding_is_dropped_and_a_proxys_word_is_taken() -> None:
    said = {"X-Forwarded-For": f"127.0.0.1, {PERSON}", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.test"}
    stranger = Core()
    ask(stranger, [], headers=said)
    assert not any(name.startswith(b"x-forwarded") for name in stranger.headers)
    assert (stranger.scopes[0]["client"][0], stranger.scopes[0]["scheme"]) == (PERSON, "http")
    proxied = Core()
    ask(proxied, [], headers=said, client=PROXY)
    assert (proxied.scopes[0]["client"][0], proxied.scopes[0]["scheme"]) == (PERSON, "https")


def test_behind_two_proxies_the_nearest_stranger_counts() -> None:
    core = Core()
    ask(core, [], headers={"X-Forwarded-For": f"6.6.6.6, {PERSON}, {PROXY}"}, client=PROXY)
    assert core.scopes[0]["client"][0] == PERSON
    ask(core, [], client=PROXY)
    assert core.scopes[1]["client"][0] == PROXY


def test_slow_password_pages_have_a_thread_of_their_own() -> None:
    core, sign_in = Core(), Core()
    for path in ("/accounts/login/", "/join/token", "/setup/token"):
        ask(core, [], path=path, sign_in=sign_in)
        ask(core, [], path=path, method="GET", sign_in=sign_in)
    ask(core, [], path="/w/air/accounts/", sign_in=sign_in)
    assert (len(sign_in.scopes), len(core.scopes)) == (3, 4)


def test_a_get_waits_for_no_body() -> None:
    core = Core()
    assert ask(core, [None], method="GET", headers={"Content-Length": "900"}) == 200
    assert core.bodies == [b""] and core.headers[b"content-length"] == b"0"


def test_anything_but_http_is_let_fall() -> None:
    core = Core()

    async def nothing(*arguments: object) -> Message:
        raise AssertionError("nothing is asked and nothing is said")

    asyncio.run(CoreGuard(core, core, limit_bytes=10, trusted_proxies=[])({"type": "websocket"}, nothing, nothing))
    assert core.scopes == []
