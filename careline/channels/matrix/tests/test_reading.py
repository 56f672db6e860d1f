"""Reading Matrix: gaps, pages, invitations, what is remembered, what is asked beside; connecting, the live check, and files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from careline.channels.base import ChannelView, Deleted, Fetched, Happening, Reacted, ReceiptSeen, Said
from careline.channels.conformance.acting import with_tools
from careline.channels.matrix import NETWORK, setup, wire
from careline.channels.matrix.tests import specification
from careline.channels.matrix.tests.homeserver import DM, GROUP, MARTA, OTRO, PASSWORD, TOKEN, US, Homeserver
from careline.channels.matrix.tests.rig import channel_view
from careline.errors import ChannelError

TEXT = {"msgtype": "m.text", "body": "words"}


@pytest.fixture
def server() -> Iterator[Homeserver]:
    found = Homeserver(channel_view())
    yield found
    found.stop()


class Reader:
    """One reading of the account after the other, each from the cursor of the last."""

    def __init__(self, server: Homeserver, **settings: str) -> None:
        self.cursor: dict[str, object] = {}
        self.channel = msgspec.structs.replace(server.channel, settings={**server.channel.settings, **settings})

    def look(self, pieces: int = 1) -> list[Happening]:
        """What so many pieces bring."""
        found: list[Fetched] = []

        async def read(tools: Any) -> None:
            async for fetched in NETWORK.listen(self.channel, self.cursor, tools):
                found.append(fetched)
                if len(found) == pieces:
                    return

        with_tools(lambda tools: asyncio.wait_for(read(tools), 20))
        self.cursor = dict(found[-1].cursor)
        return [one for fetched in found for part in fetched.parts for one in NETWORK.normalise(part, self.channel)]

    def texts(self, pieces: int = 1) -> list[str]:
        return [one.text for one in self.look(pieces) if isinstance(one, Said)]


# ---- /sync


def test_the_example_of_an_answer_to_sync_is_read() -> None:
    specification.need()
    described = specification.described("sync", "/sync")["responses"]["200"]["content"]["application/json"]
    example = described["examples"]["response"]["value"]
    found = msgspec.json.decode(json.dumps(example), type=wire.Sync)
    (room,) = found.rooms.join.values()
    assert len(room.timeline.events) == 2
    assert found.rooms.invite


def test_a_gap_is_read_page_by_page_oldest_first_and_the_position_moves_last(server: Homeserver) -> None:
    reader = Reader(server)
    reader.look()
    begun = reader.cursor["since"]
    server.limit = 2
    for number in range(8):
        server.say(DM, MARTA, {"msgtype": "m.text", "body": f"word {number}"})
    assert reader.texts() == ["word 0", "word 1", "word 2"]
    assert reader.cursor["since"] == begun
    assert reader.texts(3) == [f"word {number}" for number in range(8)]
    assert reader.cursor["since"] != begun


def test_an_answer_too_large_is_asked_for_in_smaller_pieces(server: Homeserver) -> None:
    """Nine rooms with twenty messages of 60 KB each are more than 10 MB."""
    reader = Reader(server)
    reader.look()
    rooms = [f"!long{number}:air.test" for number in range(9)]
    server.members |= {room: [US, MARTA] for room in rooms}
    for number in range(180):
        server.say(rooms[number % 9], MARTA, {"msgtype": "m.text", "body": f"{number} " + "x" * 60_000})
    asked = len(_limits(server))
    found = reader.texts(9 * 7 + 1)
    assert _limits(server)[asked : asked + 2] == [20, 1]
    assert sorted({int(text.split()[0]) for text in found}) == list(range(180))


def _limits(server: Homeserver) -> list[int]:
    asked = [one for _, path, one in server.requests if path.endswith("/sync")]
    return [json.loads(one["filter"])["room"]["timeline"]["limit"] for one in asked]


def test_a_room_of_more_than_can_be_told_is_public_and_stops_nothing(server: Homeserver) -> None:
    crowd = [f"@{'p' * 200}{number}:people.test" for number in range(25_000)]
    server.members["!huge:air.test"] = [US, *crowd]
    server.say("!huge:air.test", crowd[0], TEXT)
    server.say(DM, MARTA, TEXT)
    found = {one.thread_key: one for one in Reader(server).look() if isinstance(one, Said)}
    assert found["!huge:air.test"].surface == "group"
    assert f"{DM}/dm" in found


def test_what_cannot_be_read_stops_nothing_else(server: Homeserver) -> None:
    server.say(DM, MARTA, {"msgtype": "m.text", "body": "before"})
    server.log.append((DM, {"type": "m.room.message", "event_id": 5, "content": {}}))
    server.say(DM, MARTA, {"msgtype": "m.text", "body": "after"})
    fetched = with_tools(lambda tools: asyncio.wait_for(anext(NETWORK.listen(server.channel, {}, tools)), 10))
    keys = [part.platform_event_id for part in fetched.parts]
    assert len(keys) == 3
    assert keys[1].startswith("unread:")
    server.wrong.clear()  # the fake was made to say something wrong


# ---- what is asked beside


def test_a_room_is_private_for_two_behind_a_door_and_public_for_three_or_where_anybody_may_come(
    server: Homeserver,
) -> None:
    server.members |= {"!open:air.test": [US, MARTA], "!club:air.test": [US, MARTA, OTRO]}
    server.rules |= {"!open:air.test": "public"}
    for room in (DM, "!open:air.test", "!club:air.test"):
        server.say(room, MARTA, TEXT)
    surfaces = {one.thread_key: one.surface for one in Reader(server).look() if isinstance(one, Said)}
    assert surfaces == {f"{DM}/dm": "dm", "!open:air.test": "group", "!club:air.test": "group"}


def test_a_third_person_makes_a_private_room_public_from_then_on(server: Homeserver) -> None:
    reader = Reader(server)
    server.say(DM, MARTA, TEXT)
    assert [one.surface for one in reader.look() if isinstance(one, Said)] == ["dm"]
    server.members[DM].append(OTRO)
    server.say(DM, OTRO, {"membership": "join"}, kind="m.room.member", state_key=OTRO)
    server.say(DM, OTRO, TEXT)
    assert [one.thread_key for one in reader.look() if isinstance(one, Said)] == [DM]


def test_an_answer_to_ours_is_to_us_and_brings_along_what_it_answers(server: Homeserver) -> None:
    reader = Reader(server)
    ours = server.say(GROUP, US, TEXT)
    theirs = server.say(GROUP, OTRO, {"msgtype": "m.text", "body": "it rains"})
    reader.look()
    for above in (ours, theirs):
        server.say(
            GROUP, MARTA, {"msgtype": "m.text", "body": above, "m.relates_to": {"m.in_reply_to": {"event_id": above}}}
        )
    found = [one for one in reader.look() if isinstance(one, Said)]
    assert [(one.platform_id, one.text) for one in found[::2]] == [(ours, "words"), (theirs, "it rains")]
    assert [one.is_addressed for one in found if one.author.key == MARTA] == [True, False]


@pytest.mark.parametrize(("editor", "count"), [(MARTA, 1), (OTRO, 0)])
def test_only_an_authors_own_edit_is_kept(server: Homeserver, editor: str, count: int) -> None:
    reader = Reader(server)
    said = server.say(GROUP, MARTA, TEXT)
    reader.look()
    change = {"m.new_content": {"msgtype": "m.text", "body": "I love it"}}
    relation = {"m.relates_to": {"rel_type": "m.replace", "event_id": said}}
    server.say(GROUP, editor, {"msgtype": "m.text", "body": "* I love it", **change, **relation})
    assert len(reader.look()) == count


def test_an_edit_of_what_is_gone_does_not_bring_its_words_back(server: Homeserver) -> None:
    gone = server.say(DM, MARTA, {})
    relation = {"m.relates_to": {"rel_type": "m.replace", "event_id": gone}}
    new = {"m.new_content": {"msgtype": "m.text", "body": "My passport is 12345678Z"}}
    server.say(DM, MARTA, {"msgtype": "m.text", "body": "*", **new, **relation})
    fetched = with_tools(lambda tools: asyncio.wait_for(anext(NETWORK.listen(server.channel, {}, tools)), 10))
    assert not any(b"12345678Z" in part.raw for part in fetched.parts)


# ---- what is remembered


def test_a_reaction_taken_back_leaves_the_others_of_that_person(server: Homeserver) -> None:
    reader = Reader(server)
    said = server.say(DM, MARTA, TEXT)
    reactions = [
        server.say(
            DM, MARTA, {"m.relates_to": {"rel_type": "m.annotation", "event_id": said, "key": key}}, kind="m.reaction"
        )
        for key in ("👍", "🎉")
    ]
    reader.look()
    for reaction in reversed(reactions):
        server.say(DM, MARTA, {"redacts": reaction}, kind="m.room.redaction")
    found = [(one.platform_id, one.emoji) for one in reader.look() if isinstance(one, Reacted)]
    assert found == [(said, "👍"), (said, "")]
    server.say(DM, MARTA, {"redacts": said}, kind="m.room.redaction")
    (gone,) = reader.look()
    assert isinstance(gone, Deleted)


def test_a_receipt_reads_ours_up_to_it_also_after_a_restart_and_each_once(server: Homeserver) -> None:
    reader = Reader(server)
    ours = [server.say(DM, US, TEXT) for _ in range(3)]
    reader.look()
    server.read_up_to(DM, ours[1], MARTA)
    assert [one.platform_id for one in reader.look() if isinstance(one, ReceiptSeen)] == ours[:2]
    for reader_of_it, event_id in ((US, ours[2]), (MARTA, ours[0]), (MARTA, "$theirs")):
        server.read_up_to(DM, event_id, reader_of_it)
    assert reader.look() == []
    server.read_up_to(DM, ours[2], MARTA)
    assert [one.platform_id for one in reader.look() if isinstance(one, ReceiptSeen)] == ours[2:]


def test_who_reads_in_a_public_room_is_nobodys_business(server: Homeserver) -> None:
    reader = Reader(server)
    ours = server.say(GROUP, US, TEXT)
    reader.look()
    server.read_up_to(GROUP, ours, MARTA)
    assert reader.look() == []


# ---- invitations


def test_a_room_that_cannot_be_entered_yet_is_tried_again_and_one_that_never_can_is_not(server: Homeserver) -> None:
    reader = Reader(server)
    server.invites = {"!later:air.test": MARTA}
    server.joins_fail = [(502, {"errcode": "M_UNKNOWN", "error": "away"})]
    reader.look()
    assert reader.cursor["invited"] == (("!later:air.test", ""),)
    server.say("!later:air.test", MARTA, {"msgtype": "m.text", "body": "before you came"})
    reader.look()
    assert reader.cursor["invited"] == ()
    server.invites = {"!never:air.test": MARTA}
    server.joins_fail = [(403, {"errcode": "M_FORBIDDEN", "error": "banned"})] * 2
    reader.look()
    assert reader.cursor["invited"] == ()


def test_whoever_wants_us_alone_is_found_there_later(server: Homeserver) -> None:
    server.invites = {"!alone:air.test": OTRO, "!club:air.test": MARTA}
    server.alone = {"!alone:air.test"}
    Reader(server).look()
    assert server.directs == {OTRO: ["!alone:air.test"]}


def test_invitations_wait_where_that_is_the_rule(server: Homeserver) -> None:
    server.invites = {"!new:air.test": MARTA}
    Reader(server, accept_invites="no").look()
    assert "!new:air.test" in server.invites
    Reader(server).look()
    assert server.invites == {}


# ---- connecting


def typed(server: Homeserver, **secrets: str) -> ChannelView:
    settings = {"homeserver": server.address, "user": "care"}
    return ChannelView(0, 1, "matrix", "", "Aurora", "", settings, secrets)


def test_a_password_is_exchanged_once_and_replaced_by_nothing(server: Homeserver) -> None:
    known = with_tools(lambda tools: setup.introduce(typed(server, password=PASSWORD), tools))
    assert (known.account_key, known.handle, known.secrets["password"]) == (US, US, "")
    assert known.settings == {
        "base_url": server.address,
        "device_id": "DESK",
        "media": "client/v1/media",
        "upload_bytes": 1_000_000,
    }
    logins = [body for _, path, body in server.requests if path.endswith("/login")]
    assert [one["identifier"] for one in logins] == [{"type": "m.id.user", "user": "care"}]
    assert logins[0]["refresh_token"] is True


def test_a_password_typed_again_signs_in_as_the_same_device(server: Homeserver) -> None:
    channel = typed(server, password=PASSWORD)
    channel = msgspec.structs.replace(channel, settings={**channel.settings, "device_id": "DESK"})
    with_tools(lambda tools: setup.introduce(channel, tools))
    (login,) = [body for _, path, body in server.requests if path.endswith("/login")]
    assert login["device_id"] == "DESK"


def test_a_check_with_a_password_gives_its_token_back(server: Homeserver) -> None:
    assert with_tools(lambda tools: setup.check(typed(server, password=PASSWORD), tools)).ok
    assert server.requests[-1][1].endswith("/logout")
    assert with_tools(lambda tools: setup.check(typed(server, access_token="syt_token_2"), tools)).ok
    assert not server.requests[-1][1].endswith("/logout")


@pytest.mark.parametrize(
    ("secrets", "code"),
    [({"password": "wrong"}, "login_refused"), ({"access_token": "wrong"}, "token_refused"), ({}, "not_configured")],
)
def test_each_failure_has_its_code(server: Homeserver, secrets: dict[str, str], code: str) -> None:
    assert with_tools(lambda tools: setup.check(typed(server, **secrets), tools)).code == code


def test_a_token_of_another_account_is_said_to_be_one(server: Homeserver) -> None:
    channel = msgspec.structs.replace(typed(server, access_token=TOKEN), account_key="@other:air.test")
    assert with_tools(lambda tools: setup.check(channel, tools)).code == "account_not_served"


@pytest.mark.parametrize(
    ("versions", "is_new"), [(("v1.10", "r0.6.1"), False), (("v1.11",), True), (("v2.0", "x"), True)]
)
def test_files_are_at_the_addresses_of_the_servers_version(versions: tuple[str, ...], is_new: bool) -> None:
    assert setup._is_at_least(wire.Versions(versions), setup.AUTHENTICATED) == is_new
    channel = channel_view()
    settings = {**channel.settings, "media": "client/v1/media" if is_new else "media/v3"}
    where = msgspec.structs.replace(channel, settings=settings)
    source = with_tools(lambda tools: setup.locate_file("matrix:people.test/a%2Fb?c", where, tools))
    place = "client/v1/media" if is_new else "media/v3"
    assert source.url == f"http://127.0.0.1:9/_matrix/{place}/download/people.test/a%252Fb%3Fc"
    assert source.headers == {"authorization": f"Bearer {TOKEN}"}


def test_a_lost_token_is_said_by_the_reader(server: Homeserver) -> None:
    server.tokens.clear()
    with pytest.raises(ChannelError) as lost:
        Reader(server).look()
    assert lost.value.unauthorised
