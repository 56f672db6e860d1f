"""A journal row to what happened: a message, a bounce of one of ours, a sign that it was read. Pure.

A mail's place in a thread is said in three strengths (README.md, "Threading"): `continues` is proven by our signature,
`thread_key` joins only an author the server vouched for with their own earlier mails, `reply_to` and `aliases` are mere
claims that the core must check.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from careline.channels.base import (
    Author,
    Automatic,
    ChannelView,
    Happening,
    InboundFile,
    Part,
    ReceiptSeen,
    Said,
    ThreadFacts,
)
from careline.channels.email import addressing, authentication, automatic, bounces
from careline.channels.email.addressing import own_address, without_detail
from careline.channels.email.bodies import Body, read_body
from careline.channels.email.bounces import Report
from careline.channels.email.charsets import decode_bytes, decode_header, display_name
from careline.channels.email.headers import (
    KNOWN_HEADERS,
    RECIPIENT_HEADERS,
    Address,
    addresses,
    identity_key,
    message_ids,
    parse_date,
)
from careline.channels.email.mime import parse_mail
from careline.channels.email.naming import MailName, hash_name, name_mail
from careline.channels.email.wire import Envelope, Mail, unwrap
from careline.errors import ForeignPayload, UnknownEvent

# A Date header this near to the receipt is the sender's own moment; one further off is a wrong clock, and the receipt
# counts.
_DATE_TOLERANCE = timedelta(minutes=10)
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_MAX_NEAREST = 4
_MAX_SUBJECT = 400


# -------------------------------------------------------------------------------------------------------------------


class _Context(msgspec.Struct, frozen=True):
    """What several steps need to know of one mail."""

    mail: Mail
    envelope: Envelope
    name: MailName
    channel: ChannelView
    sender: Address
    verdict: authentication.Verdict

    @property
    def own(self) -> str:
        return own_address(self.channel)


def normalise(part: Part, channel: ChannelView) -> list[Happening]:
    """What a journal row says. Raises ForeignPayload for bytes that are no mail, and for a mail its server would not
    hand out.
    """
    envelope, raw = unwrap(part.raw)
    if envelope.problem:
        raise ForeignPayload(
            f"The server did not hand out mail {envelope.uid} of {envelope.folder}: {envelope.problem}"
        )
    mail = parse_mail(raw)
    if not any(name in KNOWN_HEADERS for name, _ in mail.headers):
        raise ForeignPayload("These bytes are not a mail: none of its headers is there.")
    name = name_mail(raw, is_cut=envelope.is_cut, size_bytes=envelope.size_bytes)
    sender = _sender(mail, name)
    verdict = authentication.judge_sender(
        mail, sender.email, authentication.trusted_servers(channel.setting("authserv_id"))
    )
    context = _Context(mail, envelope, name, channel, sender, verdict)
    if bounces.is_foreign_report(mail):
        raise UnknownEvent(f"A machine's report of the kind {dict(mail.parameters).get('report-type', '')[:40]}.")
    reports = bounces.read_reports(mail, channel.signing_key)
    receipts = _receipts(reports, context)
    if receipts and all(report.state in {"delivered", "read"} for report in reports):
        return receipts
    return [*receipts, _said(context, reports)]


def _sender(mail: Mail, name: MailName) -> Address:
    """From; without an address there, Sender or Return-Path; never Reply-To, which may name somebody else."""
    for header in ("from", "sender", "return-path"):
        found, _ = addresses(mail.all(header)[:1], limit=1)
        if found:
            return found[0]
    shown = display_name(decode_header(mail.raw("from")[:2000]))
    return Address(f"unknown-{hash_name(name.platform_id)[:12]}@invalid", shown)


_STATES: dict[str, Literal["failed", "read", "delivered"]] = {
    "failed": "failed",
    "read": "read",
    "delivered": "delivered",
}


def _receipts(reports: list[Report], context: _Context) -> list[Happening]:
    found: list[Happening] = []
    for report in reports:
        state = _STATES.get(report.state)
        if state is None or not (report.message_id or report.idempotency_key):
            continue
        found.append(
            ReceiptSeen(
                state=state,
                at=_moment(context),
                platform_id=report.message_id,
                idempotency_key=report.idempotency_key,
                recipient=report.recipient,
                error=f"{report.status} {report.explanation}".strip()[:300] if state == "failed" else "",
                is_permanent=report.is_permanent,
            )
        )
    return found


def _said(context: _Context, reports: list[Report]) -> Said:
    mail, name, own = context.mail, context.name, context.own
    subject = decode_header(mail.raw("subject")[: 4 * _MAX_SUBJECT])[:_MAX_SUBJECT]
    body = read_body(mail, subject, is_report=bool(reports) or mail.content_type == "multipart/report")
    to, is_to_capped = addresses(mail.all("to"))
    copied, is_cc_capped = addresses(mail.all("cc"))
    notes = [
        *mail.notes,
        *body.notes,
        *(["recipients_capped"] if is_to_capped or is_cc_capped else []),
        *(["mail_cut"] if context.envelope.is_cut else []),
    ]
    chain = _chain(mail)
    ours = [
        found
        for found in (addressing.read_message_id(one, context.channel.signing_key) for one in chain)
        if found is not None
    ]
    continues = _continues(context, ours, reports)
    return Said(
        platform_id=name.platform_id[:400],
        thread_key=_thread_key(context),
        surface="email",
        author=_author(context),
        text=body.text,
        at=_moment(context),
        thread=ThreadFacts(subject=subject),
        reply_to=chain[0] if chain else "",
        html=body.html,
        quoted_text=body.rest,
        files=(*body.files, *_notice(context, notes)),
        automatic=_automatic(context, reports),
        continues=continues,
        is_history=_is_history(context),
        idempotency_key=addressing.read_key_header(
            decode_bytes(mail.raw(addressing.KEY_HEADER.lower())[:200]), context.channel.signing_key
        ),
        recipients=_shown(to, own),
        copied=_shown(copied, own),
        reply_address=_reply_address(mail, context.sender),
        aliases=_aliases(context, chain),
        facts=_facts(context, reports, body, notes, is_claim=bool(chain) and not continues),
    )


def _chain(mail: Mail) -> list[str]:
    """The ids this mail answers, nearest first: In-Reply-To, then References from right to left."""
    named = [*message_ids(mail.raw("in-reply-to")), *reversed(message_ids(mail.raw("references")))]
    return list(dict.fromkeys(named))


def _continues(context: _Context, ours: list[addressing.OurId], reports: list[Report]) -> int:
    """The thread proven by a signature: plus-address first, then our Message-IDs nearest first, then what a report
    brought back.
    """
    raw = [value for header in RECIPIENT_HEADERS for value in context.mail.all(header)[:20]]
    for one in addresses(raw, limit=200)[0]:
        thread_id = addressing.thread_of_address(one.email, context.own, context.channel.signing_key)
        if thread_id:
            return thread_id
    proven = [one.thread_id for one in ours if one.thread_id] + [
        report.thread_id for report in reports if report.thread_id
    ]
    return proven[0] if proven else 0


def _thread_key(context: _Context) -> str:
    """Whoever is vouched for shares a key with their own mails of one chain; everybody else stands alone until the core
    has checked them.
    """
    if context.verdict.sender == "pass":
        return f"chain:{hash_name(context.name.root, identity_key(context.sender.email))}"
    return f"mail:{hash_name(context.name.platform_id)}"


def _author(context: _Context) -> Author:
    key = identity_key(context.sender.email)
    is_signed_by_us = addressing.read_message_id(context.name.message_id, context.channel.signing_key) is not None
    is_us = without_detail(key) == without_detail(context.own) and (is_signed_by_us or context.verdict.sender == "pass")
    proven = (("email", key),) if context.verdict.sender == "pass" and not is_us else ()
    return Author(key=key[:320], handle=key[:200], name=context.sender.name, is_us=is_us, proven_keys=proven)


def _automatic(context: _Context, reports: list[Report]) -> Automatic:
    if bounces.is_bounce(reports):
        return "bounce"
    if reports:
        return "notification"
    return automatic.classify(context.mail, context.own)


def _moment(context: _Context) -> datetime:
    """When it was said. The server's receipt decides the order; the sender's Date counts where both agree, or in
    imported history, whose receipt may be the day it was moved.
    """
    date, received = parse_date(context.mail.raw("date")), _received(context)
    if received is None:
        return date if date is not None and date >= _EARLIEST else _EARLIEST
    if date is None or date < _EARLIEST or date > received:
        return received
    return date if received - date <= _DATE_TOLERANCE or _is_history(context) else received


def _received(context: _Context) -> datetime | None:
    return context.envelope.received_at or _received_header(context.mail)


def _is_history(context: _Context) -> bool:
    """Older than the moment from which this channel's messages are work."""
    begins_at, received = context.channel.history_before, _received(context)
    return begins_at is not None and received is not None and received < begins_at


def _received_header(mail: Mail) -> datetime | None:
    """The date our own server wrote into the topmost Received line."""
    return parse_date(mail.raw("received").rpartition(b";")[2])


def _shown(found: list[Address], own: str) -> tuple[str, ...]:
    """Addresses as shown; our own signed address appears as the plain one, so that its signature goes no further."""
    return tuple(dict.fromkeys(own if without_detail(one.email) == without_detail(own) else one.email for one in found))


def _reply_address(mail: Mail, sender: Address) -> str:
    found, _ = addresses(mail.all("reply-to"), limit=1)
    return found[0].email if found and identity_key(found[0].email) != identity_key(sender.email) else ""


def _aliases(context: _Context, chain: list[str]) -> tuple[str, ...]:
    """The bare Message-ID, under which programs answer this mail, then the foreign ids it answers itself: the nearest
    ones and the first of the chain.
    """
    key = context.channel.signing_key
    foreign = [one for one in chain if addressing.read_message_id(one, key) is None]
    named = [context.name.message_id, *foreign[:_MAX_NEAREST], *foreign[-1:]]
    return tuple(one for one in dict.fromkeys(named) if one and len(one) <= 400)


def _facts(context: _Context, reports: list[Report], body: Body, notes: list[str], *, is_claim: bool) -> dict[str, str]:
    mail, verdict = context.mail, context.verdict
    date = parse_date(mail.raw("date"))
    facts = {
        "sender_check": verdict.sender,
        "dmarc": verdict.dmarc,
        **({"dkim": verdict.dkim, "spf": verdict.spf, "checked_by": verdict.server} if verdict.server else {}),
        "thread_claim": "unproven" if is_claim else "",
        "message_id": context.name.message_id,
        "thread_topic": decode_header(mail.raw("thread-topic")[:800])[:200],
        "thread_index": _short(decode_bytes(mail.raw("thread-index")[:400]).strip()),
        "dated": date.isoformat() if date is not None and date != _moment(context) else "",
        "notes": ",".join(dict.fromkeys(notes)),
        **dict(body.facts),
        **_report_facts(reports),
    }
    return {name: value for name, value in facts.items() if value}


def _short(value: str) -> str:
    """A value that only makes sense whole; facts keep 300 characters."""
    return value if len(value) <= 300 else ""


def _report_facts(reports: list[Report]) -> dict[str, str]:
    if not reports:
        return {}
    worst = next((report for report in reports if report.state == "failed"), reports[0])
    kind = worst.state if worst.state != "failed" else "failed_for_good" if worst.is_permanent else "failed_for_now"
    return {
        "report": kind,
        "report_recipient": worst.recipient,
        "report_status": worst.status,
        "report_words": worst.explanation,
    }


def _notice(context: _Context, notes: list[str]) -> tuple[InboundFile, ...]:
    """What stands in for the part of a mail that was too large to fetch."""
    if not context.envelope.is_cut:
        return ()
    size_mb = context.envelope.size_bytes / 1024 / 1024
    words = f"This mail has {size_mb:.1f} MB, more than this channel fetches. The whole is still in the mailbox.\n"
    return (InboundFile("mail-too-large.txt", words.encode()),)
