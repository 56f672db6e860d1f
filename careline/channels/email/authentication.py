"""Whether the sender is who From says, read from the one server whose word we trust (RFC 8601 Authentication-Results,
RFC 7489 DMARC; read 2026-11-21).

Anyone can write such a header, so only headers with the configured authserv-id count, and of those only the topmost
group: the border server puts its own on top and, as RFC 8601 section 5 demands, removes foreign ones with its name.
"""

from __future__ import annotations

import re

import msgspec

from careline.channels.email.charsets import decode_bytes
from careline.channels.email.wire import Mail

_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"^\s*([a-z\-]{2,20})(?:/\d+)?\s*=\s*([a-z]{2,20})\b(.*)$", re.DOTALL)
_PROPERTY = re.compile(r"\b(header\.(?:from|d|i)|smtp\.(?:mailfrom|helo))\s*=\s*\"?([^\s;\"]{1,260})\"?", re.IGNORECASE)
# Exchange Online writes its results without an authserv-id; this name in the settings stands for that form.
EXCHANGE_ONLINE = "protection.outlook.com"


class Verdict(msgspec.Struct, frozen=True):
    """`sender` is the one word the core uses: pass, fail or none. The others are what the server said, for the eye."""

    sender: str = "none"
    dmarc: str = "none"
    dkim: str = "none"
    spf: str = "none"
    server: str = ""


def judge_sender(mail: Mail, from_address: str, trusted: frozenset[str]) -> Verdict:
    """The verdict on `from_address`. Without a trusted server, or with several From headers, nothing is believed."""
    if not trusted or not from_address:
        return Verdict()
    server, results = _trusted_results(mail, trusted)
    domain = from_address.rpartition("@")[2]
    dmarc = _best(results, "dmarc", domain, "header.from")
    dkim = _best(results, "dkim", domain, "header.d")
    spf = next((word for method, word, _ in results if method == "spf"), "none")
    sender = (
        "pass" if dmarc == "pass" or (dmarc == "none" and dkim == "pass") else "fail" if dmarc == "fail" else "none"
    )
    if len(mail.all("from")) != 1 and sender == "pass":
        sender = "fail"
    return Verdict(sender, dmarc, dkim, spf, server)


def _trusted_results(mail: Mail, trusted: frozenset[str]) -> tuple[str, list[tuple[str, str, dict[str, str]]]]:
    """Results of the topmost trusted header and of those with the same name before the next Received line (opendkim and
    opendmarc write one each).
    """
    server, results = "", []
    for name, raw in mail.headers:
        if name == "received" and server:
            break
        if name != "authentication-results":
            continue
        found, pieces = _server_and_pieces(_COMMENT.sub(" ", decode_bytes(raw[:16384])))
        if found in trusted and (not server or found == server):
            server = found
            results.extend(_results(pieces))
    return server, results


def _server_and_pieces(text: str) -> tuple[str, list[str]]:
    first, _, rest = text.partition(";")
    if "=" in first:
        return EXCHANGE_ONLINE, text.split(";")
    words = first.strip().lower().split()
    return (words[0] if words else ""), rest.split(";")


def _results(pieces: list[str]) -> list[tuple[str, str, dict[str, str]]]:
    found = []
    for piece in pieces[:40]:
        result = _RESULT.match(piece.lower())
        if result:
            found.append(
                (
                    result.group(1),
                    result.group(2),
                    {name.lower(): value for name, value in _PROPERTY.findall(result.group(3))},
                )
            )
    return found


def _best(results: list[tuple[str, str, dict[str, str]]], method: str, domain: str, named: str) -> str:
    """pass only for exactly the From domain (alignment we can prove without a list of public suffixes); fail when
    nothing passed.
    """
    words = [
        (word, properties.get(named, "").lstrip("@").rstrip("."))
        for name, word, properties in results
        if name == method
    ]
    for word, named_domain in words:
        if word == "pass" and (named_domain == domain or (method == "dmarc" and not named_domain)):
            return "pass"
    if any(word == "fail" for word, _ in words):
        return "fail"
    return "none"


def trusted_servers(setting: str) -> frozenset[str]:
    """The configured authserv-ids, lower case; several are separated by spaces or commas."""
    return frozenset(setting.replace(",", " ").lower().split())
