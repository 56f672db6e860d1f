"""The network against a real PDS and AppView: session, reading, threads, pictures, facets, counting, once, likes, hiding, deletion; chat through the PDS."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from careline.channels.base import (
    ChannelView,
    Deleted,
    Fetched,
    Happening,
    KnownMessage,
    ModerationAct,
    Outgoing,
    OutgoingFile,
    Reacted,
    Renewed,
    Said,
    Sent,
    Tools,
)
from careline.channels.bluesky import NETWORK
from careline.channels.conformance.acting import with_tools
from careline.errors import ChannelError
from careline.kit import ids
from careline.kit.http import guarded_client
from tests.networks.bluesky.world import Json, Person, Refused, World, until

pytestmark = [pytest.mark.node, pytest.mark.postgres]
FAMILY = "👩‍👩‍👧‍👦"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def brand(world: World) -> Person:
    return world.join("aurora")


@pytest.fixture(scope="module")
def marta(world: World) -> Person:
    return world.join("marta")


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

    def act(self, verb: Any, platform_id: str, *, surface: str = "post", thread: str = "", **more: Any) -> str:
        act = ModerationAct(verb, platform_id, surface, thread, f"{verb}-{platform_id}", **more)
        return with_tools(lambda tools: NETWORK.moderate(act, self.channel, tools)).mark


def answer(text: str, *, surface: str = "post", **more: Any) -> Outgoing:
    given = {"delivery_id": 1, "attempt": 1, "surface": surface, "thread_id": 1, "thread_key": "", "recipient": ""}
    given |= {"idempotency_key": f"key-{text}", "author_kind": "human", "written_at": datetime.now(UTC)}
    return Outgoing(text=text, **(given | more))  # type: ignore[arg-type]


def connect(world: World, brand: Person, password: str) -> ChannelView:
    settings = {"handle": f"@{brand.handle}", "server": world.address, "poll_s": 0.2}
    typed = ChannelView(0, 1, "bluesky", "", "Aurora", "", settings, {"app_password": password})
    known = with_tools(lambda tools: NETWORK.introduce(typed, "", tools))
    return msgspec.structs.replace(
        typed,
        account_key=known.account_key,
        handle=known.handle,
        settings={**settings, **known.settings},
        secrets={**typed.secrets, **known.secrets},
    )


@pytest.fixture
def desk(world: World, brand: Person, marta: Person, request: pytest.FixtureRequest) -> Desk:
    """Connected, and up to date with what the tests before left behind."""
    found = Desk(connect(world, brand, brand.app_password(ids.new_token(6))))
    mark = marta.mention(brand, f"mark {request.node.name}")
    until(lambda: mark["uri"] in [one.platform_id for one in said(found.hear(1))])
    return found


def said(happened: list[Happening]) -> list[Said]:
    return [one for one in happened if isinstance(one, Said)]


def code_of(run: Any) -> str:
    with pytest.raises(ChannelError) as refused:
        run()
    return refused.value.code


def test_the_account_is_found_with_its_home_and_its_direct_messages(world: World, brand: Person, desk: Desk) -> None:
    assert (desk.channel.account_key, desk.channel.handle) == (brand.did, "@aurora.test")
    assert desk.channel.settings["pds"] == world.address
    assert desk.channel.settings["has_chat"] is True
    assert with_tools(lambda tools: NETWORK.check(desk.channel, tools)).code == "ok"


def test_a_wrong_password_and_one_without_direct_messages_are_told_apart(world: World, brand: Person) -> None:
    assert code_of(lambda: connect(world, brand, "aaaa-aaaa-aaaa-aaaa")) == "unauthorised"
    plain = connect(world, brand, brand.app_password("plain", private=False))
    assert plain.settings["has_chat"] is False
    health = with_tools(lambda tools: NETWORK.check(plain, tools))
    assert (health.ok, health.code) == (True, "no_private_access")
    assert [one.name for one in NETWORK.effective(plain).surfaces] == ["post", "comment", "reply"]


def test_a_mention_a_reply_a_quote_and_a_like_are_heard_with_their_thread(
    desk: Desk, brand: Person, marta: Person
) -> None:
    ours = brand.post("Vuelos a Lima")
    picture = {"alt": "una maleta", "image": marta.upload(PNG, "image/png")}
    embed = {"$type": "app.bsky.embed.images", "images": [picture]}
    named = marta.mention(brand, f"¿y mi maleta? {FAMILY}", embed=embed, langs=["es"])
    below = marta.reply(ours, "Es un timo")
    quoted = marta.quote(ours, "Mirad esto")
    marta.like(ours)
    until(lambda: marta.seen(quoted["uri"]))
    happened = desk.hear(6)
    heard = {one.platform_id: one for one in said(happened)}

    first = heard[named["uri"]]
    assert (first.surface, first.is_addressed, first.language) == ("post", True, "es")
    assert first.text == f"@aurora.test ¿y mi maleta? {FAMILY}"
    assert (first.author.key, first.author.handle, first.author.name) == (marta.did, "@marta.test", "Marta")
    assert [file.alt_text for file in first.files] == ["una maleta"]
    second = heard[below["uri"]]
    assert (second.surface, second.thread_key, second.is_addressed) == ("comment", ours["uri"], True)
    assert (second.thread.parent_author, second.thread.parent_text) == ("Aurora", "Vuelos a Lima")
    assert second.thread.reach >= 1
    third = heard[quoted["uri"]]
    assert (third.surface, third.is_addressed, third.thread.parent_text) == ("post", True, "Vuelos a Lima")
    assert heard[ours["uri"]].author.is_us
    assert [one.platform_id for one in happened if isinstance(one, Reacted)] == [ours["uri"]]


def test_an_answer_stands_below_with_its_facets_and_picture(desk: Desk, marta: Person, brand: Person) -> None:
    asked = marta.mention(brand, "hola")
    until(lambda: marta.seen(asked["uri"]))

    async def read() -> bytes:
        return PNG

    text = f"{FAMILY} @marta.test mira https://aurora.test/maletas. #equipaje"
    file = OutgoingFile("maleta.png", "image/png", len(PNG), read, alt_text="una maleta")
    sent = desk.send(text, reply_to=asked["uri"], files=(file,), language="es")
    until(lambda: marta.seen(sent.platform_id))
    shown = marta.seen(sent.platform_id) or {}
    record = shown["record"]
    assert record["reply"]["parent"]["uri"] == asked["uri"]
    cut = [text.encode()[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode() for f in record["facets"]]
    assert cut == ["@marta.test", "https://aurora.test/maletas", "#equipaje"]
    assert record["facets"][0]["features"][0]["did"] == marta.did
    assert (shown["embed"]["images"][0]["alt"], record["langs"]) == ("una maleta", ["es"])


def test_a_post_stands_once_whatever_is_repeated(desk: Desk, marta: Person, brand: Person) -> None:
    asked = marta.mention(brand, "una vez")
    until(lambda: marta.seen(asked["uri"]))
    outgoing = answer("Una sola vez", reply_to=asked["uri"])
    assert with_tools(lambda tools: NETWORK.look_up(outgoing, desk.channel, tools)) is None
    first = with_tools(lambda tools: NETWORK.send(outgoing, desk.channel, tools))
    with pytest.raises(ChannelError) as again:
        with_tools(lambda tools: NETWORK.send(outgoing, desk.channel, tools))
    assert again.value.outcome_unknown
    found = with_tools(lambda tools: NETWORK.look_up(outgoing, desk.channel, tools))
    assert found is not None
    assert found.platform_id == first.platform_id
    assert [one["value"]["text"] for one in brand.posts()].count("Una sola vez") == 1


@pytest.mark.parametrize("one", ["é", FAMILY, "🇪🇸", "க்ஷி", "क्षि", "👍🏽", "e\u0301"])
def test_what_we_count_as_full_is_full_for_the_server(desk: Desk, brand: Person, marta: Person, one: str) -> None:
    rule = NETWORK.capabilities.surface("post").text
    room = next(number for number in range(300, 0, -1) if rule.fits(one * number))
    assert brand.post(one * room)["uri"]
    with pytest.raises(Refused, match="too big"):
        brand.post(one * (room + 1))


def test_a_thread_of_ours_hangs_together_before_the_appview_knows_it(desk: Desk, marta: Person, brand: Person) -> None:
    asked = marta.mention(brand, "explícame")
    until(lambda: marta.seen(asked["uri"]))
    first = desk.send("Parte uno", reply_to=asked["uri"])
    second = desk.send("Parte dos", reply_to=first.platform_id)
    until(lambda: marta.seen(second.platform_id))
    above = (marta.seen(second.platform_id) or {})["record"]["reply"]
    assert (above["root"]["uri"], above["parent"]["uri"]) == (asked["uri"], first.platform_id)


def test_a_comment_is_liked_and_hidden_and_each_is_taken_back(desk: Desk, brand: Person, marta: Person) -> None:
    ours = brand.post("Nueva ruta a Quito")
    below = marta.reply(ours, "Vaya timo")
    until(lambda: brand.seen(below["uri"]))
    mark = desk.act("like", below["uri"], surface="comment")
    until(lambda: (brand.seen(below["uri"]) or {})["viewer"].get("like") == mark)
    assert desk.act("like", below["uri"], surface="comment") == mark
    desk.act("unlike", below["uri"], surface="comment", mark=mark)
    until(lambda: "like" not in (brand.seen(below["uri"]) or {})["viewer"])
    desk.act("hide", below["uri"], surface="comment", thread=ours["uri"])
    desk.act("hide", below["uri"], surface="comment", thread=ours["uri"])
    assert hidden(brand, ours) == [below["uri"]]
    desk.act("unhide", below["uri"], surface="comment", thread=ours["uri"])
    assert hidden(brand, ours) == []


def hidden(brand: Person, post: Json) -> list[str]:
    key = post["uri"].split("/")[-1]
    found = brand.ask("com.atproto.repo.getRecord", repo=brand.did, collection="app.bsky.feed.threadgate", rkey=key)
    return list(found["value"].get("hiddenReplies", []))


def test_what_was_deleted_is_found_by_asking_again_and_ours_is_taken_back(
    desk: Desk, brand: Person, marta: Person
) -> None:
    said_it = marta.mention(brand, "mi pasaporte es zanahoria")
    until(lambda: marta.seen(said_it["uri"]))
    known = (KnownMessage(said_it["uri"], said_it["uri"], "post"),)
    assert with_tools(lambda tools: NETWORK.recheck(known, desk.channel, tools)) == ()
    sent = desk.send("Escríbenos en privado", reply_to=said_it["uri"])
    marta.delete(said_it)
    until(lambda: marta.seen(said_it["uri"]) is None)
    (part,) = with_tools(lambda tools: NETWORK.recheck(known, desk.channel, tools))
    (gone,) = NETWORK.normalise(part, desk.channel)
    assert isinstance(gone, Deleted)
    assert gone.platform_id == said_it["uri"]
    assert code_of(lambda: desk.send("Tarde", reply_to=said_it["uri"])) == "message_gone"
    desk.act("delete", sent.platform_id)
    desk.act("delete", sent.platform_id)
    until(lambda: marta.seen(sent.platform_id) is None)


def test_after_an_outage_reading_goes_on_from_the_cursor_once_each(desk: Desk, brand: Person, marta: Person) -> None:
    missed = [marta.mention(brand, f"perdido {number}")["uri"] for number in range(30)]
    until(lambda: marta.seen(missed[-1]))
    heard = [one.platform_id for one in said(desk.hear(30))]
    assert [uri for uri in heard if uri in missed] == missed
    late = marta.mention(brand, "tarde")["uri"]
    until(lambda: marta.seen(late))
    assert [one.platform_id for one in said(desk.hear(1))] == [late]


def test_a_public_word_is_answered_in_private_and_the_private_answer_is_heard(
    desk: Desk, brand: Person, marta: Person
) -> None:
    asked = marta.mention(brand, "ayuda")
    first = desk.send("¿Nos das tu reserva?", surface="dm", recipient=marta.did, answers_comment=asked["uri"])
    convo = marta.convo(brand)
    assert first.thread_key == convo
    assert [one["text"] for one in marta.messages(convo)] == ["¿Nos das tu reserva?"]
    marta.write(convo, "AB12CD")
    heard = private(desk, 2)
    assert [(one.text, one.author.is_us, one.thread_key) for one in heard] == [
        ("¿Nos das tu reserva?", True, convo),
        ("AB12CD", False, convo),
    ]
    assert heard[1].author.handle == "@marta.test"
    desk.act("react", heard[1].platform_id, surface="dm", thread=convo, emoji="👍")
    assert [one["value"] for one in marta.messages(convo)[0]["reactions"]] == ["👍"]
    outgoing = answer("¿Nos das tu reserva?", surface="dm", thread_key=convo, written_at=None)
    found = with_tools(lambda tools: NETWORK.look_up(outgoing, desk.channel, tools))
    assert found is not None
    assert found.platform_id == first.platform_id


def private(desk: Desk, wanted: int) -> list[Said]:
    found: list[Said] = []
    while len(found) < wanted:
        found += [one for one in said(desk.hear(1)) if one.surface == "dm"]
    return found


def test_an_ended_session_is_renewed_once_and_one_taken_away_stops(world: World, brand: Person) -> None:
    password = brand.app_password("ending")
    channel = connect(world, brand, password)
    ended = msgspec.structs.replace(channel, secrets={**channel.secrets, "access_jwt": "ended"})
    renewals: list[Renewed] = []

    async def ask(view: ChannelView) -> str:
        async def keep(present: ChannelView, renew: Any) -> ChannelView:
            renewals.append(await renew(present))
            return msgspec.structs.replace(present, secrets={**present.secrets, **renewals[-1].secrets})

        async with guarded_client(allow_private=True) as client:
            return (await NETWORK.check(view, Tools(http=client, renew=keep))).code

    assert asyncio.run(ask(ended)) == "ok"
    assert len(renewals) == 1
    assert renewals[0].secrets["refresh_jwt"] != channel.secrets["refresh_jwt"]
    brand.call("com.atproto.server.revokeAppPassword", {"name": "ending"})
    assert asyncio.run(ask(ended)) == "unauthorised"
