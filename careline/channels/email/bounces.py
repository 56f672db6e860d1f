"""What mail systems report about our own mails: not delivered, delivered, delayed, read. Read from reports where they
are given, from words where not.

Sources: RFC 3464 (delivery status), RFC 3462 (multipart/report), RFC 8098 (disposition), RFC 5965 (complaints), read
2026-11-21.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from careline.channels.email import addressing
from careline.channels.email.automatic import has_empty_return_path, is_away_subject, is_daemon
from careline.channels.email.charsets import decode_bytes, decode_header
from careline.channels.email.headers import addresses, identity_key
from careline.channels.email.mime import read_headers
from careline.channels.email.wire import Leaf, Mail

State = Literal["failed", "delayed", "delivered", "read", "complaint"]
_REPORTS = {"message/delivery-status": "status", "message/global-delivery-status": "status"}
_ORIGINALS = frozenset(
    {"message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global", "message/global-headers"}
)
_SUBJECT = re.compile(
    r"undeliver|returned mail|delivery (?:status notification|failure|has failed|incomplete|notification)|"
    r"failure notice|mail delivery (?:failed|system|subsystem)|"
    r"non remis|unzustellbar|no se (?:puede|pudo) entregar|no entregad|devuelto|nicht zugestellt|(?:non|"
    r"not) delivered|message not delivered|delivery error",
    re.IGNORECASE,
)
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_SMTP_CODE = re.compile(r"(?<![\d.\-])([45])[0-5]\d[ -]")
_FAILED_ADDRESS = re.compile(
    r"(?:^|[\s<:;\"])([A-Za-z0-9.!#$%&'*+/=?^_`{|}~\-]{1,64}@[A-Za-z0-9.\-]{1,200})(?=[>\s:;,\"]|$)"
)
_OUR_ID = re.compile(r"<c\.[a-z2-7]{1,13}\.[a-z2-7]{1,13}\.[a-z2-7]{16}@[^<>\s]{1,255}>", re.IGNORECASE)
_OUR_KEY = re.compile(rf"^[> \t]*{addressing.KEY_HEADER}:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_MAX_TEXT = 64 * 1024


class Report(msgspec.Struct, frozen=True):
    """One report on one recipient. `message_id` and `idempotency_key` are set only where our signature proves them."""

    state: State
    recipient: str = ""
    status: str = ""
    explanation: str = ""
    is_permanent: bool = True
    message_id: str = ""
    idempotency_key: str = ""
    thread_id: int = 0


def read_reports(mail: Mail, key: bytes) -> list[Report]:
    """Every report in this mail, empty when it is none. Never raises."""
    report_type = dict(mail.parameters).get("report-type", "").lower()
    if report_type == "disposition-notification" or _leaf(mail, "message/disposition-notification"):
        return _dispositions(mail, key)
    if report_type == "feedback-report" or _leaf(mail, "message/feedback-report"):
        return [_proven(Report("complaint", explanation="abuse report"), mail, key)]
    statuses = [leaf for leaf in mail.leaves if leaf.content_type in _REPORTS]
    if statuses:
        return [_proven(report, mail, key) for report in _statuses(statuses[0])] or [
            _proven(_by_words(mail), mail, key)
        ]
    if report_type == "delivery-status" or mail.has("x-failed-recipients") or _looks_like_bounce(mail):
        return [_proven(_by_words(mail), mail, key)]
    return []


_KNOWN_REPORTS = frozenset({"", "delivery-status", "disposition-notification", "feedback-report"})


def is_foreign_report(mail: Mail) -> bool:
    """A report of another kind (TLS, DMARC and whatever comes), made by a machine for a machine."""
    return mail.content_type == "multipart/report" and dict(mail.parameters).get("report-type", "").lower() not in (
        _KNOWN_REPORTS
    )


def is_bounce(reports: list[Report]) -> bool:
    """Whether the mail says that something was not delivered."""
    return any(report.state == "failed" for report in reports)


def _leaf(mail: Mail, content_type: str) -> Leaf | None:
    return next((leaf for leaf in mail.leaves if leaf.content_type == content_type), None)


def _looks_like_bounce(mail: Mail) -> bool:
    if is_away_subject(mail):
        return False
    subject = decode_header(mail.raw("subject")[:2000])
    return bool(_SUBJECT.search(subject)) and (is_daemon(mail) or has_empty_return_path(mail))


def _statuses(leaf: Leaf) -> list[Report]:
    blocks = re.split(rb"\r?\n[ \t]*\r?\n", leaf.content[:_MAX_TEXT].strip())
    found = []
    for block in blocks[:200]:
        fields = dict(reversed(read_headers(block + b"\r\n\r\n")))
        if b"action" not in {name.encode() for name in fields} and "status" not in fields:
            continue
        found.append(_status(fields))
    return [report for report in found if report is not None]


def _status(fields: dict[str, bytes]) -> Report | None:
    action = decode_bytes(fields.get("action", b"")).strip().lower().partition(" ")[0]
    status = decode_bytes(fields.get("status", b"")).strip().partition(" ")[0]
    recipient = (
        decode_bytes(fields.get("original-recipient", b"") or fields.get("final-recipient", b""))
        .rpartition(";")[2]
        .strip()
        .strip("<>")
    )
    explanation = (
        decode_bytes(fields.get("diagnostic-code", b"")).partition(";")[2].strip()
        or decode_bytes(fields.get("diagnostic-code", b"")).strip()
    )
    if action in {"relayed", "expanded"}:
        return None
    state: State = "delivered" if action == "delivered" else "delayed" if action == "delayed" else "failed"
    if not action and not status.startswith("5"):
        state = "delayed" if status.startswith("4") else "delivered"
    return Report(
        state, identity_key(recipient), status[:12], explanation[:300], is_permanent=_is_permanent(status, explanation)
    )


def _is_permanent(status: str, explanation: str) -> bool:
    """5.x.x is for ever, except a full mailbox (5.2.2) and congestion words under a 5: those may work tomorrow."""
    found = _STATUS.search(status) or _STATUS.search(explanation)
    if found is None:
        code = _SMTP_CODE.search(explanation)
        return code is None or code.group(1) == "5"
    return found.group(1) == "5" and (found.group(2), found.group(3)) != ("2", "2")


def _by_words(mail: Mail) -> Report:
    """A bounce without a readable report (qmail, Exchange, exim, old gateways): addresses and codes from headers and
    text.
    """
    text = "\n".join(
        decode_bytes(leaf.content[:_MAX_TEXT], leaf.charset)
        for leaf in mail.leaves
        if leaf.content_type.startswith("text/")
    )[:_MAX_TEXT]
    head = text.partition("--- Below this line")[0]
    named, _ = addresses(mail.all("x-failed-recipients"), limit=5)
    recipient = (
        named[0].email
        if named
        else next(
            (
                one
                for one in _FAILED_ADDRESS.findall(head)
                if not one.lower().startswith(("mailer-daemon", "postmaster"))
            ),
            "",
        )
    )
    status = _STATUS.search(head)
    code = _SMTP_CODE.search(head)
    word = status.group(0) if status else f"{code.group(1)}.0.0" if code else ""
    line = next((line.strip() for line in head.splitlines() if _STATUS.search(line) or _SMTP_CODE.search(line)), "")
    is_delay = bool(
        re.search(
            r"delay|will retry|warning|still (?:be )?trying|retras",
            decode_header(mail.raw("subject")[:2000]),
            re.IGNORECASE,
        )
    ) and not word.startswith("5")
    return Report(
        "delayed" if is_delay else "failed",
        identity_key(recipient),
        word,
        line[:300],
        is_permanent=_is_permanent(word, line),
    )


def _dispositions(mail: Mail, key: bytes) -> list[Report]:
    leaf = _leaf(mail, "message/disposition-notification")
    fields = dict(reversed(read_headers(leaf.content[:_MAX_TEXT] + b"\r\n\r\n"))) if leaf else {}
    disposition = decode_bytes(fields.get("disposition", b"")).lower()
    recipient = decode_bytes(fields.get("final-recipient", b"")).rpartition(";")[2].strip()
    was_shown = "displayed" in disposition.rpartition(";")[2]
    report = _proven(Report("read", identity_key(recipient)), mail, key, extra=fields.get("original-message-id", b""))
    return [report] if was_shown else []


def _proven(report: Report, mail: Mail, key: bytes, *, extra: bytes = b"") -> Report:
    """The report with our delivery, where our signed Message-ID or key header is found in what came back."""
    for identifier in _OUR_ID.findall(_returned_text(mail, extra)):
        ours = addressing.read_message_id(identifier, key)
        if ours is not None:
            return msgspec.structs.replace(
                report, message_id=identifier, thread_id=ours.thread_id, idempotency_key=_returned_key(mail, key)
            )
    return msgspec.structs.replace(report, idempotency_key=_returned_key(mail, key))


def _returned_text(mail: Mail, extra: bytes) -> str:
    """Places where the original's id stands: its copy, the report, our headers, and at last the text (qmail pastes the
    original there).
    """
    pieces = [extra, mail.raw("in-reply-to"), mail.raw("references"), mail.raw("x-original-message-id")]
    pieces += [
        leaf.content[:_MAX_TEXT]
        for leaf in mail.leaves
        if leaf.content_type in _ORIGINALS or leaf.content_type in _REPORTS
    ]
    pieces += [leaf.content[:_MAX_TEXT] for leaf in mail.leaves if leaf.content_type == "text/plain"]
    return b"\n".join(pieces).decode("utf-8", "replace")


def _returned_key(mail: Mail, key: bytes) -> str:
    for leaf in mail.leaves:
        if leaf.content_type in _ORIGINALS or leaf.content_type == "text/plain":
            for value in _OUR_KEY.findall(leaf.content[:_MAX_TEXT].decode("utf-8", "replace"))[:5]:
                found = addressing.read_key_header(value, key)
                if found:
                    return found
    return ""
