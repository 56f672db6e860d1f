"""A small mail server on loopback for the conformance rules: one mailbox to read, one door to send through, faults on
demand.

Never the only judge: tests/mail runs the same reading and sending against Dovecot and Postfix.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable
from email import message_from_bytes, policy
from email.message import EmailMessage

import msgspec

from careline.channels.base import ChannelView
from careline.channels.conformance import Fault, Words

Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_ANSWERS: dict[Fault, tuple[str, bytes]] = {
    "rate_limited": ("MAIL", b"450 4.7.1 Too many mails, try again in 7 seconds"),
    "rate_limited_silently": ("MAIL", b"451 4.7.1 Too many mails"),
    "revoked": ("AUTH", b"535 5.7.8 Authentication failed"),
    "refused": ("RCPT", b"550 5.1.1 No such user"),
}


class MailPlatform:
    """Listens as long as it is not stopped; `channel` points here."""

    def __init__(self, channel: ChannelView, write: Callable[[Words], bytes]) -> None:
        self.channel = channel
        self._write = write
        self._mails: list[bytes] = []
        self._texts: list[str] = []
        self._faults: list[Fault] = []
        self._loop = asyncio.new_event_loop()
        self._ready, self._stopped = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self) -> None:
        servers = [await asyncio.start_server(self._door(serve), "127.0.0.1", 0) for serve in (self._imap, self._smtp)]
        ports = [str(server.sockets[0].getsockname()[1]) for server in servers]
        doors = {"imap_host": "127.0.0.1", "imap_port": ports[0], "smtp_host": "127.0.0.1", "smtp_port": ports[1]}
        plain = {"imap_security": "none", "smtp_security": "none"}
        self.channel = msgspec.structs.replace(self.channel, settings={**self.channel.settings, **doors, **plain})
        self._ready.set()
        await self._stopped.wait()
        for server in servers:
            server.close()
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.sleep(0.02)  # transports close in the loop's next turns

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)
        self._loop.close()

    def plan(self, fault: Fault) -> None:
        self._faults.append(fault)

    def posted(self) -> list[str]:
        return list(self._texts)

    def happen_unseen(self, words: Words) -> None:
        self._mails.append(self._write(words))

    @staticmethod
    def _door(serve: Serving) -> Serving:
        """Closes its side whatever happens; a customer who hangs up is no error."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                writer.close()

        return answer

    async def _imap(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := await reader.readline():
            tag, _, rest = line.decode().strip().partition(" ")
            if rest == "IDLE":
                writer.write(b"+ idling\r\n")
                await reader.readline()
            else:
                writer.write(self._untagged(rest))
            writer.write(f"{tag} OK done\r\n".encode())

    def _untagged(self, command: str) -> bytes:
        if command == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 SASL-IR IDLE AUTH=PLAIN\r\n"
        if command.startswith("EXAMINE"):
            return f"* {len(self._mails)} EXISTS\r\n* OK [UIDVALIDITY 1] .\r\n* OK [UIDNEXT {len(self._mails) + 1}] .\r\n".encode()
        if command.startswith("UID SEARCH"):
            first = re.search(r"UID (\d+):", command.removeprefix("UID SEARCH"))
            start = int(first.group(1)) if first else 1
            found = range(start, len(self._mails) + 1)
            return f"* SEARCH {' '.join(map(str, found))}\r\n".encode()
        if command.startswith("UID FETCH"):
            uids = [int(one) for one in command.split()[2].split(",")]
            return b"".join(self._fetched(uid, with_body="BODY" in command) for uid in uids)
        return b""

    def _fetched(self, uid: int, *, with_body: bool) -> bytes:
        mail = self._mails[uid - 1]
        if with_body:
            return b"* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n" % (uid, uid, len(mail), mail)
        return b"* %d FETCH (UID %d RFC822.SIZE %d FLAGS ())\r\n" % (uid, uid, len(mail))

    async def _smtp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._faults.pop(0) if self._faults else None
        stage, answer = _ANSWERS.get(fault, ("", b"")) if fault else ("", b"")
        writer.write(b"220 ready\r\n")
        while line := await reader.readline():
            verb = line.decode().split()[0].upper() if line.strip() else ""
            if verb == stage:
                writer.write(answer + b"\r\n")
            elif verb == "EHLO":
                writer.write(b"250-here\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 30000000\r\n")
            elif verb == "AUTH":
                writer.write(b"235 welcome\r\n")
            elif verb == "DATA":
                writer.write(b"354 go on\r\n")
                self._take(await reader.readuntil(b"\r\n.\r\n"))
                if fault in {"cut", "failing"}:
                    break
                writer.write(b"250 taken\r\n")
            else:
                writer.write(b"250 ok\r\n")

    def _take(self, content: bytes) -> None:
        mail = message_from_bytes(content.removesuffix(b".\r\n"), policy=policy.default)
        assert isinstance(mail, EmailMessage)
        part = mail.get_body(("plain",))
        self._texts.append(part.get_content().strip() if part is not None else "")
