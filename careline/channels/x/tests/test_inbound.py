"""What X delivers becomes: all its own examples, the handshake, and the cases its examples do not show, each with its negative twin."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from careline.channels.base import (
    AccessLost,
    Deleted,
    Edited,
    ForeignPayload,
    Happening,
    HookRequest,
    InboundFile,
    ReceiptSeen,
    Said,
    SignInRequired,
    Typed,
    UnknownEvent,
)
from careline.channels.conformance.acting import with_tools
from careline.channels.x import NETWORK
from careline.channels.x.inbound import SIGNATURE
from careline.channels.x.tests import specification, x_api
from careline.channels.x.tests.rig import XPlatform, XRig, channel_view
from careline.channels.x.tests.x_api import MARTA, OTRO, US, Json, XApi, event, post, private

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
# X's own account in its examples is 1111111111111111111, which is ours in the rig.
READ = {
    "post.create": Said,
    "post.delete": Deleted,
    "post.mention.create": Said,
    "post.reply.create": Said,
    "post.quote.create": Said,
    "dm.sent": Said,
    "dm.received": Said,
    "oauth.revoke": AccessLost,
}
UNASKED = {
    "post.repost.create", "like.create", "follow.follow", "follow.unfollow", "profile.update.bio", "profile.update.profile_picture",
    "profile.update.banner_picture", "profile.update.screenname", "profile.update.geo", "profile.update.url", "chat.received", "chat.sent",
    "spaces.start", "spaces.end", "broadcast.start", "broadcast.end", "broadcast.chat", "news.new",
}  # fmt: skip
ENVELOPE = "Event envelope"


def happened(told: Json) -> list[Happening]:
    """Cut and translated, as the journal does it."""
    rig = XRig()
    request = rig.deliver([json.dumps(told, ensure_ascii=False).encode()])
    assert request is not None
    parts = rig.network.split(request, rig.connection)
    return [one for part in parts for one in rig.network.normalise(part, rig.channel)]


def only_said(told: Json) -> Said:
    (found,) = happened(told)
    assert isinstance(found, Said)
    return found


# ---- X's own examples


def test_each_of_xs_examples_is_read_or_known_as_unasked_for() -> None:
    specification.need()
    assert set(specification.examples()) == {*READ, *UNASKED, ENVELOPE}
    assert len(specification.examples()) == 27


@pytest.mark.parametrize("kind", sorted(READ))
def test_xs_examples_become_what_they_say(kind: str) -> None:
    specification.need()
    (found,) = [one for one in happened(specification.examples()[kind]) if not isinstance(one, Edited)]
    assert isinstance(found, READ[kind])


@pytest.mark.parametrize("kind", sorted(UNASKED))
def test_what_was_never_subscribed_is_counted_and_kept_out(kind: str) -> None:
    specification.need()
    with pytest.raises(UnknownEvent):
        happened(specification.examples()[kind])


def test_the_empty_envelope_is_no_event() -> None:
    specification.need()
    with pytest.raises(ForeignPayload):
        happened(specification.examples()[ENVELOPE])


def test_the_example_of_a_mention_in_full() -> None:
    specification.need()
    found = only_said(specification.examples()["post.mention.create"])
    assert (found.text, found.surface, found.platform_id) == ("hey @ExampleUser", "post", "2080765813578191303")
    assert (found.author.key, found.author.handle, found.author.is_us) == (MARTA, "@OtherUser", False)
    assert (found.is_addressed, found.is_summons, found.language) == (True, True, "")
    assert found.thread.permalink == "https://x.com/i/status/2080765813578191303"


def test_the_example_of_a_reply_loses_the_name_x_put_before_it() -> None:
    specification.need()
    found = only_said(specification.examples()["post.reply.create"])
    assert found.text == "Great post — thanks for sharing!"
    assert (found.surface, found.thread_key, found.reply_to) == (
        "comment",
        "2080761390344937796",
        "2080761390344937796",
    )


def test_the_example_of_a_quote_loses_the_address_of_what_it_quotes() -> None:
    specification.need()
    found = only_said(specification.examples()["post.quote.create"])
    assert (found.text, found.is_summons, found.surface) == ("Adding some context to this.", True, "post")


def test_the_example_of_a_message_stands_in_the_conversation_with_its_sender() -> None:
    specification.need()
    heard, ours = (only_said(specification.examples()[kind]) for kind in ("dm.received", "dm.sent"))
    assert (heard.surface, heard.thread_key, heard.text, heard.author.name) == (
        "dm",
        f"dm:{MARTA}",
        "hello!",
        "OtherUser",
    )
    assert (ours.thread_key, ours.author.is_us) == ("dm:2244994945", True)
    assert heard.at == datetime.fromtimestamp(1784928224.372, UTC)


# ---- handshake and signature


def _challenge(token: str, **more: Any) -> HookRequest:
    return HookRequest("GET", "/hooks/x/t", {}, b"", query={"crc_token": token, **more})


def test_the_challenge_is_answered_with_its_hmac() -> None:
    """The vector is made here with hmac alone, as X's page on webhooks tells it."""
    token = "YzA4NDFhZWUtYTc4MS00YmNi"
    answer = NETWORK.answer_challenge(_challenge(token), XRig().connection)
    assert answer is not None
    digest = hmac.new(x_api.CONSUMER_SECRET.encode(), token.encode(), hashlib.sha256).digest()
    assert json.loads(answer.body) == {"response_token": "sha256=" + base64.b64encode(digest).decode()}
    assert (answer.status, answer.content_type) == (200, "application/json")


def test_a_fixed_vector() -> None:
    """printf challenge | openssl dgst -sha256 -hmac secret -binary | base64"""
    connection = msgspec.structs.replace(XRig().connection, secrets={"consumer_secret": "secret"})
    answer = NETWORK.answer_challenge(_challenge("challenge"), connection)
    assert answer is not None
    assert json.loads(answer.body)["response_token"] == "sha256=oeUF6Wxqoezggrue+wbIDxKRPSF6esKwizR2MHh9HaA="


@pytest.mark.parametrize("token", ['{"data":{}}', "", "a b", "x" * 201, "ñ"])
def test_what_is_no_token_is_never_signed(token: str) -> None:
    """Else a forged delivery, handed in as a challenge, would come back with its signature."""
    with pytest.raises(SignInRequired):
        NETWORK.answer_challenge(_challenge(token), XRig().connection)


def test_without_a_consumer_secret_nothing_is_let_in() -> None:
    connection = msgspec.structs.replace(XRig().connection, secrets={})
    body = b"{}"
    with pytest.raises(SignInRequired):
        NETWORK.verify(HookRequest("POST", "/", {SIGNATURE: x_api.signature(body, "")}, body), connection)


def test_news_of_another_account_is_accepted_and_left() -> None:
    with pytest.raises(UnknownEvent):
        happened(event("post.mention.create", post(1, "hi", MARTA, NOW), to="99"))


# ---- posts


def test_a_stranger_in_a_conversation_is_a_bystander_and_no_summons() -> None:
    found = only_said(event("post.mention.create", post(5, "Mine too", OTRO, NOW, conversation_id="4")))
    assert (found.is_addressed, found.is_summons) == (False, False)


def test_an_answer_that_names_nobody_is_to_us_but_no_summons() -> None:
    more = {"conversation_id": "4", "in_reply_to_user_id": US, "referenced_tweets": [{"type": "replied_to", "id": "4"}]}
    found = only_said(event("post.reply.create", post(5, "And now?", MARTA, NOW, **more)))
    assert (found.is_addressed, found.is_summons, found.surface) == (True, False, "comment")


def test_the_post_that_is_answered_comes_along_and_is_shown() -> None:
    above = post(4, "Aurora lost my bag", OTRO, NOW)
    more = {
        "conversation_id": "4",
        "in_reply_to_user_id": OTRO,
        "referenced_tweets": [{"type": "replied_to", "id": "4"}],
    }
    told = post(5, "@otro @AuroraAir mine too", MARTA, NOW, names=(OTRO, US), **{**more, "display_text_range": [6, 25]})
    users = [x_api.user(one) for one in (MARTA, OTRO)]
    before, found = happened(event("post.mention.create", told, users=users, tweets=[told, above]))
    assert isinstance(before, Said)
    assert isinstance(found, Said)
    assert (before.text, before.is_addressed, before.thread_key) == ("Aurora lost my bag", False, found.thread_key)
    assert (found.thread.parent_author, found.thread.parent_text) == ("Otro", "Aurora lost my bag")
    assert (found.text, found.is_addressed) == ("@AuroraAir mine too", True)


def test_an_edit_is_the_same_message_under_its_first_id() -> None:
    versions = ["5", "9"]
    told = post(
        9, "@AuroraAir my bag is green", MARTA, NOW, names=(US,), edit_history_tweet_ids=versions, conversation_id="9"
    )
    said, edited = happened(event("post.mention.create", told))
    assert isinstance(said, Said)
    assert isinstance(edited, Edited)
    assert (said.platform_id, said.thread_key, said.aliases) == ("5", "5", ("9",))
    assert (edited.platform_id, edited.text, edited.aliases) == ("5", "@AuroraAir my bag is green", ("9",))


def test_addresses_stand_in_full_and_those_of_pictures_are_taken_away() -> None:
    links = [
        {"url": "https://t.co/a", "expanded_url": "https://example.com/bag?a=1&b=2"},
        {"url": "https://t.co/b", "expanded_url": "https://x.com/m/status/5/photo/1", "media_key": "3_1"},
    ]
    media = [{"media_key": "3_1", "type": "photo", "url": "https://pbs.twimg.com/media/bag.jpg", "alt_text": "A bag"}]
    more = {"entities": {"urls": links}, "attachments": {"media_keys": ["3_1"]}}
    found = only_said(
        event(
            "post.mention.create", post(5, "See https://t.co/a &amp; https://t.co/b", MARTA, NOW, **more), media=media
        )
    )
    assert found.text == "See https://example.com/bag?a=1&b=2 &"
    assert found.files == (InboundFile("bag.jpg", url="https://pbs.twimg.com/media/bag.jpg", alt_text="A bag"),)


def test_of_a_film_the_best_file_comes() -> None:
    variants = [
        {"content_type": "application/x-mpegURL", "url": "https://video.twimg.com/a.m3u8"},
        {"content_type": "video/mp4", "bit_rate": 256000, "url": "https://video.twimg.com/low.mp4"},
        {"content_type": "video/mp4", "bit_rate": 2176000, "url": "https://video.twimg.com/high.mp4?tag=1"},
    ]
    media = [{"media_key": "7_1", "type": "video", "variants": variants}]
    found = only_said(
        event("post.mention.create", post(5, "Look", MARTA, NOW, attachments={"media_keys": ["7_1"]}), media=media)
    )
    assert found.files[0] == InboundFile("high.mp4", url="https://video.twimg.com/high.mp4?tag=1")


def test_a_long_post_comes_whole() -> None:
    found = only_said(
        event("post.mention.create", post(5, "Short...", MARTA, NOW, note_tweet={"text": "The whole of it. " * 30}))
    )
    assert found.text == ("The whole of it. " * 30).strip()


def test_reach_is_that_of_the_post_that_begins_the_conversation() -> None:
    counted = {"public_metrics": {"impression_count": 1204}}
    root = only_said(event("post.mention.create", post(5, "Hi", MARTA, NOW, **counted)))
    answer = only_said(event("post.mention.create", post(6, "Hi", MARTA, NOW, conversation_id="5", **counted)))
    assert (root.thread.reach, answer.thread.reach) == (1204, 0)


def test_a_repost_is_nobodys_word() -> None:
    with pytest.raises(UnknownEvent):
        happened(event("post.create", post(5, "RT", US, NOW, referenced_tweets=[{"type": "retweeted", "id": "4"}])))


# ---- direct messages


def test_several_messages_in_one_delivery_are_cut_apart() -> None:
    first, second = private(7, "one", MARTA, NOW), private(8, "two", MARTA, NOW)
    both = first["data"]["payload"]["direct_message_events"] + second["data"]["payload"]["direct_message_events"]
    first["data"]["payload"]["direct_message_events"] = both
    assert [one.text for one in happened(first) if isinstance(one, Said)] == ["one", "two"]


def test_a_reference_of_ours_says_where_somebody_comes_from_and_is_not_shown() -> None:
    platform = XPlatform.__new__(XPlatform)
    link = NETWORK.private_link(channel_view(), 4177)
    (found,) = happened(json.loads(platform.followed(link)))
    assert isinstance(found, Said)
    assert (found.continues, found.text) == (4177, "My bag is blue")
    bare = only_said(private(9, "Ref. zz-notours1234567890: hi", MARTA, NOW))
    assert (bare.continues, bare.text) == (0, "Ref. zz-notours1234567890: hi")


def test_signs_of_typing_and_reading() -> None:
    who = {"created_timestamp": "1795334400000", "sender_id": MARTA, "target": {"recipient_id": US}}
    users = {MARTA: {"data": x_api.user(MARTA)}}
    (typed,) = happened(event("dm.indicate_typing", {"direct_message_indicate_typing_events": [who], "users": users}))
    assert isinstance(typed, Typed)
    assert (typed.thread_key, typed.author.name) == (f"dm:{MARTA}", "Marta Ruiz")
    (seen,) = happened(event("dm.read", {"direct_message_mark_read_events": [{**who, "last_read_event_id": "77"}]}))
    assert isinstance(seen, ReceiptSeen)
    assert (seen.state, seen.platform_id) == ("read", "77")


def test_a_file_of_a_message_is_fetched_with_the_accounts_token() -> None:
    url = "https://ton.twitter.com/1.1/ton/data/dm/2080000000000000001/3_77/bag.jpg"
    link = {"url": "https://t.co/p", "expanded_url": "https://twitter.com/messages/media/2080000000000000001"}
    attachment = {"type": "media", "media": {"id": "77", "media_url_https": url, "type": "photo"}}
    found = only_said(private(9, "My bag https://t.co/p", MARTA, NOW, attachment=attachment, entities={"urls": [link]}))
    assert found.text == "My bag"
    assert found.files == (InboundFile("bag.jpg", url="x:2080000000000000001/3_77/bag.jpg"),)
    api = XApi()
    try:
        channel = XPlatform(api, channel_view()).channel
        api.access = "access-9"  # the one we hold has ended
        source = with_tools(lambda tools: NETWORK.locate_file(found.files[0].url, channel, tools))
    finally:
        api.stop()
    assert source.url == f"{api.address}/2/dm_conversations/media/2080000000000000001/3_77/bag.jpg"
    assert source.headers == {"authorization": "Bearer access-2"}
    assert api.complaints == []
    specification.need()
    assert specification.operation("GET", "/2/dm_conversations/media/2080000000000000001/3_77/bag.jpg") is not None
