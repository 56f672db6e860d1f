"""What Mastodon says, as the desk understands it: by its own examples, and by posts written to its schema."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from careline.channels.base import (
    ChannelView,
    Deleted,
    Edited,
    Fetched,
    ForeignPayload,
    Happening,
    KnownMessage,
    Part,
    Reacted,
    Said,
    UnknownEvent,
)
from careline.channels.conformance.acting import with_tools
from careline.channels.mastodon import NETWORK, reading, wire
from careline.channels.mastodon.tests import openapi
from careline.channels.mastodon.tests.platform import (
    DOMAIN,
    MARTA,
    OTRO,
    FakeMastodon,
    Json,
    number_of,
    stamp,
    status,
)
from careline.channels.mastodon.tests.rig import MastodonRig, channel_view, raw
from careline.errors import ChannelError
from careline.kit import clock

RIG = MastodonRig()
NOW = clock.now().replace(microsecond=0)


def said(*chain: Json, channel: ChannelView | None = None) -> Said:
    """The last of posts that hang below each other."""
    channel = channel or channel_view()
    part = reading.thread_parts([raw(one) for one in chain], channel)[-1]
    (found,) = NETWORK.normalise(part, channel)
    assert isinstance(found, Said)
    return found


def post(key: str, who: str, text: str = "hola", **more: Any) -> Json:
    return status(number_of(key), who, text, NOW, **more)


def below(above: Json, key: str, who: str, text: str = "hola", **more: Any) -> Json:
    return post(key, who, text, above=above["id"], **more)


def hear(platform: FakeMastodon, cursor: dict[str, object], wanted: int = 1) -> tuple[list[Part], dict[str, object]]:
    """At least so many parts, and the cursor after them."""
    found: list[Part] = []

    async def read(tools: Any) -> dict[str, object]:
        place = cursor
        async for fetched in NETWORK.listen(platform.channel, cursor, tools):
            place = _kept(fetched, found)
            if len(found) >= wanted:
                break
        return place

    return found, with_tools(lambda tools: asyncio.wait_for(read(tools), 20))


def _kept(fetched: Fetched, found: list[Part]) -> dict[str, object]:
    found.extend(fetched.parts)
    return dict(fetched.cursor)


def happened(parts: list[Part]) -> list[Happening]:
    return [one for part in parts for one in NETWORK.normalise(part, channel_view())]


# ---- the platform's own examples


def test_every_whole_example_of_what_we_read_is_read() -> None:
    """4 of 4 events. Its other examples of posts are cut short (no visibility, no id) and are nobody's answer."""
    openapi.need()
    posts = list(openapi.examples("Status"))
    assert [where for where, _ in posts] == ["Quote.quoted_status", "Status"]
    for where, one in posts:
        found = said(one)
        assert (found.platform_id, found.surface) == (one["id"], "reply" if one["in_reply_to_id"] else "post"), where
        assert found.text and "<" not in found.text
    notices = [msgspec.convert(one, wire.Notice) for _, one in openapi.examples("Notification")]
    assert [(one.type, one.status is not None) for one in notices] == [("mention", True), ("favourite", True)]


@pytest.mark.parametrize(
    ("name", "kind", "field"),
    [
        ("Account200Example", wire.Account, "acct"),
        ("Instance200Example", wire.Instance, "domain"),
        ("MediaAttachment200Example", wire.Media, "description"),
        ("MediaAttachment202Example", wire.Media, "id"),
        ("StatusSource200Example", wire.Source, "text"),
        ("Error422Example", wire.Refusal, "error"),
        ("Error429Example", wire.Refusal, "error"),
    ],
)
def test_the_examples_of_answers_are_read(name: str, kind: type[wire.Word], field: str) -> None:
    openapi.need()
    example = openapi.example(name)
    assert getattr(msgspec.convert(example, kind), field) == example[field]


# ---- who is spoken to


def test_a_post_that_names_us_is_addressed_and_others_are_not() -> None:
    assert said(post("a", "marta", names=("us",))).is_addressed
    assert not said(post("a", "marta", names=("otro",))).is_addressed
    assert not said(post("a", "marta")).is_addressed


def test_an_answer_to_us_is_addressed_even_without_our_name() -> None:
    ours = post("a", "us")
    assert said(ours, below(ours, "b", "marta", names=("us",))).is_addressed


def test_a_bystander_whose_app_named_everybody_is_no_case() -> None:
    begun = post("a", "marta", "@aurora my bag", names=("us",))
    by = below(begun, "b", "otro", "@marta@lejos.test @aurora same here", names=("marta", "us"))
    found = said(begun, by)
    assert not found.is_addressed
    assert (found.thread.parent_author, found.thread.parent_text) == ("Marta", "@aurora my bag")


def test_who_calls_us_into_a_thread_or_names_us_in_their_words_is_heard() -> None:
    begun = post("a", "marta", "my bag")
    assert said(begun, below(begun, "b", "otro", "@aurora look", names=("us",))).is_addressed
    named = post("a", "marta", "@aurora my bag", names=("us",))
    asks = below(named, "b", "otro", "@marta@lejos.test and @aurora never answers", names=("marta", "us"))
    assert said(named, asks).is_addressed


def test_who_goes_on_below_their_own_words_is_heard() -> None:
    begun = post("a", "marta", "@aurora my bag", names=("us",))
    assert said(begun, below(begun, "b", "marta", "@aurora and my coat", names=("us",))).is_addressed


def test_a_quote_of_ours_is_addressed_and_shows_what_is_quoted() -> None:
    ours = post("a", "us", "Flights to Lima")
    inline = '<p class="quote-inline">RE: <a href="https://x.test/1">https://x.test/1</a></p><p>What a joke</p>'
    quote = {**post("b", "marta"), "content": inline, "quote": {"state": "accepted", "quoted_status": ours}}
    found = said(quote)
    assert (found.text, found.is_addressed) == ("What a joke", True)
    assert (found.thread.parent_author, found.thread.parent_text) == ("Us", "Flights to Lima")
    pending = {**quote, "quote": {"state": "pending", "quoted_status": None}}
    assert not said(pending).is_addressed


def test_a_quote_that_the_server_tells_of_is_heard_though_it_shows_no_more() -> None:
    with RIG.listening() as platform:
        platform.is_judged = False  # its `oneOf` of a quote and a shallow one takes neither: each is both
        quote = post("q", "marta", "What a joke", quote={"state": "accepted", "quoted_status_id": number_of("a")})
        platform.notify("quote", "marta", quote, at=NOW)
        (heard,) = happened(hear(platform, {})[0])
        assert isinstance(heard, Said) and heard.is_addressed


# ---- what is said


def test_words_keep_links_whole_and_lose_every_tag() -> None:
    link = (
        '<a href="https://lejos.test/maletas/1"><span class="invisible">https://</span>'
        '<span class="ellipsis">lejos.test/mal</span><span class="invisible">etas/1</span></a>'
    )
    named = '<span class="h-card"><a href="https://cerca.test/@aurora">@<span>aurora</span></a></span>'
    found = said(
        {**post("a", "marta"), "content": f"<p>{named} mira {link}</p><p>Adi&oacute;s<script>x()</script></p>"}
    )
    assert found.text == "@aurora mira https://lejos.test/maletas/1\n\nAdiós"


def test_a_warning_stands_before_the_words_and_a_poll_after_them() -> None:
    poll = {"options": [{"title": "sí", "votes_count": 1}, {"title": "no", "votes_count": 2}]}
    found = said(post("a", "marta", "¿Volvéis?", spoiler_text="enfado", poll=poll))
    assert found.text == "enfado\n\n¿Volvéis?\n\n○ sí\n○ no"


def test_files_come_with_their_descriptions() -> None:
    media = [
        {"id": "1", "type": "image", "url": "https://files.test/a/b.png?x=1", "description": "la maleta rota"},
        {"id": "2", "type": "unknown", "url": None, "remote_url": "https://lejos.test/c.mp4", "description": None},
        {"id": "3", "type": "image", "url": None},
    ]
    one, two = said(post("a", "marta", media_attachments=media)).files
    assert (one.name, one.url, one.alt_text) == ("b.png", "https://files.test/a/b.png?x=1", "la maleta rota")
    assert (two.name, two.url) == ("c.mp4", "https://lejos.test/c.mp4")


def test_a_person_is_known_by_their_full_name_here_and_elsewhere() -> None:
    assert said(post("a", "marta")).author.key == MARTA
    assert said(post("a", "otro")).author.key == OTRO == f"otro@{DOMAIN}"
    assert said(post("a", "us")).author.is_us


def test_a_thread_is_named_by_its_first_post_and_counts_its_reach() -> None:
    begun = post("a", "marta", names=("us",))
    ours = below(begun, "b", "us", names=("marta",))
    found = said(begun, ours, below(ours, "c", "marta", names=("us",)))
    assert (found.thread_key, found.reply_to, found.surface) == (begun["id"], ours["id"], "reply")
    assert (found.thread.reach, found.thread.permalink) == (10, begun["url"])
    assert found.joins_reply


def test_private_words_stay_apart_from_the_public_post_they_answer() -> None:
    begun = post("a", "marta", names=("us",))
    private = below(begun, "b", "marta", visibility="direct", names=("us",))
    found = said(begun, private)
    assert (found.surface, found.thread_key, found.joins_reply) == ("dm", f"direct:{MARTA}", False)
    assert (found.thread.reach, found.thread.parent_text) == (0, "")
    public = below(private, "c", "marta", names=("us",))
    again = said(begun, private, public)
    assert (again.thread_key, again.thread.parent_text, again.joins_reply) == (public["id"], "", False)


def test_a_third_person_makes_another_conversation() -> None:
    three = said(post("a", "marta", visibility="direct", names=("us", "otro")))
    assert three.thread_key == f"direct:{MARTA},{OTRO}"
    ours = said(post("b", "us", visibility="direct", names=("marta",)))
    assert ours.thread_key == f"direct:{MARTA}"


def test_our_own_answer_is_shown_without_what_the_app_put_before_it() -> None:
    begun = post("a", "marta", spoiler_text="enfado", names=("us",))
    ours = below(begun, "b", "us", "@marta@lejos.test Lo sentimos", spoiler_text="enfado", names=("marta",))
    assert said(begun, ours).text == "Lo sentimos"


def test_what_is_older_than_the_connection_is_history() -> None:
    channel = msgspec.structs.replace(channel_view(), history_before=NOW + timedelta(hours=1))
    assert said(post("a", "marta"), channel=channel).is_history
    assert not said(post("a", "marta")).is_history


@pytest.mark.parametrize("broken", [b"", b"[]", b'"x"', b"\xff", b'{"kind":"post","event":{"id":1}}'])
def test_bytes_of_something_else_are_refused(broken: bytes) -> None:
    with pytest.raises(ForeignPayload):
        NETWORK.normalise(Part("", "x", "x", broken), channel_view())


def test_a_kind_of_a_later_version_is_counted() -> None:
    with pytest.raises(UnknownEvent):
        NETWORK.normalise(Part("", "x", "x", b'{"kind":"hologram","event":{}}'), channel_view())


# ---- reading


def test_a_gap_of_many_pages_is_read_whole_and_in_order() -> None:
    with RIG.listening() as platform:
        platform.mentioned(number_of("first"), "first", at=NOW)
        _, cursor = hear(platform, {})
        texts = [f"w{number:03}" for number in range(130)]
        for number, text in enumerate(texts):
            platform.mentioned(number_of(text), text, at=NOW + timedelta(seconds=number))
        parts, cursor = hear(platform, cursor, len(texts))
        assert [one.text for one in happened(parts) if isinstance(one, Said)] == texts
        platform.mentioned(number_of("last"), "last", at=NOW + timedelta(seconds=200))
        parts, _ = hear(platform, cursor)
        assert [one.text for one in happened(parts) if isinstance(one, Said)] == ["last"]


def test_a_server_that_cannot_page_forward_is_not_asked_for_ever() -> None:
    with RIG.listening() as platform:
        platform.pages_forward = False
        for key in ("a", "b"):
            platform.mentioned(number_of(key), key, at=NOW)
        parts, cursor = hear(platform, {}, 2)
        platform.calls.clear()
        platform.mentioned(number_of("c"), "c", at=NOW)
        more, _ = hear(platform, cursor)
        assert [one.text for one in happened([*parts, *more]) if isinstance(one, Said)] == ["a", "b", "c"]
        assert len([path for _, path, _ in platform.calls if path.endswith("notifications")]) < 5


def test_a_row_that_was_stored_late_under_an_earlier_id_is_not_lost() -> None:
    with RIG.listening() as platform:
        for key in ("a", "b"):
            platform.mentioned(number_of(key), key, at=NOW)
        late = platform.notices.pop(0)
        _, cursor = hear(platform, {})
        platform.notices.insert(0, late)
        parts, _ = hear(platform, cursor)
        assert [one.text for one in happened(parts) if isinstance(one, Said)] == ["a"]


def test_a_new_channel_hears_what_came_since_its_history_begins() -> None:
    with RIG.listening() as platform:
        platform.channel = msgspec.structs.replace(platform.channel, history_before=NOW)
        for number in range(50):
            platform.mentioned(number_of(f"o{number}"), "old", at=NOW - timedelta(days=1))
        platform.mentioned(number_of("n"), "new", at=NOW + timedelta(seconds=1))
        parts, _ = hear(platform, {})
        assert [one.text for one in happened(parts) if isinstance(one, Said)] == ["new"]


def test_an_answer_comes_with_what_stands_above_it() -> None:
    with RIG.listening() as platform:
        begun = platform.statuses.setdefault(number_of("a"), post("a", "otro", "look at that"))
        platform.mentioned(number_of("b"), "@aurora yes", at=NOW, in_reply_to_id=begun["id"])
        parts, _ = hear(platform, {})
        above, heard = happened(parts)
        assert isinstance(above, Said) and isinstance(heard, Said)
        assert (above.text, above.is_addressed) == ("look at that", False)
        assert (heard.thread_key, heard.thread.parent_text) == (begun["id"], "look at that")
        assert {part.order_key for part in parts} == {begun["id"]}


def test_of_a_very_long_thread_the_beginning_and_the_end_are_enough() -> None:
    with RIG.listening() as platform:
        above = ""
        for number in range(60):
            one = status(number_of(f"p{number}"), "otro", f"word {number}", NOW, above=above)
            platform.statuses[one["id"]] = one
            above = one["id"]
        platform.mentioned(number_of("me"), "@aurora look", at=NOW, in_reply_to_id=above)
        parts, _ = hear(platform, {})
        words = [one for one in happened(parts) if isinstance(one, Said)]
        assert (len(words), words[0].text, words[1].text) == (41, "word 0", "word 21")
        assert {one.thread_key for one in words} == {number_of("p0")}
        assert (words[1].thread.parent_text, words[-1].thread.parent_text) == ("", "word 59")


def test_favourites_and_boosts_are_reactions_and_other_notices_are_not_asked_for() -> None:
    with RIG.listening() as platform:
        ours = post("a", "us")
        platform.notify("favourite", "marta", ours, at=NOW)
        platform.notify("reblog", "otro", ours, at=NOW)
        platform.notify("reblog", "otro", None, at=NOW)
        parts, _ = hear(platform, {}, 2)
        one, two = happened(parts)
        assert isinstance(one, Reacted) and isinstance(two, Reacted)
        assert (one.platform_id, one.author.key, one.emoji) == (ours["id"], MARTA, "⭐")
        assert (two.author.key, two.emoji) == (OTRO, "🔁")
        asked = next(body for _, path, body in platform.calls if path.endswith("notifications"))
        assert asked["types[]"] == ["mention", "quote", "favourite", "reblog"]


def test_what_cannot_be_read_is_laid_aside_and_reading_goes_on() -> None:
    with RIG.listening() as platform:
        platform.is_judged = False
        platform.notify("mention", "marta", None, at=NOW)
        platform.notices[-1]["status"] = None
        platform.notify("mention", "marta", {"id": 7}, at=NOW)
        platform.mentioned(number_of("a"), "hola", at=NOW)
        odd, fine = hear(platform, {}, 2)[0]
        with pytest.raises(ForeignPayload):
            NETWORK.normalise(odd, channel_view())
        assert [one.text for one in happened([fine]) if isinstance(one, Said)] == ["hola"]


def test_our_own_post_made_elsewhere_is_ours() -> None:
    with RIG.listening() as platform:
        platform.own_post(number_of("old"), "before", at=NOW)
        platform.mentioned(number_of("m"), "hola", at=NOW)
        _, cursor = hear(platform, {})
        platform.own_post(str(10**18), "written in the app", at=NOW)
        parts, _ = hear(platform, cursor)
        (ours,) = happened(parts)
        assert isinstance(ours, Said)
        assert (ours.text, ours.author.is_us) == ("written in the app", True)


def test_asking_again_finds_edits_once_and_what_is_gone() -> None:
    with RIG.listening() as platform:
        ids = [number_of(f"k{number}") for number in range(25)]
        for one in ids:
            platform.mentioned(one, "words", at=NOW)
        platform.statuses[ids[1]] |= {"content": "<p>other words</p>", "edited_at": stamp(NOW)}
        platform.vanish(ids[24])
        known = [KnownMessage(one, "t", "post") for one in ids]
        parts = with_tools(lambda tools: NETWORK.recheck(known, platform.channel, tools))
        edited, gone = happened(list(parts))
        assert isinstance(edited, Edited) and isinstance(gone, Deleted)
        assert (edited.platform_id, edited.text, edited.at) == (ids[1], "other words", NOW)
        assert gone.platform_id == ids[24]
        again = with_tools(lambda tools: NETWORK.recheck(known, platform.channel, tools))
        assert [one.platform_event_id for one in again] == [one.platform_event_id for one in parts]
        assert [len(body["id[]"]) for _, path, body in platform.calls if path == "/api/v1/statuses"] == [20, 5, 20, 5]


def test_a_server_in_trouble_makes_nothing_look_deleted() -> None:
    with RIG.listening() as platform:
        platform.channel = msgspec.structs.replace(platform.channel, secrets={"access_token": "another"})
        with pytest.raises(ChannelError) as refused:
            with_tools(lambda tools: NETWORK.recheck([KnownMessage("1", "t", "post")], platform.channel, tools))
        assert refused.value.unauthorised


def test_reading_rests_when_few_calls_are_left() -> None:
    with RIG.listening() as platform:
        platform.mentioned(number_of("a"), "a", at=NOW)
        platform.left = 20
        _, cursor = hear(platform, {})
        platform.mentioned(number_of("b"), "b", at=NOW)
        listening = lambda tools: anext(NETWORK.listen(platform.channel, cursor, tools))  # noqa: E731
        assert with_tools(lambda tools: asyncio.wait_for(listening(tools), 5)).parts
        platform.calls.clear()

        async def look_twice(tools: Any) -> None:
            async for _ in NETWORK.listen(platform.channel, cursor, tools):
                continue

        with pytest.raises(TimeoutError):
            with_tools(lambda tools: asyncio.wait_for(look_twice(tools), 1))
        looks = [path for _, path, _ in platform.calls if path.endswith("notifications")]
        assert len(looks) == 2, "one look, its end, and then rest"
