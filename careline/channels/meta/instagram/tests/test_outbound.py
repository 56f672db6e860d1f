"""What Instagram is told: each request by Meta's description of its edges, and what comes of its answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from careline.channels.base import (
    AuthorFacts,
    ChannelError,
    Introduced,
    KnownMessage,
    OutgoingFile,
    Sent,
    UnnamedAuthor,
)
from careline.channels.conformance.acting import with_tools
from careline.channels.meta.calling import Graph
from careline.channels.meta.instagram import NETWORK, setup
from careline.channels.meta.instagram.tests.account import ACCOUNT, COMMENT, MARTA, MEDIA, NAMELESS, THEIRS
from careline.channels.meta.instagram.tests.rig import AccountPlatform, AccountRig

RIG = AccountRig()


def send(platform: AccountPlatform, surface: str = "dm", text: str = "Hola", **more: Any) -> Sent:
    outgoing = msgspec.structs.replace(RIG.outgoing(platform.channel, text, surface=surface), **more)
    return with_tools(lambda tools: NETWORK.send(outgoing, platform.channel, tools))


def refused(platform: AccountPlatform, **more: Any) -> ChannelError:
    with pytest.raises(ChannelError) as error:
        send(platform, **more)
    return error.value


def test_a_message_is_counted_in_bytes() -> None:
    with RIG.listening() as platform:
        send(platform, text="a" * 1000)
        assert refused(platform, text="é" * 501).code == "text_too_long"
        assert len(platform.posted()) == 1


def test_a_comment_is_answered_below_it_or_below_the_post() -> None:
    with RIG.listening() as platform:
        send(platform, "comment")
        send(platform, "comment", reply_to="")
        assert [path for path, _ in platform.api.bodies] == [f"{COMMENT}/replies", f"{MEDIA}/comments"]


def test_a_mention_is_answered_where_it_stands() -> None:
    with RIG.listening() as platform:
        send(platform, "mention")
        path, body = platform.api.bodies[-1]
        assert (path, body["media_id"], body["comment_id"]) == (f"{ACCOUNT}/mentions", MEDIA, COMMENT)
        send(platform, "mention", reply_to=MEDIA)
        assert "comment_id" not in platform.api.bodies[-1][1]


def test_a_private_reply_goes_once() -> None:
    with RIG.listening() as platform:
        sent = send(platform, thread_key="", answers_comment=COMMENT)
        assert platform.api.bodies[-1][1]["recipient"] == {"comment_id": COMMENT}
        assert sent.thread_key == MARTA
        assert refused(platform, thread_key="", answers_comment=COMMENT).code == "comment_answered"


def test_after_the_day_only_a_person_with_human_agent_may_answer() -> None:
    with RIG.listening() as platform:
        platform.api.late.add(MARTA)
        send(platform)
        assert platform.api.bodies[-1][1]["tag"] == "HUMAN_AGENT"
        assert refused(platform, author_kind="machine").code == "window_closed"
        platform.channel = msgspec.structs.replace(platform.channel, settings={"api": platform.api.address})
        assert refused(platform).code == "window_closed"


def test_a_picture_goes_alone() -> None:
    async def read() -> bytes:
        return b"bytes"

    with RIG.listening() as platform:
        send(platform, text="", files=(OutgoingFile("a.png", "image/png", 5, read),))
        attachment = platform.api.bodies[-1][1]["message"]["attachment"]
        assert attachment == {"type": "image", "payload": {"attachment_id": "1857777774821032"}}


def test_asking_again_breaks_off_where_it_cannot_be_told() -> None:
    """A refused token is no deleted comment."""
    known = (KnownMessage(COMMENT, MEDIA, "comment"),)
    with RIG.listening() as platform, pytest.raises(ChannelError):
        nowhere = msgspec.structs.replace(platform.channel, settings={"api": "http://127.0.0.1:9/v26.0"})
        with_tools(lambda tools: NETWORK.recheck(known, nowhere, tools))


# ---- connecting


def introduce(platform: AccountPlatform) -> Introduced:
    hook = "https://desk.example.org/hooks/instagram/t"
    return with_tools(lambda tools: NETWORK.introduce(platform.channel, hook, tools))


def test_the_account_says_who_it_is_and_its_token_is_renewed() -> None:
    with RIG.listening() as platform:
        known = introduce(platform)
        assert (known.account_key, known.handle, known.secrets["token"]) == (ACCOUNT, "@aurora.air", "IGAA-1")
        assert platform.api.apps


def test_a_token_too_young_to_be_renewed_is_kept() -> None:
    with RIG.listening() as platform:
        platform.api.is_young = True
        known = introduce(platform)
        assert known.secrets["token"] == platform.channel.secrets["token"]
        assert known.secrets_end_at is not None
        assert known.secrets_end_at < datetime.now(UTC) + timedelta(days=60)


def test_a_token_near_its_end_is_renewed_and_one_that_cannot_be_still_serves() -> None:
    ends = str(int((datetime.now(UTC) + timedelta(days=5)).timestamp()))
    with RIG.listening() as platform:
        channel = msgspec.structs.replace(platform.channel, secrets={**platform.channel.secrets, "token_ends": ends})
        fresh = with_tools(lambda tools: setup.kept_fresh(channel, tools))
        assert fresh.secrets["token"] == "IGAA-1"
        platform.api.is_young = True
        assert with_tools(lambda tools: setup.kept_fresh(channel, tools)) == channel


def test_no_proof_is_sent_to_instagrams_own_host() -> None:
    with RIG.listening() as platform:
        send(platform)
        assert "appsecret_proof" not in platform.api.bodies[-1][1]
        assert isinstance(with_tools(_graph), Graph)


async def _graph(tools: Any) -> Graph:
    return setup.graph_of(RIG.channel, tools)


def check(platform: AccountPlatform, **more: Any) -> str:
    channel = msgspec.structs.replace(platform.channel, **more)
    return with_tools(lambda tools: NETWORK.check(channel, tools)).code


def test_the_live_check_says_what_is_wrong() -> None:
    with RIG.listening() as platform:
        assert check(platform) == "hook_missing"
        introduce(platform)
        assert check(platform) == "ok"
        assert check(platform, account_key="another") == "account_not_served"


def who_is(platform: AccountPlatform, author: UnnamedAuthor) -> AuthorFacts:
    return with_tools(lambda tools: NETWORK.who_is(author, platform.channel, tools))


def test_who_wrote_in_private_is_asked_by_their_id_and_null_is_no_name() -> None:
    with RIG.listening() as platform:
        told = who_is(platform, UnnamedAuthor(NAMELESS, "dm", NAMELESS, "aWdf1"))
        assert told == AuthorFacts("", "@marta.r", "")
        assert platform.api.asked_names == [f"{NAMELESS} name,username,profile_pic"]


def test_who_named_us_in_a_comment_is_asked_by_the_comment() -> None:
    with RIG.listening() as platform:
        told = who_is(platform, UnnamedAuthor(f"mention:{COMMENT}", "mention", THEIRS, COMMENT))
        assert told.handle == "@otro.mas"
        assert platform.api.asked_names == [f"{ACCOUNT} mentioned_comment.comment_id({COMMENT}){{id,username}}"]


def test_who_named_us_in_a_caption_is_asked_by_the_media() -> None:
    with RIG.listening() as platform:
        told = who_is(platform, UnnamedAuthor(f"mention:{THEIRS}", "mention", THEIRS, THEIRS))
        assert told.handle == "@otro.mas"
        assert platform.api.asked_names == [f"{ACCOUNT} mentioned_media.media_id({THEIRS}){{id,username}}"]


def test_where_the_login_does_not_know_mentions_tags_tell_of_captions_and_comments_stay_nameless() -> None:
    caption = UnnamedAuthor(f"mention:{THEIRS}", "mention", THEIRS, THEIRS)
    with RIG.listening() as platform:
        platform.api.knows_mentions = False
        with pytest.raises(ChannelError) as untold:
            who_is(platform, caption)
        assert untold.value.permanent
        platform.api.tags = [{"id": "1"}, {"id": THEIRS, "username": "otro.mas"}]
        assert who_is(platform, caption).handle == "@otro.mas"
        with pytest.raises(ChannelError) as comment:
            who_is(platform, UnnamedAuthor(f"mention:{COMMENT}", "mention", THEIRS, COMMENT))
        assert comment.value.permanent


def test_a_platform_that_rests_is_not_asked_for_tags() -> None:
    with RIG.listening() as platform:
        platform.plan_naming("rate_limited")
        with pytest.raises(ChannelError) as waits:
            who_is(platform, UnnamedAuthor(f"mention:{THEIRS}", "mention", THEIRS, THEIRS))
        assert (waits.value.permanent, waits.value.retry_after_s) == (False, 7.0)
        assert not any(path.endswith("/tags") for _, path, _ in platform.api.requests)
