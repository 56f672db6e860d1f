"""What a file is, from its bytes; and which few kinds a browser may show in place."""

from __future__ import annotations

import io
import struct
import unicodedata
import zlib

import puremagic
from PIL import Image

INLINE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
# Anything a browser could run or follow is handed out as plain bytes, whatever it calls itself.
_NEVER = (
    "text/html",
    "image/svg",
    "application/xhtml",
    "text/xml",
    "application/xml",
    "application/javascript",
    "text/javascript",
)
_MAX_PIXELS = 60_000_000
# What parsers of hostile bytes raise beside their own errors.
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    LookupError,
    ArithmeticError,
    TypeError,
    EOFError,
    struct.error,
    zlib.error,
    Warning,
    Image.DecompressionBombError,
)
_BIDI_AND_FORMAT = {"Cf", "Cc", "Co", "Cs", "Cn"}


def type_of(content: bytes, name: str = "") -> str:
    """MIME type by content. Unknown, dangerous or empty content is application/octet-stream; plain UTF-8 is text/plain."""
    try:
        found = puremagic.from_string(content, mime=True) if content else ""
    except (puremagic.PureError, *_BROKEN):
        found = ""
    if found.startswith(_NEVER):
        return "application/octet-stream"
    if found:
        return found
    return "text/plain" if _is_text(content) else "application/octet-stream"


def _is_text(content: bytes) -> bool:
    head = content[:4096]
    if not head or b"\0" in head or head.lstrip()[:1] == b"<":
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4
    return True


def image_size(content: bytes, kind: str) -> tuple[int | None, int | None]:
    """Width and height in pixels from the header alone; (None, None) for no image, a broken one or a bomb."""
    if kind not in INLINE_TYPES:
        return None, None
    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
    except _BROKEN:
        return None, None
    return (width, height) if width * height <= _MAX_PIXELS else (None, None)


def safe_name(name: str, fallback: str = "file") -> str:
    """A display name without paths, control, format or bidi characters (right-to-left override included), at most 120 characters."""
    plain = "".join(
        char for char in unicodedata.normalize("NFC", name) if unicodedata.category(char) not in _BIDI_AND_FORMAT
    )
    plain = plain.replace("\\", "/").rsplit("/", 1)[-1].strip(" .")
    if len(plain) > 120:
        stem, dot, ending = plain.rpartition(".")
        plain = f"{stem[:100]}{dot}{ending[:16]}" if dot else plain[:120]
    return plain or fallback
