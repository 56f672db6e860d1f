"""Which leaves of a mail are its words, its HTML and its files; what programs do differently is settled here."""

from __future__ import annotations

import html
import re

import msgspec

from careline.channels.base import InboundFile
from careline.channels.email import quoting
from careline.channels.email.charsets import decode_bytes, decode_header
from careline.channels.email.html_text import read_html
from careline.channels.email.mime import read_headers
from careline.channels.email.tnef import CONTENT_TYPES as TNEF_TYPES
from careline.channels.email.tnef import read_tnef
from careline.channels.email.wire import Leaf, Mail
from careline.files.typing_content import safe_name

MAX_FILES = 100
MAX_TEXT = 1024 * 1024
MAX_HTML = 3 * 1024 * 1024
_MAX_UNCLOSED = 3000
_REPORT_PARTS = frozenset(
    {
        "message/delivery-status",
        "message/global-delivery-status",
        "text/rfc822-headers",
        "message/disposition-notification",
        "message/feedback-report",
    }
)
_SIGNATURES = {
    "application/pgp-signature": "pgp",
    "application/pkcs7-signature": "smime",
    "application/x-pkcs7-signature": "smime",
}
_SKIPPED = frozenset({"text/x-amp-html", "text/watch-html"})
_ENCRYPTED = {"application/pgp-encrypted": "pgp"}
# Endings of nameless parts; anything else is .bin, and what it is is told from its content anyway.
_ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "application/pdf": ".pdf",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "video/mp4": ".mp4",
    "text/html": ".html",
    "text/csv": ".csv",
    "application/zip": ".zip",
}
_METHOD = re.compile(rb"^METHOD:([A-Z\-]{1,20})\s*$", re.MULTILINE)


class Body(msgspec.Struct, frozen=True):
    """The words (`text`, trimmed), what was trimmed (`rest`), the raw HTML, the files, and small facts."""

    text: str
    rest: str = ""
    html: str = ""
    files: tuple[InboundFile, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def read_body(mail: Mail, subject: str, *, is_report: bool = False) -> Body:
    """Words, HTML and files of a mail. `is_report` leaves out what a bounce brings back of our own mail."""
    collected = _Collected(has_html=_alternatives(mail, "text/html"), has_plain=_alternatives(mail, "text/plain"))
    for leaf in mail.leaves:
        collected.take(leaf, is_report=is_report)
    return collected.finish(subject)


def _alternatives(mail: Mail, content_type: str) -> frozenset[str]:
    """Paths of the multipart/alternatives that offer words as `content_type`."""
    return frozenset(
        leaf.alternative
        for leaf in mail.leaves
        if leaf.alternative and leaf.content_type == content_type and leaf.content.strip()
    )


class _Collected:
    def __init__(self, *, has_html: frozenset[str], has_plain: frozenset[str]) -> None:
        self._has_html, self._has_plain = has_html, has_plain
        self._texts: list[str] = []
        self._htmls: list[str] = []
        self._seen_html = False
        self._quote_line, self._signature_line = -1, -1
        self._files: list[InboundFile] = []
        self._facts: dict[str, str] = {}
        self._notes: list[str] = []

    def take(self, leaf: Leaf, *, is_report: bool) -> None:
        kind = leaf.content_type
        if kind in _SKIPPED or (is_report and (kind in _REPORT_PARTS or kind == "message/rfc822")):
            return
        if kind in _SIGNATURES or kind in _ENCRYPTED:
            self._facts["signed_with" if kind in _SIGNATURES else "encrypted_with"] = (_SIGNATURES | _ENCRYPTED)[kind]
        elif kind in TNEF_TYPES or (leaf.name.lower() == "winmail.dat" and kind == "application/octet-stream"):
            self._take_tnef(leaf)
        elif kind == "text/plain" and _is_words(leaf):
            self._take_plain(leaf)
        elif kind == "text/html" and _is_words(leaf):
            self._take_html(
                decode_bytes(leaf.content, leaf.charset or _html_charset(leaf.content)),
                is_alternative=leaf.alternative in self._has_plain,
            )
        else:
            self._take_file(leaf)

    def _take_plain(self, leaf: Leaf) -> None:
        text = decode_bytes(leaf.content[: 4 * MAX_TEXT], leaf.charset)
        if leaf.parameter("format").lower() == "flowed":
            text = unflow(text, deletes_space=leaf.parameter("delsp").lower() == "yes")
        self._add_text(text)
        if text.strip() and leaf.alternative not in self._has_html:
            self._htmls.append(f'<pre style="white-space:pre-wrap">{html.escape(text)}</pre>')

    def _take_html(self, source: str, *, is_alternative: bool) -> None:
        self._seen_html = True
        self._htmls.append(source)
        if is_alternative:
            return
        read = read_html(source)
        lines_before = sum(text.count("\n") + 2 for text in self._texts)
        if self._quote_line < 0 <= read.quote_line:
            self._quote_line = lines_before + read.quote_line
        if self._signature_line < 0 <= read.signature_line:
            self._signature_line = lines_before + read.signature_line
        if read.is_cut:
            self._notes.append("html_capped")
        self._add_text(read.text)

    def _add_text(self, text: str) -> None:
        text = text.replace("\r\n", "\n").strip("\n")
        if text.strip():
            self._texts.append(text)

    def _take_tnef(self, leaf: Leaf) -> None:
        content = read_tnef(leaf.content)
        if not content.is_readable:
            self._notes.append("winmail_unreadable")
            self._take_file(leaf)
            return
        if content.html and not self._seen_html:
            self._take_html(content.html, is_alternative=bool(self._texts))
        elif not self._texts:
            self._add_text(content.text)
        if content.rtf and not content.html and not content.text and not self._texts:
            self._add_file(InboundFile("message.rtf", content.rtf))
        for file in content.files:
            self._add_file(
                InboundFile(
                    safe_name(file.name), file.content, content_id=file.content_id, is_inline=bool(file.content_id)
                )
            )

    def _take_file(self, leaf: Leaf) -> None:
        if not leaf.content and not leaf.name:
            return
        if leaf.content_type == "text/calendar":
            method = _METHOD.search(leaf.content[:4096])
            self._facts["calendar"] = (
                method.group(1).decode("ascii").lower() if method else leaf.parameter("method").lower()[:20] or "event"
            )
        if leaf.is_broken:
            self._notes.append("file_damaged")
        is_inline = (
            bool(leaf.content_id) and leaf.disposition != "attachment" and leaf.content_type.startswith("image/")
        )
        is_inline = is_inline or (
            bool(leaf.content_id) and any(f"cid:{leaf.content_id}" in source for source in self._htmls)
        )
        self._add_file(InboundFile(_file_name(leaf), leaf.content, content_id=leaf.content_id, is_inline=is_inline))

    def _add_file(self, file: InboundFile) -> None:
        if len(self._files) >= MAX_FILES:
            self._notes.append("files_capped")
            return
        self._files.append(file)

    def finish(self, subject: str) -> Body:
        text = "\n\n".join(self._texts)
        if len(text) > MAX_TEXT:
            self._notes.append("text_capped")
            text = text[:MAX_TEXT]
        trimmed = quoting.trim(
            text,
            is_forward=quoting.is_forward_subject(subject),
            quote_line=self._quote_line,
            signature_line=self._signature_line,
        )
        source = "\n".join(self._htmls) if self._seen_html else ""
        if len(source) > MAX_HTML or _is_heavy(source):
            self._notes.append("html_withheld")
            source = ""
        return Body(
            trimmed.text,
            trimmed.rest,
            source,
            tuple(self._files),
            tuple(self._facts.items()),
            tuple(dict.fromkeys(self._notes)),
        )


def _is_words(leaf: Leaf) -> bool:
    """Shown in place rather than handed out as a file. Apple Mail marks even its words as inline; a file name makes it
    a file.
    """
    return leaf.disposition != "attachment" and not leaf.name


def _html_charset(content: bytes) -> str:
    found = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_\-]{2,40})", content[:4096], re.IGNORECASE)
    return found.group(1).decode("ascii") if found else ""


def _is_heavy(source: str) -> bool:
    """Thousands of elements inside one another, on which tree builders take quadratic time."""
    lowered = source.lower()
    return any(
        lowered.count(f"<{name}") - lowered.count(f"</{name}") > _MAX_UNCLOSED
        for name in ("div", "span", "table", "font", "blockquote", "center", "ul")
    )


def _file_name(leaf: Leaf) -> str:
    if leaf.name:
        return safe_name(decode_header(leaf.name.encode("utf-8", "replace")) if "=?" in leaf.name else leaf.name)
    if leaf.content_type == "message/rfc822":
        subject = next((value for name, value in read_headers(leaf.content) if name == "subject"), b"")
        words = " ".join(decode_header(subject[:400]).replace("/", " ").split())
        return safe_name(f"{words[:100].strip() or 'mail'}.eml")
    if leaf.content_type == "text/calendar":
        return "invite.ics"
    ending = _ENDINGS.get(leaf.content_type, ".txt" if leaf.content_type.startswith("text/") else ".bin")
    return f"{leaf.content_type.partition('/')[0]}-{leaf.path.replace('.', '-')}{ending}"


def unflow(text: str, *, deletes_space: bool = False) -> str:
    """RFC 3676: a line ending in a space goes on in the next of the same quote depth; stuffed spaces come off; `-- `
    stays a line.
    """
    out: list[list[str]] = []
    flowing_depth = -1
    for line in text.replace("\r\n", "\n").split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        if content == "-- ":
            out.append([">" * depth + (" " if depth else "") + content])
            flowing_depth = -1
            continue
        is_flowing = content.endswith(" ") and bool(content.strip())
        piece = content[:-1] if is_flowing and deletes_space else content
        if depth == flowing_depth:
            out[-1].append(piece)
        else:
            out.append([">" * depth + (" " if depth and piece else "") + piece])
        flowing_depth = depth if is_flowing else -1
    return "\n".join("".join(pieces) for pieces in out)
