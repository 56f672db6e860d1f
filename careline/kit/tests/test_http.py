"""The guard: no address of a customer's reaches anything private, however it is spelled, resolved or redirected."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from careline.errors import ChannelError, TooLarge
from careline.kit.http import Answer, GuardedClient, GuardedResolver, Refused, guarded_client, is_public, send_once
from careline.kit.tests.sites import Site

PRIVATE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.127.255.254", "192.0.2.1", "198.18.0.1", "198.51.100.7",
    "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.88.99.1", "::1", "::",
    "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::3", "fec0::1", "ff02::1", "2001:db8::1", "3fff::1",
    "5f00::1", "100::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:0:0:0:0:0:f5ff:fffe",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4003:80f::200e",
    "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
]  # fmt: skip
SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "017700000001",
    "127.0.0.1.", "localhost", "LOCALHOST", "localhost.", "１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "[::1]",
    "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_on_the_public_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_on_the_public_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def other() -> Iterator[Site]:
    server = Site()
    yield server
    server.shutdown()
    server.server_close()


def ask(work: Callable[[GuardedClient], Awaitable[Answer]], *, allow_private: bool = False) -> Answer:
    async def main() -> Answer:
        async with guarded_client(allow_private=allow_private, timeout_s=5) as client:
            return await work(client)

    return asyncio.run(main())


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_loopback_gets_through(site: Site, host: str) -> None:
    with pytest.raises((Refused, aiohttp.ClientConnectorDNSError)):
        ask(lambda client: client.request("GET", f"http://{host}:{site.server_port}/"))
    assert site.asked == []


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "10.0.0.1", "[fd00::1]", "[fe80::1%25eth0]", "100.64.0.1", "[64:ff9b::a00:1]"]
)
def test_private_literals_are_refused_before_any_connection(address: str) -> None:
    with pytest.raises(Refused):
        ask(lambda client: client.request("GET", f"http://{address}/latest/meta-data/"))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "javascript:alert(1)", "//example.com/", "/etc/passwd", "",
        "http://", "http:///x", "http://user@example.com/", "http://user:pw@example.com/", "http://a\\@127.0.0.1/", "http://[::1/", "http://[x]/",
        "http://a..b/", f"http://{'a' * 64}.test/", "http://example.com:99999/",
    ],
)  # fmt: skip
def test_an_address_that_is_no_plain_web_address_is_refused_and_never_another_error(url: str) -> None:
    with pytest.raises(Refused):
        ask(lambda client: client.request("GET", url))


def test_a_name_that_resolves_to_a_private_address_is_refused_even_if_others_are_public(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [("93.184.216.34", 80), ("10.0.0.7", 80)]

    async def resolve(self: Any, host: str, port: int, **kwargs: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one) for one in answers]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", resolve)
    resolver = GuardedResolver(allow_private=False)
    with pytest.raises(Refused):
        asyncio.run(resolver.resolve("rebinding.test", 80))
    answers.pop()
    assert [one["host"] for one in asyncio.run(resolver.resolve("rebinding.test", 80))] == ["93.184.216.34"]


def test_a_name_that_changes_its_answer_between_check_and_connection_gains_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = iter([("93.184.216.34", site.server_port), ("127.0.0.1", site.server_port)])

    async def resolve(self: Any, host: str, port: int, **kwargs: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", next(rounds))]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", resolve)
    asyncio.run(GuardedResolver(allow_private=False).resolve("rebinding.test", site.server_port))
    with pytest.raises(Refused):
        ask(lambda client: client.request("GET", f"http://rebinding.test:{site.server_port}/"))
    assert site.asked == []


def _publicly(monkeypatch: pytest.MonkeyPatch, *trusted: int) -> None:
    """Let the sites on these ports pass for public ones: no public address is reachable from a test."""
    from careline.kit import http

    plain = http.GuardedClient._check

    def check(self: GuardedClient, url: str) -> Any:
        target = http._parse(url)
        return target if target.host == "127.0.0.1" and target.port in trusted else plain(self, url)

    monkeypatch.setattr(http.GuardedClient, "_check", check)


@pytest.mark.parametrize(
    "where",
    [
        "http://127.0.0.1:1/admin",
        "http://169.254.169.254/",
        "http://[::1]/",
        "http://localhost/",
        "file:///etc/passwd",
        "//10.0.0.1/x",
        "http://[oops",
    ],
)
def test_a_redirect_to_a_private_address_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    _publicly(monkeypatch, site.server_port)
    site.pages["/"] = (302, {"Location": where}, b"")
    with pytest.raises(Refused):
        ask(lambda client: client.request("GET", f"{site.address}/"))
    assert len(site.asked) == 1


def test_a_redirect_to_another_origin_leaves_the_token_behind(site: Site, other: Site) -> None:
    site.pages["/a"] = (302, {"Location": "/b"}, b"")
    site.pages["/b"] = (307, {"Location": f"{other.address}/c"}, b"")
    answer = ask(
        lambda client: client.request("GET", f"{site.address}/a", headers={"Authorization": "Bearer t"}),
        allow_private=True,
    )
    assert (answer.status, answer.url) == (200, f"{other.address}/c")
    assert [asked[2].get("authorization") for asked in (*site.asked, *other.asked)] == ["Bearer t", "Bearer t", None]


def test_redirects_end_and_are_never_followed_with_a_body(site: Site) -> None:
    site.pages["/round"] = (302, {"Location": "/round"}, b"")
    with pytest.raises(Refused):
        ask(lambda client: client.request("GET", f"{site.address}/round"), allow_private=True)
    assert len(site.asked) == 4
    answer = ask(lambda client: client.request("POST", f"{site.address}/round", body=b"x"), allow_private=True)
    assert answer.status == 302
    assert (
        ask(lambda client: client.request("GET", f"{site.address}/round", follow=False), allow_private=True).headers[
            "location"
        ]
        == "/round"
    )


def test_more_than_the_limit_is_not_read_declared_or_not(site: Site) -> None:
    import gzip

    bomb = gzip.compress(b"\0" * 3_000_000)
    site.pages["/long"] = (200, {}, b"x" * 2000)
    site.pages["/bomb"] = (200, {"Content-Encoding": "gzip"}, bomb)
    for path, limit in (("/long", 1999), ("/bomb", 1_000_000)):
        with pytest.raises(TooLarge):
            ask(
                lambda client, path=path, limit=limit: client.request(
                    "GET", f"{site.address}{path}", limit_bytes=limit
                ),
                allow_private=True,
            )
    assert (
        len(
            ask(lambda client: client.request("GET", f"{site.address}/long", limit_bytes=2000), allow_private=True).body
        )
        == 2000
    )


def _post(url: str, *, allow_private: bool = True, timeout_s: float = 5) -> ChannelError:
    async def main() -> ChannelError:
        async with guarded_client(allow_private=allow_private, timeout_s=timeout_s) as client:
            with pytest.raises(ChannelError) as raised:
                await send_once(client, "POST", url, headers={}, body=b"x")
            return raised.value

    return asyncio.run(main())


def test_a_connection_never_made_is_safe_to_repeat_and_one_cut_is_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert (error := _post(f"http://127.0.0.1:{port}/")).code == "unreachable" and not error.outcome_unknown
    with socket.create_server(("127.0.0.1", 0)) as cutting:
        threading.Thread(target=_read_and_cut, args=(cutting,), daemon=True).start()
        assert (
            error := _post(f"http://127.0.0.1:{cutting.getsockname()[1]}/")
        ).code == "connection_cut" and error.outcome_unknown


def _read_and_cut(listener: socket.socket) -> None:
    link, _ = listener.accept()
    link.recv(100)
    link.close()


def test_a_connection_that_timed_out_before_it_stood_was_never_made() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        error = _post(f"http://127.0.0.1:{full.getsockname()[1]}/", timeout_s=0.7)
        for filler in fillers:
            filler.close()
    assert (error.code, error.outcome_unknown) == ("unreachable", False)


def test_an_address_that_is_refused_is_a_permanent_failure_of_its_delivery() -> None:
    assert (error := _post("http://10.0.0.1/", allow_private=False)).permanent and error.code == "address_refused"
    assert (error := _post("http://[oops/")).permanent and error.code == "address_refused"


def test_an_answer_is_whole_with_lower_case_headers(site: Site) -> None:
    site.pages["/x"] = (418, {"X-Thing": "1"}, b"tea")
    answer = ask(lambda client: client.request("GET", f"{site.address}/x"), allow_private=True)
    assert (answer.status, answer.headers["x-thing"], answer.body) == (418, "1", b"tea")


def test_cookies_of_one_answer_are_not_told_to_the_next(site: Site) -> None:
    site.pages["/x"] = (200, {"Set-Cookie": "a=1"}, b"")

    async def twice(client: GuardedClient) -> Answer:
        await client.request("GET", f"{site.address}/x")
        return await client.request("GET", f"{site.address}/x")

    ask(twice, allow_private=True)
    assert [asked[2].get("cookie") for asked in site.asked] == [None, None]
    assert issubclass(aiohttp.ConnectionTimeoutError, aiohttp.ClientError)


# ---- answers that go on


def lines_of(*chunks: bytes, status: int = 200, is_cut: bool = False, **more: Any) -> list[bytes]:
    """What is read of an answer that comes in these pieces; the last is what was raised, if anything."""

    async def take(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
            await asyncio.sleep(0.02)
        if is_cut:
            assert request.transport is not None
            request.transport.abort()
        return response

    async def read() -> list[bytes]:
        app = web.Application()
        app.router.add_get("/", take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found: list[bytes] = []
        try:
            async with guarded_client(allow_private=True) as client:
                async for line in client.lines(f"http://127.0.0.1:{runner.addresses[0][1]}/", **more):
                    found.append(line)
        except ChannelError as error:
            found.append(error.code.encode())
        finally:
            await runner.cleanup()
        return found

    return asyncio.run(read())


def test_lines_come_whole_however_they_are_cut_on_the_way() -> None:
    assert lines_of(b"event: a\r\nda", b"ta: 1\n\n", b": thump\n", b"half") == [
        b"event: a",
        b"data: 1",
        b"",
        b": thump",
    ]


def test_a_stream_that_is_refused_breaks_swells_or_falls_silent_is_said_to() -> None:
    assert lines_of(b"no", status=404) == [b"stream_refused"]
    assert lines_of(b"one\n", is_cut=True) == [b"one", b"connection_cut"]
    assert lines_of(b"one\n", b"x" * 50, limit_bytes=40) == [b"one", b"response_too_large"]
    assert lines_of(b"one\n", silence_s=0.01)[-1] == b"connection_cut"


def test_a_stream_from_a_private_address_is_refused() -> None:
    async def read() -> str:
        async with guarded_client() as client:
            with pytest.raises(ChannelError) as refused:
                await anext(client.lines("http://127.0.0.1/"))
        return refused.value.code

    assert asyncio.run(read()) == "address_refused"
