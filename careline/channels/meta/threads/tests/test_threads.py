"""What Threads says and is told, by its documents: the one example of a delivery, the counting, the two steps, what is gone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from careline.channels.base import (
    ChannelError,
    ConnectionView,
    Deleted,
    Fetched,
    HookRequest,
    Said,
    SignInRequired,
    Tools,
    UnknownEvent,
)
from careline.channels.conformance.acting import with_tools
from careline.channels.meta import renewing
from careline.channels.meta.tests.rigging import SECRETS, signed
from careline.channels.meta.threads import NETWORK
from careline.channels.meta.threads.rules import measure
from careline.channels.meta.threads.tests.profile import PROFILE, REPLY, ROOT
from careline.channels.meta.threads.tests.rig import ProfilePlatform, ProfileRig, told

RIG = ProfileRig()
# documentation/threads/webhooks, read 2026-11-22, whole.
EXAMPLE: dict[str, Any] = {
    "app_id": "123456",
    "topic": "moderate",
    "target_id": "78901",
    "time": 1723226877,
    "subscription_id": "234567",
    "has_uid_field": False,
    "values": {
        "value": {
            "id": "8901234",
            "username": "test_username",
            "text": "Reply",
            "media_type": "TEXT_POST",
            "permalink": "https://www.threads.net/@test_username/post/Pp",
            "replied_to": {"id": "567890"},
            "root_post": {"id": "123456", "owner_id": "123456", "username": "test_username_2"},
            "shortcode": "Pp",
            "timestamp": "2024-08-07T10:33:16+0000",
        },
        "field": "replies",
    },
}


def said(event: bytes) -> Said:
    (one,) = NETWORK.normalise(RIG.fetch(event), RIG.channel)
    assert isinstance(one, Said)
    return one


def test_metas_one_example_is_digested() -> None:
    """1 of 1."""
    one = said(json.dumps(EXAMPLE).encode())
    assert (one.platform_id, one.thread_key, one.surface, one.text) == ("8901234", "123456", "reply", "Reply")
    assert (one.author.handle, one.reply_to, one.is_addressed) == ("@test_username", "567890", False)
    assert one.at == datetime(2024, 8, 7, 10, 33, 16, tzinfo=UTC)


def test_of_several_accounts_the_owner_of_the_root_is_meant() -> None:
    connection = ConnectionView(1, 1, "threads", SECRETS, {"123456": 7, "999": 8})
    (part,) = NETWORK.split(signed("threads", json.dumps(EXAMPLE).encode()), connection)
    assert part.account_key == "123456"
    others = ConnectionView(1, 1, "threads", SECRETS, {"998": 7, "999": 8})
    with pytest.raises(UnknownEvent):
        NETWORK.split(signed("threads", json.dumps(EXAMPLE).encode()), others)


def test_a_mention_stands_elsewhere_and_is_to_us() -> None:
    value = {
        "id": "77",
        "username": "marta.r",
        "text": "@aurora.air where is my bag?",
        "timestamp": "2026-11-22T07:00:00+0000",
    }
    one = said(told("mentions", value))
    assert (one.surface, one.thread_key, one.is_addressed) == ("mention", "77", True)


def test_a_reply_under_our_post_that_names_us_is_a_reply() -> None:
    """Asking finds it twice, under one id, of which the journal keeps the first."""
    post = {
        "id": "79",
        "username": "marta.r",
        "text": "@Aurora.air where is my bag?",
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "replied_to": {"id": "5002"},
        "root_post": {"id": ROOT},
    }
    with RIG.listening() as platform:
        platform.api.mentions.append(post)
        platform.api.conversation.append(post)

        async def first_look(tools: Tools) -> Fetched:
            return await anext(NETWORK.listen(platform.channel, {}, tools))

        parts = with_tools(first_look).parts
    assert [part.platform_event_id for part in parts] == ["post:79", "post:79"]
    (one,) = NETWORK.normalise(parts[0], RIG.channel)
    assert isinstance(one, Said)
    assert (one.surface, one.is_addressed) == ("reply", True)


def test_a_picture_arrives() -> None:
    value = {"id": "78", "username": "marta.r", "media_type": "IMAGE", "media_url": "https://cdn.example/a.jpg"}
    one = said(told("replies", value))
    assert [(file.name, file.url) for file in one.files] == [("1.jpg", "https://cdn.example/a.jpg")]


def test_a_deletion_that_is_told_is_honoured() -> None:
    (gone,) = NETWORK.normalise(RIG.fetch(told("delete", {"id": "78"})), RIG.channel)
    assert isinstance(gone, Deleted)
    assert gone.platform_id == "78"


def test_without_a_secret_nothing_is_let_in() -> None:
    """Webhooks are left out by whoever has no secret."""
    bare = ConnectionView(1, 1, "threads", {"token": "t"}, {PROFILE: 7})
    with pytest.raises(SignInRequired):
        NETWORK.verify(signed("threads", b"{}"), bare)
    query = {"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"}
    with pytest.raises(SignInRequired):
        NETWORK.answer_challenge(HookRequest("GET", "/", {}, b"", query), bare)


@pytest.mark.parametrize(
    ("text", "length"),
    [("Hola", 4), ("ñandú", 5), ("🧳", 4), ("Hola 🧳", 9), ("👩‍👩‍👧‍👦", 25), ("🇪🇸", 8), ("日本", 2), ("1️⃣", 7)],
)
def test_an_emoji_counts_as_its_bytes(text: str, length: int) -> None:
    """documentation/threads/posts (updated 2026-04-14); a joined emoji with all it is joined of, which no document says."""
    assert measure(text) == length


def send(platform: ProfilePlatform) -> str:
    outgoing = RIG.outgoing(platform.channel, "We are looking")
    return with_tools(lambda tools: NETWORK.send(outgoing, platform.channel, tools)).platform_id


def test_a_reply_is_a_container_and_its_publishing() -> None:
    with RIG.listening() as platform:
        assert send(platform)
        acts = [(method, path) for method, path, _ in platform.api.requests]
        (container,) = platform.api.containers
        assert acts == [("POST", f"{PROFILE}/threads"), ("GET", container), ("POST", f"{PROFILE}/threads_publish")]
        assert platform.api.containers[container]["reply_to_id"] == REPLY


@pytest.mark.parametrize(("status", "is_final"), [("IN_PROGRESS", False), ("ERROR", True), ("EXPIRED", True)])
def test_what_is_not_ready_is_not_published(status: str, is_final: bool) -> None:
    with RIG.listening() as platform:
        platform.api.status = status
        with pytest.raises(ChannelError) as refused:
            send(platform)
        assert (refused.value.permanent, refused.value.outcome_unknown) == (is_final, False)
        assert platform.posted() == []


def test_an_older_reply_with_the_same_words_is_not_taken_for_it() -> None:
    with RIG.listening() as platform:
        send(platform)
        later = msgspec.structs.replace(
            RIG.outgoing(platform.channel, "We are looking"), written_at=datetime.now(UTC) + timedelta(hours=1)
        )
        assert with_tools(lambda tools: NETWORK.look_up(later, platform.channel, tools)) is None


def test_connecting_renews_the_token_and_says_when_it_ends() -> None:
    with RIG.listening() as platform:
        known = with_tools(lambda tools: NETWORK.introduce(platform.channel, "", tools))
        assert (known.account_key, known.handle, known.secrets["token"]) == (PROFILE, "@aurora.air", "THAA-new")
        assert known.secrets_end_at is not None
        assert timedelta(days=59) < known.secrets_end_at - datetime.now(UTC) < timedelta(days=61)


@pytest.mark.parametrize(("days", "renews"), [(40, False), (20, True)])
def test_a_token_is_renewed_a_month_before_its_end(days: int, renews: bool) -> None:
    with RIG.listening() as platform:
        ends = str(int((datetime.now(UTC) + timedelta(days=days)).timestamp()))
        channel = msgspec.structs.replace(platform.channel, secrets={**SECRETS, renewing.ENDS: ends})
        fresh = with_tools(lambda tools: renewing.kept_fresh(channel, tools, grant="th_refresh_token", base=""))
        assert (fresh.secrets["token"] == "THAA-new") == renews


def test_the_live_check_says_what_is_wrong() -> None:
    with RIG.listening() as platform:
        check = lambda channel: with_tools(lambda tools: NETWORK.check(channel, tools)).code  # noqa: E731
        assert check(platform.channel) == "ok"
        assert check(msgspec.structs.replace(platform.channel, account_key="another")) == "account_not_served"
        assert check(RIG.channel) == "unreachable"
