"""What leaves for Matrix: relations, files, private rooms, edits, reactions, deletions, tokens, limits. The fake holds every request against the specification."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from careline.channels.base import ModerationAct, Outgoing, OutgoingFile, Sent
from careline.channels.conformance.acting import with_tools
from careline.channels.matrix import NETWORK
from careline.channels.matrix.calling import Refused, read
from careline.channels.matrix.tests import specification
from careline.channels.matrix.tests.homeserver import DM, GROUP, MARTA, OTRO, REFRESH, TOKEN, US, Homeserver
from careline.channels.matrix.tests.rig import MatrixRig, channel_view
from careline.errors import ChannelError
from careline.kit.http import Answer


@pytest.fixture
def server() -> Iterator[Homeserver]:
    found = Homeserver(channel_view())
    yield found
    found.stop()


def outgoing(server: Homeserver, text: str, *, surface: str = "dm", **more: Any) -> Outgoing:
    return msgspec.structs.replace(MatrixRig().outgoing(server.channel, text, surface=surface), **more)


def send(server: Homeserver, text: str, **more: Any) -> Sent:
    message = outgoing(server, text, **more)
    return with_tools(lambda tools: NETWORK.send(message, server.channel, tools))


def contents(server: Homeserver) -> list[dict[str, Any]]:
    return [one["content"] for _, one in server.log if one["sender"] == US and one["type"] == "m.room.message"]


def file_of(name: str, kind: str, content: bytes = b"bytes", alt: str = "") -> OutgoingFile:
    async def read_it() -> bytes:
        return content

    return OutgoingFile(name, kind, len(content), read_it, alt_text=alt)


# ---- messages


def test_every_request_is_judged_by_the_specification(server: Homeserver) -> None:
    """The fake's judge bites: a request with a wrong field is found."""
    specification.need()
    where = "/_matrix/client/v3/createRoom"
    assert specification.complaints("POST", where, b'{"preset":"secret"}', "application/json")
    assert specification.complaints("PUT", "/_matrix/client/v3/rooms/!a/send/m.room.message/1", b"{}", "text/plain")
    assert specification.complaints("GET", "/_matrix/client/v3/nowhere", b"", "")
    message = json.dumps({"msgtype": "m.image", "body": 5}).encode()
    assert specification.complaints(
        "PUT", "/_matrix/client/v3/rooms/!a/send/m.room.message/1", message, "application/json"
    )
    send(server, "Hola")
    assert server.wrong == []


def test_in_public_an_answer_hangs_on_what_it_answers_and_names_its_author(server: Homeserver) -> None:
    asked = server.say(GROUP, MARTA, {"msgtype": "m.text", "body": "bag?"})
    send(server, "We look", surface="group", reply_to=asked)
    (content,) = contents(server)
    assert content["m.relates_to"] == {"m.in_reply_to": {"event_id": asked}}
    assert content["m.mentions"] == {"user_ids": [MARTA]}


def test_in_private_nobody_is_quoted_and_nobody_is_named(server: Homeserver) -> None:
    asked = server.say(DM, MARTA, {"msgtype": "m.text", "body": "bag?"})
    send(server, "We look", reply_to=asked)
    assert contents(server) == [{"msgtype": "m.text", "body": "We look", "m.mentions": {}}]


@pytest.mark.parametrize(("surface", "room"), [("dm", DM), ("group", GROUP)])
def test_what_was_said_in_a_thread_is_answered_in_it(server: Homeserver, surface: str, room: str) -> None:
    inside = {"rel_type": "m.thread", "event_id": "$root"}
    asked = server.say(room, MARTA, {"msgtype": "m.text", "body": "bag?", "m.relates_to": inside})
    send(server, "We look", surface=surface, reply_to=asked, files=(file_of("a.png", "image/png"),))
    text, picture = contents(server)
    whole = {**inside, "is_falling_back": False, "m.in_reply_to": {"event_id": asked}}
    assert (text["m.relates_to"], picture["m.relates_to"]) == (whole, whole)


def test_what_is_gone_is_answered_without_it(server: Homeserver) -> None:
    send(server, "We look", surface="group", reply_to="$gone")
    assert "m.relates_to" not in contents(server)[0]


def test_files_stand_beside_their_text_each_once(server: Homeserver) -> None:
    files = (file_of("a.png", "image/png", alt="a red bag"), file_of("b", "application/pdf"), file_of("c", "audio/ogg"))
    server.plan("failing")
    with pytest.raises(ChannelError):
        send(server, "look", files=files)
    sent = send(server, "look", files=files)
    text, picture, paper, voice = contents(server)
    assert [one["msgtype"] for one in (text, picture, paper, voice)] == ["m.text", "m.image", "m.file", "m.audio"]
    assert (picture["body"], picture["filename"], picture["info"]["mimetype"]) == ("a red bag", "a.png", "image/png")
    assert picture["m.relates_to"] == {"rel_type": "m.reference", "event_id": sent.platform_id}
    assert len(sent.aliases) == 3


def test_a_file_without_words_is_the_message(server: Homeserver) -> None:
    sent = send(server, "", files=(file_of("a.png", "image/png"),))
    (content,) = contents(server)
    assert (content["msgtype"], sent.aliases) == ("m.image", ())


def test_what_the_server_does_not_take_is_refused_before(server: Homeserver) -> None:
    channel = msgspec.structs.replace(server.channel, settings={**server.channel.settings, "upload_bytes": 3})
    message = outgoing(server, "look", files=(file_of("a.png", "image/png"),))
    with pytest.raises(ChannelError) as refused:
        with_tools(lambda tools: NETWORK.send(message, channel, tools))
    assert (refused.value.code, refused.value.permanent, server.uploads) == ("too_large", True, [])
    assert NETWORK.effective(channel).surface("dm").attachments.kinds[0].max_bytes == 3


# ---- private rooms


def first_word(server: Homeserver, person: str, **more: Any) -> Outgoing:
    given = {"thread_key": "", "recipient": person, "answers_comment": "$any", **more}
    return outgoing(server, "In private", **given)


def test_a_first_private_word_opens_a_room_for_two_named_like_the_brand(server: Homeserver) -> None:
    message = first_word(server, OTRO)
    sent = with_tools(lambda tools: NETWORK.send(message, server.channel, tools))
    (made,) = [body for verb, path, body in server.requests if path.endswith("/createRoom")]
    assert (made["is_direct"], made["invite"], made["name"]) == (True, [OTRO], "Aurora Air")
    assert (made["preset"], made["power_level_content_override"]) == ("private_chat", {"invite": 50})
    assert server.directs == {OTRO: [sent.thread_key.removesuffix("/dm")]}


def test_a_room_made_in_a_try_that_broke_is_found_by_the_next(server: Homeserver) -> None:
    server.plan("cut")
    message = first_word(server, OTRO)
    with pytest.raises(ChannelError):
        with_tools(lambda tools: NETWORK.send(message, server.channel, tools))
    server.directs = {}
    sent = with_tools(lambda tools: NETWORK.send(message, server.channel, tools))
    assert len(server.aliases) == 1
    assert [room for room, one in server.log if one["sender"] == US] == [sent.thread_key.removesuffix("/dm")]


def test_the_room_we_share_is_used_unless_somebody_is_missing_or_too_many(server: Homeserver) -> None:
    server.directs = {MARTA: ["!left:air.test", DM]}
    server.members["!left:air.test"] = [US]
    message = first_word(server, MARTA)
    assert with_tools(lambda tools: NETWORK.send(message, server.channel, tools)).thread_key == f"{DM}/dm"
    server.members[DM].append(OTRO)
    second = first_word(server, MARTA, idempotency_key="key-2")
    sent = with_tools(lambda tools: NETWORK.send(second, server.channel, tools))
    assert sent.thread_key not in {f"{DM}/dm", "!left:air.test/dm"}
    assert server.directs[MARTA] == ["!left:air.test", DM, sent.thread_key.removesuffix("/dm")]


def test_nothing_private_is_said_to_three(server: Homeserver) -> None:
    server.members[DM].append(OTRO)
    with pytest.raises(ChannelError) as refused:
        send(server, "a secret")
    assert (refused.value.code, refused.value.permanent, server.posted()) == ("room_not_private", True, [])


# ---- changes


def test_an_edit_says_its_words_twice_and_counts_them_so(server: Homeserver) -> None:
    change = outgoing(server, "Ya está")
    for _ in range(2):
        with_tools(lambda tools: NETWORK.edit("$ours", change, server.channel, tools))
    (content,) = contents(server)
    assert (content["body"], content["m.new_content"]["body"]) == ("* Ya está", "Ya está")
    assert "m.mentions" not in content, "nobody is told again"
    assert content["m.relates_to"] == {"rel_type": "m.replace", "event_id": "$ours"}
    too_long = outgoing(server, '"' * 28_000)
    with pytest.raises(ChannelError) as refused:
        with_tools(lambda tools: NETWORK.edit("$ours", too_long, server.channel, tools))
    assert (refused.value.code, refused.value.permanent) == ("text_too_long", True)


def act(server: Homeserver, verb: Any, platform_id: str, **more: Any) -> str:
    wanted = ModerationAct(verb, platform_id, "dm", f"{DM}/dm", more.pop("key", f"key-{verb}"), **more)
    return with_tools(lambda tools: NETWORK.moderate(wanted, server.channel, tools)).mark


def test_a_reaction_that_is_there_already_is_found(server: Homeserver) -> None:
    asked = server.say(DM, MARTA, {"msgtype": "m.text", "body": "thanks"})
    mark = act(server, "react", asked, emoji="👍")
    assert act(server, "react", asked, emoji="👍", key="another") == mark
    act(server, "unreact", asked, emoji="👍", key="back")
    assert server.done_to(asked) == frozenset()
    act(server, "unreact", asked, emoji="👍", key="again")


def test_only_reactions_of_ours_are_taken_back(server: Homeserver) -> None:
    asked = server.say(DM, MARTA, {"msgtype": "m.text", "body": "thanks"})
    relation = {"rel_type": "m.annotation", "event_id": asked, "key": "👍"}
    theirs = server.say(DM, MARTA, {"m.relates_to": relation}, kind="m.reaction")
    act(server, "unreact", asked, emoji="👍")
    assert theirs not in server.gone


def test_what_is_deleted_takes_its_files_along_and_nobody_elses(server: Homeserver) -> None:
    sent = send(server, "look", files=(file_of("a.png", "image/png"),))
    referred = {"rel_type": "m.reference", "event_id": sent.platform_id}
    theirs = server.say(DM, MARTA, {"msgtype": "m.text", "body": "see", "m.relates_to": referred})
    act(server, "delete", sent.platform_id)
    assert server.gone == {sent.platform_id, *sent.aliases}
    assert theirs not in server.gone


# ---- access


def test_an_ended_token_is_renewed_and_the_message_stands_once(server: Homeserver) -> None:
    secrets = {"access_token": "syt_ended", "refresh_token": REFRESH}
    channel = msgspec.structs.replace(server.channel, secrets=secrets)
    message = outgoing(server, "once")
    with_tools(lambda tools: NETWORK.send(message, channel, tools))
    assert server.posted() == ["once"]
    assert any(path.endswith("/refresh") for _, path, _ in server.requests)
    assert TOKEN not in server.tokens


@pytest.mark.parametrize(
    ("status", "told", "code", "facts"),
    [
        (401, {"errcode": "M_UNKNOWN_TOKEN", "soft_logout": True}, "unauthorised", {"unauthorised": True}),
        (403, {"errcode": "M_USER_DEACTIVATED"}, "unauthorised", {"unauthorised": True}),
        (403, {"errcode": "M_FORBIDDEN"}, "removed_from_chat", {"permanent": True}),
        (413, {"errcode": "M_TOO_LARGE"}, "too_large", {"permanent": True}),
        (403, {"errcode": "M_CONSENT_NOT_GIVEN"}, "consent_missing", {"permanent": True}),
        (400, {"errcode": "M_BAD_JSON"}, "refused", {"permanent": True}),
        (502, {}, "platform_failed", {"outcome_unknown": True}),
        (429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}, "rate_limited", {"retry_after_s": 2.5}),
    ],
)
def test_each_refusal_says_what_to_do(status: int, told: dict[str, Any], code: str, facts: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        read(Answer(status, {}, json.dumps(told).encode(), ""), object)
    assert refused.value.code == code
    assert {name: getattr(refused.value, name) for name in facts} == facts


def test_the_header_says_how_long_to_wait_where_the_words_do_not() -> None:
    with pytest.raises(Refused) as refused:
        read(Answer(429, {"retry-after": "9"}, b"<html>", ""), object)
    assert refused.value.retry_after_s == 9


def test_typing_is_best_effort(server: Homeserver) -> None:
    with_tools(lambda tools: NETWORK.show_typing(f"{DM}/dm", server.channel, tools))
    assert server.requests[-1][2] == {"typing": True, "timeout": 6000}
    gone = msgspec.structs.replace(
        server.channel, settings={**server.channel.settings, "base_url": "http://127.0.0.1:9"}
    )
    with_tools(lambda tools: NETWORK.show_typing(f"{DM}/dm", gone, tools))
