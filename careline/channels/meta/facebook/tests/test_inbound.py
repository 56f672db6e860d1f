"""What a Page hears, translated: the examples of Meta's references (read 2026-11-22) with their placeholders filled, and what must not pass."""

from __future__ import annotations

from typing import Any

import pytest

from careline.channels.base import (
    Deleted,
    Edited,
    Happening,
    Part,
    Reacted,
    ReceiptSeen,
    Said,
    UnknownEvent,
)
from careline.channels.meta import messaging
from careline.channels.meta.facebook import NETWORK
from careline.channels.meta.facebook.tests.page import MARTA, PAGE, POST
from careline.channels.meta.facebook.tests.rig import PageRig, feed, talk
from careline.channels.meta.tests.rigging import envelope, signed

RIG = PageRig()
AT = 1_790_000_000
WHO = {"from": {"id": MARTA, "name": "Marta Ruiz"}}


def parts(event: bytes) -> list[Part]:
    return NETWORK.split(signed("facebook", event), RIG.connection)


def heard(event: bytes) -> list[Happening]:
    return [one for part in parts(event) for one in NETWORK.normalise(part, RIG.channel)]


def said(event: bytes) -> Said:
    (one,) = heard(event)
    assert isinstance(one, Said)
    return one


def comment(verb: str = "add", **more: Any) -> bytes:
    told = {"item": "comment", "verb": verb, "comment_id": "900_1", "post_id": POST, "parent_id": POST, **WHO}
    return feed(PAGE, AT, **{**told, "message": "My bag is gone", "created_time": AT, **more})


# ---- in public


def test_a_comment_says_where_it_stands_and_who_wrote_it() -> None:
    link = f"https://www.facebook.com/{POST}"
    one = said(comment(post={"permalink_url": link, "status_type": "mobile_status_update"}))
    assert (one.platform_id, one.thread_key, one.surface, one.reply_to) == ("900_1", POST, "comment", POST)
    assert (one.author.key, one.author.name, one.is_addressed) == (MARTA, "Marta Ruiz", True)
    assert one.thread.permalink == link


def test_what_hangs_on_another_comment_opens_no_case_of_its_own() -> None:
    assert not said(comment(comment_id="900_2", parent_id="900_1")).is_addressed


def test_a_picture_comes_with_a_comment_of_no_words() -> None:
    one = said(comment(message="", photo="https://scontent.example/p.jpg"))
    assert (one.text, [file.url for file in one.files]) == ("", ["https://scontent.example/p.jpg"])


def test_a_visitors_picture_without_words_is_heard() -> None:
    told = {"item": "photo", "verb": "add", "post_id": f"{PAGE}_78", "link": "https://scontent.example/v.jpg", **WHO}
    one = said(feed(PAGE, AT, created_time=AT, **told))
    assert (one.surface, [file.url for file in one.files]) == ("post", ["https://scontent.example/v.jpg"])


def test_a_visitors_post_and_a_mention_are_posts() -> None:
    told = {"verb": "add", "post_id": f"{PAGE}_77", "message": "Never again", "created_time": AT, **WHO}
    wall = said(feed(PAGE, AT, item="status", **told))
    assert (wall.surface, wall.platform_id, wall.thread_key) == ("post", f"{PAGE}_77", f"{PAGE}_77")
    named = said(feed(PAGE, AT, field="mention", item="post", **told))
    assert (named.surface, named.is_addressed) == ("post", True)


def test_our_own_post_is_ours() -> None:
    assert said(comment(**{"from": {"id": PAGE, "name": "Aurora Air"}})).author.is_us


@pytest.mark.parametrize("verb", ["edited", "edit"])
def test_an_edit_names_its_comment(verb: str) -> None:
    (one,) = heard(comment(verb, message="My bag is found"))
    assert isinstance(one, Edited)
    assert (one.platform_id, one.text) == ("900_1", "My bag is found")


def test_a_removal_names_its_comment() -> None:
    (one,) = heard(comment("remove", message=""))
    assert isinstance(one, Deleted)
    assert one.platform_id == "900_1"


@pytest.mark.parametrize("verb", ["hide", "unhide", "mute"])
def test_what_others_do_to_a_comment_is_counted(verb: str) -> None:
    with pytest.raises(UnknownEvent):
        heard(comment(verb))


def test_reactions_come_and_go() -> None:
    told = {"item": "reaction", "post_id": POST, "comment_id": "900_1", "parent_id": POST, **WHO}
    (sad,) = heard(feed(PAGE, AT, verb="add", reaction_type="sad", **told))
    (gone,) = heard(feed(PAGE, AT, verb="remove", reaction_type="sad", **told))
    assert isinstance(sad, Reacted)
    assert isinstance(gone, Reacted)
    assert (sad.platform_id, sad.emoji, gone.emoji) == ("900_1", "😢", "")


def test_a_comment_fetched_or_pushed_is_the_same_row() -> None:
    """And an edit of it is another."""
    (pushed,) = parts(comment())
    (again,) = parts(comment(post={"permalink_url": "https://else.example"}))
    (edited,) = parts(comment("edited"))
    assert pushed.platform_event_id == again.platform_event_id != edited.platform_event_id
    assert pushed.order_key == edited.order_key == POST


# ---- in private, by webhook-events/*


def test_a_message_and_its_quote() -> None:
    one = said(talk(message={"mid": "m_1", "text": "Hola", "reply_to": {"mid": "m_0"}}))
    assert (one.platform_id, one.thread_key, one.surface, one.reply_to) == ("m_1", MARTA, "dm", "m_0")


def test_attachments_are_files_and_what_is_shared_is_words() -> None:
    files = [
        {"type": "image", "payload": {"url": "https://cdn.example/a.jpg"}},
        {"type": "file", "payload": {"url": "https://cdn.example/b.pdf"}},
        {"type": "fallback", "title": "Our blog", "url": "https://blog.example/", "payload": None},
    ]
    one = said(talk(message={"mid": "m_2", "text": "See", "attachments": files}))
    assert [file.url for file in one.files] == ["https://cdn.example/a.jpg", "https://cdn.example/b.pdf"]
    assert one.text == "See\nOur blog https://blog.example/"


def test_an_echo_is_ours_and_carries_our_mark() -> None:
    """message-echoes: sender is the Page; `metadata` is what was sent along."""
    echo = {"mid": "m_3", "text": "On it", "is_echo": True, "app_id": 1517776481860111, "metadata": "key-3"}
    one = said(talk(by_page=True, message=echo))
    assert (one.author.is_us, one.thread_key, one.idempotency_key) == (True, MARTA, "key-3")


def test_an_edit_in_messenger() -> None:
    (one,) = heard(talk(message_edit={"mid": "m_1", "text": "Hola, buenas", "num_edit": 1}))
    assert isinstance(one, Edited)
    assert (one.platform_id, one.text) == ("m_1", "Hola, buenas")


def test_delivery_by_message_or_by_moment() -> None:
    mids = {"mids": ["mid.1458668856218:ed81099e15d3f4f233"], "watermark": 1458668856253}
    (named,) = heard(talk(delivery=mids))
    (moment,) = heard(talk(delivery={"watermark": 1458668856253}))
    assert isinstance(named, ReceiptSeen)
    assert isinstance(moment, ReceiptSeen)
    assert (named.state, named.platform_id, named.thread_key) == ("delivered", mids["mids"][0], "")  # type: ignore[index]
    assert (moment.state, moment.platform_id, moment.thread_key) == ("delivered", "", MARTA)


def test_reading_is_a_moment_in_a_conversation() -> None:
    (one,) = heard(talk(read={"watermark": 1458668856253}))
    assert isinstance(one, ReceiptSeen)
    assert (one.state, one.thread_key) == ("read", MARTA)
    assert one.at.timestamp() == 1458668856.253 + messaging.LATE.total_seconds()


def test_a_reaction_and_its_end() -> None:
    reaction = {"reaction": "smile", "emoji": "\u2764\ufe0f", "action": "react", "mid": "m_9"}
    (on,) = heard(talk(reaction=reaction))
    (off,) = heard(talk(reaction={**reaction, "action": "unreact"}))
    assert isinstance(on, Reacted)
    assert isinstance(off, Reacted)
    assert (on.platform_id, on.emoji, off.emoji) == ("m_9", "\u2764\ufe0f", "")


def test_a_tapped_button_is_words() -> None:
    one = said(talk(postback={"mid": "m_7", "title": "Get started", "payload": "START"}))
    assert (one.platform_id, one.text) == ("m_7", "Get started")


def test_what_is_told_of_a_conversation_another_app_holds_is_heard() -> None:
    told = {
        "sender": {"id": MARTA},
        "recipient": {"id": PAGE},
        "timestamp": 1,
        "message": {"mid": "m_8", "text": "Hola"},
    }
    assert said(envelope("page", [{"id": PAGE, "time": 1, "standby": [told]}])).text == "Hola"


@pytest.mark.parametrize("event", [{"optin": {"ref": "x"}}, {"account_linking": {"status": "linked"}}, {"message": {}}])
def test_other_events_are_counted(event: dict[str, Any]) -> None:
    with pytest.raises(UnknownEvent):
        heard(talk(**event))


def test_a_bulk_delivery_is_cut_by_account() -> None:
    """Up to 1,000 changes in a delivery; another Page's are nobody's here."""
    one = {"item": "comment", "verb": "add", "post_id": POST, "parent_id": POST, "message": "x", **WHO}
    changes = [{"field": "feed", "value": {**one, "comment_id": f"900_{n}"}} for n in range(1000)]
    body = envelope(
        "page", [{"id": PAGE, "time": AT, "changes": changes}, {"id": "else", "time": AT, "changes": changes}]
    )
    found = parts(body)
    assert (len(found), {part.account_key for part in found}) == (1000, {PAGE})
