"""Bytes to text whatever the charset label says: labels that lie, labels nobody knows, encoded words cut inside a
character.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
import unicodedata

# A label names the smaller set, the mail uses the larger one that real programs write under it (WHATWG Encoding
# Standard, read 2026-11-21).
_LARGER = {
    "iso-2022-jp": "iso-2022-jp-ext",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "hz-gb-2312": "hz",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "korean": "cp949",
    "big5": "big5hkscs",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "iso-8859-9": "cp1254",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "iso-8859-8-i": "iso-8859-8",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "utf8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "cp-850": "cp850",
}
# Codecs that are no charsets: they must never be reached by a label.
_FORBIDDEN = frozenset(
    {"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined", "mbcs", "oem", "rot_13", "utf_7"}
)
# The five bytes that Windows-1252 leaves open read as the controls of Latin-1, which _clean drops.
_CP1252 = "".join(bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in range(256))
_ENCODED_WORD = re.compile(r"=\?([A-Za-z0-9_.:+\-]{1,40})(?:\*[A-Za-z0-9\-]{1,20})?\?([bBqQ])\?([^?\s]{0,2000})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]+(?==\?)")
_ISO2022JP_MS = re.compile(rb"\x1b\$[@B]([^\x1b]*)")


def decode_bytes(content: bytes, label: str = "") -> str:
    """Text of `content`. Never raises: an unknown or lying label falls back to UTF-8, then Windows-1252, so that every
    byte shows.
    """
    if not content:
        return ""
    name = label.strip().strip("\"'").lower()
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"} and name.startswith("utf-16"):
        return _clean(content.decode("utf-16", "replace"))
    for candidate in (_codec(name), "utf-8"):
        if candidate:
            text = _strictly(content, candidate)
            if text is not None:
                return _clean(text)
    lenient = _codec(name)
    if lenient and lenient not in {"utf-8", "cp1252"} and not _is_mostly_utf8(content):
        return _clean(_leniently(content, lenient))
    return _clean(content.decode("utf-8", "replace") if _is_mostly_utf8(content) else _as_cp1252(content))


def _codec(name: str) -> str:
    if not name or len(name) > 40:
        return ""
    wanted = _LARGER.get(name, name)
    try:
        found = codecs.lookup(wanted)
    except (LookupError, ValueError):
        return ""
    plain = found.name.replace("-", "_")
    is_text = getattr(found, "_is_text_encoding", True)
    return found.name if is_text and plain not in _FORBIDDEN else ""


def _strictly(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except (UnicodeError, ValueError):
        pass
    if codec.startswith("iso2022_jp"):
        return _microsoft_iso2022jp(content)
    if codec == "cp1252":
        return _as_cp1252(content) if not _is_mostly_utf8(content) else None
    return None


def _microsoft_iso2022jp(content: bytes) -> str | None:
    """NEC and IBM characters (circled digits, special kanji) under the plain label: the two-byte runs are read as
    cp932.
    """
    pieces: list[str] = []
    at = 0
    try:
        for run in _ISO2022JP_MS.finditer(content):
            pieces.append(_without_escapes(content[at : run.start()]))
            pieces.append(_jis_to_cp932(run.group(1)).decode("cp932"))
            at = run.end()
        pieces.append(_without_escapes(content[at:]))
    except (UnicodeError, ValueError):
        return None
    return "".join(pieces)


def _without_escapes(content: bytes) -> str:
    return re.sub(rb"\x1b\([BJ]", b"", content).decode("ascii")


def _jis_to_cp932(pairs: bytes) -> bytes:
    """Shift JIS bytes of JIS X 0208 pairs, row by row (JIS X 0208:1997 annex 1)."""
    out = bytearray()
    for high, low in zip(pairs[::2], pairs[1::2], strict=False):
        row = (high - 0x21) // 2 + 0x81
        out.append(row if row <= 0x9F else row + 0x40)
        if high % 2:
            out.append(low + (0x1F if low < 0x60 else 0x20))
        else:
            out.append(low + 0x7E)
    return bytes(out)


def _leniently(content: bytes, codec: str) -> str:
    try:
        return content.decode(codec, "replace")
    except (UnicodeError, ValueError):
        return content.decode("utf-8", "replace")


def _is_mostly_utf8(content: bytes) -> bool:
    """Whether the bytes above ASCII form UTF-8 sequences, apart from a few broken ones."""
    head = content[:65536]
    high = sum(1 for byte in head if byte >= 0x80)
    return high > 0 and head.decode("utf-8", "replace").count("\ufffd") * 4 < high


def _as_cp1252(content: bytes) -> str:
    return codecs.charmap_decode(content, "strict", _CP1252)[0]


def _clean(text: str) -> str:
    """Without NUL, lone surrogates and control characters a database or a terminal would choke on; tab and line ends
    stay.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.translate(_CONTROLS)
    if any("\ud800" <= char <= "\udfff" for char in text):
        text = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text.removeprefix("\ufeff")


_CONTROLS = {code: None for code in [*range(9), 11, 12, *range(14, 32), 127, *range(128, 160)]}


def decode_header(raw: bytes) -> str:
    """A header's text: raw 8-bit bytes read, encoded words decoded, neighbours of one charset joined before decoding
    (RFC 2047 forbids cutting a character between two words, many programs do it all the same).
    """
    text = _clean(decode_bytes(raw)) if not raw.isascii() else raw.decode("ascii")
    if "=?" not in text:
        return _clean(" ".join(text.split()))
    return _clean(" ".join(decode_words(text).split()))


def decode_words(text: str) -> str:
    """Encoded words inside `text` decoded; anything that only looks like one stays."""
    text = _BETWEEN_WORDS.sub(r"\1", text)
    pieces: list[str] = []
    at = 0
    pending: tuple[str, bytes] | None = None
    for word in _ENCODED_WORD.finditer(text):
        payload = _word_bytes(word.group(2), word.group(3))
        if payload is None:
            continue
        charset = word.group(1).lower()
        if pending is not None and word.start() == at and pending[0] == charset:
            pending = (charset, pending[1] + payload)
        else:
            pieces.extend(_flush(pending))
            pieces.append(text[at : word.start()])
            pending = (charset, payload)
        at = word.end()
    pieces.extend(_flush(pending))
    pieces.append(text[at:])
    return "".join(pieces)


def _flush(pending: tuple[str, bytes] | None) -> list[str]:
    return [] if pending is None else [decode_bytes(pending[1], pending[0])]


def _word_bytes(encoding: str, payload: str) -> bytes | None:
    try:
        if encoding in "bB":
            plain = payload.rstrip("=")
            return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        return quopri.decodestring(payload.replace("_", " ").encode("ascii", "replace"), header=False)
    except (binascii.Error, ValueError):
        return None


_UNSHOWN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_SPOOFING = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad")


def display_name(text: str, limit: int = 160) -> str:
    """A name safe to show in one line: no controls, bidirectional overrides, zero-width characters or line ends."""
    one_line = " ".join(text.split())
    kept = (char for char in one_line if unicodedata.category(char) not in _UNSHOWN and char not in _SPOOFING)
    return " ".join("".join(kept).split())[:limit]
