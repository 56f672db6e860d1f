"""Mails made to break readers: nothing they hold may raise anything but the two agreed refusals, or take long."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from careline.channels.base import Said
from careline.channels.email import bodies, mime, quoting
from careline.channels.email.charsets import decode_bytes, decode_header
from careline.channels.email.headers import addresses, message_ids, parse_date, value_and_parameters
from careline.channels.email.html_text import read_html
from careline.channels.email.mime import parse_mail, split_parts
from careline.channels.email.tests.building import FIXTURES, OWN, happenings, mail, said
from careline.channels.email.tnef import decompress_rtf, read_tnef
from careline.errors import ForeignPayload, UnknownEvent

HEAD = b"From: marta@cliente.example\r\nSubject: x\r\nMessage-ID: <h@x.example>\r\n"
LONGEST_S = 4.0
_FIXTURES = [path.read_bytes() for path in sorted(FIXTURES.glob("*.eml"))]
_RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def nested(depth: int) -> bytes:
    """A multipart inside a multipart inside a multipart."""
    opening = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (number, number) for number in range(depth)
    )
    return HEAD + opening + b"Content-Type: text/plain\r\n\r\nEn el fondo\r\n"


def nested_messages(depth: int) -> bytes:
    """A mail attached to a mail attached to a mail."""
    return HEAD + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"Subject: x\r\n\r\nhola"


def many_parts(count: int) -> bytes:
    part = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * count + b"--b--\r\n"


def with_html(source: bytes) -> bytes:
    return HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + source


def with_text(text: bytes) -> bytes:
    return HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text


BOMBS: dict[str, Callable[[], bytes]] = {
    "10,000 levels of multipart": lambda: nested(10_000),
    "10,000 levels of attached mail": lambda: nested_messages(10_000),
    "50,000 parts": lambda: many_parts(50_000),
    "a million recipients": lambda: (
        HEAD + b"To: " + b", ".join(b"u%d@x.example" % n for n in range(1_000_000)) + b"\r\n\r\nx"
    ),
    "a million recipients on lines": lambda: HEAD + b"To: a@b.c" + b",\r\n u@x.example" * 500_000 + b"\r\n\r\nx",
    "a hundred thousand headers": lambda: HEAD + b"X-A: b\r\n" * 100_000 + b"\r\nx",
    "one header of 5 MB": lambda: HEAD + b"X-A: " + b"a" * 5_000_000 + b"\r\n\r\nx",
    "a reference to everything": lambda: HEAD + b"References: " + b"<a@b> " * 200_000 + b"\r\n\r\nx",
    "a subject of encoded words": lambda: HEAD + b"Subject: " + b"=?utf-8?Q?=C3=A9?= " * 50_000 + b"\r\n\r\nx",
    "a subject of half words": lambda: HEAD.replace(b"Subject: x", b"Subject: " + b"=?utf-8?Q?" * 50_000) + b"\r\nx",
    "parentheses in From": lambda: b"From: " + b"(" * 100_000 + b"a@b.example\r\n\r\nx",
    "quotes in From": lambda: b"From: " + b'"\\' * 100_000 + b"a@b.example\r\n\r\nx",
    "parameters without end": lambda: HEAD + b"Content-Type: text/plain" + b'; a="' * 100_000 + b"\r\n\r\nx",
    "a continued name in 10,000 pieces": lambda: (
        HEAD
        + b"Content-Disposition: attachment"
        + b"".join(b"; filename*%d=a" % n for n in range(10_000))
        + b"\r\n\r\nx"
    ),
    "unclosed tags": lambda: with_html(b"<a<a" * 250_000),
    "200,000 open divs": lambda: with_html(b"<div>" * 200_000 + b"hola"),
    "unclosed comments": lambda: with_html(b"<!--" * 250_000 + b"hola"),
    "unclosed scripts": lambda: with_html(b"<script>" * 100_000 + b"hola"),
    "closed scripts": lambda: with_html(b"<script></script>" * 60_000 + b"hola"),
    "images without end": lambda: with_html(b"<img " * 200_000),
    "attributes without end": lambda: with_html(b'<p a="' * 150_000 + b"hola"),
    "quotes in a tag": lambda: with_html(b"<p " + b"'\"" * 400_000 + b">hola"),
    "entities": lambda: with_html(b"&amp" * 250_000 + b"&#x1F600" * 20_000),
    "blockquotes": lambda: with_html(b"<blockquote>x" * 50_000),
    "hidden ones": lambda: with_html(b'<i style="display:none">' * 40_000 + b"</b>" * 40_000),
    "On On On wrote:": lambda: with_text(b"On On On On On On On " * 50_000 + b"\n"),
    "lines that start with On": lambda: with_text(b"On Mon, Nov 9, 2026 Marta\n" * 40_000),
    "On lines of 390 characters": lambda: with_text((b"On " + b"a " * 190 + b"\n") * 30 + b"> a\n> b\n"),
    "From lines": lambda: with_text(b"From: a\n" * 60_000),
    "quoted lines": lambda: with_text(b"> a\n" * 100_000),
    "quotes in between": lambda: with_text(b"> a\nb\n" * 60_000),
    "dashes": lambda: with_text(b"-" * 1_000_000 + b"\n-- \n" * 30_000),
    "blank lines": lambda: with_text(b"\n" * 1_000_000 + b"x"),
    "short lines for the library": lambda: with_text(b"From:\n\n" * 800 + b"> a\n> b\nmarta@x.example 10:12:\n"),
    "signature lines for the library": lambda: with_text(b"- a\n- b\n \n" * 900 + b"> a\n> b\n\nx 10:12:\n"),
    "flowed lines": lambda: HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"a \n" * 200_000,
    "base64 of 20 MB": lambda: (
        HEAD + b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"QUJD" * 5_000_000
    ),
    "quoted-printable of 5 MB": lambda: (
        HEAD + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=C3=A9" * 800_000
    ),
    "boundaries only": lambda: HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * 200_000,
    "almost boundaries": lambda: HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--bx\r\n" * 200_000,
    "a status of 100,000 blocks": lambda: (
        HEAD
        + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
        + b"Content-Type: message/delivery-status\r\n\r\n"
        + b"Action: failed\r\nStatus: 5.1.1\r\n\r\n" * 100_000
        + b"--b--\r\n"
    ),
    "dots where a status is looked for": lambda: (
        HEAD.replace(b"Subject: x", b"Subject: failure notice")
        + b"From: mailer-daemon@x.example\r\n\r\n"
        + b"5." * 300_000
    ),
    "at signs where an address is looked for": lambda: (
        HEAD.replace(b"Subject: x", b"Subject: failure notice").replace(b"marta@", b"mailer-daemon@")
        + b"\r\n"
        + b"a" * 30_000
        + b"@" * 30_000
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_in_time_or_refused(name: str) -> None:
    raw = BOMBS[name]()
    started_s = time.monotonic()
    try:
        found = happenings(raw)
    except (ForeignPayload, UnknownEvent):
        found = []
    assert time.monotonic() - started_s < LONGEST_S
    for one in found:
        if isinstance(one, Said):
            assert len(one.text) <= bodies.MAX_TEXT
            assert len(one.recipients) <= 100 and len(one.files) <= bodies.MAX_FILES


def test_what_limits_cut_away_is_noted() -> None:
    assert "nesting_capped" in said(nested(10_000)).facts["notes"]
    assert "parts_capped" in said(many_parts(50_000)).facts["notes"]
    crowd = HEAD + b"To: " + b", ".join(b"u%d@x.example" % n for n in range(5000)) + b"\r\n\r\nHola a todos"
    message = said(crowd)
    assert "recipients_capped" in message.facts["notes"]
    assert (len(message.recipients), message.text) == (100, "Hola a todos")
    assert "html_withheld" in said(with_html(b"<div>" * 200_000 + b"hola")).facts["notes"]


def test_a_deeply_nested_mail_still_shows_what_is_within_the_limit() -> None:
    assert said(nested(mime.MAX_DEPTH - 1)).text == "En el fondo"


@given(st.binary(max_size=4000))
@_RELAXED
@example(b"")
@example(b"\r\n\r\n")
@example(b":")
def test_random_bytes_are_a_mail_or_refused(raw: bytes) -> None:
    try:
        happenings(raw)
    except (ForeignPayload, UnknownEvent):
        pass


@given(st.binary(max_size=2000), st.sampled_from(["text/html", "text/plain", "application/ms-tnef", "multipart/mixed; boundary=b", "multipart/report; report-type=delivery-status; boundary=b", "text/plain; format=flowed", "message/rfc822", "text/calendar"]), st.sampled_from(["", "base64", "quoted-printable", "x-uuencode"]))  # fmt: skip  # noqa: E501
@_RELAXED
def test_random_content_of_every_kind_is_read(content: bytes, kind: str, encoding: str) -> None:
    raw = HEAD + f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + content
    (message,) = [one for one in happenings(raw) if isinstance(one, Said)]
    assert "\0" not in message.text


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A fixture with some bytes changed, cut out, doubled, or spliced with another."""
    raw = bytearray(draw(st.sampled_from(_FIXTURES)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(raw) - 1)))
        act = draw(st.sampled_from(["flip", "cut", "double", "splice", "insert"]))
        if act == "flip" and raw:
            raw[at] ^= draw(st.integers(1, 255))
        elif act == "cut":
            del raw[at : at + draw(st.integers(1, 200))]
        elif act == "double":
            raw[at:at] = raw[at : at + draw(st.integers(1, 400))]
        elif act == "splice":
            other = draw(st.sampled_from(_FIXTURES))
            raw[at:] = other[draw(st.integers(0, len(other))) :]
        else:
            raw[at:at] = draw(
                st.sampled_from([b"\0", b"\r\n", b"\r\n\r\n", b"--", b"=?utf-8?B?", b"<", b'"', b"\xff", b"; "])
            )
    return bytes(raw)


@given(mutated())
@settings(max_examples=400, deadline=3000, suppress_health_check=[HealthCheck.too_slow])
def test_mutated_mails_are_read_or_refused(raw: bytes) -> None:
    try:
        found = happenings(raw)
    except (ForeignPayload, UnknownEvent):
        return
    for one in found:
        if isinstance(one, Said):
            one.text.encode()
            one.thread.subject.encode()
            assert one.platform_id and len(one.platform_id) <= 400 and len(one.thread_key) <= 300
            assert one.author.key and "\n" not in one.author.name and one.at.tzinfo is not None


@given(st.binary(max_size=3000))
@_RELAXED
def test_every_reader_of_bytes_takes_any_bytes(raw: bytes) -> None:
    decode_bytes(raw, raw[:12].decode("latin-1")).encode()
    decode_header(raw).encode()
    addresses([raw])
    message_ids(raw)
    parse_date(raw)
    value_and_parameters(raw)
    read_tnef(raw)
    read_tnef(b"\x78\x9f\x3e\x22\x01\x00" + raw)
    decompress_rtf(b"\0" * 4 + b"\xff\xff\0\0LZFu\0\0\0\0" + raw)
    split_parts(raw, raw[:3], 50)
    read_html(raw.decode("latin-1"))


@given(st.text(max_size=1500))
@_RELAXED
def test_trimming_destroys_nothing(text: str) -> None:
    trimmed = quoting.trim(text)
    kept = sorted("".join((trimmed.text + trimmed.rest).split()))
    assert kept == sorted("".join(text.split()))
    assert trimmed.text.strip() or not text.strip()


@given(st.lists(st.sampled_from(["Hola", "> cita", ">", "", "-- ", "El 9/11/26 a las 10:12, Ana escribió:", "From: a@b.c", "Sent: hoy", "To: x", "Subject: y", "-----Original Message-----", "________________________________", "Enviado desde mi iPhone", "On Mon, 9 Nov 2026, a@b.c wrote:"]), max_size=14))  # fmt: skip  # noqa: E501
@settings(max_examples=300, deadline=None)
def test_trimming_any_order_of_separators_leaves_words_and_destroys_nothing(lines: list[str]) -> None:
    text = "\n".join(lines)
    trimmed = quoting.trim(text)
    assert sorted((trimmed.text + "\n" + trimmed.rest).split()) == sorted(text.split())
    assert trimmed.text.strip() or not text.strip()


def test_the_standard_parser_would_not_survive_what_ours_does() -> None:
    """Why mime.py exists: the standard library's parser ends in recursion on the same bytes."""
    import email
    from email import policy

    with pytest.raises(RecursionError):
        email.message_from_bytes(nested(10_000), policy=policy.default)
    assert parse_mail(nested(10_000)).notes


def test_a_line_that_looks_like_our_envelope_inside_a_mail_is_not_believed() -> None:
    from careline.channels.base import Part
    from careline.channels.email import NETWORK
    from careline.channels.email.tests.building import channel
    from careline.channels.email.wire import Envelope, wrap

    forged = wrap(Envelope(problem="gone", via="forged"), mail("Hola"))
    row = wrap(Envelope(via="imap"), forged)
    (message,) = NETWORK.normalise(Part(OWN, "e", "o", row), channel())
    assert isinstance(message, Said) and message.text == "Hola"
