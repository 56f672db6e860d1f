"""E-mail keeps every rule of a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime

import pytest

from careline.channels.access import channel_key
from careline.channels.base import ChannelView, ConnectionView, HookRequest, Outgoing, Part
from careline.channels.conformance import ChannelConformance, Core, Rig, Words
from careline.channels.email import NETWORK, addressing
from careline.channels.email.naming import make_part
from careline.channels.email.tests.building import KEY, OWN
from careline.channels.email.tests.platform import MailPlatform
from careline.channels.email.wire import Envelope
from careline.kit import signing

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtMTIzNDU2Nzg="
_AUTHORS = {"marta": "Marta <marta@cliente.example>", "otro": "Otro <otro@cliente.example>", "us": f"Help <{OWN}>"}
_PASSED = "mx.aurora.example; dmarc=pass header.from=cliente.example"


def write(words: Words) -> bytes:
    """A mail of a chain that began before us, from a sender the trusted server vouches for."""
    head = {
        "Authentication-Results": _PASSED,
        "Date": format_datetime(words.at),
        "From": _AUTHORS[words.author],
        "To": OWN,
        "Subject": words.thread,
        "Message-ID": f"<{words.key}@cliente.example>",
        "References": f"<root-{words.thread}@cliente.example>",
        "Content-Type": "text/plain; charset=utf-8",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"{lines}\r\n{words.text}\r\n".encode()


def _report(kind: str, middle: str, key_header: str) -> bytes:
    return (
        f"Return-Path: <>\r\nFrom: mailer-daemon@aurora.example\r\nTo: {OWN}\r\nSubject: Report\r\n"
        f"Date: Mon, 09 Nov 2026 10:30:00 +0100\r\nMessage-ID: <{kind}@aurora.example>\r\n"
        f"Content-Type: multipart/report; report-type={kind}; boundary=b\r\n\r\n{middle}\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n{addressing.KEY_HEADER}: {key_header}\r\n\r\n--b--\r\n"
    ).encode()


class MailRig:
    """One mailbox, signed intake beside it."""

    network = NETWORK
    connection = ConnectionView(1, 1, "email", {"hook_secret": SECRET, "password": "pw-pw-pw"}, {OWN: 7})
    channel = ChannelView(
        7,
        1,
        "email",
        OWN,
        "Help",
        OWN,
        {"address": OWN, "user": OWN, "authserv_id": "mx.aurora.example", "imap_host": "127.0.0.1"},
        {"hook_secret": SECRET, "password": "pw-pw-pw"},
        signing_key=KEY,
    )
    key = KEY
    """What this installation signs with; the channel of the core has a key of its own."""
    signed_headers = ("webhook-id", "webhook-timestamp", "webhook-signature")

    def say(self, words: Words) -> bytes:
        return write(words)

    def edit(self, of: Words, text: str) -> bytes | None:
        return None

    def delete(self, of: Words) -> bytes | None:
        return None

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        key = addressing.key_header(idempotency_key, self.key)
        if state == "read":
            shown = (
                "--b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: manual-action; displayed\r\n"
            )
            return _report("disposition-notification", shown, key)
        if state not in {"delivered", "failed"}:
            return None
        fields = f"Final-Recipient: rfc822; marta@cliente.example\r\nAction: {state}\r\nStatus: {'5.1.1' if state == 'failed' else '2.0.0'}"
        status = f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n{fields}\r\n"
        return _report("delivery-status", status, key)

    def novelty(self) -> bytes | None:
        return _report("tlsrpt", "--b\r\nContent-Type: application/tlsrpt+gzip\r\n\r\nx\r\n", "x")

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        body, content_type = events[0], "message/rfc822"
        if len(events) > 1:
            parts = b"".join(b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + one + b"\r\n" for one in events)
            body, content_type = parts + b"--b--\r\n", "multipart/mixed; boundary=b"
        headers = signing.webhook_headers(secret or SECRET, "d-1", body, at_s=at_s)
        return HookRequest("POST", "/hooks/email/x", {**headers, "content-type": content_type}, body)

    def fetch(self, event: bytes) -> Part:
        return make_part(OWN, Envelope(), event)

    def foreign(self) -> bytes:
        return b"%PDF-1.7\nnot a mail"

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        return Outgoing(
            delivery_id=5,
            idempotency_key="key-5",
            attempt=attempt,
            surface=surface or "email",
            thread_id=3,
            thread_key="t1",
            recipient="marta@cliente.example",
            text=text,
            author_kind="human",
            subject="t1",
        )

    @contextmanager
    def listening(self) -> Iterator[MailPlatform]:
        platform = MailPlatform(self.channel, write)
        try:
            yield platform
        finally:
            platform.stop()


class TestMail(ChannelConformance):
    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        yield MailRig()

    @pytest.fixture
    def core(self, rig: Rig, db: None) -> Iterator[Core]:
        core = Core(rig)
        assert isinstance(rig, MailRig)
        rig.key = channel_key(core.channel.id)
        yield core
        core.close()
