"""Every mail under fixtures/ against what expected.toml says of it. The mails were written for these tests, shaped as real programs shape them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import pytest

from careline.channels.base import Happening, Part, ReceiptSeen, Said
from careline.channels.email import NETWORK
from careline.channels.email.tests.building import FIXTURES, OWN, channel, happenings
from careline.errors import UnknownEvent

EXPECTED = tomllib.loads((FIXTURES / "expected.toml").read_text())

# How a key of expected.toml is checked against the message.
OF_SAID: dict[str, Callable[[Said], object]] = {
    "text": lambda said: said.text,
    "rest": lambda said: said.quoted_text,
    "html": lambda said: said.html,
    "subject": lambda said: said.thread.subject,
    "author": lambda said: said.author.key,
    "name": lambda said: said.author.name,
    "is_us": lambda said: said.author.is_us,
    "proven": lambda said: [value for _, value in said.author.proven_keys],
    "automatic": lambda said: said.automatic,
    "continues": lambda said: said.continues,
    "reply_to": lambda said: said.reply_to,
    "reply_address": lambda said: said.reply_address,
    "recipients": lambda said: list(said.recipients),
    "copied": lambda said: list(said.copied),
    "aliases": lambda said: list(said.aliases),
    "files": lambda said: [file.name for file in said.files],
    "contents": lambda said: [file.content.decode() for file in said.files],
    "inline": lambda said: [file.content_id for file in said.files if file.is_inline],
    "at": lambda said: said.at.isoformat(),
    "idempotency_key": lambda said: said.idempotency_key,
    "platform_id": lambda said: said.platform_id,
}
OF_RECEIPTS: dict[str, Callable[[list[ReceiptSeen]], object]] = {
    "receipts": lambda seen: [one.state for one in seen],
    "permanent": lambda seen: seen[0].is_permanent,
    "receipt_id": lambda seen: seen[0].platform_id,
    "receipt_key": lambda seen: seen[0].idempotency_key,
    "receipt_recipient": lambda seen: seen[0].recipient,
}


def test_every_mail_has_its_expectation_and_there_are_enough_of_them() -> None:
    mails = {path.stem for path in FIXTURES.glob("*.eml")}
    assert mails == set(EXPECTED)
    assert len(mails) >= 60


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_mail_says_what_is_expected(name: str) -> None:
    raw, expected = (FIXTURES / f"{name}.eml").read_bytes(), dict(EXPECTED[name])
    if expected.pop("unknown", False):
        with pytest.raises(UnknownEvent):
            happenings(raw)
        return
    found = happenings(raw)
    saids = [one for one in found if isinstance(one, Said)]
    assert len(saids) == (1 if expected.pop("said", True) else 0)
    for key, value in expected.items():
        assert _matches(key, value, saids, found), f"{key}: {value!r} against {saids or found}"


def _matches(key: str, value: object, saids: list[Said], found: list[Happening]) -> bool:
    if key in OF_RECEIPTS:
        return OF_RECEIPTS[key]([one for one in found if isinstance(one, ReceiptSeen)]) == value
    said = saids[0]
    if key == "facts":
        assert isinstance(value, dict)
        return all(said.facts.get(name, "") == words for name, words in value.items())
    if key == "not_in_text":
        return str(value) not in said.text
    if key.endswith("_has"):
        return str(value) in str(OF_SAID[key.removesuffix("_has")](said))
    return OF_SAID[key](said) == value


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_mail_says_the_same_however_it_was_carried(name: str) -> None:
    """Read twice, and with the other line ends: the same names and words."""
    raw = (FIXTURES / f"{name}.eml").read_bytes()
    if EXPECTED[name].get("unknown"):
        return
    other = raw.replace(b"\r\n", b"\n")
    first, again = happenings(raw), NETWORK.normalise(Part(OWN, "event", "order", raw), channel())
    assert first == again
    turned = happenings(other)
    names = [(type(one), getattr(one, "platform_id", ""), getattr(one, "text", "")) for one in first]
    assert names == [(type(one), getattr(one, "platform_id", ""), getattr(one, "text", "")) for one in turned]
