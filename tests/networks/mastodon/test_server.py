"""The network against an independent server: connecting, reading, gaps, threads, private mentions, files, once, edits, deletions, faults.

What it lacks is shown elsewhere: it counts letters only (Mastodon's own cases are in `careline/channels/mastodon/tests`), answers every upload at
once, ignores files of an edit and shows a private post to whoever knows its number.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from careline.channels.base import (
    ChannelView,
    Deleted,
    Edited,
    Fetched,
    Happening,
    KnownMessage,
    ModerationAct,
    Outgoing,
    OutgoingFile,
    Reacted,
    Said,
    Sent,
    Tools,
)
from careline.channels.conformance.acting import with_tools
from careline.channels.mastodon import NETWORK, reading
from careline.errors import ChannelError
from tests.networks.mastodon.world import Json, Person, World

FAMILY = "👩‍👩‍👧‍👦"


@pytest.fixture(scope="module")
def brand(world: World) -> Person:
    return world.join("aurora")


@pytest.fixture(scope="module")
def marta(world: World) -> Person:
    """She lives on another server."""
    return world.marta


@dataclass
class Desk:
    """The channel as it is after connecting, and how far it has read."""

    channel: ChannelView
    cursor: dict[str, object] = field(default_factory=dict)

    def hear(self, wanted: int) -> list[Happening]:
        """At least so many happenings, oldest first."""
        found: list[Happening] = []

        async def read(tools: Tools) -> None:
            async for fetched in NETWORK.listen(self.channel, self.cursor, tools):
                found.extend(self._keep(fetched))
                if len(found) >= wanted:
                    return

        with_tools(lambda tools: asyncio.wait_for(read(tools), 20))
        return found

    def _keep(self, fetched: Fetched) -> list[Happening]:
        self.cursor = dict(fetched.cursor)
        return [one for part in fetched.parts for one in NETWORK.normalise(part, self.channel)]

    def send(self, text: str, **more: Any) -> Sent:
        outgoing = answer(text, **more)
        return with_tools(lambda tools: NETWORK.send(outgoing, self.channel, tools))

    def act(self, verb: Any, platform_id: str, surface: str = "reply") -> None:
        act = ModerationAct(verb, platform_id, surface, "", f"{verb}-{platform_id}")
        with_tools(lambda tools: NETWORK.moderate(act, self.channel, tools))

    def ask_again(self, *ids: str) -> list[Happening]:
        known = [KnownMessage(one, "t", "post") for one in ids]
        parts = with_tools(lambda tools: NETWORK.recheck(known, self.channel, tools))
        return [one for part in parts for one in NETWORK.normalise(part, self.channel)]


def answer(text: str, *, surface: str = "reply", **more: Any) -> Outgoing:
    given = {"delivery_id": 1, "attempt": 1, "surface": surface, "thread_id": 1, "thread_key": ""}
    given |= {"recipient": "marta@lejos.test", "idempotency_key": f"key-{text}", "author_kind": "human"}
    return Outgoing(text=text, **(given | {"written_at": datetime.now(UTC)} | more))  # type: ignore[arg-type]


def connect(world: World, token: str) -> ChannelView:
    settings = {"server": world.address, "poll_s": 0.1}
    typed = ChannelView(0, 1, "mastodon", "", "Aurora", "", settings, {"access_token": token})
    known = with_tools(lambda tools: NETWORK.introduce(typed, "", tools))
    whole = {**settings, **known.settings}
    now = datetime.now(UTC)
    return msgspec.structs.replace(
        typed, account_key=known.account_key, handle=known.handle, settings=whole, history_before=now
    )


@pytest.fixture
def desk(world: World, brand: Person, marta: Person, request: pytest.FixtureRequest) -> Desk:
    """Connected, and up to date with what the tests before left behind."""
    found = Desk(connect(world, brand.token))
    mark = marta.post(f"@aurora mark {request.node.name}")
    while mark["id"] not in [one.platform_id for one in said(found.hear(1))]:
        continue
    return found


def said(happened: list[Happening]) -> list[Said]:
    return [one for one in happened if isinstance(one, Said)]


def code_of(run: Any) -> str:
    with pytest.raises(ChannelError) as refused:
        run()
    return refused.value.code


def check(channel: ChannelView) -> str:
    return with_tools(lambda tools: NETWORK.check(channel, tools)).code


# ---- the account


def test_the_account_is_found_with_its_full_name_and_its_servers_limits(world: World, desk: Desk) -> None:
    assert desk.channel.account_key == f"aurora@{world.domain}"
    assert desk.channel.handle == f"@aurora@{world.domain}"
    assert desk.channel.settings["max_characters"] == 500
    assert check(desk.channel) == "ok"
    assert NETWORK.effective(desk.channel).surface("reply").attachments.per_message == 4


def test_a_token_without_rights_a_revoked_one_and_anothers_are_told_apart(
    world: World, brand: Person, desk: Desk
) -> None:
    def with_token(token: str) -> ChannelView:
        return msgspec.structs.replace(desk.channel, secrets={"access_token": token})

    reading = world.token_for(brand, "read")
    assert check(with_token(reading)) == "permissions_missing"
    assert code_of(lambda: Desk(with_token(reading)).send("Hola")) == "permissions_missing"
    assert check(with_token(world.token_for(brand, "read write"))) == "ok"
    world.revoke(reading)
    assert check(with_token(reading)) == "token_refused"
    assert check(with_token(world.join("otra").token)) == "account_not_served"


# ---- what is heard


def test_a_mention_an_answer_a_quote_a_favourite_and_a_boost_are_heard_with_their_thread(
    desk: Desk, brand: Person, marta: Person
) -> None:
    ours = brand.post("Vuelos a Lima")
    media = [marta.upload("maleta.png", b"\x89PNG", "una maleta")]
    named = marta.post(f"@aurora ¿y mi maleta? {FAMILY}", media_ids=media, language="es", spoiler_text="enfado")
    below = marta.reply(ours, "@aurora Es un timo")
    quoted = marta.post("Mirad esto", quoted_status_id=ours["id"])
    marta.favourite(ours)
    marta.boost(ours)
    happened = desk.hear(5)
    heard = {one.platform_id: one for one in said(happened)}

    first = heard[named["id"]]
    assert (first.surface, first.is_addressed, first.language) == ("post", True, "es")
    assert first.text == f"enfado\n\n@aurora ¿y mi maleta? {FAMILY}"
    assert (first.author.key, first.author.handle, first.author.name) == (
        "marta@lejos.test",
        "@marta@lejos.test",
        "Marta",
    )
    assert [(file.name[-4:], file.alt_text) for file in first.files] == [(".png", "una maleta")]
    second = heard[below["id"]]
    assert (second.surface, second.thread_key, second.is_addressed) == ("reply", ours["id"], True)
    assert (second.thread.parent_author, second.thread.parent_text) == ("Aurora", "Vuelos a Lima")
    assert second.thread.reach == 3
    assert heard[ours["id"]].author.is_us
    reactions = [(one.platform_id, one.emoji) for one in happened if isinstance(one, Reacted)]
    assert reactions == [(ours["id"], "⭐"), (ours["id"], "🔁")]
    # This server notifies nobody of a quote, so the post is taken as it shows it.
    quote = msgspec.Raw(msgspec.json.encode(brand.seen(quoted["id"])))
    (third,) = said(NETWORK.normalise(reading.thread_parts([quote], desk.channel)[0], desk.channel))
    assert (third.surface, third.is_addressed, third.thread.parent_text) == ("post", True, "Vuelos a Lima")


def test_a_bystander_is_shown_and_opens_nothing(world: World, desk: Desk, marta: Person) -> None:
    otro = world.join("otro")
    begun = marta.post("@aurora mi maleta")
    by = otro.reply(begun, "@marta@lejos.test @aurora a mí igual")
    asks = otro.reply(begun, "@marta@lejos.test y la mía, @aurora ?")
    heard = {one.platform_id: one for one in said(desk.hear(3))}
    assert [heard[one["id"]].is_addressed for one in (begun, by, asks)] == [True, False, True]
    assert {one.thread_key for one in heard.values()} == {begun["id"]}


def test_a_private_mention_is_private_and_what_an_account_filters_is_heard_all_the_same(
    desk: Desk, brand: Person, marta: Person
) -> None:
    brand.call("PATCH", "notifications/policy", {"for_private_mentions": "filter", "for_not_following": "filter"})
    written = marta.write("@aurora mi reserva es AB12CD")
    (heard,) = said(desk.hear(1))
    brand.call("PATCH", "notifications/policy", {"for_private_mentions": "accept", "for_not_following": "accept"})
    assert (heard.platform_id, heard.surface, heard.thread_key) == (written["id"], "dm", "direct:marta@lejos.test")
    assert heard.is_addressed


def test_after_an_outage_of_many_pages_reading_goes_on_once_each(desk: Desk, marta: Person) -> None:
    missed = [marta.post(f"@aurora perdido {number}")["id"] for number in range(95)]
    assert [one.platform_id for one in said(desk.hear(95))] == missed
    late = marta.post("@aurora tarde")["id"]
    assert [one.platform_id for one in said(desk.hear(1))] == [late]


def test_an_outage_in_the_middle_of_the_pages_loses_and_doubles_nothing(
    world: World, desk: Desk, marta: Person
) -> None:
    missed = [marta.post(f"@aurora roto {number}")["id"] for number in range(90)]
    world.fail("/api/v1/notifications", type="status", status=503)
    assert code_of(lambda: desk.hear(1)) == "platform_failed"
    heard = [one.platform_id for one in said(desk.hear(40))]
    world.fail("/api/v1/notifications", type="malformed")
    assert code_of(lambda: desk.hear(1)) == "answer_unreadable"
    heard += [one.platform_id for one in said(desk.hear(90 - len(heard)))]
    assert heard == missed


def test_what_we_posted_in_the_app_comes_back_as_ours(desk: Desk, brand: Person, marta: Person) -> None:
    asked = marta.post("@aurora hola")
    ours = brand.reply(asked, "@marta@lejos.test dicho en la app")
    heard = said(desk.hear(2))
    assert [(one.platform_id, one.author.is_us, one.text) for one in heard[:1]] == [
        (asked["id"], False, "@aurora hola")
    ]
    assert (heard[-1].platform_id, heard[-1].text, heard[-1].author.is_us) == (ours["id"], "dicho en la app", True)
    assert {one.thread_key for one in heard} == {asked["id"]}


def test_edits_and_deletions_are_found_by_asking_again(desk: Desk, marta: Person) -> None:
    edited, deleted, stands = (marta.post(f"@aurora mi pasaporte es {n}2345678Z") for n in range(3))
    assert desk.ask_again(*(one["id"] for one in (edited, deleted, stands))) == []
    marta.edit(edited, "@aurora he perdido el pasaporte")
    marta.delete(deleted)
    changed, gone = desk.ask_again(*(one["id"] for one in (edited, deleted, stands)))
    assert isinstance(changed, Edited) and isinstance(gone, Deleted)
    assert (changed.platform_id, changed.text) == (edited["id"], "@aurora he perdido el pasaporte")
    assert gone.platform_id == deleted["id"]


def test_the_stream_tells_of_mentions_and_deletions_at_once(desk: Desk, brand: Person, marta: Person) -> None:
    """This server tells deletions to followers only, so the brand follows her; its word for an edit is its own, so those wait for a look."""
    me = marta.call("GET", "accounts/verify_credentials")
    brand.call("POST", f"accounts/{me['id']}/follow")
    seldom = msgspec.structs.replace(desk.channel, settings={**desk.channel.settings, "poll_s": 60})
    assert str(seldom.settings["streaming"]).startswith("ws://127.0.0.1:")
    found: list[Happening] = []

    async def read(tools: Tools) -> None:
        reader = NETWORK.listen(seldom, desk.cursor, tools)
        first = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(2)  # nothing is new, and the stream is open
        said_it = await asyncio.to_thread(marta.post, "@aurora mi pasaporte es zanahoria")
        found.extend(desk._keep(await first))
        await asyncio.to_thread(marta.delete, said_it)
        found.extend(desk._keep(await anext(reader)))
        await reader.aclose()  # type: ignore[attr-defined]

    with_tools(lambda tools: asyncio.wait_for(read(tools), 20))
    heard, gone = found
    assert isinstance(heard, Said) and isinstance(gone, Deleted)
    assert (heard.text, gone.platform_id) == ("@aurora mi pasaporte es zanahoria", heard.platform_id)


# ---- what is said


def test_an_answer_stands_below_with_its_names_warning_and_picture(desk: Desk, marta: Person, world: World) -> None:
    otro = world.join("lola")
    asked = marta.post("@aurora hola @lola", visibility="unlisted", spoiler_text="enfado")

    async def read() -> bytes:
        return b"\x89PNG"

    file = OutgoingFile("maleta.png", "image/png", 4, read, alt_text="una maleta")
    sent = desk.send(f"{FAMILY} mira https://aurora.test/maletas", reply_to=asked["id"], files=(file,), language="es")
    shown = shown_to(marta, sent)
    assert (shown["in_reply_to_id"], shown["visibility"], shown["spoiler_text"]) == (asked["id"], "unlisted", "enfado")
    assert [one["acct"] for one in shown["mentions"]] == ["marta@lejos.test", "lola"]
    assert [one["description"] for one in shown["media_attachments"]] == ["una maleta"]
    assert sent.platform_id in [one["id"] for one in marta.mentions()]
    assert sent.platform_id in [one["id"] for one in otro.mentions()]


def shown_to(person: Person, sent: Sent) -> Json:
    found = person.seen(sent.platform_id)
    assert found is not None
    return found


def test_a_public_word_is_answered_in_private_and_the_answer_goes_on(desk: Desk, marta: Person, world: World) -> None:
    bystander = world.join("vecino")
    asked = marta.post("@aurora ayuda @vecino")
    first = desk.send("¿Nos das tu reserva?", surface="dm", answers_comment=asked["id"])
    shown = shown_to(marta, first)
    assert (shown["visibility"], shown["in_reply_to_id"]) == ("direct", asked["id"])
    assert [one["acct"] for one in shown["mentions"]] == ["marta@lejos.test"]
    assert first.thread_key == "direct:marta@lejos.test"
    assert first.platform_id not in [one["id"] for one in bystander.mentions()]
    marta.write("@aurora AB12CD", in_reply_to_id=first.platform_id)
    heard = [one for one in said(desk.hear(3)) if one.surface == "dm"]
    assert {(one.text, one.author.is_us) for one in heard} == {
        ("@aurora AB12CD", False),
        ("¿Nos das tu reserva?", True),
    }
    assert {one.thread_key for one in heard} == {first.thread_key}
    assert code_of(lambda: desk.send("¿Y @vecino?", surface="dm", thread_key=first.thread_key)) == "names_another"


def test_a_post_stands_once_whatever_is_repeated(desk: Desk, brand: Person, marta: Person) -> None:
    asked = marta.post("@aurora una vez")
    outgoing = answer("Una sola vez", reply_to=asked["id"])
    assert with_tools(lambda tools: NETWORK.look_up(outgoing, desk.channel, tools)) is None
    first = with_tools(lambda tools: NETWORK.send(outgoing, desk.channel, tools))
    again = with_tools(lambda tools: NETWORK.send(outgoing, desk.channel, tools))
    found = with_tools(lambda tools: NETWORK.look_up(outgoing, desk.channel, tools))
    assert found is not None
    assert first.platform_id == again.platform_id == found.platform_id
    assert sum("Una sola vez" in one["content"] for one in brand.posts()) == 1


def test_a_pace_that_is_asked_for_is_kept(world: World, desk: Desk, marta: Person) -> None:
    asked = marta.post("@aurora rápido")
    world.fail("/api/v1/statuses", type="ratelimit")
    with pytest.raises(ChannelError) as refused:
        desk.send("Despacio", reply_to=asked["id"])
    assert (refused.value.code, refused.value.retry_after_s) == ("rate_limited", 300.0)
    until = str(int(datetime.now(UTC).timestamp()) + 60)
    world.fail("/api/v1/statuses", type="status", status=429, headers={"X-RateLimit-Reset": until})
    with pytest.raises(ChannelError) as again:
        desk.send("Despacio", reply_to=asked["id"])
    assert again.value.retry_after_s == pytest.approx(60, abs=3)
    assert desk.send("Despacio", reply_to=asked["id"]).platform_id


def test_ours_is_edited_liked_posts_are_marked_and_ours_is_taken_back(desk: Desk, brand: Person, marta: Person) -> None:
    asked = marta.post("@aurora gracias")
    desk.act("like", asked["id"])
    desk.act("like", asked["id"])
    assert (brand.seen(asked["id"]) or {})["favourited"] is True
    desk.act("unlike", asked["id"])
    assert (brand.seen(asked["id"]) or {})["favourited"] is False
    sent = desk.send("De nada", reply_to=asked["id"])
    outgoing = answer("Con mucho gusto", reply_to=asked["id"])
    with_tools(lambda tools: NETWORK.edit(sent.platform_id, outgoing, desk.channel, tools))
    shown = shown_to(marta, sent)
    assert "@marta@lejos.test Con mucho gusto" in shown["content"] and shown["edited_at"]
    desk.act("delete", sent.platform_id)
    desk.act("delete", sent.platform_id)
    assert marta.seen(sent.platform_id) is None
    marta.delete(asked)
    assert code_of(lambda: desk.send("Tarde", reply_to=asked["id"])) == "message_gone"
    assert code_of(lambda: desk.act("like", asked["id"])) == "message_gone"


def test_a_text_too_long_for_the_server_is_said_to_be(desk: Desk, brand: Person, marta: Person) -> None:
    asked = marta.post("@aurora cuenta")
    desk.channel = msgspec.structs.replace(desk.channel, settings={**desk.channel.settings, "max_characters": 5000})
    assert code_of(lambda: desk.send("x" * 600, reply_to=asked["id"])) == "text_too_long"
    assert not any("xxx" in one["content"] for one in brand.posts())
