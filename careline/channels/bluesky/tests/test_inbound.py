"""What Bluesky says, as the desk reads it: surfaces, who is addressed, threads, pictures, links, private words; and how reading goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from careline.channels.base import Deleted, Fetched, ForeignPayload, Happening, Part, Reacted, Said, UnknownEvent
from careline.channels.bluesky import NETWORK, facets, reading, wire
from careline.channels.bluesky.tests.platform import (
    CONVO,
    MARTA,
    OTRO,
    US,
    FakeBluesky,
    Json,
    cid_of,
    post_view,
    record,
    stamp,
    uri_of,
)
from careline.channels.bluesky.tests.rig import channel_view
from careline.channels.conformance.acting import with_tools
from careline.kit import clock

ROOT = uri_of(MARTA, "3kroot")


@pytest.fixture
def fake() -> Iterator[FakeBluesky]:
    platform = FakeBluesky(channel_view())
    yield platform
    platform.stop()


def translated(kind: str, event: Json) -> Happening:
    row = msgspec.json.encode(wire.Row(kind, msgspec.Raw(msgspec.json.encode(event))))
    (one,) = NETWORK.normalise(Part("", "e", "o", row), channel_view())
    return one


def post(author: str, said: Json, **more: Any) -> Said:
    one = translated("post", post_view(uri_of(author, "3kone"), said, clock.now(), **more))
    assert isinstance(one, Said)
    return one


def chat(name: str, **more: Any) -> Happening:
    return translated("chat", {"$type": f"chat.bsky.convo.defs#log{name}", "rev": "r1", "convoId": CONVO, **more})


def message(text: str = "hola", **more: Any) -> Json:
    view = {"$type": "chat.bsky.convo.defs#messageView", "id": "m1", "rev": "m", "text": text}
    return {**view, "sender": {"did": MARTA}, "sentAt": stamp(clock.now()), **more}


@pytest.mark.parametrize(
    ("author", "said", "surface", "is_addressed"),
    [
        (MARTA, record("x", clock.now(), names=US), "post", True),
        (MARTA, record("x", clock.now()), "post", False),
        (MARTA, record("x", clock.now(), names=OTRO), "post", False),
        (MARTA, record("x", clock.now(), root=uri_of(US, "3kr")), "comment", True),
        (MARTA, record("x", clock.now(), root=uri_of(US, "3kr"), parent=uri_of(MARTA, "3kp")), "comment", True),
        (OTRO, record("x", clock.now(), root=uri_of(US, "3kr"), parent=uri_of(MARTA, "3kp")), "comment", False),
        (MARTA, record("x", clock.now(), root=ROOT, parent=uri_of(US, "3kp")), "reply", True),
        (OTRO, record("x", clock.now(), root=ROOT), "reply", False),
    ],
)
def test_a_word_is_for_us_or_somebodys_below(author: str, said: Json, surface: str, is_addressed: bool) -> None:
    heard = post(author, said)
    assert (heard.surface, heard.is_addressed) == (surface, is_addressed)


def test_a_quote_of_ours_is_for_us_and_shows_what_it_quotes_also_beside_pictures() -> None:
    profile = {"did": US, "handle": "aurora.test"}
    quoted = {"uri": uri_of(US, "3kq"), "cid": cid_of("q"), "author": profile, "value": record("Vuelos", clock.now())}
    picture = {"thumb": "https://cdn.test/t", "fullsize": "https://cdn.test/f", "alt": "una maleta"}
    media = {"$type": "app.bsky.embed.images#view", "images": [picture]}
    plain = post(MARTA, record("x", clock.now()), embed={"$type": "app.bsky.embed.record#view", "record": quoted})
    both = {"$type": "app.bsky.embed.recordWithMedia#view", "record": {"record": quoted}, "media": media}
    richer = post(MARTA, record("x", clock.now()), embed=both)
    for one in (plain, richer):
        assert (one.is_addressed, one.thread.parent_author, one.thread.parent_text) == (True, "@aurora.test", "Vuelos")
    assert [(file.url, file.alt_text) for file in richer.files] == [("https://cdn.test/f", "una maleta")]


def test_a_quote_of_a_post_that_is_gone_is_only_a_post() -> None:
    gone = {"$type": "app.bsky.embed.record#viewNotFound", "uri": uri_of(OTRO, "3kq"), "notFound": True}
    heard = post(MARTA, record("x", clock.now()), embed={"$type": "app.bsky.embed.record#view", "record": gone})
    assert (heard.is_addressed, heard.thread.parent_text) == (False, "")


def test_a_person_is_their_did_and_an_unproven_handle_is_none() -> None:
    view = post_view(uri_of(MARTA, "3kone"), record("x", clock.now()), clock.now())
    heard = translated("post", {**view, "author": {"did": MARTA, "handle": "handle.invalid"}})
    assert isinstance(heard, Said)
    assert (heard.author.key, heard.author.handle, heard.author.name) == (MARTA, "", "")


def test_a_link_that_was_cut_short_stands_whole_and_wrong_offsets_harm_nothing() -> None:
    text = "🧳 mira aurora.test/male... hoy"
    start = len("🧳 mira ".encode())
    link = wire.Feature(kind="app.bsky.richtext.facet#link", uri="https://aurora.test/maletas/perdidas")
    cut = wire.Facet(index=wire.ByteSlice(byte_start=start, byte_end=start + 19), features=(link,))
    assert facets.unshortened(text, (cut,)) == "🧳 mira https://aurora.test/maletas/perdidas hoy"
    for begin, end in ((-5, 3), (900, 950), (7, 2), (1, 3)):
        wrong = wire.Facet(index=wire.ByteSlice(byte_start=begin, byte_end=end), features=(link,))
        assert facets.unshortened(text, (wrong,)) == text


def test_reach_is_those_who_did_something_with_the_first_post() -> None:
    assert post(MARTA, record("x", clock.now(), names=US)).thread.reach == 1 + 2 + 3 + 4


def test_private_words_reactions_and_deletions_are_heard() -> None:
    names = [{"did": MARTA, "handle": "marta.test", "displayName": "Marta"}]
    heard = chat("CreateMessage", message=message(), relatedProfiles=names)
    assert isinstance(heard, Said)
    assert (heard.surface, heard.thread_key, heard.author.name, heard.author.handle) == (
        "dm",
        CONVO,
        "Marta",
        "@marta.test",
    )
    reaction = {"value": "👍", "sender": {"did": MARTA}, "createdAt": stamp(clock.now())}
    for name, emoji in (("AddReaction", "👍"), ("RemoveReaction", "")):
        found = chat(name, message=message(), reaction=reaction)
        assert isinstance(found, Reacted)
        assert (found.platform_id, found.emoji) == ("m1", emoji)
    gone = chat("DeleteMessage", message=message())
    assert isinstance(gone, Deleted)
    assert gone.platform_id == "m1"


def test_our_own_private_word_is_ours() -> None:
    heard = chat("CreateMessage", message=message(sender={"did": US}))
    assert isinstance(heard, Said)
    assert heard.author.is_us


def test_a_later_kind_of_chat_event_is_unknown_and_broken_bytes_are_foreign() -> None:
    with pytest.raises(UnknownEvent):
        chat("BeginHologram", message=message())
    for raw in (b"", b"[]", b'{"kind":"post","event":{}}', b"{" * 5000):
        with pytest.raises(ForeignPayload):
            NETWORK.normalise(Part("", "e", "o", raw), channel_view())


# ---- reading


def fetch(fake: FakeBluesky, cursor: dict[str, object]) -> Fetched:
    return with_tools(lambda tools: asyncio.wait_for(anext(NETWORK.listen(fake.channel, cursor, tools)), 10))


def texts(fetched: Fetched) -> list[str]:
    found = [one for part in fetched.parts for one in NETWORK.normalise(part, channel_view())]
    return [one.text for one in found if isinstance(one, Said)]


def test_where_reading_began_is_kept_before_anything_happens(fake: FakeBluesky) -> None:
    """Else a message that comes while we are stopped would lie before the next beginning."""
    first = fetch(fake, {})
    assert (first.parts, first.cursor["chat"]) == ((), "r000000")
    fake.write("while you were away")
    assert texts(fetch(fake, dict(first.cursor))) == ["while you were away"]


def test_a_post_with_a_late_clock_slots_in_and_nothing_comes_twice(fake: FakeBluesky) -> None:
    now = clock.now()
    fake.mention(uri_of(MARTA, "3knew"), "new", at=now)
    first = fetch(fake, {})
    fake.mention(uri_of(MARTA, "3klate"), "late clock", at=now - timedelta(minutes=5))
    assert (texts(first), texts(fetch(fake, dict(first.cursor)))) == (["new"], ["late clock"])


def test_hundreds_that_came_in_an_outage_are_read_oldest_first_in_pieces(fake: FakeBluesky) -> None:
    fake.mention(uri_of(MARTA, "3kbefore"), "before", at=clock.now() - timedelta(hours=2))
    cursor = dict(fetch(fake, {}).cursor)
    begun_at = clock.now() - timedelta(hours=1)
    for number in range(230):
        fake.mention(uri_of(MARTA, f"3km{number}"), f"m{number}", at=begun_at + timedelta(seconds=number))
    heard: list[str] = []
    while len(heard) < 230:
        fetched = fetch(fake, cursor)
        assert len(fetched.parts) <= 25
        heard += texts(fetched)
        cursor = dict(fetched.cursor)
    assert heard == [f"m{number}" for number in range(230)]


def test_a_post_that_was_deleted_before_we_read_it_is_never_told(fake: FakeBluesky) -> None:
    fake.mention(uri_of(MARTA, "3kgone"), "regretted", at=clock.now())
    fake.mention(uri_of(MARTA, "3kstays"), "stays", at=clock.now())
    fake.vanish(uri_of(MARTA, "3kgone"))
    assert texts(fetch(fake, {})) == ["stays"]


def test_what_we_posted_elsewhere_comes_back_as_ours(fake: FakeBluesky) -> None:
    cursor = dict(fetch(fake, {}).cursor)
    fake.own_post("3kapp", "from the app", at=clock.now() + timedelta(seconds=1))
    (said,) = [one for part in fetch(fake, cursor).parts for one in NETWORK.normalise(part, channel_view())]
    assert isinstance(said, Said)
    assert (said.text, said.author.is_us) == ("from the app", True)


def test_with_a_reply_come_the_posts_above_it_and_a_like_is_a_reaction(fake: FakeBluesky) -> None:
    fake.mention(
        uri_of(MARTA, "3kreply"), "answer", at=clock.now(), reason="reply", root=ROOT, parent=uri_of(OTRO, "3kp")
    )
    fake.liked(uri_of(US, "3kours"), at=clock.now())
    fetched = fetch(fake, {})
    found = [one for part in fetched.parts for one in NETWORK.normalise(part, channel_view())]
    said = [one for one in found if isinstance(one, Said)]
    assert [one.platform_id for one in said] == [ROOT, uri_of(OTRO, "3kp"), uri_of(MARTA, "3kreply")]
    assert (said[-1].thread.parent_author, said[-1].thread.parent_text) == ("Otro", "words")
    assert [one.platform_id for one in found if isinstance(one, Reacted)] == [uri_of(US, "3kours")]
    assert {part.order_key for part in fetched.parts if part.platform_event_id.startswith("post:")} >= {ROOT}


def test_without_direct_messages_the_chat_is_never_asked(fake: FakeBluesky) -> None:
    fake.channel = msgspec.structs.replace(fake.channel, settings={**fake.channel.settings, "has_chat": False})
    fake.mention(uri_of(MARTA, "3kone"), "hola", at=clock.now())
    assert texts(fetch(fake, {})) == ["hola"]
    assert not [method for method, _ in fake.calls if method.startswith("chat.")]
    assert reading.AT_ONCE == 25
