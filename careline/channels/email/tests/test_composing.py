"""What leaves: headers that thread everywhere, nothing injected, nothing doubled, readable by any program."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careline.channels.base import Outgoing, OutgoingFile
from careline.channels.email import addressing, composing, outbound
from careline.channels.email.composing import Composed
from careline.channels.email.tests.building import KEY, OWN, channel
from careline.errors import ChannelError


def outgoing(**given_: object) -> Outgoing:
    values = {
        "delivery_id": 5,
        "idempotency_key": "d-5",
        "attempt": 1,
        "surface": "email",
        "thread_id": 9,
        "thread_key": "t",
        "recipient": "marta@cliente.example",
        "text": "Hola",
        "author_kind": "human",
        "subject": "Mi maleta",
        **given_,
    }
    return Outgoing(**values)  # type: ignore[arg-type]


def composed(**given_: object) -> Composed:
    return asyncio.run(composing.compose(outgoing(**given_), channel()))


def parsed(**given_: object) -> EmailMessage:
    message = message_from_bytes(composed(**given_).content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def lines_of(content: bytes) -> list[bytes]:
    return content.partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_an_answer_names_what_it_answers_and_carries_our_signatures() -> None:
    mail = parsed(
        reply_to="<q2@cliente.example>#abc", references=("<q1@cliente.example>#def", "<q2@cliente.example>#abc")
    )
    assert mail["In-Reply-To"] == "<q2@cliente.example>"
    assert mail["References"].split() == ["<q1@cliente.example>", "<q2@cliente.example>"]
    assert addressing.read_message_id(mail["Message-ID"], KEY) == addressing.OurId(5, 9)
    assert addressing.thread_of_address(mail["Reply-To"].addresses[0].addr_spec, OWN, KEY) == 9
    assert addressing.read_key_header(mail["X-Careline-Key"], KEY) == "d-5"
    assert mail["From"] == f"Aurora <{OWN}>"


def test_a_mail_without_a_message_id_can_still_be_answered() -> None:
    mail = parsed(reply_to="sha256:00", references=("sha256:00",), subject="Hola")
    assert mail["In-Reply-To"] is None and mail["References"] is None and mail["Subject"] == "Re: Hola"


def test_long_references_keep_the_first_and_the_latest_whole_and_in_order() -> None:
    chain = tuple(f"<{'x' * 70}{number}@a.very.long.host.name.cliente.example>" for number in range(60))
    content = composed(references=chain, reply_to=chain[-1]).content
    kept = message_from_bytes(content)["References"].split()
    assert sum(len(one) + 1 for one in kept) <= composing.MAX_REFERENCES
    assert (kept[0], kept[-1]) == (chain[0], chain[-1])
    assert kept == [one for one in chain if one in kept] and len(kept) > 5
    assert max(map(len, lines_of(content))) < 400 and b"=?" not in b"".join(lines_of(content))


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Mi maleta", "Re: Mi maleta"),
        ("RE: Re: AW: Mi maleta", "Re: Mi maleta"),
        ("Re[2]: Mi maleta", "Re: Mi maleta"),
        ("[#4711] Mi maleta", "Re: [#4711] Mi maleta"),
        ("RE: [Ticket#99] Re: hola", "Re: [Ticket#99] Re: hola"),
        ("Fwd: reserva", "Re: Fwd: reserva"),
        ("Referencia: 7", "Re: Referencia: 7"),
        ("", "Re:"),
    ],
)
def test_an_answers_subject_has_one_re_and_keeps_the_rest(subject: str, expected: str) -> None:
    assert composing.subject_of(outgoing(subject=subject, reply_to="<a@b>"), channel()) == expected


def test_a_new_mail_gets_no_re_and_never_an_empty_subject() -> None:
    assert parsed(subject="Su vuelo")["Subject"] == "Su vuelo"
    assert parsed(subject="")["Subject"] == "Aurora"
    assert parsed(subject="")["In-Reply-To"] is None


HOSTILE = "a\r\nBcc: x@evil.example\r\n\r\n<b>body</b>\n\x00\u2028X: y"


def test_nothing_in_a_value_starts_a_header_or_a_body() -> None:
    content = composed(
        subject=HOSTILE,
        reply_to=f"<q@x>{HOSTILE}",
        references=(f"<a\r\nBcc: x@y>{HOSTILE}", "<ok@x>"),
        facts={"thread_topic": HOSTILE, "thread_index": HOSTILE},
        idempotency_key=HOSTILE,
        language=HOSTILE,
        copied=('"x\r\nBcc: z@evil.example" <c@cliente.example>',),
    ).content
    names = [line.partition(b":")[0].lower() for line in lines_of(content) if not line.startswith((b" ", b"\t"))]
    assert b"bcc" not in names and b"x" not in names
    assert len(names) == len(set(names))
    assert content.count(b"\n") == content.count(b"\r\n")


@pytest.mark.parametrize("address", ["a@b\r\nRCPT TO:<x@y>", "no address", "", "a@b>,<c@d", "@x", "a b@c.d@"])
def test_an_address_that_is_none_fails_for_good(address: str) -> None:
    try:
        recipients = composed(recipient=address).recipients
    except ChannelError as refused:
        assert (refused.code, refused.permanent) == ("address_wrong", True)
    else:
        assert all("\r" not in one and " " not in one and one.count("@") == 1 for one in recipients)


@given(st.text(max_size=300), st.text(max_size=120), st.text(max_size=120))
@settings(max_examples=120, deadline=None)
def test_any_text_and_subject_arrive_as_they_were_written(text: str, subject: str, name: str) -> None:
    mail = message_from_bytes(
        asyncio.run(composing.compose(outgoing(text=text, subject=subject), channel(from_name=name))).content,
        policy=policy.default,
    )
    assert isinstance(mail, EmailMessage)
    part = mail.get_body(("plain",))
    assert part is not None
    written = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    sent = part.get_content().replace("\r\n", "\n")
    assert sent.rstrip("\n") == written.encode("utf-8", "replace").decode().rstrip("\n")
    assert mail["From"].addresses[0].addr_spec == OWN


def test_human_answers_are_not_marked_and_machine_ones_are() -> None:
    assert parsed()["Auto-Submitted"] is None
    assert parsed(author_kind="machine")["Auto-Submitted"] == "auto-generated"


def test_text_html_inline_and_files_nest_as_programs_expect() -> None:
    async def read() -> bytes:
        return b"\x89PNG"

    files = (
        OutgoingFile("logo.png", "image/png", 4, read, content_id="logo@x"),
        OutgoingFile("nota ñ.txt", "text/plain", 4, read),
        OutgoingFile("../x\u202egpj.exe", "bad type", 4, read),
    )
    mail = parsed(files=files, html='<p onclick="x">Hola <img src="cid:logo@x"><script>1</script></p>')
    assert mail.get_content_type() == "multipart/mixed"
    body = mail.get_body(("html",))
    assert body is not None and "onclick" not in body.get_content() and "script" not in body.get_content()
    names = [part.get_filename() for part in mail.walk() if part.get_filename()]
    assert names == ["logo.png", "nota ñ.txt", "xgpj.exe"]
    types = [part.get_content_type() for part in mail.iter_attachments()]
    assert types == ["application/octet-stream", "application/octet-stream"]
    related = next(part for part in mail.walk() if part.get_content_type() == "multipart/related")
    assert related["Content-Type"] and related.get_content_type() == "multipart/related"


def test_the_html_twin_links_addresses_and_escapes_the_rest() -> None:
    page = composing.render_html("Vea https://aurora.example/a?b=1&c=2.\n<script>\n\nAdiós")
    assert '<a href="https://aurora.example/a?b=1&amp;c=2"' in page
    assert "<script>" not in page and "<p>Adiós</p>" in page


@pytest.mark.parametrize(
    ("given_", "sent"),
    [
        (b".\n", b"..\r\n"),
        (b"a\n.\nb", b"a\r\n..\r\nb\r\n"),
        (b"a\r.b\r\n..c", b"a\r\n..b\r\n...c\r\n"),
        (b"\r\n.\r\n", b"\r\n..\r\n"),
    ],
)
def test_dots_are_doubled_and_lines_end_in_crlf(given_: bytes, sent: bytes) -> None:
    assert outbound.stuff_dots(given_) == sent


@given(st.binary(max_size=400))
def test_no_content_can_end_the_mail_early(content: bytes) -> None:
    stuffed = outbound.stuff_dots(content)
    assert b"\r\n.\r\n" not in b"\r\n" + stuffed
    assert stuffed.count(b"\n") == stuffed.count(b"\r\n") == stuffed.count(b"\r")


def test_unicode_domains_travel_in_ascii_and_local_parts_ask_for_smtputf8() -> None:
    plain = composed(recipient="ana@bücher.example")
    assert (plain.recipients, plain.needs_utf8) == (("ana@xn--bcher-kva.example",), False)
    assert composed(recipient="iñaki@correo.example").needs_utf8
