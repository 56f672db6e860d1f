"""The IMAP client against a scripted server: literals, refusals, silence, injected bytes. The real server is in tests/mail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from careline.channels.email import reading, securing
from careline.channels.email.imap import Imap, ImapRefused, connect, encode_folder, quote
from careline.errors import ChannelError

GREETING = b"* OK ready\r\n"


def scripted(answers: Callable[[str, bytes], bytes], act: Callable[[Imap], Awaitable[object]]) -> object:
    """Run `act` on a connection to a server that answers each line with `answers(tag, rest)`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        while line := await reader.readline():
            tag, _, rest = line.rstrip().partition(b" ")
            if rest == b"CAPABILITY":
                writer.write(b"* CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN\r\n" + tag + b" OK done\r\n")
            else:
                answer = answers(tag.decode(), rest or line.rstrip())
                if answer == b"CUT":
                    break
                writer.write(answer)
        writer.close()

    async def run() -> object:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, connect("127.0.0.1", port, "none") as client:
            return await act(client)

    return asyncio.run(run())


def test_literals_are_bytes_whatever_they_hold() -> None:
    content = b"a\r\nc1 OK not an answer\r\n* 9 EXISTS\r\n{5}\r\n)\x00\xff"
    answer = b"* 1 FETCH (UID 7 BODY[] {%d}\r\n%s FLAGS (\\Seen))\r\n" % (len(content), content)

    async def act(client: Imap) -> object:
        lines = await client.fetch([7], "(BODY.PEEK[])")
        return lines[0].literals, client.has_news

    assert scripted(lambda tag, _: answer + f"{tag} OK done\r\n".encode(), act) == ((content,), False)


def test_news_in_any_answer_is_remembered() -> None:
    async def act(client: Imap) -> object:
        await client.search("ALL")
        return client.has_news

    assert scripted(lambda tag, _: b"* 12 EXISTS\r\n* SEARCH 3 1 2\r\n" + f"{tag} OK done\r\n".encode(), act) is True


@pytest.mark.parametrize(
    ("answer", "code", "unauthorised"),
    [
        ("NO [AUTHENTICATIONFAILED] wrong", "login_refused", True),
        ("NO wrong password", "login_refused", True),
        ("NO [UNAVAILABLE] Temporary authentication failure", "login_busy", False),
        ("NO [ALERT] Too many simultaneous connections. (Failure)", "login_busy", False),
        ("NO [LIMIT] slow down", "login_busy", False),
    ],
)
def test_a_refused_sign_in_says_whether_the_password_is_to_blame(answer: str, code: str, unauthorised: bool) -> None:
    replies = iter([b"+ \r\n", b""])

    def answers(tag: str, rest: bytes) -> bytes:
        return next(replies) if rest.startswith(b"AUTHENTICATE") else f"c2 {answer}\r\n".encode()

    with pytest.raises(ChannelError) as raised:
        scripted(answers, lambda client: client.sign_in("marta", "pässword"))
    assert (raised.value.code, raised.value.unauthorised) == (code, unauthorised)


def test_a_refused_command_leaves_the_connection_usable() -> None:
    async def act(client: Imap) -> object:
        with pytest.raises(ImapRefused) as refused:
            await client.fetch([1], "(BODY.PEEK[])")
        return refused.value.response_code, await client.search("ALL")

    def answers(tag: str, rest: bytes) -> bytes:
        if b"FETCH" in rest:
            return f"{tag} NO [SERVERBUG] cannot read this mail\r\n".encode()
        return f"* SEARCH\r\n{tag} OK\r\n".encode()

    assert scripted(answers, act) == (b"SERVERBUG", [])


@pytest.mark.parametrize("answer", [b"CUT", b"* BYE shutting down\r\n"])
def test_a_lost_connection_is_said_at_once(answer: bytes) -> None:
    with pytest.raises(ChannelError) as raised:
        scripted(lambda tag, rest: answer, lambda client: client.search("ALL"))
    assert (raised.value.code, raised.value.permanent) == ("connection_lost", False)


def test_silence_is_an_error_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ChannelError, match="in time"):
        scripted(lambda tag, rest: b"", lambda client: client.command("NOOP", timeout_s=0.2))


def test_bytes_injected_before_tls_end_the_connection() -> None:
    def answers(tag: str, rest: bytes) -> bytes:
        return f"{tag} OK begin\r\n* 1 EXISTS\r\n".encode()

    with pytest.raises(ChannelError) as raised:
        scripted(answers, lambda client: client.start_tls("localhost"))
    assert raised.value.code == "tls_injection"


def test_a_line_break_never_becomes_a_second_command() -> None:
    seen: list[bytes] = []

    def answers(tag: str, rest: bytes) -> bytes:
        seen.append(rest)
        return f"{tag} OK\r\n".encode()

    async def act(client: Imap) -> None:
        await client.examine('x"\r\nc9 DELETE INBOX')
        await client.command("NOOP\r\nc9 DELETE INBOX")

    with pytest.raises(ChannelError) as raised:
        scripted(answers, act)
    assert raised.value.code == "imap_injection"
    assert seen[0] == b'EXAMINE "x\\"&AA0ACg-c9 DELETE INBOX"' and not any(one.startswith(b"DELETE") for one in seen)


def test_idle_ends_at_news_and_at_its_time() -> None:
    state = {"tag": "", "said": b"* 3 EXISTS\r\n"}

    def answers(tag: str, rest: bytes) -> bytes:
        if rest == b"IDLE":
            state["tag"] = tag
            return b"+ idling\r\n" + state["said"]
        return f"{state['tag']} OK done\r\n".encode()

    async def act(client: Imap) -> object:
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        await client.idle(30)
        at_news = loop.time() - started_s
        client.has_news, state["said"] = False, b""
        await client.idle(0.3)
        return at_news < 5, client.has_news, client.is_idling

    assert scripted(answers, act) == (True, False, False)


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("INBOX", "INBOX"),
        ("A&B", "A&-B"),
        ("Enviados ñ", "Enviados &APE-"),
        ("受信箱/a", "&U9dP4Xux-/a"),
        ("😀", "&2D3eAA-"),
    ],
)
def test_folder_names_travel_in_modified_utf7(name: str, encoded: str) -> None:
    assert encode_folder(name) == encoded


def test_quoting_keeps_quotes_and_backslashes() -> None:
    assert quote('a"b\\c') == '"a\\"b\\\\c"'


def test_internal_dates_keep_their_zone() -> None:
    line = b'* 1 FETCH (UID 1 INTERNALDATE " 9-Nov-2026 10:30:00 +0130")'
    assert reading.internal_date(line) == datetime(2026, 11, 9, 9, 0, tzinfo=UTC)
    assert reading.internal_date(b'INTERNALDATE "99-Foo-2026 10:30:00 +0000"') is None


@pytest.mark.parametrize(("host", "is_allowed"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("10.0.0.1", False), ("127.evil.example", False)])  # fmt: skip
def test_plain_text_stays_on_this_machine(host: str, is_allowed: bool) -> None:
    if is_allowed:
        securing.check_security("none", host)
        return
    with pytest.raises(ChannelError):
        securing.check_security("none", host)
