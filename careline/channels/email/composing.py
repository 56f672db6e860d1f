"""An answer as a mail: headers that keep the customer's thread together, our signatures, text with an HTML twin, files.

The body is built by `email.message`; the headers are written here, because its folding turns long Message-IDs in
References into encoded words that no program recognises. Every value loses its control characters first, so that
nothing can start a header of its own.
"""

from __future__ import annotations

import html
import re
from datetime import datetime
from email import policy
from email.header import Header
from email.message import EmailMessage
from email.utils import format_datetime

import msgspec
import nh3

from careline.channels.base import ChannelView, Outgoing, OutgoingFile
from careline.channels.email import addressing
from careline.channels.email.addressing import own_address
from careline.channels.email.charsets import display_name
from careline.channels.email.headers import Address, identity_key, parse_address
from careline.channels.email.naming import message_id_of
from careline.channels.email.setup import flag
from careline.errors import ChannelError
from careline.files.typing_content import safe_name
from careline.kit import clock

MAX_REFERENCES = 1500
MAX_SUBJECT = 400
_REPLY_PREFIX = re.compile(r"^(?:\s*(?:re|aw|sv|antw|r[eé]f|rif|odp|ynt)(?:\[\d{1,3}\])?\s*:\s*)+", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]+")
_URL = re.compile(r"https?://[^\s<>\"']{3,2000}[^\s<>\"'.,;:!?)\]]")
_BODY_POLICY = policy.SMTP.clone(max_line_length=78)


class Composed(msgspec.Struct, frozen=True):
    """Bytes ready for DATA, the envelope, and what the server must be able to do."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    needs_utf8: bool


async def compose(outgoing: Outgoing, channel: ChannelView) -> Composed:
    """The mail of one delivery; the same at every attempt but for its Date. Raises ChannelError for an address nobody
    can write to.
    """
    own = own_address(channel)
    recipients = _recipients(outgoing)
    message_id = addressing.message_id(
        outgoing.delivery_id, outgoing.thread_id, own.rpartition("@")[2], channel.signing_key
    )
    body = await _body(outgoing, own.rpartition("@")[2], with_html=flag(channel, "send_html", default=True))
    head = _head(outgoing, channel, own, message_id)
    needs_utf8 = not all(_ascii_address(one).isascii() for one in [own, *recipients])
    content = "".join(f"{name}: {value}\r\n" for name, value in head if value).encode() + body
    return Composed(
        message_id, _ascii_address(own), tuple(_ascii_address(one) for one in recipients), content, needs_utf8
    )


def _recipients(outgoing: Outgoing) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for one in (outgoing.recipient, *outgoing.to, *outgoing.copied):
        address = _address(one)
        found.setdefault(identity_key(address.email), address.email)
    return tuple(found.values())


def _address(text: str) -> Address:
    found = parse_address(text)
    if found is None:
        raise ChannelError("address_wrong", f"{_plain(text)[:80]} is not a mail address.", permanent=True)
    return found


def _ascii_address(address: str) -> str:
    """The address with its domain in ASCII (RFC 5891); a local part beyond ASCII stays and needs SMTPUTF8."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError as refused:
        raise ChannelError("address_wrong", f"{_plain(domain)[:80]} is not a mail domain.", permanent=True) from refused


def _head(outgoing: Outgoing, channel: ChannelView, own: str, message_id: str) -> list[tuple[str, str]]:
    references = _references(outgoing)
    name = channel.setting("from_name") or channel.brand_name or channel.name
    is_machine = outgoing.author_kind == "machine"
    main = [one for one in outgoing.to if identity_key(one) != identity_key(outgoing.recipient)]
    return [
        ("From", format_address(name, _ascii_address(own))),
        ("To", _fold_list([format_address(*_named(one)) for one in (outgoing.recipient, *main)])),
        ("Cc", _fold_list([format_address(*_named(one)) for one in outgoing.copied])),
        ("Reply-To", _reply_to(outgoing, channel, own, name)),
        ("Subject", encode_text(subject_of(outgoing, channel), "Subject")),
        ("Date", _date(clock.now())),
        ("Message-ID", message_id),
        ("In-Reply-To", references[-1] if references else ""),
        ("References", "\r\n ".join(references)),
        ("Thread-Topic", encode_text(outgoing.facts.get("thread_topic", ""), "Thread-Topic")),
        ("Thread-Index", _token(outgoing.facts.get("thread_index", ""))),
        ("Content-Language", _token(outgoing.language)),
        ("Auto-Submitted", "auto-generated" if is_machine else ""),
        ("X-Auto-Response-Suppress", "All" if is_machine else ""),
        (addressing.KEY_HEADER, _key_header(outgoing, channel)),
    ]


def _key_header(outgoing: Outgoing, channel: ChannelView) -> str:
    is_safe = re.fullmatch(r"[!-~]{1,80}", outgoing.idempotency_key)
    return addressing.key_header(outgoing.idempotency_key, channel.signing_key) if is_safe else ""


def _named(text: str) -> tuple[str, str]:
    address = _address(text)
    return address.name, _ascii_address(address.email)


def _reply_to(outgoing: Outgoing, channel: ChannelView, own: str, name: str) -> str:
    if not flag(channel, "plus_addressing", default=True) or not outgoing.thread_id:
        return ""
    signed = addressing.reply_address(own, outgoing.thread_id, channel.signing_key)
    return format_address(name, _ascii_address(signed)) if signed != own else ""


def _date(at: datetime) -> str:
    return format_datetime(at)


def _references(outgoing: Outgoing) -> list[str]:
    """Oldest first, ending in what is answered; about 1,500 characters: the first and the latest stay (some relays
    refuse long headers).
    """
    named = [message_id_of(one) for one in (*outgoing.references, outgoing.reply_to)]
    answered = message_id_of(outgoing.reply_to)
    chain = [one for one in dict.fromkeys(named) if re.fullmatch(r"<[!-;=?-~]{3,400}>", one) and one != answered]
    chain += [answered] if re.fullmatch(r"<[!-;=?-~]{3,400}>", answered) else []
    while len(chain) > 2 and sum(len(one) + 1 for one in chain) > MAX_REFERENCES:
        del chain[1]
    return chain


def subject_of(outgoing: Outgoing, channel: ChannelView) -> str:
    """The subject: one `Re: ` on answers, everything else (another desk's ticket number too) kept as it was."""
    bare = _plain(outgoing.subject)[:MAX_SUBJECT]
    is_answer = bool(message_id_of(outgoing.reply_to) or outgoing.references)
    if not is_answer:
        return bare or channel.brand_name or channel.name
    rest = _REPLY_PREFIX.sub("", bare).strip()
    return f"Re: {rest}".strip()


def _plain(text: str) -> str:
    return _CONTROLS.sub(" ", text).strip()


def _token(text: str) -> str:
    plain = _plain(text)
    return plain if plain.isascii() and len(plain) <= 900 else ""


def encode_text(text: str, header: str) -> str:
    """Unstructured header text, folded; encoded words where it is not plain ASCII."""
    plain = _plain(text)
    if not plain:
        return ""
    is_plain = plain.isascii() and "=?" not in plain
    return Header(plain, "us-ascii" if is_plain else "utf-8", header_name=header, maxlinelen=76).encode(linesep="\r\n")


def format_address(name: str, email: str) -> str:
    """`name <email>` with the name quoted or encoded; the bare address without a name."""
    plain = display_name(_plain(name), 120)
    if not plain:
        return email
    if not plain.isascii() or "=?" in plain:
        return f"{Header(plain, 'utf-8', maxlinelen=66).encode(linesep=chr(13) + chr(10))} <{email}>"
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{email}>' if re.search(r"[^A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]", plain) else f"{plain} <{email}>"


def _fold_list(values: list[str]) -> str:
    return ",\r\n ".join(values)


async def _body(outgoing: Outgoing, domain: str, *, with_html: bool) -> bytes:
    text = outgoing.text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    message = EmailMessage(policy=_BODY_POLICY)
    message.set_content(text if text.endswith("\n") else text + "\n", charset="utf-8")
    inline = [file for file in outgoing.files if file.content_id]
    if with_html or outgoing.html:
        message.add_alternative(render_html(text, outgoing.html), subtype="html", charset="utf-8")
        for file in inline:
            await _attach_inline(message, file, domain)
    for file in outgoing.files:
        if not (file.content_id and (with_html or outgoing.html)):
            maintype, subtype = _type_of(file)
            message.add_attachment(await file.read(), maintype=maintype, subtype=subtype, filename=safe_name(file.name))
    return message.as_bytes()


async def _attach_inline(message: EmailMessage, file: OutgoingFile, domain: str) -> None:
    page = message.get_body(preferencelist=("html",))
    maintype, subtype = _type_of(file)
    if page is not None:
        identifier = re.sub(r"[^!-;=?-~]", "", file.content_id) or f"file@{domain}"
        page.add_related(
            await file.read(),
            maintype=maintype,
            subtype=subtype,
            cid=f"<{identifier}>",
            filename=safe_name(file.name),
            disposition="inline",
        )


def _type_of(file: OutgoingFile) -> tuple[str, str]:
    """Type and subtype; text and message types go as plain bytes, so that nothing rewrites their lines."""
    found = re.fullmatch(r"([a-z]{1,30})/([A-Za-z0-9.+\-]{1,80})", file.content_type.lower())
    if found is None or found.group(1) in {"text", "message", "multipart"}:
        return "application", "octet-stream"
    return found.group(1), found.group(2)


def render_html(text: str, given: str = "") -> str:
    """A plain HTML twin of the text, with links; or what the composer made, cleaned once more on its way out."""
    if given:
        inner = nh3.clean(given, link_rel="noopener noreferrer", url_schemes={"http", "https", "mailto", "tel", "cid"})
    else:
        paragraphs = re.split(r"\n{2,}", text.strip("\n"))
        inner = "".join(f"<p>{_linked(paragraph)}</p>" for paragraph in paragraphs if paragraph.strip())
    head = (
        '<!DOCTYPE html><html><head><meta charset="utf-8"></head><body style="font-family:sans-serif;line-height:1.45">'
    )
    return f"{head}{inner}</body></html>\n"


def _linked(paragraph: str) -> str:
    pieces: list[str] = []
    at = 0
    for url in _URL.finditer(paragraph):
        target = html.escape(url.group(0))
        pieces.append(html.escape(paragraph[at : url.start()]))
        pieces.append(f'<a href="{target}" rel="noopener noreferrer">{target}</a>')
        at = url.end()
    pieces.append(html.escape(paragraph[at:]))
    return "".join(pieces).replace("\n", "<br>\n")
