"""The network against a real Synapse: sign-in, invitations, both surfaces, threads, edits, redactions, reactions, receipts, files, gaps, once."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from careline.channels.base import (
    ChannelView,
    Deleted,
    Edited,
    Fetched,
    Happening,
    ModerationAct,
    Outgoing,
    OutgoingFile,
    Reacted,
    ReceiptSeen,
    Said,
    Sent,
    Tools,
)
from careline.channels.conformance.acting import with_tools
from careline.channels.matrix import NETWORK
from careline.channels.matrix.inbound import ENCRYPTED
from careline.errors import ChannelError
from careline.kit import ids
from careline.kit.http import guarded_client
from tests.networks.matrix.world import PASSWORD, Person, Refused, World, until

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def brand(world: World) -> Person:
    return world.join("aurora")


@pytest.fixture(scope="module")
def marta(world: World) -> Person:
    return world.join("marta")


@pytest.fixture(scope="module")
def otro(world: World) -> Person:
    return world.join("otro")


@dataclass
class Desk:
    """The channel as it is after connecting, and how far it has read."""

    channel: ChannelView
    cursor: dict[str, object] = field(default_factory=dict)
    journal: set[str] = field(default_factory=set)

    def hear(self, wanted: int, *, looks: int = 40) -> list[Happening]:
        """At least so many happenings, oldest first, each once: the journal knows an event by its id."""
        found: list[Happening] = []

        async def read() -> None:
            left = looks
            async with guarded_client(allow_private=True, timeout_s=20) as client:
                async for fetched in NETWORK.listen(self.channel, self.cursor, Tools(http=client)):
                    found.extend(self._keep(fetched))
                    left -= 1
                    if len(found) >= wanted or not left:
                        return

        asyncio.run(asyncio.wait_for(read(), 25))
        return found

    def _keep(self, fetched: Fetched) -> list[Happening]:
        self.cursor = dict(fetched.cursor)
        fresh = {part.platform_event_id: part for part in fetched.parts if part.platform_event_id not in self.journal}
        self.journal |= set(fresh)
        return [one for part in fresh.values() for one in NETWORK.normalise(part, self.channel)]

    def send(self, text: str, thread: str, **more: Any) -> Sent:
        outgoing = answer(text, thread, **more)
        return with_tools(lambda tools: NETWORK.send(outgoing, self.channel, tools))

    def act(self, verb: Any, platform_id: str, thread: str, **more: Any) -> str:
        surface = "dm" if thread.endswith("/dm") else "group"
        act = ModerationAct(verb, platform_id, surface, thread, ids.new_token(), **more)
        return with_tools(lambda tools: NETWORK.moderate(act, self.channel, tools)).mark


def answer(text: str, thread: str, **more: Any) -> Outgoing:
    given = {"delivery_id": 1, "attempt": 1, "thread_id": 1, "recipient": "", "author_kind": "human"}
    given |= {"idempotency_key": ids.new_token(), "surface": "dm" if thread.endswith("/dm") else "group"}
    return Outgoing(text=text, thread_key=thread, **(given | more))  # type: ignore[arg-type]


def connect(world: World, **more: str) -> ChannelView:
    """By user and password, as the settings page does."""
    settings = {"homeserver": world.address, "user": "aurora", **more}
    typed = ChannelView(0, 1, "matrix", "", "Aurora", "", settings, {"password": PASSWORD}, brand_name="Aurora Air")
    known = with_tools(lambda tools: NETWORK.introduce(typed, "", tools))
    return msgspec.structs.replace(
        typed,
        account_key=known.account_key,
        handle=known.handle,
        settings={**settings, **known.settings},
        secrets={**typed.secrets, **known.secrets},
    )


@pytest.fixture
def desk(world: World, brand: Person) -> Desk:
    """Connected, and up to date with what the tests before left behind."""
    found = Desk(connect(world))
    found.hear(1, looks=1)
    return found


def said(found: list[Happening]) -> list[Said]:
    return [one for one in found if isinstance(one, Said)]


def shared_room(marta: Person, desk: Desk, **more: Any) -> str:
    """A private room that Marta opened and the desk has entered."""
    room = marta.open_room(Person(marta.world, desk.channel.account_key, ""), **more)
    desk.hear(1, looks=2)
    until(lambda: desk.channel.account_key in marta.people_in(room))
    return room


def plaza(marta: Person, otro: Person, desk: Desk) -> str:
    """A public room with three people."""
    room = marta.open_room(Person(marta.world, desk.channel.account_key, ""), name="Travellers", public=True)
    otro.join(room)
    desk.hear(1, looks=2)
    until(lambda: desk.channel.account_key in marta.people_in(room))
    return room


# ---- connecting


def test_a_password_becomes_a_token_and_is_not_kept(world: World, brand: Person) -> None:
    channel = connect(world)
    assert (channel.account_key, channel.handle) == (brand.id, brand.id)
    assert channel.secrets["password"] == ""
    assert channel.secrets["access_token"]
    assert channel.settings["upload_bytes"] == 1024 * 1024
    assert channel.settings["media"] == "client/v1/media"
    assert with_tools(lambda tools: NETWORK.check(msgspec.structs.replace(channel, id=1), tools)).ok
    again = with_tools(lambda tools: NETWORK.introduce(channel, "", tools))
    assert again.settings["device_id"] == channel.settings["device_id"]


def test_a_token_that_ended_is_renewed_and_one_that_cannot_be_is_said_to_be_lost(world: World, brand: Person) -> None:
    channel = connect(world)
    ended = msgspec.structs.replace(channel, secrets={**channel.secrets, "access_token": "syt_ended"})
    assert with_tools(lambda tools: NETWORK.check(msgspec.structs.replace(ended, id=1), tools)).ok
    lost = msgspec.structs.replace(ended, id=1, secrets={"access_token": "syt_ended"})
    health = with_tools(lambda tools: NETWORK.check(lost, tools))
    assert (health.ok, health.code) == (False, "token_refused")
    with pytest.raises(ChannelError) as refused:
        Desk(lost).hear(1)
    assert refused.value.unauthorised


def test_a_wrong_password_is_refused_in_words_and_many_are_slowed_down(world: World, otro: Person) -> None:
    settings = {"homeserver": world.address, "user": "otro"}
    wrong = ChannelView(0, 1, "matrix", "", "", "", settings, {"password": "wrong"})
    codes = [with_tools(lambda tools: NETWORK.check(wrong, tools)).code for _ in range(5)]
    assert codes[0] == "login_refused"
    assert codes[-1] == "rate_limited"
    with pytest.raises(ChannelError) as slowed:
        with_tools(lambda tools: NETWORK.introduce(wrong, "", tools))
    assert (slowed.value.retry_after_s or 0) > 0


def test_what_is_no_homeserver_is_said_so(world: World) -> None:
    for address, code in ((f"{world.address}/nowhere", "answer_unreadable"), ("http://127.0.0.1:9", "unreachable")):
        typed = ChannelView(0, 1, "matrix", "", "", "", {"homeserver": address}, {"access_token": "x"})
        assert with_tools(lambda tools: NETWORK.check(typed, tools)).code == code  # noqa: B023 - run at once


# ---- hearing


def test_an_invitation_is_accepted_and_what_was_said_before_is_heard(desk: Desk, marta: Person) -> None:
    room = marta.open_room(Person(marta.world, desk.channel.account_key, ""))
    marta.say(room, "Hola, ¿y mi maleta?")
    (first,) = said(desk.hear(1))
    assert (first.surface, first.thread_key, first.text) == ("dm", f"{room}/dm", "Hola, ¿y mi maleta?")
    assert (first.author.key, first.author.name, first.is_addressed) == (marta.id, "Marta", True)


def test_an_invitation_waits_where_that_is_the_rule(world: World, brand: Person, marta: Person) -> None:
    desk = Desk(connect(world, accept_invites="no"))
    desk.hear(1, looks=1)
    room = marta.open_room(brand)
    desk.hear(1, looks=1)
    assert room in brand.invitations()
    assert marta.people_in(room) == {marta.id}


def test_in_a_public_room_what_names_or_answers_us_is_to_us(
    desk: Desk, marta: Person, otro: Person, brand: Person
) -> None:
    room = plaza(marta, otro, desk)
    marta.name(room, brand, "where is my bag?")
    otro.say(room, "it rains")
    heard = said(desk.hear(2))
    assert [(one.surface, one.is_addressed) for one in heard] == [("group", True), ("group", False)]
    assert (heard[0].thread.subject, heard[0].thread.reach) == ("Travellers", 3)
    sent = desk.send("We look for it", room, recipient=marta.id, reply_to=heard[0].platform_id)
    marta.reply(room, sent.platform_id, "Thanks")
    marta.say(room, "  @aurora-not-us: hello", **{"m.mentions": {}})
    heard = said(desk.hear(3))
    theirs = [one for one in heard if not one.author.is_us]
    assert [(one.text, one.is_addressed) for one in theirs] == [("Thanks", True), ("  @aurora-not-us: hello", False)]
    shown = marta.seen(room, sent.platform_id)["content"]
    assert shown["m.relates_to"] == {"m.in_reply_to": {"event_id": heard_id(shown)}}
    assert shown["m.mentions"] == {"user_ids": [marta.id]}


def heard_id(content: dict[str, Any]) -> str:
    return str(content["m.relates_to"]["m.in_reply_to"]["event_id"])


def test_what_was_taken_back_before_we_looked_says_nothing(desk: Desk, marta: Person) -> None:
    room = shared_room(marta, desk)
    event_id = marta.say(room, "It is blue")
    marta.edit(room, event_id, "It is green")
    reaction = marta.react(room, event_id, "👍")
    marta.redact(room, reaction)
    marta.redact(room, event_id)
    found = desk.hear(3)
    assert [one.platform_id for one in found if isinstance(one, Deleted)] == [event_id, reaction, event_id]
    assert len(found) == 3


def test_edits_reactions_and_redactions_name_what_was_heard_before_them(desk: Desk, marta: Person) -> None:
    room = shared_room(marta, desk)
    event_id = marta.say(room, "My passport is zanahoria")
    marta.edit(room, event_id, "My passport is 87654321A")
    reaction = marta.react(room, event_id, "👍")
    first, changed, reacted = desk.hear(3)
    assert isinstance(first, Said)
    assert isinstance(changed, Edited)
    assert (changed.platform_id, changed.text) == (event_id, "My passport is 87654321A")
    assert isinstance(reacted, Reacted)
    assert (reacted.platform_id, reacted.emoji) == (event_id, "👍")
    marta.redact(room, reaction)
    marta.redact(room, event_id)
    taken_back, gone = desk.hear(2)
    assert isinstance(taken_back, Reacted)
    assert (taken_back.platform_id, taken_back.emoji, taken_back.author.key) == (event_id, "", marta.id)
    assert isinstance(gone, Deleted)
    assert gone.platform_id == event_id


def test_what_was_said_in_an_outage_is_read_whole_in_order_and_once(desk: Desk, marta: Person, otro: Person) -> None:
    room = shared_room(marta, desk)
    crowd = plaza(marta, otro, desk)
    for number in range(130):
        marta.say(room, f"private {number}")
        if number < 45:
            otro.say(crowd, f"public {number}")
    told = [one.text for one in said(desk.hear(175))]
    assert [text for text in told if text.startswith("private")] == [f"private {n}" for n in range(130)]
    assert [text for text in told if text.startswith("public")] == [f"public {n}" for n in range(45)]
    marta.say(room, "after")
    assert [one.text for one in said(desk.hear(1))] == ["after"]


def test_a_private_room_full_of_words_from_before_we_entered_is_read_from_its_beginning(
    world: World, brand: Person, marta: Person
) -> None:
    quiet = Desk(connect(world, accept_invites="no"))
    quiet.hear(1, looks=1)
    room = marta.open_room(brand)
    for number in range(30):
        marta.say(room, f"waiting {number}")
    quiet.hear(1, looks=1)
    brand.join(room)
    assert [one.text for one in said(quiet.hear(30))] == [f"waiting {number}" for number in range(30)]


def test_what_is_encrypted_is_said_to_be_and_not_lost(desk: Desk, marta: Person) -> None:
    room = shared_room(marta, desk)
    content = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgAEn", "session_id": "s", "device_id": "d"}
    marta.send(room, {**content, "sender_key": "k"}, kind="m.room.encrypted")
    (heard,) = said(desk.hear(1))
    assert (heard.text, heard.is_addressed) == (ENCRYPTED, True)


def test_a_file_is_fetched_with_our_token(desk: Desk, marta: Person) -> None:
    room = shared_room(marta, desk)
    content = {"msgtype": "m.image", "body": "bag.png", "url": marta.upload(PNG, "image/png")}
    marta.send(room, {**content, "info": {"mimetype": "image/png"}})
    (heard,) = said(desk.hear(1))
    assert (heard.text, heard.files[0].name) == ("", "bag.png")
    source = with_tools(lambda tools: NETWORK.locate_file(heard.files[0].url, desk.channel, tools))

    async def fetch() -> bytes:
        async with guarded_client(allow_private=True) as client:
            return (await client.request("GET", source.url, headers=source.headers)).body

    assert asyncio.run(fetch()) == PNG


def test_what_we_say_elsewhere_is_ours_and_what_we_send_comes_back_with_its_key(
    desk: Desk, marta: Person, brand: Person
) -> None:
    room = shared_room(marta, desk)
    brand.say(room, "from the phone")
    outgoing = answer("from the desk", f"{room}/dm")
    with_tools(lambda tools: NETWORK.send(outgoing, desk.channel, tools))
    elsewhere, echo = said(desk.hear(2))
    assert (elsewhere.text, elsewhere.author.is_us, elsewhere.idempotency_key) == ("from the phone", True, "")
    assert (echo.text, echo.author.is_us, echo.idempotency_key) == ("from the desk", True, outgoing.idempotency_key)


def test_who_reads_one_of_ours_has_read_those_before(desk: Desk, marta: Person) -> None:
    room = shared_room(marta, desk)
    sent = [desk.send(text, f"{room}/dm").platform_id for text in ("one", "two", "three")]
    assert len(said(desk.hear(3))) == 3
    marta.read(room, sent[1])
    first = desk.hear(2)
    assert [(type(one), getattr(one, "platform_id", "")) for one in first] == [(ReceiptSeen, one) for one in sent[:2]]
    marta.read(room, sent[2])
    (last,) = desk.hear(1)
    assert isinstance(last, ReceiptSeen)
    assert (last.platform_id, last.state) == (sent[2], "read")


# ---- saying


def test_the_same_message_tried_twice_stands_once(desk: Desk, marta: Person, brand: Person) -> None:
    room = shared_room(marta, desk)
    outgoing = answer("once", f"{room}/dm")
    sent = [with_tools(lambda tools: NETWORK.send(outgoing, desk.channel, tools)) for _ in range(2)]
    assert sent[0].platform_id == sent[1].platform_id
    assert marta.texts(room, brand) == ["once"]


def test_files_stand_beside_the_text_and_are_deleted_with_it(desk: Desk, marta: Person, brand: Person) -> None:
    async def read() -> bytes:
        return PNG

    room = shared_room(marta, desk)
    files = (OutgoingFile("a.png", "image/png", len(PNG), read), OutgoingFile("b.bin", "application/x", 67, read))
    sent = desk.send("look", f"{room}/dm", files=files)
    shown = [one for one in marta.messages(room) if one["sender"] == brand.id]
    assert [one["content"]["msgtype"] for one in shown] == ["m.text", "m.image", "m.file"]
    assert marta.download(shown[1]["content"]["url"]) == PNG
    assert sent.aliases == tuple(one["event_id"] for one in shown[1:])
    assert len(said(desk.hear(1, looks=3))) == 1
    desk.act("delete", sent.platform_id, f"{room}/dm")
    assert marta.texts(room, brand) == []
    desk.act("delete", sent.platform_id, f"{room}/dm")


def test_an_edit_of_ours_is_seen(desk: Desk, marta: Person) -> None:
    room = shared_room(marta, desk)
    sent = desk.send("Un momento", f"{room}/dm")
    changed = answer("Ya está", f"{room}/dm")
    with_tools(lambda tools: NETWORK.edit(sent.platform_id, changed, desk.channel, tools))
    page = marta.messages(room)
    assert page[-1]["content"]["m.new_content"]["body"] == "Ya está"
    assert page[-1]["content"]["m.relates_to"]["event_id"] == sent.platform_id


def test_an_answer_goes_into_the_thread_of_what_it_answers(
    desk: Desk, marta: Person, otro: Person, brand: Person
) -> None:
    room = plaza(marta, otro, desk)
    root = marta.name(room, brand, "my bag")
    below = marta.reply(room, root, "it is blue", thread=root)
    heard = said(desk.hear(2))
    assert [one.reply_to for one in heard] == ["", root]
    sent = desk.send("Found", room, recipient=marta.id, reply_to=below)
    relation = marta.seen(room, sent.platform_id)["content"]["m.relates_to"]
    assert (relation["rel_type"], relation["event_id"]) == ("m.thread", root)
    assert relation["m.in_reply_to"] == {"event_id": below}


def test_reactions_of_ours_come_and_go_and_twice_is_once(desk: Desk, marta: Person) -> None:
    room = shared_room(marta, desk)
    event_id = marta.say(room, "thanks")
    mark = desk.act("react", event_id, f"{room}/dm", emoji="👍")
    assert desk.act("react", event_id, f"{room}/dm", emoji="👍") == mark
    assert marta.seen(room, mark)["content"]["m.relates_to"]["key"] == "👍"
    desk.act("unreact", event_id, f"{room}/dm", emoji="👍", mark=mark)
    assert marta.seen(room, mark)["content"] == {}
    desk.act("unreact", event_id, f"{room}/dm", emoji="👍")


def test_a_first_private_word_opens_one_room_and_later_ones_find_it(
    desk: Desk, world: World, otro: Person, brand: Person
) -> None:
    lola = world.join("lola")
    first = answer("In private", "", surface="dm", recipient=lola.id, answers_comment="$any")
    sent = [with_tools(lambda tools: NETWORK.send(first, desk.channel, tools)) for _ in range(2)]
    assert sent[0] == sent[1]
    (room,) = lola.invitations()
    assert sent[0].thread_key == f"{room}/dm"
    lola.join(room)
    assert lola.texts(room, brand) == ["In private"]
    lola.say(room, "Here I am")
    heard = [one for one in said(desk.hear(2)) if not one.author.is_us]
    assert [(one.surface, one.thread_key, one.text) for one in heard] == [("dm", f"{room}/dm", "Here I am")]
    second = answer("Again", "", surface="dm", recipient=lola.id, answers_comment="$other")
    assert with_tools(lambda tools: NETWORK.send(second, desk.channel, tools)).thread_key == f"{room}/dm"
    for kind, content in (
        ("invite", {"user_id": otro.id}),
        ("state/m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}),
    ):
        with pytest.raises(Refused):
            lola.call("POST" if kind == "invite" else "PUT", f"/_matrix/client/v3/rooms/{room}/{kind}", content)


def test_nothing_private_is_said_once_a_third_is_in_the_room(desk: Desk, marta: Person, otro: Person) -> None:
    room = shared_room(marta, desk)
    marta.call("POST", f"/_matrix/client/v3/rooms/{room}/invite", {"user_id": otro.id})
    otro.join(room)
    with pytest.raises(ChannelError) as refused:
        desk.send("A secret", f"{room}/dm")
    assert (refused.value.code, refused.value.permanent) == ("room_not_private", True)
    otro.say(room, "I am here too")
    (now,) = [one for one in said(desk.hear(1)) if one.author.key == otro.id]
    assert (now.surface, now.thread_key) == ("group", room)


def test_the_room_a_customer_opened_is_where_a_first_private_word_goes(desk: Desk, world: World) -> None:
    eva = world.join("eva")
    room = shared_room(eva, desk)
    first = answer("In private", "", surface="dm", recipient=eva.id, answers_comment="$any")
    assert with_tools(lambda tools: NETWORK.send(first, desk.channel, tools)).thread_key == f"{room}/dm"
    assert eva.invitations() == []


def test_what_is_too_long_is_refused_before_and_by_the_server(desk: Desk, marta: Person) -> None:
    room = shared_room(marta, desk)
    with pytest.raises(ChannelError) as refused:
        desk.send("x" * 28_001, f"{room}/dm")
    assert (refused.value.code, refused.value.permanent) == ("text_too_long", True)
    largest = desk.send("x" * 28_000, f"{room}/dm")
    longer = answer('"' * 14_000, f"{room}/dm")
    with_tools(lambda tools: NETWORK.edit(largest.platform_id, longer, desk.channel, tools))
    too_long = answer('"' * 28_000, f"{room}/dm")
    with pytest.raises(ChannelError):
        with_tools(lambda tools: NETWORK.edit(largest.platform_id, too_long, desk.channel, tools))


def test_typing_is_shown(desk: Desk, marta: Person, brand: Person) -> None:
    room = shared_room(marta, desk)
    with_tools(lambda tools: NETWORK.show_typing(f"{room}/dm", desk.channel, tools))
    assert marta.typists(room) == [brand.id]


def test_a_room_we_were_put_out_of_refuses_for_good(desk: Desk, marta: Person, brand: Person) -> None:
    room = shared_room(marta, desk, preset="private_chat")
    marta.say(room, "Never mind, bye")
    marta.call("POST", f"/_matrix/client/v3/rooms/{room}/kick", {"user_id": brand.id})
    with pytest.raises(ChannelError) as refused:
        desk.send("Hello?", f"{room}/dm")
    assert (refused.value.code, refused.value.permanent, refused.value.outcome_unknown) == (
        "removed_from_chat",
        True,
        False,
    )
    (last,) = said(desk.hear(1))
    assert (last.text, last.surface, last.thread_key) == ("Never mind, bye", "dm", f"{room}/dm")
