"""The HTTP intake: an MTA or another program posts mails, signed, and has its answer when they are durable."""

from __future__ import annotations

from careline.channels.base import ConnectionView, HookRequest, Part
from careline.channels.email.addressing import without_detail
from careline.channels.email.headers import KNOWN_HEADERS, RECIPIENT_HEADERS, addresses, value_and_parameters
from careline.channels.email.mime import body_of, decode_transfer, read_headers, split_parts
from careline.channels.email.naming import make_part
from careline.channels.email.wire import Envelope
from careline.errors import ForeignPayload, SignInRequired
from careline.kit import clock
from careline.kit.signing import check_webhook

MAX_PUSHED_BYTES = 50 * 1024 * 1024
MAX_PUSHED_MAILS = 200
_MAIL_TYPES = frozenset({"message/rfc822", "message/global"})


# -----------------------------------------------------------------------------------------------------------------


def verify(request: HookRequest, connection: ConnectionView) -> None:
    """Standard Webhooks signature with the connection's `hook_secret` (`whsec_...`). Raises SignInRequired."""
    secret = connection.secrets.get("hook_secret", "")
    if not secret:
        raise SignInRequired("no_hook", "This mailbox takes no mail by HTTP: it has no hook secret.")
    check_webhook(secret, request.headers, request.body)


def split(request: HookRequest, connection: ConnectionView) -> list[Part]:
    """One mail as message/rfc822, or several as the message/rfc822 parts of a multipart body. Raises ForeignPayload for
    anything else.
    """
    if len(request.body) > MAX_PUSHED_BYTES:
        raise ForeignPayload(f"A delivery may have at most {MAX_PUSHED_BYTES // 1024 // 1024} MB.")
    return [_pushed(raw, request, connection) for raw in _pushed_mails(request)]


def _pushed_mails(request: HookRequest) -> list[bytes]:
    content_type, parameters = value_and_parameters(request.headers.get("content-type", "").encode())
    if content_type in _MAIL_TYPES:
        return [request.body]
    boundary = dict(parameters).get("boundary", "")
    if not content_type.startswith("multipart/") or not boundary:
        raise ForeignPayload("The body must be mail: message/rfc822, or a multipart of such parts.")
    found = []
    for piece in split_parts(request.body, boundary.encode(), MAX_PUSHED_MAILS):
        headers = dict(read_headers(piece))
        if value_and_parameters(headers.get("content-type", b"message/rfc822"))[0] not in _MAIL_TYPES:
            raise ForeignPayload("Every part of the body must be message/rfc822.")
        found.append(decode_transfer(body_of(piece), headers.get("content-transfer-encoding", b""))[0])
    if not found:
        raise ForeignPayload("The multipart body holds no part.")
    return found


def _pushed(raw: bytes, request: HookRequest, connection: ConnectionView) -> Part:
    if not any(name in KNOWN_HEADERS for name, _ in read_headers(raw)):
        raise ForeignPayload("These bytes are not a mail: none of its headers is there.")
    envelope = Envelope(received_at=clock.now(), via="http", size_bytes=len(raw))
    return make_part(_account_of(raw, request, connection), envelope, raw)


def _account_of(raw: bytes, request: HookRequest, connection: ConnectionView) -> str:
    """The only account, the one named by `?account=`, or the one whose address the mail was sent to."""
    if len(connection.accounts) == 1:
        return next(iter(connection.accounts))
    wanted = request.query.get("account", "")
    if wanted in connection.accounts:
        return wanted
    named = [value for name, value in read_headers(raw) if name in RECIPIENT_HEADERS]
    for one in addresses(named)[0]:
        if without_detail(one.email) in connection.accounts:
            return without_detail(one.email)
    raise ForeignPayload("This mail is for none of the mailboxes of this connection; name one with ?account=.")
