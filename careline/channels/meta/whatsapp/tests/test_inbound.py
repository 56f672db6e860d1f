"""What WhatsApp says, translated: by Meta's own examples, by its references of 2026, and by what must not pass."""

from __future__ import annotations

import json
from typing import Any

import pytest

from careline.channels.base import (
    Author,
    ConnectionView,
    Deleted,
    Edited,
    Happening,
    HookRequest,
    Moved,
    Reacted,
    ReceiptSeen,
    Said,
    SignInRequired,
    UnknownEvent,
)
from careline.channels.meta.tests import specification
from careline.channels.meta.tests.rigging import SECRETS, signed
from careline.channels.meta.whatsapp import NETWORK
from careline.channels.meta.whatsapp.tests.rig import MARTA, NUMBER, WhatsAppRig, change, told

RIG = WhatsAppRig()
AT = "1790000000"


def heard(event: bytes, account: str = NUMBER) -> list[Happening]:
    connection = ConnectionView(1, 1, "whatsapp", SECRETS, {account: 7})
    parts = NETWORK.split(signed("whatsapp", event), connection)
    return [one for part in parts for one in NETWORK.normalise(part, RIG.channel)]


def said(event: bytes) -> Said:
    (one,) = heard(event)
    assert isinstance(one, Said)
    return one


def message(kind: str, **content: Any) -> bytes:
    return told({"from": MARTA, "id": "wamid.x", "timestamp": AT, "type": kind, **content})


# ---- Meta's own examples


WORDS = {
    "Text Message": "Does it come in another color?",
    "Text Message with Context (Product Inquiry)": "Is this still available?",
    "Text Message from Click to WhatsApp Ad": "Hello! Can I get more info on this?",
    "Image Message": "Taj Mahal",
    "Location Message": "Philz Coffee, 101 Forest Ave, Palo Alto, CA 94301 (geo:37.44221496582,-122.16165924072)",
    "Contact Sharing Message": "Lucía Gómez +1 (983) 555-2319",
    "Button Message": "Unsubscribe",
    "Interactive List Reply Message": "Priority Mail Express, Next Day to 2 Days",
    "Interactive Button Reply Message": "Cancel",
    "Order Message": "2 × di9ozbzfi4 (30 USD)\n1 × nqryix03ez (25 USD)",
}
ACCEPTED_AND_COUNTED = {
    "Unsupported Message",
    "Group Create Message",
    "Group Settings Update",
    "Group Remove Participants",
}


def test_every_webhook_example_of_metas_is_digested() -> None:
    """16 of 16: ten messages, a reaction and a new number are understood; what WhatsApp itself calls unsupported and three about groups are counted."""
    specification.need()
    found = specification.examples(specification.HOOKS)
    assert len(found) == 16
    understood = {name: outcome(body) for name, body in found.items()}
    assert {name: one.text for name, one in understood.items() if isinstance(one, Said)} == WORDS
    assert isinstance(understood["Reaction Message"], Reacted)
    assert isinstance(understood["System Message"], Moved)
    assert {name for name, one in understood.items() if one is None} == ACCEPTED_AND_COUNTED


def outcome(body: dict[str, Any]) -> Happening | None:
    """What becomes of an example; None where it is counted as unknown."""
    account = body["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"]
    try:
        (one,) = heard(json.dumps(body).encode(), account)
    except UnknownEvent:
        return None
    return one


def test_the_advertisement_somebody_came_from_is_kept() -> None:
    specification.need()
    one = outcome(specification.examples(specification.HOOKS)["Text Message from Click to WhatsApp Ad"])
    assert isinstance(one, Said)
    assert one.quoted_text == "Chat with us\nSummer Succulents are here!\nhttps://fb.me/3cr4Wqqkv"


# ---- who


def test_a_number_is_proof_and_names_who_has_no_other_name() -> None:
    one = said(message("text", text={"body": "Hola"}))
    assert one.author == Author(MARTA, f"+{MARTA}", "Marta Ruiz", proven_keys=(("phone", f"+{MARTA}"),))
    assert one.thread_key == MARTA


def test_somebody_with_a_user_name_may_show_no_number() -> None:
    """business-scoped user IDs (Meta, 2026): user_id in contacts, from_user_id in messages, wa_id and from absent."""
    contact = {"profile": {"name": "Marta", "username": "marta.r"}, "user_id": "US.13491208655302741918"}
    told_by = {"from_user_id": "US.13491208655302741918", "id": "wamid.u", "timestamp": AT, "type": "text"}
    event = change("messages", NUMBER, contacts=[contact], messages=[{**told_by, "text": {"body": "Hola"}}])
    one = said(event)
    assert (one.author.key, one.author.handle, one.author.proven_keys) == ("US.13491208655302741918", "@marta.r", ())
    assert one.thread_key == "US.13491208655302741918"


def test_with_both_the_id_names_the_person_and_the_number_the_conversation() -> None:
    contact = {"profile": {"name": "Marta"}, "wa_id": MARTA, "user_id": "ES.42"}
    words = {"from": MARTA, "from_user_id": "ES.42", "id": "wamid.b", "timestamp": AT, "type": "text"}
    one = said(change("messages", NUMBER, contacts=[contact], messages=[{**words, "text": {"body": "Hola"}}]))
    assert (one.author.key, one.thread_key) == ("ES.42", MARTA)
    assert one.author.proven_keys == (("phone", f"+{MARTA}"),)


# ---- what


def test_a_file_waits_for_its_address() -> None:
    one = said(message("document", document={"id": "77", "filename": "ticket.pdf", "mime_type": "application/pdf"}))
    assert [(file.name, file.url) for file in one.files] == [("ticket.pdf", "whatsapp:77")]
    voice = said(message("audio", audio={"id": "78", "mime_type": "audio/ogg; codecs=opus", "voice": True}))
    assert [(file.name, file.url) for file in voice.files] == [("audio.ogg", "whatsapp:78")]


def test_an_edit_and_a_revocation_name_what_they_change() -> None:
    """messages/edit (updated 2026-07-20) and messages/revoke (2026-05-21)."""
    new = {"context": {"id": "M0"}, "type": "text", "text": {"body": "It is green"}}
    (edited,) = heard(message("edit", edit={"original_message_id": "wamid.1", "message": new}))
    assert isinstance(edited, Edited)
    assert (edited.platform_id, edited.text) == ("wamid.1", "It is green")
    caption = {"type": "image", "image": {"caption": "new caption", "id": "1"}}
    (edited,) = heard(message("edit", edit={"original_message_id": "wamid.1", "message": caption}))
    assert isinstance(edited, Edited)
    assert edited.text == "new caption"
    (gone,) = heard(message("revoke", revoke={"original_message_id": "wamid.1"}))
    assert isinstance(gone, Deleted)
    assert gone.platform_id == "wamid.1"


def test_a_reaction_taken_back_is_empty() -> None:
    (one,) = heard(message("reaction", reaction={"message_id": "wamid.1"}))
    assert isinstance(one, Reacted)
    assert one.emoji == ""


def test_what_the_owner_writes_in_the_app_is_ours() -> None:
    """smb_message_echoes (updated 2026-05-21)."""
    echo = {"from": "15550783881", "to": MARTA, "id": "wamid.e", "timestamp": AT, "type": "text"}
    one = said(change("smb_message_echoes", NUMBER, message_echoes=[{**echo, "text": {"body": "On my way"}}]))
    assert (one.author.is_us, one.thread_key, one.text) == (True, MARTA, "On my way")


def test_a_failure_says_why_and_is_found_by_our_own_mark() -> None:
    event = RIG.receipt("wamid.o", "key-9", "failed")
    assert event is not None
    (one,) = heard(event)
    assert isinstance(one, ReceiptSeen)
    assert (one.state, one.idempotency_key, one.platform_id) == ("failed", "key-9", "wamid.o")
    assert one.error.startswith("Message failed to send because more than 24 hours")


def test_a_voice_message_that_was_played_was_read() -> None:
    status = {"id": "wamid.v", "status": "played", "timestamp": AT, "recipient_id": MARTA}
    (one,) = heard(change("messages", NUMBER, statuses=[status]))
    assert isinstance(one, ReceiptSeen)
    assert one.state == "read"


def test_a_group_is_counted_and_opens_nothing() -> None:
    with pytest.raises(UnknownEvent):
        heard(
            told({"from": MARTA, "group_id": "Y2", "id": "w", "timestamp": AT, "type": "text", "text": {"body": "a"}})
        )


def test_news_of_another_number_is_taken_and_dropped() -> None:
    """An app's other numbers may be nobody's here: Meta must not repeat them for a week."""
    with pytest.raises(UnknownEvent):
        heard(message("text", text={"body": "Hola"}), account="another")


def test_the_handshake_answers_only_who_knows_our_token() -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": SECRETS["verify_token"], "hub.challenge": "1158201444"}
    request = HookRequest("GET", "/hooks/whatsapp/t", {}, b"", query)
    answer = NETWORK.answer_challenge(request, RIG.connection)
    assert answer is not None
    assert (answer.status, answer.body, answer.content_type) == (200, b"1158201444", "text/plain")
    for shown in ("", "another"):
        with pytest.raises(SignInRequired):
            wrong = HookRequest("GET", "/", {}, b"", {**query, "hub.verify_token": shown})
            NETWORK.answer_challenge(wrong, RIG.connection)
    empty = ConnectionView(1, 1, "whatsapp", {}, {NUMBER: 7})
    with pytest.raises(SignInRequired):
        NETWORK.answer_challenge(HookRequest("GET", "/", {}, b"", {**query, "hub.verify_token": ""}), empty)
    assert NETWORK.answer_challenge(HookRequest("POST", "/", {}, b"", query), RIG.connection) is None
