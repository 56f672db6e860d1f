"""Posting to the generic channel: what is taken, how it is understood, what is refused and how it is said."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from careline.channels.base import (
    Deleted,
    Edited,
    ForeignPayload,
    Happening,
    Reacted,
    ReceiptSeen,
    Said,
    SignInRequired,
    Typed,
    UnknownEvent,
)
from careline.channels.generic import NETWORK, wire
from careline.channels.generic.tests.building import MARTA, MESSAGE, SECRET, channel, connection, delivery
from careline.kit import clock

FOLDER = Path(wire.__file__).parent


def understood(event: object) -> Happening:
    parts = NETWORK.split(delivery(event), connection())
    assert len(parts) == 1
    (happening,) = NETWORK.normalise(parts[0], channel())
    return happening


def test_a_delivery_signed_by_the_reference_library_is_let_in() -> None:
    body = json.dumps(MESSAGE)
    at = clock.now()
    headers = {
        "webhook-id": "d-9",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(SECRET).sign("d-9", at, body),
    }
    request = delivery(body.encode())
    NETWORK.verify(type(request)("POST", request.url, headers, request.body), connection())


@pytest.mark.parametrize("tampered", ["body", "secret", "stale", "none"])
def test_a_delivery_not_signed_by_this_channel_is_refused(tampered: str) -> None:
    request = delivery(MESSAGE, secret=SECRET if tampered != "secret" else "whsec_AAAA")
    if tampered == "body":
        request = type(request)("POST", request.url, request.headers, request.body.replace(b"m-1", b"m-2"))
    if tampered == "none":
        request = type(request)("POST", request.url, {}, request.body)
    with clock.travel(timedelta(minutes=6) if tampered == "stale" else timedelta(0)), pytest.raises(SignInRequired):
        NETWORK.verify(request, connection())


def test_a_channel_without_a_usable_secret_lets_nobody_in() -> None:
    for secrets in ({}, {"secret": "whsec_not base64!"}):
        broken = type(connection())(1, 7, "generic", secrets, {"shop": 11})
        with pytest.raises(SignInRequired):
            NETWORK.verify(delivery(MESSAGE), broken)


def test_a_message_arrives_with_everything_the_caller_said() -> None:
    said = understood(
        {
            **MESSAGE,
            "thread": {
                "id": "t-9",
                "visibility": "public",
                "subject": "Parcel",
                "reach": 40,
                "url": "https://shop.example/t-9",
            },
            "customer": {
                **MARTA,
                "proven": {"email": "Marta@Example.com", "phone": "+34600111222"},
                "stated": {"customer_number": "77"},
            },
            "reply_to": "m-0",
            "files": [
                {"name": "a.txt", "content": "aG9sYQ=="},
                {"name": "b.png", "url": "https://shop.example/b.png", "alt_text": "box"},
            ],
            "language": "es",
            "facts": {"order": "7"},
        }
    )
    assert isinstance(said, Said)
    assert (said.platform_id, said.thread_key, said.surface, said.reply_to, said.language) == (
        "m-1",
        "t-9",
        "post",
        "m-0",
        "es",
    )
    assert said.author.proven_keys == (("email", "marta@example.com"), ("phone", "+34600111222"))
    assert said.facts == {"order": "7", "stated_customer": "77"}
    assert [(one.name, one.content, one.url) for one in said.files] == [
        ("a.txt", b"hola", ""),
        ("b.png", b"", "https://shop.example/b.png"),
    ]
    assert said.thread.reach == 40 and said.thread.subject == "Parcel"
    assert said.at == clock.parse_iso("2026-11-21T10:00:00Z")


def test_an_echo_of_our_own_is_marked_as_ours_and_proves_nothing() -> None:
    said = understood(
        {
            **MESSAGE,
            "ours": True,
            "idempotency_key": "key-5",
            "customer": {"id": "ana", "proven": {"email": "ana@air.example"}},
        }
    )
    assert isinstance(said, Said)
    assert said.author.is_us and said.author.proven_keys == () and said.idempotency_key == "key-5"


def test_every_other_kind_of_event_is_understood() -> None:
    at = "2026-11-21T10:05:00+01:00"
    edited = understood({"type": "edit", "id": "m-1", "thread_id": "t-9", "text": "new", "at": at})
    deleted = understood({"type": "deletion", "id": "m-1", "thread_id": "t-9", "at": at})
    reacted = understood(
        {"type": "reaction", "id": "o-1", "thread_id": "t-9", "customer": MARTA, "emoji": "👍", "at": at}
    )
    receipt = understood(
        {"type": "receipt", "id": "o-1", "thread_id": "t-9", "state": "failed", "error": "no such user", "at": at}
    )
    typed = understood({"type": "typing", "thread_id": "t-9", "customer": MARTA, "at": at})
    assert isinstance(edited, Edited) and (edited.platform_id, edited.text) == ("m-1", "new")
    assert isinstance(deleted, Deleted) and deleted.at == clock.parse_iso("2026-11-21T09:05:00Z")
    assert isinstance(reacted, Reacted) and reacted.emoji == "👍"
    assert isinstance(receipt, ReceiptSeen) and (receipt.state, receipt.error, receipt.is_permanent) == (
        "failed",
        "no such user",
        True,
    )
    assert isinstance(typed, Typed) and typed.thread_key == "t-9"


def test_everything_of_one_thread_keeps_one_order_key() -> None:
    events = [MESSAGE, {"type": "edit", "id": "m-1", "thread_id": "t-9", "text": "x", "at": MESSAGE["at"]}]
    parts = NETWORK.split(delivery({"events": events}), connection())
    assert [part.order_key for part in parts] == ["t-9", "t-9"]


def test_a_repeated_message_has_the_same_event_id_whatever_its_bytes() -> None:
    once = NETWORK.split(delivery(MESSAGE), connection())[0]
    again = NETWORK.split(delivery({**MESSAGE, "text": "other bytes"}), connection())[0]
    assert once.platform_event_id == again.platform_event_id


def test_two_different_edits_of_one_message_are_two_events() -> None:
    edit = {"type": "edit", "id": "m-1", "thread_id": "t-9", "at": MESSAGE["at"]}
    first, second, repeat = (
        NETWORK.split(delivery({**edit, "text": text}), connection())[0] for text in ("a", "b", "a")
    )
    assert first.platform_event_id == repeat.platform_event_id != second.platform_event_id


def test_a_batch_is_refused_whole_and_the_wrong_event_and_field_are_named() -> None:
    events = [MESSAGE, {**MESSAGE, "id": "m-2", "customer": {"id": 7}}]
    with pytest.raises(ForeignPayload, match=r"events\[1\].*\$\.customer\.id"):
        NETWORK.split(delivery({"events": events}), connection())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b'{"events": []}',
        b'{"events": [1]}',
        json.dumps({"events": [MESSAGE] * 501}).encode(),
        json.dumps({"object": "page", "entry": []}).encode(),
        json.dumps({**MESSAGE, "txet": "misspelt"}).encode(),
        json.dumps({**MESSAGE, "text": ""}).encode(),
        json.dumps({**MESSAGE, "at": "2026-11-21T10:00:00"}).encode(),
        json.dumps({**MESSAGE, "id": "x" * 201}).encode(),
        json.dumps({**MESSAGE, "account": "somebody-else"}).encode(),
        json.dumps({**MESSAGE, "customer": {"id": "c", "proven": {"phone": "600 111 222"}}}).encode(),
        json.dumps({**MESSAGE, "files": [{"name": "a"}]}).encode(),
        json.dumps({**MESSAGE, "files": [{"name": "a", "url": "file:///etc/passwd"}]}).encode(),
        json.dumps({"type": "receipt", "state": "read", "thread_id": "t", "at": MESSAGE["at"]}).encode(),
    ],
)
def test_bytes_of_something_else_are_a_foreign_payload(body: bytes) -> None:
    with pytest.raises(ForeignPayload):
        NETWORK.split(delivery(body), connection())


def test_a_get_is_no_delivery() -> None:
    with pytest.raises(ForeignPayload):
        NETWORK.split(delivery(MESSAGE, method="GET"), connection())


def test_an_event_of_a_later_version_is_kept_and_counted_as_unknown() -> None:
    (part,) = NETWORK.split(delivery({"type": "call_ended", "id": "x", "anything": 1}), connection())
    with pytest.raises(UnknownEvent):
        NETWORK.normalise(part, channel())


def test_an_app_with_two_accounts_must_say_which() -> None:
    two = connection(shop=11, lounge=12)
    assert NETWORK.split(delivery({**MESSAGE, "account": "lounge"}), two)[0].account_key == "lounge"
    with pytest.raises(ForeignPayload, match="account"):
        NETWORK.split(delivery(MESSAGE), two)


def test_script_and_nul_in_every_text_come_through_as_plain_words() -> None:
    script = "<script>alert(1)</script>"
    said = understood({**MESSAGE, "text": f"{script}\0end", "customer": {"id": "c", "name": script, "handle": script}})
    assert isinstance(said, Said)
    assert said.text == f"{script}end" and said.author.name == script


@given(
    st.binary(max_size=400)
    | st.recursive(
        st.none() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_either_cut_apart_or_foreign(body: bytes) -> None:
    try:
        parts = NETWORK.split(delivery(body), connection())
    except ForeignPayload:
        return
    assert parts


def test_the_shipped_schema_is_the_one_the_code_enforces() -> None:
    assert json.loads((FOLDER / "schema.json").read_text()) == json.loads(json.dumps(wire.schema()))


def test_every_example_of_the_readme_fits_schema_and_code() -> None:
    text = (FOLDER / "README.md").read_text()
    block = text.split("### Events")[1].split("```json\n")[1].split("```")[0]
    decoder, examples, at = json.JSONDecoder(), [], 0
    while at < len(block.rstrip()):
        example, at = decoder.raw_decode(block, at)
        examples.append(example)
        at += len(block[at:]) - len(block[at:].lstrip())
    assert {example["type"] for example in examples} == wire.KNOWN
    schema = wire.schema()
    for example in examples:
        jsonschema.validate(example, schema)
        understood(example)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**MESSAGE, "txet": "misspelt"}, schema)
