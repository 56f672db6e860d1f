"""One attempt to hand a mail to the SMTP server, with the outcome said exactly.

A server may keep a mail only after it has seen the line with the single dot. So everything that fails before that line
is written is plainly retryable, and only a connection that breaks between that line and its answer leaves the outcome
unknown (RFC 5321 sections 4.1.1.4, 4.5.3.2.6).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import aiosmtplib
from aiosmtplib import SMTP, SMTPException, SMTPResponseException
from aiosmtplib.response import SMTPResponse

from careline.channels.base import ChannelView, Outgoing, Sent, Tools
from careline.channels.email import oauth, securing
from careline.channels.email.addressing import own_address
from careline.channels.email.composing import Composed, compose
from careline.errors import ChannelError
from careline.kit import clock, crashing

if sys.platform.startswith("linux"):
    import fcntl
    import termios

COMMAND_TIMEOUT_S = 60.0
# RFC 5321 section 4.5.3.2.6 allows the server ten minutes for its answer after the dot; longer waits become unknown,
# not lost.
ANSWER_TIMEOUT_S = 600.0
PARTING_TIMEOUT_S = 2.0
MAX_PAUSE_S = 3600.0
_PAUSE = re.compile(r"\b(\d{1,5})\s?(s|sec|second|seconds|m|min|minute|minutes)\b", re.IGNORECASE)
_SLICE = 64 * 1024
_HIGH_WATER = 512 * 1024
_LINE_ENDS = re.compile(rb"\r\n|\n|\r")
_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


async def send(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
    """One attempt. Raises ChannelError: temporary (4xx, no connection), `permanent` (5xx), `unauthorised`, or
    `outcome_unknown`.
    """
    composed = await compose(outgoing, channel)
    is_ending, answer = False, None
    try:
        async with signed_in(channel, tools) as smtp:
            _check_abilities(smtp, composed)
            await _give_envelope(smtp, composed)
            await _give_content(smtp, composed.content)
            is_ending = True
            answer = await _end_content(smtp)
    except asyncio.CancelledError:
        # The outbox ran out of patience. Before the dot that is a plain failure, and while parting the answer is known.
        if is_ending and answer is None:
            raise
        if answer is None:
            raise ChannelError("too_slow", "The mail server was too slow; the mail was not sent.") from None
    assert answer is not None  # every other way out of the block above raises
    if answer.code != 250:
        raise _refusal(SMTPResponseException(answer.code, answer.message), "mail_refused")
    return Sent(platform_id=composed.message_id, at=clock.now())


@asynccontextmanager
async def signed_in(channel: ChannelView, tools: Tools) -> AsyncIterator[SMTP]:
    """A connection that may send. Raises ChannelError; nothing has been sent then."""
    host, security = channel.setting("smtp_host"), channel.setting("smtp_security", "starttls")
    securing.check_security(security, host)
    smtp = SMTP(
        hostname=host,
        port=_port(channel, security),
        use_tls=security == "tls",
        start_tls=security == "starttls",
        tls_context=None if security == "none" else securing.tls_context(),
        timeout=COMMAND_TIMEOUT_S,
        local_hostname=_greeting_name(channel),
    )
    try:
        await _connect(smtp, host)
        await _sign_in(smtp, channel, tools)
        yield smtp
    finally:
        await _part(smtp)


async def _part(smtp: SMTP) -> None:
    """QUIT in good faith, then end the connection whatever the other side does."""
    transport = cast(asyncio.Transport | None, smtp.transport)
    with contextlib.suppress(OSError, SMTPException, TimeoutError):
        async with asyncio.timeout(PARTING_TIMEOUT_S):
            await smtp.quit()
    smtp.close()
    if transport is not None:
        transport.abort()
        await asyncio.sleep(0)


def _greeting_name(channel: ChannelView) -> str:
    domain = own_address(channel).rpartition("@")[2]
    return domain if re.fullmatch(r"[a-z0-9](?:[a-z0-9.\-]{0,250}[a-z0-9])?", domain) else "localhost"


def _port(channel: ChannelView, security: str) -> int:
    text = channel.setting("smtp_port") or {"tls": "465", "starttls": "587"}.get(security, "25")
    if not text.isdigit():
        raise ChannelError("port_wrong", "The SMTP port must be a number.", permanent=True)
    return int(text)


async def _connect(smtp: SMTP, host: str) -> None:
    try:
        await smtp.connect()
        await smtp.ehlo()
    except SMTPResponseException as refused:
        raise _refusal(refused, "smtp_refused") from refused
    except aiosmtplib.SMTPNotSupported as missing:
        raise ChannelError(
            "starttls_missing", f"{host} offers no STARTTLS; choose TLS on its own port.", permanent=True
        ) from missing
    except OSError as broken:
        # ssl.SSLError and aiosmtplib's connection errors are OSErrors too.
        code = "certificate_wrong" if "certificate verify failed" in str(broken).lower() else "unreachable"
        raise ChannelError(code, f"{host} cannot be reached: {str(broken)[:160]}") from broken
    except SMTPException as failed:
        raise ChannelError("smtp_failed", f"{host}: {failed.message[:160]}") from failed


async def _sign_in(smtp: SMTP, channel: ChannelView, tools: Tools) -> None:
    try:
        if channel.setting("sign_in", "password") == "oauth":
            user = channel.setting("shared_mailbox") or channel.setting("smtp_user") or channel.setting("user")
            await smtp.auth_xoauth2(user, await oauth.access_token(channel, tools))
        elif user := _password_user(smtp, channel):
            await smtp.login(user, channel.secrets.get("smtp_password") or channel.secrets.get("password", ""))
    except SMTPResponseException as refused:
        if 400 <= refused.code < 500 and refused.code != 432:
            raise ChannelError(
                "login_busy", f"The mail server lets nobody in right now: {refused.code} {_words(refused)}"
            ) from refused
        oauth.forget_token(channel)
        raise ChannelError(
            "login_refused", f"The mail server refused user or password: {_words(refused)}", unauthorised=True
        ) from refused
    except OSError as broken:
        raise ChannelError("connection_lost", "The connection was lost while signing in.") from broken
    except SMTPException as failed:
        raise ChannelError(
            "login_impossible", f"The mail server offers no fitting sign-in: {failed.message[:160]}", unauthorised=True
        ) from failed


def _password_user(smtp: SMTP, channel: ChannelView) -> str:
    """Who signs in; nobody at a relay on this machine without sign-in (elsewhere that is an error worth showing)."""
    if channel.setting("smtp_security") == "none" and not smtp.supported_auth_methods:
        return ""
    return channel.setting("smtp_user") or channel.setting("user") or own_address(channel)


def _check_abilities(smtp: SMTP, composed: Composed) -> None:
    limit = smtp.esmtp_extensions.get("size", "").strip()
    if limit.isdigit() and 0 < int(limit) < len(composed.content):
        size_mb, limit_mb = len(composed.content) / 1024 / 1024, int(limit) / 1024 / 1024
        raise ChannelError(
            "too_large",
            f"The mail has {size_mb:.1f} MB, the server takes {limit_mb:.1f} MB. Send fewer files.",
            permanent=True,
        )
    if composed.needs_utf8 and not smtp.supports_extension("smtputf8"):
        raise ChannelError(
            "address_beyond_server", "The server cannot write to an address with letters beyond a-z.", permanent=True
        )


async def _give_envelope(smtp: SMTP, composed: Composed) -> None:
    """MAIL and every RCPT. One refused recipient refuses the mail before anything is sent, so that nobody is left out
    unseen.
    """
    encoding = "utf-8" if composed.needs_utf8 else "ascii"
    options = [f"SIZE={len(composed.content)}"] if smtp.supports_extension("size") else []
    options += ["SMTPUTF8"] if composed.needs_utf8 else []
    try:
        await smtp.mail(composed.sender, options=options, encoding=encoding)
    except SMTPResponseException as refused:
        raise _refusal(refused, "sender_refused") from refused
    except (OSError, SMTPException) as broken:
        raise ChannelError("connection_lost", "The connection was lost before the mail was sent.") from broken
    for recipient in composed.recipients:
        try:
            await smtp.rcpt(recipient, encoding=encoding)
        except SMTPResponseException as refused:
            raise _refusal(refused, "recipient_refused", f"{recipient}: ") from refused
        except (OSError, SMTPException) as broken:
            raise ChannelError("connection_lost", "The connection was lost before the mail was sent.") from broken


async def _give_content(smtp: SMTP, content: bytes) -> None:
    """DATA and the content up to the dot."""
    try:
        answer = await smtp.execute_command(b"DATA")
        if answer.code != 354:
            raise SMTPResponseException(answer.code, answer.message)
        await _write_content(smtp, stuff_dots(content))
        crashing.pass_point("mail.in_data")
    except SMTPResponseException as refused:
        raise _refusal(refused, "data_refused") from refused
    except (OSError, SMTPException) as broken:
        raise ChannelError(
            "connection_lost", "The connection was lost before the mail was whole; it was not sent."
        ) from broken


def stuff_dots(content: bytes) -> bytes:
    """CRLF line ends throughout, a dot doubled at the start of a line, an end of line at the end (RFC 5321 section
    4.5.2).
    """
    plain = _LINE_ENDS.sub(b"\r\n", content)
    plain = plain if plain.endswith(b"\r\n") else plain + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", plain)


async def _write_content(smtp: SMTP, content: bytes) -> None:
    """Everything up to, not including, the dot; waits until the other side's machine has confirmed all of it, so that a
    line cut in the middle of a large mail is noticed here. A broken connection raises.
    """
    for start in range(0, len(content), _SLICE):
        _protocol(smtp).write(content[start : start + _SLICE])
        await _wait_until_unsent(smtp, _HIGH_WATER)
    await _wait_until_unsent(smtp, 0)


async def _wait_until_unsent(smtp: SMTP, at_most_bytes: int) -> None:
    """Until at most so many bytes wait on this side. Raises when nothing moved for COMMAND_TIMEOUT_S."""
    pause_s, waited_s = 0.001, 0.0
    last = unsent = _unsent_bytes(smtp)
    while unsent > at_most_bytes:
        await asyncio.sleep(pause_s)
        pause_s, waited_s = min(pause_s * 2, 0.05), waited_s + pause_s
        last, unsent = unsent, _unsent_bytes(smtp)
        waited_s = 0.0 if unsent < last else waited_s
        if waited_s > COMMAND_TIMEOUT_S:
            raise aiosmtplib.SMTPReadTimeoutError("The server stopped reading")


def _protocol(smtp: SMTP) -> aiosmtplib.protocol.SMTPProtocol:
    if smtp.protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    return smtp.protocol


def _unsent_bytes(smtp: SMTP) -> int:
    """Bytes in our own buffer and, on Linux, those in the system's that are not acknowledged yet (tcp(7), SIOCOUTQ)."""
    # uvloop's transports are no subclasses of asyncio's, but keep their methods.
    transport = cast(asyncio.Transport | None, _protocol(smtp).transport)
    if transport is None or transport.is_closing():
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    return transport.get_write_buffer_size() + _unacknowledged_bytes(transport)


def _unacknowledged_bytes(transport: asyncio.Transport) -> int:
    connection = transport.get_extra_info("socket")
    if connection is None or not sys.platform.startswith("linux"):
        return 0
    answer = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    return int(struct.unpack("i", answer)[0])


async def _end_content(smtp: SMTP) -> SMTPResponse:
    """The dot and its answer: the only moment whose failure leaves the outcome unknown."""
    try:
        protocol = _protocol(smtp)
        protocol.write(b".\r\n")
        crashing.pass_point("mail.after_data")
    except (OSError, SMTPException) as broken:
        raise ChannelError(
            "connection_lost", "The connection was lost before the mail was whole; it was not sent."
        ) from broken
    try:
        return await protocol.read_response(timeout=ANSWER_TIMEOUT_S)
    except (OSError, SMTPException) as broken:
        raise ChannelError(
            "connection_cut",
            "The connection was cut before the server said that it took the mail.",
            outcome_unknown=True,
        ) from broken


def _words(refused: SMTPResponseException) -> str:
    return " ".join("".join(char for char in refused.message if char.isprintable() or char.isspace()).split())[:200]


def _refusal(refused: SMTPResponseException, code: str, prefix: str = "") -> ChannelError:
    """4xx is temporary, 5xx permanent; the server's own words are kept for the agent. 530, 534, 535 and 538 mean: sign
    in.
    """
    message = f"{prefix}{refused.code} {_words(refused)}"
    if refused.code in {530, 534, 535, 538}:
        return ChannelError("login_refused", message, unauthorised=True)
    enhanced = _ENHANCED.search(refused.message)
    if refused.code == 552 or (enhanced and enhanced.group(0) in {"5.3.4", "5.2.3"}):
        return ChannelError("too_large", message, permanent=refused.code >= 500)
    is_permanent = 500 <= refused.code < 600
    return ChannelError(code, message, permanent=is_permanent, retry_after_s=None if is_permanent else _wait_s(refused))


def _wait_s(refused: SMTPResponseException) -> float | None:
    """The pause a server asks for in words (greylisting, rate limits): `try again in 300 seconds`."""
    found = _PAUSE.search(refused.message)
    if found is None:
        return None
    return min(float(found.group(1)) * (60 if found.group(2).lower().startswith("m") else 1), MAX_PAUSE_S)
