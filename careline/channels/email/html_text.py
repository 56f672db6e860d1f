"""HTML mail to readable text, with the place where the quoted history begins. One pass over the bytes, no tree, no
recursion.

Why not a parser: mails hold 10 MB of unclosed tags, on which tree builders and `html.parser` take quadratic time. This
text is for reading and searching only; what is shown as HTML is the original, cleaned elsewhere.
"""

from __future__ import annotations

import html
import re

import msgspec

MAX_HTML = 1024 * 1024
_MAX_TAG = 4096
_TAG = re.compile(r"^\s*(/?)\s*([a-zA-Z][a-zA-Z0-9:]{0,30})")
_ATTRIBUTE = re.compile(r"([a-zA-Z\-]{1,40})\s*=\s*(?:\"([^\"]{0,2000})\"|'([^']{0,2000})'|([^\s\"'>]{1,2000}))")
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        """address article aside blockquote center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6
    header hr li main nav ol p pre section table tr ul""",
    )
)
_PARAGRAPHS = frozenset(re.findall(r"\w+", "p h1 h2 h3 h4 h5 h6 table ul ol blockquote pre"))
_VOID = frozenset(re.findall(r"\w+", "area base br col embed hr img input link meta param source track wbr"))
_SILENT = frozenset(re.findall(r"\w+", "script style head title template noscript object svg math select textarea"))
# Their content is no markup, so it is skipped whole.
_END_OF = {
    name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "title", "textarea", "noscript")
}
_QUOTE_CLASSES = (
    "gmail_quote",
    "gmail_attr",
    "gmail_extra",
    "yahoo_quoted",
    "moz-cite-prefix",
    "protonmail_quote",
    "zmail_extra",
    "tutanota_quote",
    "qq_quote",
)
_QUOTE_IDS = (
    "divrplyfwdmsg",
    "appendonsend",
    "olk_src_body_section",
    "mail-editor-reference-message-container",
    "originalmessage",
    "reply-intro",
)
_SIGNATURE_MARKS = (
    "gmail_signature",
    "moz-signature",
    "protonmail_signature_block",
    "applemailsignature",
    "ms-outlook-mobile-signature",
)
_OUTLOOK_RULE = re.compile(
    r"border:\s*none;\s*border-top:\s*solid\s+#?[0-9a-z]+\s+1\.0pt;\s*padding:\s*3\.0(?:pt|0cm)?", re.IGNORECASE
)
# Not font-size:0 and not mso-hide: layouts use both around words that are shown.
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


class HtmlText(msgspec.Struct, frozen=True):
    """`text` is everything readable; `quote_line` and `signature_line` are numbers of its lines, -1 when there are
    none.
    """

    text: str
    quote_line: int = -1
    signature_line: int = -1
    is_cut: bool = False


def read_html(source: str) -> HtmlText:
    """Readable text of an HTML document or fragment. Never raises; at most MAX_HTML characters are read."""
    reader = _Reader(source[:MAX_HTML])
    reader.run()
    if not "".join(reader.pieces).strip():
        # An invisible wrapper that was never closed must not swallow what a person wrote.
        reader = _Reader(source[:MAX_HTML], shows_hidden=True)
        reader.run()
    text = "".join(reader.pieces)
    quote_line, signature_line = (
        text.count("\n", 0, at) if at >= 0 else -1 for at in (reader.quote_at, reader.signature_at)
    )
    return HtmlText(text, quote_line, signature_line, is_cut=len(source) > MAX_HTML)


class _Reader:
    def __init__(self, source: str, *, shows_hidden: bool = False) -> None:
        self._shows_hidden = shows_hidden
        self.pieces: list[str] = []
        self.quote_at = -1
        self.signature_at = -1
        self._source = source
        self._length = 0
        self._breaks = 2
        self._space = False
        self._quotes = 0
        self._preformatted = 0
        self._hidden: list[str] = []
        self._link = ""
        self._link_at = 0

    def run(self) -> None:
        source, at = self._source, 0
        while at < len(source):
            opened = source.find("<", at)
            if opened < 0:
                self._add(source[at:])
                return
            self._add(source[at:opened])
            at = self._markup(opened)

    def _markup(self, opened: int) -> int:
        """Handle what starts at `<`; returns where to go on."""
        source = self._source
        if source.startswith("<!--", opened):
            closed = source.find("-->", opened + 4)
            return closed + 3 if closed >= 0 else len(source)
        following = source[opened + 1 : opened + 2]
        if not (following.isalpha() or following in {"/", "!", "?"}):
            self._add("<")
            return opened + 1
        closed = _tag_end(source, opened)
        if closed < 0:
            # No end in sight: a lonely "<" is shown, so that `a < b` and addresses in brackets stay readable.
            self._add("<")
            return opened + 1
        inside = source[opened + 1 : closed]
        if "@" in inside.split(" ", 1)[0] and "=" not in inside:
            self._add(f"<{inside}>")
            return closed + 1
        self._tag(inside)
        return self._skip_silent(inside, closed + 1)

    def _skip_silent(self, inside: str, at: int) -> int:
        found = _TAG.match(inside)
        name = found.group(2).lower() if found and not found.group(1) else ""
        if name not in _END_OF or inside.endswith("/"):
            return at
        closed = _END_OF[name].search(self._source, at)
        return closed.start() if closed else len(self._source)

    def _tag(self, inside: str) -> None:
        found = _TAG.match(inside)
        if found is None:
            return
        name = found.group(2).lower()
        if found.group(1):
            self._close(name)
        else:
            attributes = (
                {match[0].lower(): match[1] or match[2] or match[3] for match in _ATTRIBUTE.findall(inside[:_MAX_TAG])}
                if "=" in inside
                else {}
            )
            self._open(name, attributes, is_closed=inside.endswith("/") or name in _VOID)

    def _open(self, name: str, attributes: dict[str, str], *, is_closed: bool) -> None:
        if not is_closed and (name in _SILENT or self._hidden or (_is_hidden(attributes) and not self._shows_hidden)):
            if len(self._hidden) < 2000:
                self._hidden.append(name)
            return
        self._note_marks(name, attributes)
        if name == "br":
            self._break(min(2, self._breaks + 1))
        elif name in _BLOCKS:
            self._break(2 if name in _PARAGRAPHS else 1)
        if name == "li":
            self._add("- ")
        elif name in {"td", "th"}:
            self._space = True
        elif name == "blockquote":
            self._quotes += 1
        elif name == "pre":
            self._preformatted += 1
        elif name == "img" and attributes.get("alt", "").strip():
            self._add(f"[{html.unescape(attributes['alt']).strip()[:200]}]")
        elif name == "a":
            self._link, self._link_at = html.unescape(attributes.get("href", "")), self._length

    def _close(self, name: str) -> None:
        if self._hidden:
            if name in self._hidden[-40:]:
                while self._hidden and self._hidden.pop() != name:
                    pass
            elif name in {"body", "html"}:
                self._hidden.clear()
            return
        if name == "a":
            self._end_link()
        elif name == "blockquote":
            self._break(2)
            self._quotes = max(0, self._quotes - 1)
        elif name == "pre":
            self._preformatted = max(0, self._preformatted - 1)
            self._break(2)
        elif name in _BLOCKS:
            self._break(2 if name in _PARAGRAPHS else 1)

    def _end_link(self) -> None:
        """The address behind a link, where the words do not already say it."""
        target, self._link = self._link, ""
        shown = "".join(self.pieces[-8:])[-(self._length - self._link_at) :] if self._length > self._link_at else ""
        if (
            target.startswith(("http://", "https://"))
            and len(target) <= 300
            and shown.strip()
            and target.rstrip("/") not in shown
            and shown.strip() not in target
        ):
            self._add(f" <{target}>")

    def _note_marks(self, name: str, attributes: dict[str, str]) -> None:
        marks = f"{attributes.get('class', '')} {attributes.get('id', '')}".lower()
        is_quote = (
            any(mark in marks for mark in _QUOTE_CLASSES)
            or any(mark in marks for mark in _QUOTE_IDS)
            or (name == "blockquote" and attributes.get("type", "").lower() == "cite")
            or (name == "div" and bool(_OUTLOOK_RULE.search(attributes.get("style", ""))))
        )
        if is_quote and self.quote_at < 0:
            self._break(1)
            self.quote_at = self._length
        if self.signature_at < 0 and any(mark in marks for mark in _SIGNATURE_MARKS):
            self._break(1)
            self.signature_at = self._length

    def _break(self, lines: int) -> None:
        self._space = False
        while self._breaks < lines:
            self._put("\n")
            self._breaks += 1

    def _add(self, raw: str) -> None:
        if not raw or self._hidden:
            return
        text = html.unescape(raw).replace("\xa0", " ").replace("\u200b", "").replace("\ufeff", "")
        if self._preformatted:
            self._add_lines(text)
            return
        words = text.split()
        if not words:
            self._space = True
            return
        if (self._space or text[:1].isspace()) and self._breaks == 0:
            self._put(" ")
        self._begin_line()
        self._put(" ".join(words))
        self._space = text[-1:].isspace()

    def _add_lines(self, text: str) -> None:
        for number, line in enumerate(text.split("\n")):
            if number:
                self._put("\n")
                self._breaks += 1
            if line.strip():
                self._begin_line()
                self._put(line.rstrip())

    def _begin_line(self) -> None:
        if (self._breaks and self._quotes and self.pieces) or (self._quotes and not self.pieces):
            self._put("> " * min(self._quotes, 8))
        self._breaks = 0

    def _put(self, text: str) -> None:
        self.pieces.append(text)
        self._length += len(text)


def _tag_end(source: str, opened: int) -> int:
    """Position of the closing `>`, not inside a quoted attribute value; -1 when there is none within _MAX_TAG
    characters.
    """
    limit = opened + _MAX_TAG
    closed = source.find(">", opened, limit)
    if closed < 0:
        return _far_tag_end(source, opened)
    inside = source[opened:closed]
    quote = '"' if inside.count('"') % 2 else "'" if inside.count("'") % 2 and "='" in inside.replace(" ", "") else ""
    if not quote:
        return closed
    quote_end = source.find(quote, closed, limit)
    further = source.find(">", quote_end, limit) if quote_end >= 0 else -1
    return further if further >= 0 else closed


def _far_tag_end(source: str, opened: int) -> int:
    """Images inside the tag (data: URLs) are longer than any sane tag; another `<` before the end means there is no tag
    here.
    """
    if source[opened + 1 : opened + 5].lower() not in {"img ", "a hr", "tabl", "td b", "v:im"}:
        return -1
    following = source.find("<", opened + 1)
    return source.find(">", opened, following if following >= 0 else len(source))


def _is_hidden(attributes: dict[str, str]) -> bool:
    return "hidden" in attributes or bool(_HIDDEN.search(attributes.get("style", "") + ";"))
