"""System mail (invitations, resets, alerts) through CARELINE_MAIL_URL; without it, the log says a mail was not sent.

`smtp://user:password@host:587?tls=starttls`; `tls` is `starttls`, `tls` (the whole connection; also `smtps://`) or
`none`. Mails are handed to one thread with three tries, so that no request and no worker waits for a mail server, and
whether an address has an account cannot be told from how long an answer takes. No subject, text or address is logged.
"""

from __future__ import annotations

import queue
import smtplib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend

TIMEOUT_S = 15
PAUSES_S = (0.0, 2.0, 15.0)
MOST_WAITING = 1000
_log = structlog.get_logger()


@dataclass(frozen=True)
class MailServer:
    """Where system mail goes in. `tls` is starttls, tls or none."""

    host: str
    port: int
    user: str
    password: str
    tls: str


def parse_mail_url(url: str) -> MailServer:
    """From CARELINE_MAIL_URL. Raises ValueError for anything that is not an smtp:// or smtps:// address."""
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("CARELINE_MAIL_URL must begin with smtp:// or smtps://")
    tls = "tls" if parts.scheme == "smtps" else (parse_qs(parts.query).get("tls") or ["none"])[0]
    if tls not in {"starttls", "tls", "none"}:
        raise ValueError("tls in CARELINE_MAIL_URL is starttls, tls or none")
    port = parts.port or {"tls": 465, "starttls": 587}.get(tls, 25)
    return MailServer(parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""), tls)


def is_configured() -> bool:
    """Whether system mail leaves the house at all; screens say so where it matters."""
    return bool(settings.MAIL_URL)


# RFC 3834 section 5 (August 2004): says that no auto-reply is wanted.
_HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


class Backend(BaseEmailBackend):
    """Django's e-mail backend of this product: queues for the post thread, or only says that nothing was sent. Every
    mail says that a machine wrote it, also those of allauth.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if not is_configured():
            for message in email_messages:
                _log.warning("mail_not_sent", reason="CARELINE_MAIL_URL is not set", recipients=len(message.to))
            return 0
        for message in email_messages:
            message.extra_headers = {**_HEADERS, **message.extra_headers}
        return sum(_post.put(message) for message in email_messages)


class _Post:
    """One thread, started with the first mail, that carries mails to the server."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[EmailMessage] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, message: EmailMessage) -> bool:
        """Queue one mail; False when a thousand are waiting already."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._carry, name="careline-post", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait(message)
        except queue.Full:
            _log.error("mail_not_sent", reason="too many mails are waiting", recipients=len(message.to))
            return False
        return True

    def wait_until_empty(self) -> None:
        """For commands that end right after, and tests."""
        self._waiting.join()

    def _carry(self) -> None:
        while True:
            message = self._waiting.get()
            try:
                carry(message)
            finally:
                self._waiting.task_done()


_post = _Post()
wait_until_sent = _post.wait_until_empty


def carry(message: EmailMessage) -> bool:
    """Send one mail now, trying three times. False, and a line in the log, when the server did not take it."""
    for number, pause_s in enumerate(PAUSES_S, start=1):
        time.sleep(pause_s)
        try:
            return bool(_connection().send_messages([message]))
        except (OSError, smtplib.SMTPException) as broken:
            is_final = number == len(PAUSES_S) or isinstance(broken, smtplib.SMTPAuthenticationError)
            _log.error("mail_not_sent", reason=type(broken).__name__, attempt=number, recipients=len(message.to))
            if is_final:
                break
    return False


def _connection() -> BaseEmailBackend:
    server = parse_mail_url(settings.MAIL_URL)
    return SmtpBackend(
        host=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        use_tls=server.tls == "starttls",
        use_ssl=server.tls == "tls",
        timeout=TIMEOUT_S,
    )


def send_system_mail(subject: str, body: str, recipients: Sequence[str]) -> bool:
    """One mail to each recipient alone. False when system mail is not configured: the caller says so on its screen."""
    if not recipients:
        return False
    line = " ".join(subject.split())
    sent = [
        EmailMessage(line, body, settings.DEFAULT_FROM_EMAIL, [address], connection=get_connection()).send()
        for address in recipients
    ]
    return is_configured() and all(sent)
