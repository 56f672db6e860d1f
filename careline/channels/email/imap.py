"""The few IMAP commands a reader needs (RFC 3501, RFC 2177, RFC 4959, RFC 5530; read 2026-11-21), on asyncio, with
bytes kept as bytes.

Why not aioimaplib 2.0.3: it is GPL-3.0-only, which an Apache-2.0 product cannot ship; a lost connection leaves its
commands waiting, it recurses once per response line, rescans half-received literals, and waits for ever when XOAUTH2 is
refused with a challenge. imapclient needs a thread per mailbox. Mailboxes are opened with EXAMINE and read with
BODY.PEEK, so nothing here can set a flag.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from careline.channels.email import securing
from careline.channels.email.securing import Security
from careline.errors import ChannelError

CONNECT_TIMEOUT_S = 20.0
COMMAND_TIMEOUT_S = 60.0
_MAX_LINE = 32 * 1024 * 1024
_MAX_RESPONSE_LITERALS = 256 * 1024 * 1024
_LITERAL = re.compile(rb"\{(\d{1,10})\}$")
_CODE = re.compile(rb"^\[([A-Z\-]+)(?: ([^\]]*))?\]")
# RFC 5530: these say that the server has trouble or is busy, not that we may not come in.
_PASSING = frozenset({b"UNAVAILABLE", b"INUSE", b"LIMIT", b"SERVERBUG", b"CONTACTADMIN", b"ALERT"})


class Line(msgspec.Struct, frozen=True):
    """One response line. `text` holds `{n}` where a literal stood; `literals` are those bytes in order."""

    text: bytes
    literals: tuple[bytes, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """A tagged answer that said OK: its code in brackets, its text, and the untagged lines before it."""

    code: bytes
    text: bytes
    lines: tuple[Line, ...]


class ImapRefused(ChannelError):
    """The server said NO or BAD to one command; the connection goes on."""

    def __init__(self, command: str, text: str, code: bytes) -> None:
        super().__init__("imap_refused", f"The mail server refused {command}: {text[:200]}")
        self.response_code = code


class Imap:
    """One connection. Commands run one after another; news that passes by in any answer is remembered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._buffer = bytearray()
        self._number = 0
        self.capabilities: frozenset[str] = frozenset()
        self.has_news = False
        """The server reported new mails since this was last cleared, in whatever answer it did so."""
        self.is_idling = False

    # reading

    async def _fill(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                piece = await self._reader.read(262_144)
        except TimeoutError as late:
            raise ChannelError("imap_timeout", "The mail server did not answer in time.") from late
        except OSError as broken:
            raise ChannelError("connection_lost", "The connection to the mail server was lost.") from broken
        if not piece:
            raise ChannelError("connection_lost", "The mail server closed the connection.")
        self._buffer += piece

    async def _read_line(self, timeout_s: float) -> bytes:
        searched = 0
        while True:
            end = self._buffer.find(b"\n", searched)
            if end >= 0:
                line = bytes(self._buffer[:end]).removesuffix(b"\r")
                del self._buffer[: end + 1]
                return line
            searched = len(self._buffer)
            if searched > _MAX_LINE:
                raise ChannelError("imap_nonsense", "The mail server sent a line without an end.")
            await self._fill(timeout_s)

    async def _read_exactly(self, size: int, timeout_s: float) -> bytes:
        while len(self._buffer) < size:
            await self._fill(timeout_s)
        content = bytes(self._buffer[:size])
        del self._buffer[:size]
        return content

    async def read_response(self, timeout_s: float = COMMAND_TIMEOUT_S) -> Line:
        """One whole line with its literals. `timeout_s` counts silence, so a slow large mail is no failure."""
        text, literals, size = b"", [], 0
        while True:
            piece = await self._read_line(timeout_s)
            text += piece
            literal = _LITERAL.search(piece)
            if literal is None or not text.startswith(b"*"):
                break
            size += int(literal.group(1))
            if size > _MAX_RESPONSE_LITERALS:
                raise ChannelError("imap_nonsense", "The mail server announced more bytes than any mail has.")
            literals.append(await self._read_exactly(int(literal.group(1)), timeout_s))
        line = Line(text, tuple(literals))
        self._note(line.text)
        return line

    def _note(self, text: bytes) -> None:
        if _is_news(text):
            self.has_news = True
        elif text[:5].upper() == b"* BYE":
            raise ChannelError("connection_lost", f"The mail server said goodbye: {_printable(text[5:])}")

    # writing

    async def _write(self, content: bytes) -> None:
        try:
            self._writer.write(content)
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                await self._writer.drain()
        except (OSError, TimeoutError, RuntimeError) as broken:
            # uvloop raises RuntimeError for a transport that is closed already.
            raise ChannelError("connection_lost", "The connection to the mail server was lost.") from broken

    async def command(
        self, text: str, *, answers: Callable[[Line], bytes | None] | None = None, timeout_s: float = COMMAND_TIMEOUT_S
    ) -> Answer:
        """Send one command and read up to its tagged answer. `answers` gives the next line for each `+`; None means an
        empty one.

        Raises ImapRefused for NO and BAD, ChannelError for a lost connection. Line breaks in `text` are refused.
        """
        if any(char in text for char in "\r\n\0"):
            raise ChannelError("imap_injection", "A command may not hold a line break.", permanent=True)
        self._number += 1
        tag = f"c{self._number}"
        await self._write(f"{tag} {text}\r\n".encode())
        lines: list[Line] = []
        while True:
            line = await self.read_response(timeout_s)
            if line.text.startswith(b"+"):
                await self._write((answers(line) if answers else None) or b"")
                await self._write(b"\r\n")
            elif line.text.startswith(tag.encode() + b" "):
                return self._judge(text, line.text[len(tag) + 1 :], tuple(lines))
            else:
                lines.append(line)

    def _judge(self, command: str, status: bytes, lines: tuple[Line, ...]) -> Answer:
        word, _, rest = status.partition(b" ")
        code = _CODE.match(rest)
        if word.upper() != b"OK":
            raise ImapRefused(command.partition(" ")[0], _printable(rest), code.group(1) if code else b"")
        if code and code.group(1) == b"CAPABILITY":
            self.capabilities = _words(code.group(2) or b"")
        return Answer(code.group(0) if code else b"", rest, lines)

    # what a reader does

    async def ask_capabilities(self) -> None:
        """CAPABILITY."""
        answer = await self.command("CAPABILITY")
        for line in answer.lines:
            if line.text.upper().startswith(b"* CAPABILITY"):
                self.capabilities = _words(line.text[12:])

    async def start_tls(self, host: str) -> None:
        """STARTTLS. Bytes that came in clear behind the answer are an attack (RFC 3501 section 6.2.1) and end the
        connection.
        """
        await self.command("STARTTLS")
        if self._buffer:
            raise ChannelError("tls_injection", "The mail server sent unprotected bytes after STARTTLS.")
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._writer.start_tls(securing.tls_context(), server_hostname=host)
        except ssl.SSLError as refused:
            raise securing.tls_failure(refused) from refused
        except (OSError, TimeoutError) as broken:
            raise ChannelError("connection_lost", "The connection was lost while TLS was started.") from broken
        await self.ask_capabilities()

    async def sign_in(self, user: str, password: str) -> None:
        """AUTHENTICATE PLAIN where offered, else LOGIN. Raises ChannelError, `unauthorised` when the server says so."""
        if "AUTH=PLAIN" in self.capabilities:
            await self._authenticate("PLAIN", base64.b64encode(f"\0{user}\0{password}".encode()))
        elif "LOGINDISABLED" in self.capabilities:
            raise ChannelError(
                "login_disabled",
                "This server takes no password on this connection; choose TLS or OAuth.",
                permanent=True,
            )
        else:
            await self._sign_in(f"LOGIN {quote(user)} {quote(password)}", None)

    async def sign_in_with_token(self, initial: bytes) -> None:
        """AUTHENTICATE XOAUTH2; a challenge is an error report and is answered with an empty line so that the refusal
        arrives.
        """
        await self._authenticate("XOAUTH2", initial)

    async def _authenticate(self, mechanism: str, initial: bytes) -> None:
        if "SASL-IR" in self.capabilities:
            await self._sign_in(f"AUTHENTICATE {mechanism} {initial.decode()}", None)
            return
        waiting = [initial]
        await self._sign_in(f"AUTHENTICATE {mechanism}", lambda _: waiting.pop() if waiting else None)

    async def _sign_in(self, command: str, answers: Callable[[Line], bytes | None] | None) -> None:
        before = self.capabilities
        try:
            await self.command(command, answers=answers)
        except ImapRefused as refused:
            is_passing = refused.response_code in _PASSING or re.search(
                r"too many|temporar|try again", refused.message, re.IGNORECASE
            )
            words = refused.message.partition(": ")[2][:160]
            if is_passing:
                raise ChannelError("login_busy", f"The mail server lets nobody in right now: {words}") from None
            raise ChannelError(
                "login_refused", f"The mail server refused user or password: {words}", unauthorised=True
            ) from None
        if self.capabilities == before:
            await self.ask_capabilities()

    async def examine(self, folder: str) -> tuple[int, int]:
        """Open a folder for reading only. Returns UIDVALIDITY and UIDNEXT (0 when the server does not say). Raises
        ImapRefused.
        """
        answer = await self.command(f"EXAMINE {quote(encode_folder(folder))}")
        found = {b"UIDVALIDITY": 0, b"UIDNEXT": 0}
        for line in answer.lines:
            code = _CODE.match(line.text.partition(b"OK ")[2])
            if code and code.group(1) in found and (code.group(2) or b"").isdigit():
                found[code.group(1)] = int(code.group(2))
        return found[b"UIDVALIDITY"], found[b"UIDNEXT"]

    async def search(self, criteria: str) -> list[int]:
        """UID SEARCH in rising order, without a CHARSET (some servers refuse any)."""
        answer = await self.command(f"UID SEARCH {criteria}")
        return sorted(
            {
                int(word)
                for line in answer.lines
                if line.text.upper().startswith(b"* SEARCH")
                for word in line.text.split()[2:]
                if word.isdigit()
            }
        )

    async def fetch(self, uids: list[int], items: str) -> tuple[Line, ...]:
        """UID FETCH; only the lines that are FETCH responses."""
        answer = await self.command(f"UID FETCH {','.join(map(str, uids))} {items}", timeout_s=2 * COMMAND_TIMEOUT_S)
        return tuple(line for line in answer.lines if b" FETCH (" in line.text[:40].upper())

    async def idle(self, lasts_s: float) -> None:
        """Wait until the folder has news, at most `lasts_s` (RFC 2177). Raises ImapRefused, or ChannelError for a lost
        connection.
        """
        self._number += 1
        tag = f"c{self._number}".encode()
        await self._write(tag + b" IDLE\r\n")
        ends_at_s = asyncio.get_running_loop().time() + lasts_s
        is_done = False
        while True:
            line = await self._idle_line(ends_at_s, is_done=is_done)
            if line is not None and line.text.startswith(b"+"):
                self.is_idling = True
            elif line is not None and line.text.startswith(tag + b" "):
                self.is_idling = False
                self._judge("IDLE", line.text[len(tag) + 1 :], ())
                return
            if self.is_idling and not is_done and (self.has_news or line is None):
                is_done = True
                await self._write(b"DONE\r\n")

    async def _idle_line(self, ends_at_s: float, *, is_done: bool) -> Line | None:
        """The next line, or None when the time to idle is over."""
        if is_done or not self.is_idling:
            return await self.read_response()
        try:
            return await self.read_response(max(0.05, ends_at_s - asyncio.get_running_loop().time()))
        except ChannelError as late:
            if late.code != "imap_timeout":
                raise
            return None

    async def close(self) -> None:
        """LOGOUT in good faith, then close."""
        with contextlib.suppress(OSError, ChannelError, RuntimeError):
            async with asyncio.timeout(2):
                if not self.is_idling:
                    await self._write(b"cq LOGOUT\r\n")
                self._writer.close()
                await self._writer.wait_closed()
        with contextlib.suppress(RuntimeError):
            self._writer.close()


def _is_news(text: bytes) -> bool:
    words = text[:60].upper().split(b" ")
    return len(words) >= 3 and words[0] == b"*" and words[1].isdigit() and words[2] == b"EXISTS"


def _words(text: bytes) -> frozenset[str]:
    return frozenset(text.decode("ascii", "replace").upper().split())


def _printable(raw: bytes) -> str:
    return "".join(char for char in raw.decode("utf-8", "replace") if char.isprintable()).strip()[:200]


def quote(text: str) -> str:
    """An IMAP quoted string. Line breaks are refused by `command`."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def encode_folder(name: str) -> str:
    """Modified UTF-7 (RFC 3501 section 5.1.3)."""
    out: list[str] = []
    pending = ""
    for char in [*name, ""]:
        if char and not (" " <= char <= "~"):
            pending += char
            continue
        if pending:
            out.append("&" + base64.b64encode(pending.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-")
            pending = ""
        out.append("&-" if char == "&" else char)
    return "".join(out)


@asynccontextmanager
async def connect(host: str, port: int, security: Security) -> AsyncIterator[Imap]:
    """A greeted, protected connection that has told its capabilities, not yet signed in. Raises ChannelError."""
    securing.check_security(security, host)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(
                host, port, ssl=securing.tls_context() if security == "tls" else None, limit=2**18
            )
    except ssl.SSLError as refused:
        raise securing.tls_failure(refused) from refused
    except TimeoutError as late:
        raise ChannelError("unreachable", f"{host}:{port} did not answer in time.") from late
    except OSError as broken:
        raise ChannelError("unreachable", f"{host}:{port} cannot be reached: {broken.strerror or broken}") from broken
    _keep_alive(writer)
    imap = Imap(reader, writer)
    try:
        greeting = await imap.read_response(CONNECT_TIMEOUT_S)
        if not greeting.text.upper().startswith((b"* OK", b"* PREAUTH")):
            raise ChannelError("not_imap", "This is not an IMAP server.")
        await imap.ask_capabilities()
        if security == "starttls":
            await imap.start_tls(host)
        yield imap
    finally:
        await imap.close()


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """TCP keep-alive: a peer that vanished without a word is noticed while IDLE is silent."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", 120), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 4)):
            if hasattr(socket, name):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
