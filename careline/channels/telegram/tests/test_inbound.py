"""What updates of the Bot API become: each written as its description has it, each with its negative twin."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from careline.channels.base import (
    ChannelError,
    ConnectionView,
    Deleted,
    Edited,
    HookRequest,
    Moved,
    Reacted,
    Said,
    SignInRequired,
    UnknownEvent,
)
from careline.channels.conformance.acting import with_tools
from careline.channels.telegram import NETWORK
from careline.channels.telegram.tests import specification
from careline.channels.telegram.tests.bot_api import BOT
from careline.channels.telegram.tests.rig import (
    GROUP,
    MARTA,
    OTRO,
    TelegramRig,
    group,
    message,
    private,
    update_of,
    user,
)

RIG = TelegramRig()
POST = {
    "message_id": 12,
    "date": 1_790_000_000,
    "chat": group(),
    "sender_chat": {"id": -100777, "type": "channel", "title": "Aurora News"},
    "is_automatic_forward": True,
    "text": "New route to Quito",
}


def heard(told: dict, kind: str = "message", **channel: object):  # type: ignore[type-arg]
    """What an update becomes; its shape is held against the description of the Bot API where that is here."""
    raw = update_of(kind, told)
    if specification.is_here():
        assert specification.fault_of("Update", json.loads(raw)) == []
    view = msgspec.structs.replace(RIG.channel, **channel)
    return NETWORK.normalise(RIG.fetch(raw), view)


def said(told: dict, kind: str = "message", **channel: object) -> Said:  # type: ignore[type-arg]
    (one,) = heard(told, kind, **channel)
    assert isinstance(one, Said)
    return one


def in_group(text: str, **more: object) -> dict:  # type: ignore[type-arg]
    told = {"message_id": 20, "date": 1_790_000_000, "from": user(OTRO, "Otro"), "chat": group(), "text": text}
    return {**told, **more}


def entity(kind: str, text: str, piece: str, **more: object) -> dict:  # type: ignore[type-arg]
    """Where `piece` stands in `text`, in UTF-16 units."""
    offset = len(text[: text.index(piece)].encode("utf-16-le")) // 2
    return {"type": kind, "offset": offset, "length": len(piece.encode("utf-16-le")) // 2, **more}


def test_a_private_message_names_its_author_its_chat_and_its_time() -> None:
    one = said(message(text="Hola", **{"from": user(MARTA, "Marta", last_name="Ruiz", username="martarg")}))
    assert (one.surface, one.thread_key, one.platform_id) == ("dm", "4201", "4201:8")
    assert (one.author.key, one.author.name, one.author.handle) == ("4201", "Marta Ruiz", "@martarg")
    assert one.at == datetime.fromtimestamp(1_790_000_000, UTC)
    assert one.is_addressed
    assert not one.is_history


def test_what_is_older_than_the_connection_is_history() -> None:
    assert said(message(text="Hola"), history_before=datetime(2030, 1, 1, tzinfo=UTC)).is_history
    assert not said(message(text="Hola"), history_before=datetime(2020, 1, 1, tzinfo=UTC)).is_history
    same_second = datetime.fromtimestamp(1_790_000_000.9, UTC)
    assert not said(message(text="Hola"), history_before=same_second).is_history


def test_a_group_message_is_a_bystanders_unless_it_speaks_to_the_bot() -> None:
    text = "👩‍👩‍👧 ¿y @AuroraAirBot qué dice?"
    mention = [entity("mention", text, "@AuroraAirBot")]
    other = "👩‍👩‍👧 ¿y @AnotherBot qué dice?"
    assert not said(in_group("¿Alguien vuela mañana?")).is_addressed
    assert said(in_group(text, entities=mention)).is_addressed
    assert not said(in_group(other, entities=[entity("mention", other, "@AnotherBot")])).is_addressed
    assert said(in_group("Aurora?", entities=[entity("text_mention", "Aurora?", "Aurora", user=BOT)])).is_addressed
    assert said(in_group("/help", entities=[entity("bot_command", "/help", "/help")])).is_addressed
    theirs = "/help@AnotherBot"
    assert not said(in_group(theirs, entities=[entity("bot_command", theirs, theirs)])).is_addressed
    assert said(in_group(text, entities=mention)).surface == "group"


def test_a_reply_to_the_bot_is_to_us_and_a_reply_to_somebody_else_is_not() -> None:
    ours = {"message_id": 15, "date": 1_790_000_000, "from": BOT, "chat": group(), "text": "Which flight?"}
    theirs = {**ours, "from": user(MARTA, "Marta")}
    one = said(in_group("IB3112", reply_to_message=ours, message_thread_id=14))
    assert (one.is_addressed, one.reply_to, one.thread_key, one.joins_reply) == (True, f"{GROUP}:15", str(GROUP), True)
    assert not said(in_group("IB3112", reply_to_message=theirs)).is_addressed


def test_a_forum_topic_is_a_thread_of_its_own_and_a_reply_chain_is_not() -> None:
    assert said(in_group("Hola", message_thread_id=7, is_topic_message=True)).thread_key == f"{GROUP}/7"
    assert said(in_group("Hola", message_thread_id=7)).thread_key == str(GROUP)


def test_a_comment_under_a_channel_post_stands_with_the_post_and_shows_it() -> None:
    post, comment = said(POST), said(in_group("Too expensive", reply_to_message=POST, message_thread_id=12))
    assert post.thread_key == comment.thread_key == f"{GROUP}/c12"
    assert (post.author.is_us, comment.author.is_us) == (True, False)
    assert (comment.surface, comment.is_addressed) == ("comment", True)
    assert (comment.thread.parent_author, comment.thread.parent_text) == ("Aurora News", "New route to Quito")


def test_anonymous_administrators_are_ours_and_somebodys_own_channel_is_a_customer() -> None:
    admin = said(in_group("We look into it", sender_chat=group()))
    channel = said(in_group("Bad service", sender_chat={"id": -100555, "type": "channel", "title": "Complaints"}))
    assert admin.author.is_us
    assert (channel.author.is_us, channel.author.key, channel.author.name) == (False, "-100555", "Complaints")


def test_links_behind_words_are_shown_where_utf16_says_they_are() -> None:
    text = "🧳🧳 see my claim please"
    one = said(message(text=text, entities=[entity("text_link", text, "my claim", url="https://example.org/c/7")]))
    assert one.text == "🧳🧳 see my claim (https://example.org/c/7) please"
    plain = "https://example.org"
    assert said(message(text=plain, entities=[entity("text_link", plain, plain, url=plain + "/")])).text == plain


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("photo", [{"file_id": "S", "file_unique_id": "s", "width": 9, "height": 9},
                   {"file_id": "F", "file_unique_id": "f", "width": 90, "height": 90}], "photo.jpg"),
        ("document", {"file_id": "F", "file_unique_id": "f", "file_name": "ticket.pdf"}, "ticket.pdf"),
        ("voice", {"file_id": "F", "file_unique_id": "f", "duration": 3}, "voice.ogg"),
        ("video", {"file_id": "F", "file_unique_id": "f", "width": 9, "height": 9, "duration": 3}, "video.mp4"),
    ],
)  # fmt: skip
def test_files_come_with_their_caption(field: str, value: object, name: str) -> None:
    one = said(message(caption="Here it is", **{field: value}))
    assert one.text == "Here it is"
    assert [(file.name, file.url) for file in one.files] == [(name, "telegram:F")]


def test_an_animation_is_one_file_though_it_comes_twice() -> None:
    media = {"file_id": "A", "file_unique_id": "a"}
    one = said(message(animation={**media, "width": 9, "height": 9, "duration": 1}, document=media))
    assert len(one.files) == 1


def test_places_contacts_and_polls_are_said_in_words() -> None:
    spot = {"latitude": 40.4, "longitude": -3.7}
    assert said(message(location=spot)).text == "geo:40.4,-3.7"
    venue = {"location": spot, "title": "Barajas", "address": "T4"}
    assert said(message(location=spot, venue=venue)).text == "Barajas, T4 (geo:40.4,-3.7)"
    one = said(message(contact={"phone_number": "+34600000000", "first_name": "Marta", "user_id": MARTA}))
    assert (one.text, one.author.proven_keys) == ("Marta +34600000000", ())


def test_what_holds_no_words_is_counted_and_not_shown() -> None:
    with pytest.raises(UnknownEvent):
        heard(in_group("", new_chat_title="New name"))
    with pytest.raises(UnknownEvent):
        heard({"id": "1", "from": user(1, "A"), "chat_instance": "1", "data": "x"}, "callback_query")


def test_a_bare_start_says_nothing_and_a_signed_one_continues_its_thread() -> None:
    start = [entity("bot_command", "/start", "/start")]
    link = NETWORK.private_link(RIG.channel, 91)
    parameter = link.partition("?start=")[2]
    assert link.startswith("https://t.me/AuroraAirBot?start=")
    largest = NETWORK.private_link(RIG.channel, 2**63 - 1).partition("?start=")[2]
    assert len(largest) <= 64
    assert said(message(text=f"/start {largest}", entities=start)).continues == 2**63 - 1
    assert not any(letter.isdigit() for letter in largest.partition("-")[0]), "it must not look like a card"
    assert heard(message(text="/start", entities=start)) == []
    assert heard(message(text="/start newsletter", entities=start)) == []
    one = said(message(text=f"/start {parameter}", entities=start))
    assert (one.text, one.continues) == ("/start", 91)
    for forged in (f"z{parameter}", f"1{parameter}", parameter[:-1], "a" * 400, "é-" + parameter, ""):
        assert heard(message(text=f"/start {forged}", entities=start)) == []
    assert heard(message(text=f"/start {parameter}"), signing_key=b"o" * 32) == [], "another channel's key"
    assert said(in_group(f"/start {parameter}", entities=start)).continues == 0


def test_a_bot_without_a_known_name_offers_no_link() -> None:
    assert NETWORK.private_link(msgspec.structs.replace(RIG.channel, settings={}), 91) == ""


def test_a_group_that_becomes_a_supergroup_moves_its_thread_whoever_says_so() -> None:
    old = {"id": -55, "type": "group", "title": "Aurora travellers"}
    told = {"message_id": 3, "date": 1_790_000_000}
    (before,) = heard({**told, "chat": old, "migrate_to_chat_id": GROUP})
    (after,) = heard({**told, "chat": group(), "migrate_from_chat_id": -55})
    assert before == after
    assert isinstance(before, Moved)
    assert (before.thread_key, before.to) == ("-55", str(GROUP))


def test_an_edit_carries_the_new_words() -> None:
    (one,) = heard(message(text="New", edit_date=1_790_000_060), "edited_message")
    assert one == Edited("4201:8", "New", datetime.fromtimestamp(1_790_000_060, UTC))


def test_business_chats_are_told_apart_from_the_bots_own_and_honour_deletions() -> None:
    told = message(text="Hola", business_connection_id="BC1")
    customer, owner = said(told, "business_message"), said({**told, "from": user(1, "Owner")}, "business_message")
    assert (customer.surface, customer.thread_key, customer.platform_id) == ("business", "b:BC1:4201", "b:BC1:4201:8")
    assert (customer.author.is_us, owner.author.is_us) == (False, True)
    gone = {"business_connection_id": "BC1", "chat": private(MARTA), "message_ids": [8, 9]}
    deleted = heard(gone, "deleted_business_messages")
    assert [one.platform_id for one in deleted if isinstance(one, Deleted)] == ["b:BC1:4201:8", "b:BC1:4201:9"]


def test_reactions_are_set_and_taken_back() -> None:
    told = {"chat": private(MARTA), "message_id": 9, "date": 1_790_000_000, "user": user(MARTA, "Marta")}
    thumb, custom = {"type": "emoji", "emoji": "👍"}, {"type": "custom_emoji", "custom_emoji_id": "1"}
    (one,) = heard({**told, "old_reaction": [], "new_reaction": [thumb]}, "message_reaction")
    (none,) = heard({**told, "old_reaction": [thumb], "new_reaction": []}, "message_reaction")
    assert isinstance(one, Reacted)
    assert isinstance(none, Reacted)
    assert (one.platform_id, one.emoji, none.emoji) == ("4201:9", "👍", "")
    assert heard({**told, "old_reaction": [], "new_reaction": [custom]}, "message_reaction") == []


def test_a_connected_account_is_noted_without_words() -> None:
    told = {"id": "BC1", "user": user(1, "Owner"), "user_chat_id": 1, "date": 1_790_000_000, "is_enabled": False}
    assert heard(told, "business_connection") == []


def test_permalinks_are_those_members_can_open() -> None:
    assert said(in_group("Hola", chat=group(username="travellers"))).thread.permalink == "https://t.me/travellers/20"
    assert said(in_group("Hola")).thread.permalink == "https://t.me/c/1001/20"
    assert said(in_group("Hola", chat={"id": -55, "type": "group", "title": "G"})).thread.permalink == ""


def test_a_polling_connection_takes_no_webhooks() -> None:
    request = HookRequest("POST", "/hooks/telegram/t", {"x-telegram-bot-api-secret-token": ""}, b"{}")
    with pytest.raises(SignInRequired):
        NETWORK.verify(request, ConnectionView(1, 1, "telegram", {"token": "t"}, {"777": 7}))


def test_a_file_is_asked_for_and_fetched_from_where_telegram_says() -> None:
    with RIG.listening() as platform:
        found = with_tools(lambda tools: NETWORK.locate_file("telegram:F1", platform.channel, tools))
        platform.api.files["F1"] = b"bytes"
        assert found.url == f"{platform.api.address}/file/bot777:a-token-of-the-tests/photos/F1"
        assert with_tools(lambda tools: tools.http.request("GET", found.url)).body == b"bytes"
        platform.api.faults.append("400:Bad Request: file is too big")
        with pytest.raises(ChannelError) as large:
            with_tools(lambda tools: NETWORK.locate_file("telegram:F2", platform.channel, tools))
    assert (large.value.code, large.value.permanent) == ("too_large", True)
