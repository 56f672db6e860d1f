"""The simulated customers' mailboxes: a tiny SMTP server that takes what Careline sends, and the mails they write back.

It speaks the commands of RFC 5321 (October 2008) that a submitting client needs, on loopback, without authentication.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime, parseaddr
from typing import Final

import msgspec
import structlog

from careline.kit import clock, ids
from careline.simulator.ledger import Ledger
from careline.simulator.platform import Platform, Refused
from careline.simulator.records import MailRow, NewEvent

LONGEST_MAIL_BYTES: Final = 40 * 1024 * 1024
LINE_BYTES: Final = 64 * 1024
_OK: Final = b"250 2.0.0 Ok\r\n"
_log = structlog.get_logger()


class Writer(msgspec.Struct, frozen=True):
    """Who sends a mail; `checked_by` is the server of the brand that vouches for the sender."""

    name: str
    address: str
    checked_by: str


class Mailroom:
    """Takes mails at a port and keeps them in the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._server: asyncio.Server | None = None

    async def open(self, port: int) -> int:
        """Listen on loopback; port 0 takes a free one. Gives the port. Raises OSError."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", port, limit=LINE_BYTES)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Talk(self._ledger, reader, writer).hold()
        except (OSError, asyncio.IncompleteReadError, ValueError) as broken:
            _log.debug("simulated_mail_broken", error=type(broken).__name__)
        finally:
            writer.close()


class _Talk:
    """One SMTP conversation."""

    def __init__(self, ledger: Ledger, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ledger = ledger
        self._reader = reader
        self._writer = writer
        self._recipients: list[str] = []

    async def hold(self) -> None:
        await self._say(b"220 simulated.example ESMTP\r\n")
        while line := await self._reader.readline():
            verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            if verb.upper() == "QUIT":
                await self._say(b"221 2.0.0 Bye\r\n")
                return
            await self._obey(verb.upper(), rest)

    async def _obey(self, verb: str, rest: str) -> None:
        if verb == "EHLO":
            greeting = f"250-simulated.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE {LONGEST_MAIL_BYTES}\r\n"
            await self._say(greeting.encode())
        elif verb == "RCPT":
            self._recipients.append(rest.partition(":")[2].strip().partition(">")[0].lstrip("<"))
            await self._say(_OK)
        elif verb == "DATA":
            await self._take()
        elif verb in {"HELO", "MAIL", "RSET", "NOOP"}:
            self._recipients = self._recipients if verb == "NOOP" else []
            await self._say(_OK)
        else:
            await self._say(b"502 5.5.1 Not here\r\n")

    async def _take(self) -> None:
        """The mail up to the line with a single dot; kept before it is acknowledged."""
        await self._say(b"354 Go ahead\r\n")
        lines: list[bytes] = []
        while (line := await self._reader.readline()) not in {b".\r\n", b".\n", b""}:
            lines.append(line[1:] if line.startswith(b".") else line)
        for recipient in self._recipients:
            self._ledger.add_mail(read_mail(b"".join(lines), recipient))
        await self._say(_OK)

    async def _say(self, answer: bytes) -> None:
        self._writer.write(answer)
        await self._writer.drain()


def read_mail(raw: bytes, recipient: str) -> MailRow:
    """A mail of ours as its reader sees it."""
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    body = mail.get_body(("plain", "html"))
    return MailRow(
        seq=0,
        id=str(mail["Message-ID"] or "").strip(),
        at=clock.epoch_s(),
        sender=parseaddr(str(mail["From"] or ""))[1],
        recipient=recipient,
        subject=str(mail["Subject"] or ""),
        text=_lines(str(body.get_content())) if body is not None else "",
        references=str(mail["References"] or ""),
        reply_to=parseaddr(str(mail["Reply-To"] or mail["From"] or ""))[1],
        is_ours=True,
    )


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def compose_mail(
    person: Writer, *, to: str, subject: str, text: str, at: datetime, answers: MailRow | None = None
) -> EmailMessage:
    """A customer's mail as the brand's own mail server would hand it on, having checked its sender."""
    domain = person.address.rpartition("@")[2]
    mail = EmailMessage()
    mail["Authentication-Results"] = f"{person.checked_by}; dmarc=pass header.from={domain}"
    mail["From"] = f'"{person.name}" <{person.address}>'
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{ids.new_id()}@{domain}>"
    if answers is not None:
        mail["In-Reply-To"] = answers.id
        mail["References"] = f"{answers.references} {answers.id}".strip()
    mail.set_content(text)
    return mail


def write_mail(ledger: Ledger, account: str, mail: EmailMessage) -> None:
    """A customer sends: the mail is kept and queued for the brand's mailbox, which is pushed to Careline."""
    event = NewEvent(f"ev_{ids.new_id()}", account, "mail", bytes(mail))
    row = MailRow(
        seq=0,
        id=str(mail["Message-ID"]),
        at=clock.epoch_s(),
        sender=parseaddr(str(mail["From"]))[1],
        recipient=account,
        subject=str(mail["Subject"]),
        text=mail.get_content().strip(),
        references=str(mail["References"] or ""),
        reply_to="",
        is_ours=False,
    )
    ledger.add_mail(row, [event])


def answer_mail(ledger: Ledger, row: MailRow, person: Writer, *, account: str, text: str) -> None:
    """A customer answers a mail of ours."""
    subject = row.subject if row.subject.lower().startswith("re:") else f"Re: {row.subject}"
    to = row.reply_to or account
    write_mail(ledger, account, compose_mail(person, to=to, subject=subject, text=text, at=clock.now(), answers=row))


def answer_by_mail(platform: Platform, seq: int, text: str) -> None:
    """Whoever got that mail of ours writes back to the mailbox it came from. Raises Refused."""
    row = next((one for one in platform.ledger.mails() if one.seq == seq and one.is_ours), None)
    account = next((one.key for one in platform.ledger.accounts("mail")), "")
    if row is None or not account:
        raise Refused(404, "mail_gone")
    name = next(
        (one.name for one in platform.ledger.people().values() if one.vouched.get("email") == row.recipient), ""
    )
    person = Writer(name or row.recipient.partition("@")[0], row.recipient, f"mx.{account.rpartition('@')[2]}")
    answer_mail(platform.ledger, row, person, account=account, text=text)
