"""Words out of strangers' HTML: what a reader would see, and no tag of it. HTML that is kept as HTML is cleaned elsewhere."""

from __future__ import annotations

import html
import re
from typing import Final

MOST_CHARS: Final = 200_000
_SILENT: Final = re.compile(r"<(script|style)\b[^<>]{0,2000}>[^<]{0,200000}", re.IGNORECASE)
_BREAK: Final = re.compile(r"<(?:br|/?p|/?div|/?li|/?h[1-6]|/?tr|/?blockquote)\b[^<>]{0,2000}>", re.IGNORECASE)
_TAG: Final = re.compile(r"<[a-zA-Z/!?][^<>]{0,4000}>")
_LINES: Final = re.compile(r"[ \t\r\f\v]*\n\s*\n\s*|[ \t\r\f\v]*\n[ \t\r\f\v]*")


def plain_text(source: str) -> str:
    """Readable words of a piece of HTML, paragraphs apart. Looks at the first 200,000 characters; never raises."""
    kept = _SILENT.sub("", source[:MOST_CHARS].replace("\0", ""))
    bare = _TAG.sub("", _BREAK.sub("\n", kept.replace("\r\n", "\n")))
    return _LINES.sub(lambda gap: "\n\n" if gap.group().count("\n") > 1 else "\n", html.unescape(bare)).strip()
