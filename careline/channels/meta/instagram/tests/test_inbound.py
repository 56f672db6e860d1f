"""What Instagram hears, translated: the examples of Meta's references (read 2026-11-22) with their placeholders filled, and what must not pass."""

from __future__ import annotations

from typing import Any

import pytest

from careline.channels.base import Deleted, Edited, Happening, Reacted, ReceiptSeen, Said, UnknownEvent
from careline.channels.meta.instagram import NETWORK
from careline.channels.meta.instagram.tests.account import ACCOUNT, MARTA, MEDIA
from careline.channels.meta.instagram.tests.rig import AccountRig, comment, talk
from careline.channels.meta.tests.rigging import envelope, signed

RIG = AccountRig()
AT = 1_790_000_000


def heard(event: bytes) -> list[Happening]:
    parts = NETWORK.split(signed("instagram", event), RIG.connection)
    return [one for part in parts for one in NETWORK.normalise(part, RIG.channel)]


def said(event: bytes) -> Said:
    (one,) = heard(event)
    assert isinstance(one, Said)
    return one


def test_a_comment_comes_on_the_entry_or_among_its_changes() -> None:
    """webhooks/examples (updated 2025-11-24): Instagram's own login, and Facebook's."""
    value = {
        "id": "17901",
        "from": {"id": "9002", "username": "otro"},
        "text": "Mine too",
        "media": {"id": MEDIA, "media_product_type": "FEED"},
    }
    entry = {"id": ACCOUNT, "time": AT, "changes": [{"field": "comments", "value": value}]}
    among = said(envelope("instagram", [entry]))
    alone = said(comment("1", "Mine too", AT))
    assert among == alone
    assert (alone.thread_key, alone.surface, alone.author.handle, alone.is_addressed) == (
        MEDIA,
        "comment",
        "@otro",
        True,
    )
    assert alone.at.timestamp() == AT


def test_milliseconds_are_told_from_seconds() -> None:
    assert said(comment("1", "Hola", AT * 1000)).at.timestamp() == AT


def test_what_hangs_on_another_comment_opens_no_case_of_its_own() -> None:
    one = said(comment("2", "Agreed", AT, parent_id="17901"))
    assert (one.is_addressed, one.reply_to) == (False, "17901")


def test_our_own_comment_is_ours() -> None:
    assert said(comment("3", "Sorry", AT, **{"from": {"id": ACCOUNT, "username": "aurora.air"}})).author.is_us


def test_a_mention_says_where_and_no_more() -> None:
    value = {"media_id": "18000000000000901", "comment_id": "17977"}
    entry = {"id": ACCOUNT, "time": AT, "changes": [{"field": "mentions", "value": value}]}
    one = said(envelope("instagram", [entry]))
    assert (one.surface, one.platform_id, one.thread_key, one.text) == (
        "mention",
        "17977",
        value["media_id"],
        "@aurora",
    )


def test_an_unsent_message_is_a_deletion() -> None:
    """instagram-messaging/webhooks: message.is_deleted. App review asks that it vanishes."""
    (gone,) = heard(talk(message={"mid": "aWdf1", "is_deleted": True}))
    assert isinstance(gone, Deleted)
    assert gone.platform_id == "aWdf1"


def test_an_unsending_is_another_row_than_its_message() -> None:
    first = RIG.fetch(talk(message={"mid": "aWdf1", "text": "Hola"}))
    gone = RIG.fetch(talk(message={"mid": "aWdf1", "is_deleted": True}))
    assert first.platform_event_id != gone.platform_event_id
    assert first.order_key == gone.order_key == MARTA


def test_a_story_that_is_answered_is_named_and_one_that_mentions_us_is_a_file() -> None:
    story = {"url": "https://cdn.example/story", "id": "18100"}
    answer = said(talk(message={"mid": "aWdf2", "text": "Wow", "reply_to": {"story": story}}))
    assert answer.quoted_text == "https://cdn.example/story"
    shown = [{"type": "story_mention", "payload": {"url": "https://cdn.example/s"}}]
    mention = said(talk(message={"mid": "aWdf3", "attachments": shown}))
    assert [file.url for file in mention.files] == ["https://cdn.example/s"]


def test_a_reaction_a_read_message_and_an_edit() -> None:
    (reacted,) = heard(talk(reaction={"mid": "aWdf1", "action": "react", "reaction": "love", "emoji": "\u2764\ufe0f"}))
    (seen,) = heard(talk(read={"mid": "aWdf9"}))
    (edited,) = heard(talk(message_edit={"mid": "aWdf1", "text": "Hola, buenas", "num_edit": 1}))
    assert isinstance(reacted, Reacted)
    assert isinstance(seen, ReceiptSeen)
    assert isinstance(edited, Edited)
    assert (reacted.emoji, seen.state, seen.platform_id, edited.text) == (
        "\u2764\ufe0f",
        "read",
        "aWdf9",
        "Hola, buenas",
    )


def test_an_echo_is_ours() -> None:
    one = said(talk(by_us=True, message={"mid": "aWdf4", "text": "On it", "is_echo": True}))
    assert (one.author.is_us, one.thread_key) == (True, MARTA)


@pytest.mark.parametrize("event", [{"message": {"mid": "a", "is_unsupported": True}}, {"referral": {"ref": "x"}}])
def test_what_says_nothing_is_counted(event: dict[str, Any]) -> None:
    with pytest.raises(UnknownEvent):
        heard(talk(**event))
