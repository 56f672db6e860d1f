"""What the sender wrote this time, and what is quoted history or signature. Nothing is destroyed: the rest is handed
back beside it.

Line by line and linear, with every pattern anchored and every line capped, so that no text can make it slow. The
separators of Gmail, Outlook, Apple Mail, Yahoo and their kin in English, Spanish, German and French are our own;
mail-parser-reply, whose patterns are not linear, is asked only about short texts in which nothing was found, for the
languages it knows beyond these; its answer counts when something written remains.
"""

from __future__ import annotations

import re

import msgspec
from mailparser_reply.parser import EmailReplyParser

MAX_TEXT = 400_000
_MAX_LINES = 20_000
_MAX_LINE = 400
_MAX_FOR_LIBRARY = 12_000
_LIBRARY_LANGUAGES = ["it", "nl", "pl", "da", "sv", "cs", "ja", "ko", "zh"]

_ATTRIBUTION_START = re.compile(
    r"^[>\s]*(?:on|el|am|le|em|il|op|den|lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bado|domingo|le\s|[\d\"<*])",
    re.IGNORECASE,
)
_ATTRIBUTION_END = re.compile(
    r"(?:\bwrote|\bescribi[oó]|\bschrieb(?:\s.{1,120})?|\ba [eé]crit|\bescreveu|\bha scritto|"
    r"\bschreef(?:\s.{1,120})?)\s*:?\s*(?:\*|>)?\s*:?\s*$",
    re.IGNORECASE,
)
_HAS_DATE_OR_ADDRESS = re.compile(r"\d|@")
_HAS_TIME_OR_ADDRESS = re.compile(r"\d{1,2}[:.h]\d{2}|@")
_ORIGINAL = re.compile(
    r"^[>\s]*[-_–—]{2,}\s*(?:original (?:message|appointment)|mensaje original|mensagem original|"
    r"urspr[uü]ngliche (?:nachricht|e-?mail)|message d['’]origine|"
    r"message original|messaggio originale|oorspronkelijk bericht|reply message|respuesta original)\s*[-_–—]{2,}\s*$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"^[>\s]*(?:[-_–—]{2,}\s*(?:forwarded message|mensaje reenviado|mensagem encaminhada|"
    r"weitergeleitete nachricht|message transf[ée]r[ée]|message transmis|messaggio inoltrato)"
    r"(?:\s+by\s.{0,100})?\s*[-_–—]{2,}|begin forwarded message:|inicio del mensaje reenviado:|"
    r"anfang der weitergeleiteten (?:nachricht|e-?mail):|"
    r"d[ée]but du message (?:transf[ée]r[ée]|r[ée]exp[ée]di[ée])\s*:)\s*$",
    re.IGNORECASE,
)
_FORWARD_SUBJECT = re.compile(
    r"^\s*(?:re|aw|sv|antw)?:?\s*(?:fwd?|rv|reenv(?:iado)?|wg|tr|enc|i|doorst)\s*:", re.IGNORECASE
)
_FROM_LABEL = re.compile(r"^[>\s]*\*?(?:from|de|von|da|van)\s*:\s*\*?\s*\S", re.IGNORECASE)
_OTHER_LABEL = re.compile(
    r"^[>\s]*\*?(?:sent|date|to|cc|subject|enviado(?: el)?|fecha|para|asunto|gesendet|datum|an|betreff|"
    r"envoy[ée]|date|[àa]|objet|data|inviato|verzonden|aan|onderwerp|oggetto)\s*:\s*\*?",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*(?:_{5,}|-{20,}|={20,}|\*{20,})\s*$")
_SIGNATURE_LINE = re.compile(r"^\s*(?:--|—|__)\s*$")
_SENT_FROM = re.compile(
    r"^\s*(?:sent (?:from|via|using|with) (?:my |the |a )?|get outlook for |enviado (?:desde|con) (?:mi |el |"
    r"la |un )?|obtener outlook para |enviado a trav[eé]s de |gesendet (?:von|mit) (?:meinem |meiner |der )?|"
    r"von meinem .{1,40} gesendet|envoy[ée] (?:de(?:puis)? |avec )(?:mon |ma )?|"
    r"t[ée]l[ée]charger outlook pour|hol(?:en sie sich)? outlook f[uü]r|yahoo mail(?: on|:| f[uü]r))"
    r".{0,80}$",
    re.IGNORECASE,
)


class Trimmed(msgspec.Struct, frozen=True):
    """`text` is never empty unless everything was; `rest` holds signature and history in their order."""

    text: str
    rest: str = ""


def is_forward_subject(subject: str) -> bool:
    """Fwd:, FW:, RV:, WG:, TR: and their kin."""
    return bool(_FORWARD_SUBJECT.match(subject))


def trim(text: str, *, is_forward: bool = False, quote_line: int = -1, signature_line: int = -1) -> Trimmed:
    """Split a mail's text. `quote_line` and `signature_line` are known from HTML, -1 if not. A forward keeps what it
    passes on.
    """
    text = _tidy(text)
    lines = text.split("\n")
    if len(text) > MAX_TEXT or len(lines) > _MAX_LINES:
        lines = lines[:_MAX_LINES]
    cut = len(lines) if is_forward else _history_starts(lines)
    if not is_forward and quote_line >= 0:
        cut = min(cut, quote_line)
    if not is_forward:
        cut = _library_cut(text, lines, cut)
    if cut < len(lines) and _answers_below(lines, cut):
        return _written_below(text, lines, cut)
    if not _is_written(lines[:cut]):
        cut = len(lines)
    signature = _signature_starts(lines, cut)
    if signature_line >= 0:
        signature = min(signature, signature_line)
    if _is_written(lines[:signature]):
        cut = min(cut, signature)
    return _split(text, lines, cut)


def _tidy(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\xa0", " ")
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def _split(text: str, lines: list[str], cut: int) -> Trimmed:
    if cut >= len(lines):
        return Trimmed(text.strip())
    at = sum(len(line) + 1 for line in lines[:cut])
    return Trimmed(text[:at].strip(), text[at:].strip("\n"))


def _is_written(lines: list[str]) -> bool:
    return any(line.strip() and not line.lstrip().startswith(">") for line in lines)


def _history_starts(lines: list[str]) -> int:
    """Number of the first line of the history, or len(lines)."""
    tail = 1 + max((number for number, line in enumerate(lines) if _is_written([line])), default=-1)
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        short = line[:_MAX_LINE]
        if _FORWARDED.match(short):
            return len(lines)
        if _ORIGINAL.match(short):
            return number
        if _FROM_LABEL.match(short) and _is_header_block(lines, number):
            return _before_rule(lines, number)
        if _is_attribution(lines, number):
            return number
        if number >= tail and sum(1 for one in lines[number:] if one.strip()) >= 2:
            return _before_attribution(lines, number)
    return len(lines)


def _is_header_block(lines: list[str], number: int) -> bool:
    """`From:` followed within seven lines by at least two of Sent, To, Subject in any of the languages."""
    following = [line[:_MAX_LINE] for line in lines[number + 1 : number + 8]]
    return sum(1 for line in following if _OTHER_LABEL.match(line)) >= 2


def _before_rule(lines: list[str], number: int) -> int:
    """The rule of underscores Outlook draws above its header block belongs to the history."""
    above = number - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and _RULE.match(lines[above][:_MAX_LINE]) else number


def _before_attribution(lines: list[str], number: int) -> int:
    """A line above the quote that ends in a colon and names a time or an address introduces it, in whatever language."""
    above = number - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    line = lines[above].rstrip() if above >= 0 else ""
    return above if line[-1:] in {":", "："} and _HAS_TIME_OR_ADDRESS.search(line[:_MAX_LINE]) else number


def _is_attribution(lines: list[str], number: int) -> bool:
    """`On <date>, <name> wrote:` on up to three lines, in any of the languages. Without a quote behind it, it must end
    in a colon.
    """
    if not _ATTRIBUTION_START.match(lines[number][:40]):
        return False
    joined = ""
    for width in range(1, 4):
        if number + width > len(lines):
            return False
        joined = f"{joined} {lines[number + width - 1].strip()}".strip()[: 2 * _MAX_LINE]
        if _ATTRIBUTION_END.search(joined[-200:]) and _HAS_DATE_OR_ADDRESS.search(joined):
            return joined.rstrip("* >").endswith(":") or _is_quote_next(lines, number + width)
    return False


def _is_quote_next(lines: list[str], number: int) -> bool:
    following = next((line for line in lines[number : number + 4] if line.strip()), "")
    return following.lstrip().startswith(">")


def _answers_below(lines: list[str], cut: int) -> bool:
    """Nothing above the quote, words below it: bottom posting."""
    return not _is_written(lines[:cut]) and _quote_ends(lines, cut) < len(lines)


def _quote_ends(lines: list[str], cut: int) -> int:
    """The first line after the last quoted line, where somebody still wrote something; else len(lines)."""
    last = max((number for number in range(cut, len(lines)) if lines[number].lstrip().startswith(">")), default=-1)
    return last + 1 if last >= 0 and _is_written(lines[last + 1 :]) else len(lines)


def _written_below(text: str, lines: list[str], cut: int) -> Trimmed:
    """Answers under the quote. Between the quotes they lose their sense without them, so a mixed mail is kept whole."""
    below = _quote_ends(lines, cut)
    quoted = [line for line in lines[cut:below] if line.strip()]
    is_mixed = any(not line.lstrip().startswith(">") for line in quoted[3:])
    if is_mixed:
        signature = _signature_starts(lines, len(lines))
        return _split(text, lines, signature if _is_written(lines[below:signature]) else len(lines))
    answer = trim("\n".join(lines[below:]), is_forward=True)
    return Trimmed(answer.text, "\n".join(["\n".join(lines[:below]).strip("\n"), answer.rest]).strip("\n"))


def _signature_starts(lines: list[str], end: int) -> int:
    """The first line of the signature above `end`, or `end`. A bare dash line counts only with at most 25 lines below
    it.
    """
    for number in range(max(0, end - 40), end):
        short = lines[number][:_MAX_LINE]
        if _SENT_FROM.match(short) and not _is_written(lines[number + 3 : end]):
            return number
        if _SIGNATURE_LINE.match(short) and end - number <= 25:
            return number
    return end


def _library_cut(text: str, lines: list[str], cut: int) -> int:
    """A second opinion on short texts where nothing was found but a quote or an attribution seems to be there."""
    if cut < len(lines) or len(text) > _MAX_FOR_LIBRARY or max(map(len, lines)) > _MAX_LINE or not _seems_quoted(lines):
        return cut
    replies = EmailReplyParser(languages=_LIBRARY_LANGUAGES).read(text).replies
    header = replies[1].headers if len(replies) > 1 else ""
    first = header.strip().split("\n")[0].strip() if header else ""
    found = next((number for number, line in enumerate(lines) if first and line.strip() == first), len(lines))
    return found if _is_written(lines[:found]) else cut


def _seems_quoted(lines: list[str]) -> bool:
    return sum(1 for line in lines if line.lstrip().startswith(">")) >= 2 or any(
        line.rstrip().endswith((":", "：")) and ("@" in line or re.search(r"\d{1,2}:\d{2}", line)) for line in lines
    )
