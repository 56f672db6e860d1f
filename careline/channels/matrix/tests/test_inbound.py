"""What arrives from Matrix: the specification's own examples, surfaces, who is meant, quotes, files, edits, hostile events."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from careline.channels.base import Deleted, Edited, Happening, Part, Reacted, ReceiptSeen, Said
from careline.channels.matrix import NETWORK, wire
from careline.channels.matrix.inbound import ENCRYPTED, MARK
from careline.channels.matrix.tests import specification
from careline.channels.matrix.tests.homeserver import DM, GROUP, MARTA, US, event_of
from careline.channels.matrix.tests.rig import channel_view, row_of
from careline.errors import ForeignPayload, UnknownEvent
from careline.kit import clock

PRIVATE = wire.Room(DM, people=2, is_private=True)
PUBLIC = wire.Room(GROUP, "Aurora travellers", 3)
HEARD = {"m.room.message", "m.room.encrypted", "m.room.redaction", "m.sticker", "m.reaction"}
AT_MS = 1_790_000_000_000


def normalised(content: dict[str, Any], *, room: wire.Room = PRIVATE, above: str = "", **more: Any) -> list[Happening]:
    """What becomes of an event of Marta's, which the specification must know."""
    event = event_of("$a", more.pop("sender", MARTA), content, at_ms=AT_MS, **more)
    if specification.is_here():
        assert specification.fault_of_event({**event, "room_id": room.id}) == []
    return NETWORK.normalise(Part("", "$a", room.id, row_of(event, room, above=above)), channel_view())


def said(body: str, **more: Any) -> Said:
    about = {name: more.pop(name) for name in ("room", "above", "sender", "kind", "unsigned") if name in more}
    (found,) = normalised({"msgtype": "m.text", "body": body, **more}, **about)
    assert isinstance(found, Said)
    return found


# ---- the specification's own examples


def test_the_examples_of_events_that_are_asked_for_are_all_read() -> None:
    """n of m: what is left out is state, keys, calls, account data and presence, which /sync is asked not to send."""
    specification.need()
    read, left = [], []
    for name, event in specification.examples():
        if event.get("type") not in HEARD:
            left.append(name)
            continue
        row = row_of({"event_id": "$x", "sender": MARTA, "origin_server_ts": 1, **event}, PRIVATE)
        assert NETWORK.normalise(Part("", name, DM, row), channel_view()), name
        read.append(name)
    assert len(read) == 15, read
    assert len(read) + len(left) == 83
    assert not any(name.startswith(("m.room.message", "m.sticker", "m.reaction")) for name in left)


def test_the_example_of_a_receipt_and_of_direct_rooms_have_the_shape_that_is_read() -> None:
    specification.need()
    told = dict(specification.examples())
    receipt = msgspec.convert(told["m.receipt"], wire.ReceiptEvent)
    assert {who for kinds in receipt.content.values() for who in kinds["m.read"]} == {"@erikj:jki.re"}
    assert _direct(told["m.direct"]["content"])


def _direct(content: dict[str, Any]) -> bool:
    return all(isinstance(rooms, list) for rooms in content.values())


# ---- where, who, to whom


def test_a_private_word_is_to_us_and_a_public_one_only_where_it_means_us() -> None:
    assert (said("Hola").surface, said("Hola").thread_key, said("Hola").is_addressed) == ("dm", f"{DM}/dm", True)
    overheard = said("it rains", room=PUBLIC)
    assert (overheard.surface, overheard.thread_key, overheard.is_addressed) == ("group", GROUP, False)
    assert (overheard.thread.subject, overheard.thread.reach) == ("Aurora travellers", 3)
    assert overheard.thread.permalink == f"https://matrix.to/#/{GROUP}/$a"
    named = {"m.mentions": {"user_ids": [US]}}
    assert said("help", room=PUBLIC, **named).is_addressed
    assert said("yes", room=PUBLIC, above=US).is_addressed
    assert not said("yes", room=PUBLIC, above=MARTA).is_addressed


def test_a_client_that_never_says_whom_it_names_is_read_by_its_words() -> None:
    assert said(f"{US}: help", room=PUBLIC).is_addressed
    link = f'<a href="https://matrix.to/#/{US}">Aurora</a>: help'
    pill = {"format": "org.matrix.custom.html", "formatted_body": link}
    assert said("Aurora: help", room=PUBLIC, **pill).is_addressed
    assert not said(f"I told {US} already", room=PUBLIC, **{"m.mentions": {}}).is_addressed


def test_everybody_is_not_us() -> None:
    assert not said("@room lunch", room=PUBLIC, **{"m.mentions": {"room": True}}).is_addressed


def test_what_was_said_before_the_connection_is_history() -> None:

    event = event_of("$a", MARTA, {"msgtype": "m.text", "body": "old"}, at_ms=AT_MS)
    before = clock.from_epoch(AT_MS / 1000)
    for moved, is_history in ((timedelta(seconds=1), True), (timedelta(0), False)):
        channel = msgspec.structs.replace(channel_view(), history_before=before + moved)
        (found,) = NETWORK.normalise(Part("", "$a", DM, row_of(event, PRIVATE)), channel)
        assert isinstance(found, Said)
        assert found.is_history == is_history


def test_our_own_word_from_elsewhere_is_ours_and_a_message_we_sent_names_its_key() -> None:
    elsewhere = said("from the phone", sender=US, unsigned={"transaction_id": "m171.2"})
    assert (elsewhere.author.is_us, elsewhere.idempotency_key) == (True, "")
    assert said("once", sender=US, unsigned={"transaction_id": f"{MARK}key-1"}).idempotency_key == "key-1"
    files = {"transaction_id": f"{MARK}key-1.1"}
    assert normalised({"msgtype": "m.text", "body": "a file"}, sender=US, unsigned=files) == []


# ---- words


def test_the_quote_in_front_of_a_reply_is_taken_off() -> None:
    answered = {"m.relates_to": {"m.in_reply_to": {"event_id": "$b"}}}
    html = {"format": "org.matrix.custom.html"}
    quoted = "<mx-reply><blockquote><a href='x'>In reply to</a><br>old</blockquote></mx-reply><b>new</b>"
    found = said("> <@o:x> old\n> more\n\nnew\n> mine", **answered, **html, formatted_body=quoted)
    assert (found.text, found.reply_to) == ("new", "$b")
    assert said("> <@o:x> old\n> more\n\nnew\n> mine", **answered).text == "new\n> mine"
    assert said("> not a reply\n\nbut a quote").text == "> not a reply\n\nbut a quote"


def test_formatted_words_are_read_as_the_room_sees_them_with_the_addresses_behind_links() -> None:
    link = "Pay <a href='https://evil.test/?a=1&amp;b=2'>your bank</a> or <a href=\"https://x.test\">https://x.test</a>"
    pill = f'<p><a href="https://matrix.to/#/{US}">Aurora</a>: <b>where</b> is<br>my &lt;bag&gt;?</p>'
    html = {"format": "org.matrix.custom.html", "formatted_body": f"{pill}<p>{link}</p><script>x()</script>"}
    shown = "Aurora: where is\nmy <bag>?\n\nPay your bank (https://evil.test/?a=1&b=2) or https://x.test"
    assert " ".join(said("harmless", **html).text.split()) == " ".join(shown.split())
    assert said("plain", format="org.matrix.custom.html", formatted_body=" ").text == "plain"
    assert said("plain", format="org.other", formatted_body="<b>other</b>").text == "plain"


def test_a_reply_in_a_thread_names_what_it_answers_or_the_root() -> None:
    inside = {"rel_type": "m.thread", "event_id": "$root"}
    falling = {**inside, "is_falling_back": True, "m.in_reply_to": {"event_id": "$last"}}
    assert said("more", **{"m.relates_to": falling}).reply_to == "$root"
    assert said("more", **{"m.relates_to": {**inside, "m.in_reply_to": {"event_id": "$b"}}}).reply_to == "$b"
    assert said("more", **{"m.relates_to": inside}).reply_to == "$root"


def test_a_notice_is_a_machines_and_an_emote_says_who_does_it() -> None:
    (notice,) = normalised({"msgtype": "m.notice", "body": "Build failed"})
    (emote,) = normalised({"msgtype": "m.emote", "body": "waves"})
    (place,) = normalised({"msgtype": "m.location", "body": "Gate B12", "geo_uri": "geo:40.49,-3.56"})
    assert isinstance(notice, Said) and isinstance(emote, Said) and isinstance(place, Said)
    assert (notice.text, notice.automatic) == ("Build failed", "notification")
    assert (emote.text, emote.automatic) == ("* Marta Ruiz waves", "")
    assert place.text == "Gate B12 geo:40.49,-3.56"


def test_a_kind_of_message_from_tomorrow_is_shown_by_its_words() -> None:
    (found,) = normalised({"msgtype": "org.tomorrow", "body": "📊 What do you think?"})
    assert isinstance(found, Said)
    assert found.text == "📊 What do you think?"


@pytest.mark.parametrize(
    ("content", "text", "name"),
    [
        ({"msgtype": "m.image", "body": "bag.png"}, "", "bag.png"),
        ({"msgtype": "m.file", "body": "my card", "filename": "card.pdf"}, "my card", "card.pdf"),
        ({"msgtype": "m.video", "body": "v.mp4", "filename": "v.mp4"}, "", "v.mp4"),
        ({"msgtype": "m.audio", "body": ""}, "", "audio"),
    ],
)
def test_a_file_has_its_name_and_its_caption(content: dict[str, Any], text: str, name: str) -> None:
    (found,) = normalised({**content, "url": "mxc://people.test/abc"})
    assert isinstance(found, Said)
    assert (found.text, found.files[0].name, found.files[0].url) == (text, name, "matrix:people.test/abc")


def test_a_sticker_is_a_picture_with_words() -> None:
    content = {"body": "angry cat", "url": "mxc://people.test/cat", "info": {"mimetype": "image/png"}}
    (found,) = normalised(content, kind="m.sticker")
    assert isinstance(found, Said)
    assert (found.files[0].name, found.files[0].alt_text) == ("sticker", "angry cat")


def test_a_file_at_an_address_that_is_no_medium_is_no_file() -> None:
    event = event_of("$a", MARTA, {"msgtype": "m.image", "body": "x", "url": "https://169.254.169.254/"}, at_ms=1)
    (found,) = NETWORK.normalise(Part("", "$a", DM, row_of(event, PRIVATE)), channel_view())
    assert isinstance(found, Said)
    assert found.files == ()


def test_an_encrypted_word_says_so_and_stands_where_it_belongs() -> None:
    content = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgA", "session_id": "s", "device_id": "d"}
    answered = {"m.relates_to": {"m.in_reply_to": {"event_id": "$b"}}}
    (found,) = normalised({**content, "sender_key": "k", **answered}, kind="m.room.encrypted")
    assert isinstance(found, Said)
    assert (found.text, found.reply_to, found.is_addressed) == (ENCRYPTED, "$b", True)
    assert found.facts == {"unreadable": "encrypted"}


# ---- changes


def test_an_edit_brings_the_new_words_and_ours_from_here_brings_nothing() -> None:
    new = {"msgtype": "m.text", "body": "green", "format": "org.matrix.custom.html", "formatted_body": "<i>green</i>"}
    change = {"m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": "$b"}}
    content = {"msgtype": "m.text", "body": "* green", **change}
    (edited,) = normalised(content, above=MARTA)
    assert isinstance(edited, Edited)
    assert (edited.platform_id, edited.text) == ("$b", "green")
    assert normalised(content, sender=US, above=US, unsigned={"transaction_id": f"{MARK}k"}) == []
    assert len(normalised(content, sender=US, above=US, unsigned={"transaction_id": "m1"})) == 1


def test_a_redaction_is_read_in_old_and_new_rooms() -> None:
    old = normalised({"reason": "x"}, kind="m.room.redaction", redacts="$b")
    new = normalised({"redacts": "$b"}, kind="m.room.redaction")
    for (found,) in (old, new):
        assert isinstance(found, Deleted)
        assert found.platform_id == "$b"


def test_what_was_redacted_before_it_was_read_is_gone_and_says_nothing() -> None:
    for kind in ("m.room.message", "m.room.encrypted", "m.sticker"):
        (found,) = normalised({}, kind=kind)
        assert isinstance(found, Deleted)
        assert found.platform_id == "$a"
    assert normalised({}, kind="m.reaction") == []


def test_a_reaction_and_what_is_left_when_one_is_taken_back() -> None:
    relation = {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$b", "key": "👍"}}
    (found,) = normalised(relation, kind="m.reaction")
    assert isinstance(found, Reacted)
    assert (found.platform_id, found.emoji, found.author.key) == ("$b", "👍", MARTA)
    for emoji in ("", "❤️"):
        (left,) = _of(wire.Row("unreact", PRIVATE, target="$b", sender=MARTA, emoji=emoji, at_ms=AT_MS))
        assert isinstance(left, Reacted)
        assert (left.platform_id, left.emoji) == ("$b", emoji)


def test_a_receipt_names_what_was_read() -> None:
    (found,) = _of(wire.Row("read", PRIVATE, target="$b", at_ms=AT_MS))
    assert isinstance(found, ReceiptSeen)
    assert (found.platform_id, found.state, found.at) == ("$b", "read", clock.from_epoch(AT_MS / 1000))


def _of(row: wire.Row) -> list[Happening]:

    return NETWORK.normalise(Part("", "x", DM, msgspec.json.encode(row)), channel_view())


# ---- hostile


@pytest.mark.parametrize("at_ms", [-5, 2**53, 0])
def test_any_time_a_sender_names_can_be_kept(at_ms: int) -> None:
    event = event_of("$a", MARTA, {"msgtype": "m.text", "body": "when"}, at_ms=at_ms)
    (found,) = NETWORK.normalise(Part("", "$a", DM, row_of(event, PRIVATE)), channel_view())
    assert isinstance(found, Said)
    assert found.at.year in {1970, 2100}


@pytest.mark.parametrize(
    "content",
    [
        {"msgtype": "m.text", "body": 5},
        {"msgtype": "m.text", "body": "x", "m.relates_to": "x"},
        {"msgtype": [], "body": "x"},
        {"msgtype": "m.text", "body": "x", "m.mentions": {"user_ids": 7}},
    ],
)
def test_what_nobody_can_read_is_a_dead_letter_and_no_crash(content: dict[str, Any]) -> None:
    event = event_of("$a", MARTA, content, at_ms=1)
    with pytest.raises(ForeignPayload):
        NETWORK.normalise(Part("", "$a", DM, row_of(event, PRIVATE)), channel_view())


def test_a_quote_of_ten_thousand_lines_is_taken_off_at_once() -> None:
    answered = {"m.relates_to": {"m.in_reply_to": {"event_id": "$b"}}}
    html = {"format": "org.matrix.custom.html", "formatted_body": "<mx-reply>" * 20_000 + "<a href='" * 20_000}
    begun_s = clock.epoch_s()
    assert said("> x\n" * 10_000 + "\nnew", **answered).text == "new"
    assert said("new", **answered, **html).text
    assert clock.epoch_s() - begun_s < 2


def test_a_redaction_of_nothing_and_a_kind_of_tomorrow() -> None:
    with pytest.raises(ForeignPayload):
        normalised({}, kind="m.room.redaction")
    with pytest.raises(UnknownEvent):
        normalised({"x": 1}, kind="m.hologram")
    with pytest.raises(ForeignPayload):
        NETWORK.normalise(Part("", "x", DM, json.dumps({"kind": "event"}).encode()), channel_view())
