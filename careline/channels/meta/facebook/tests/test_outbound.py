"""What a Page is told: each request by Meta's description of its edges, and what comes of its answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from careline.channels.base import (
    ChannelError,
    ChannelView,
    Fetched,
    Introduced,
    ModerationAct,
    OutgoingFile,
    Said,
    Sent,
)
from careline.channels.conformance import Words
from careline.channels.conformance.acting import with_tools
from careline.channels.meta.facebook import NETWORK
from careline.channels.meta.facebook.tests.page import MARTA, PAGE, POST
from careline.channels.meta.facebook.tests.rig import PagePlatform, PageRig
from careline.channels.meta.tests import specification

RIG = PageRig()
HOOK = "https://desk.example.org/hooks/facebook/t"


def file_of(kind: str, name: str) -> OutgoingFile:
    async def read() -> bytes:
        return b"bytes"

    return OutgoingFile(name, kind, 5, read, alt_text="A blue bag")


def send(platform: PagePlatform, surface: str = "dm", text: str = "Hola", **more: Any) -> Sent:
    outgoing = msgspec.structs.replace(RIG.outgoing(platform.channel, text, surface=surface), **more)
    return with_tools(lambda tools: NETWORK.send(outgoing, platform.channel, tools))


def without_human_agent(platform: PagePlatform) -> ChannelView:
    return msgspec.structs.replace(platform.channel, settings={**platform.channel.settings, "human_agent": False})


def test_the_description_refuses_what_is_wrong() -> None:
    specification.need()
    good = {"recipient": {"id": "1"}, "message": {"text": "a"}, "messaging_type": "RESPONSE"}
    assert specification.edge_complaints("Page", "POST", "messages", good) == []
    assert specification.edge_complaints("Page", "POST", "messages", {**good, "messaging_type": "SHOUT"})
    assert specification.edge_complaints("Page", "POST", "messages", {"message": {}})
    assert specification.edge_complaints("Comment", "POST", "shouts", {})
    assert specification.edge_complaints("Comment", "POST", "", {"is_hidden": "yes"})


def test_a_comment_hangs_on_what_it_answers() -> None:
    with RIG.listening() as platform:
        sent = send(platform, "comment", "We are looking", reply_to="900_30")
        (path, body) = platform.api.bodies[-1]
        assert (path, body["message"]) == ("900_30/comments", "We are looking")
        assert sent.platform_id.startswith("900_")
        send(platform, "post", "Thank you", reply_to="", thread_key=f"{PAGE}_901")
        assert platform.api.bodies[-1][0] == f"{PAGE}_901/comments"


def test_a_picture_is_uploaded_unpublished_and_shown_by_the_comment() -> None:
    with RIG.listening() as platform:
        send(platform, "comment", "Is it this one?", files=(file_of("image/png", "bag.png"),))
        (_, form) = platform.api.uploaded[-1]
        assert (form["source"], form["published"], form["alt_text_custom"]) == (b"bytes", "false", "A blue bag")
        assert platform.api.bodies[-1][1]["attachment_id"] == "88001"


def test_a_message_answers_within_the_day_and_carries_our_mark() -> None:
    with RIG.listening() as platform:
        sent = send(platform)
        body = platform.api.bodies[-1][1]
        assert (body["recipient"], body["messaging_type"], "tag" in body) == ({"id": MARTA}, "RESPONSE", False)
        assert body["message"] == {"text": "Hola", "metadata": "key-1"}
        assert sent.thread_key == MARTA


def test_after_the_day_a_person_may_answer_under_their_tag_and_a_machine_may_not() -> None:
    with RIG.listening() as platform:
        platform.api.late.add(MARTA)
        send(platform)
        assert platform.api.bodies[-1][1]["tag"] == "HUMAN_AGENT"
        with pytest.raises(ChannelError) as refused:
            send(platform, author_kind="machine")
        assert (refused.value.code, refused.value.permanent) == ("window_closed", True)
        platform.channel = without_human_agent(platform)
        with pytest.raises(ChannelError):
            send(platform)
        assert len(platform.posted()) == 1


def test_without_human_agent_the_window_is_a_day_for_everybody() -> None:
    with RIG.listening() as platform:
        tags = [one.tag for one in NETWORK.effective(platform.channel).surface("dm").windows]
        plain = [one.tag for one in NETWORK.effective(without_human_agent(platform)).surface("dm").windows]
        assert (tags, plain) == (["", "HUMAN_AGENT", "private_reply"], ["", "private_reply"])


def test_a_private_reply_names_the_comment_and_begins_the_conversation() -> None:
    with RIG.listening() as platform:
        sent = send(platform, thread_key="", answers_comment="900_30")
        assert platform.api.bodies[-1][1]["recipient"] == {"comment_id": "900_30"}
        assert sent.thread_key == MARTA
        with pytest.raises(ChannelError) as refused:
            send(platform, thread_key="", answers_comment="900_30")
        assert refused.value.code == "comment_answered"


def test_a_file_goes_alone_by_its_kind() -> None:
    with RIG.listening() as platform:
        for kind, goes_as in (("image/png", "image"), ("application/pdf", "file"), ("audio/ogg", "audio")):
            send(platform, text="", files=(file_of(kind, "one"),))
            attachment = platform.api.bodies[-1][1]["message"]["attachment"]
            assert attachment == {"type": goes_as, "payload": {"attachment_id": "1857777774821032"}}


def test_typing_is_shown() -> None:
    with RIG.listening() as platform:
        with_tools(lambda tools: NETWORK.show_typing(MARTA, platform.channel, tools))
        assert platform.api.actions == [
            {
                "recipient": {"id": MARTA},
                "sender_action": "typing_on",
                "appsecret_proof": platform.api.actions[0]["appsecret_proof"],
            }
        ]


def test_a_comment_of_ours_is_changed_and_taken_back() -> None:
    with RIG.listening() as platform:
        changed = RIG.outgoing(platform.channel, "Found it", surface="comment")
        with_tools(lambda tools: NETWORK.edit("900_31", changed, platform.channel, tools))
        assert platform.api.edited == {"900_31": "Found it"}
        act = ModerationAct("delete", "900_31", "comment", POST, "key")
        for _ in range(2):
            with_tools(lambda tools: NETWORK.moderate(act, platform.channel, tools))
        assert platform.api.deleted == {"900_31"}


# ---- after an outage


def look(platform: PagePlatform, cursor: dict[str, object]) -> Fetched:
    return with_tools(lambda tools: asyncio.wait_for(anext(NETWORK.listen(platform.channel, cursor, tools)), 10))


def test_what_was_missed_in_private_is_fetched_with_its_author() -> None:
    with RIG.listening() as platform:
        when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        people = {"from": {"id": MARTA, "name": "Marta Ruiz"}, "to": {"data": [{"id": PAGE, "name": "Aurora Air"}]}}
        ours = {"from": people["to"]["data"][0], "to": {"data": [people["from"]]}}  # type: ignore[index]
        told = [{"id": "m_1", "created_time": when, "message": "Hola", **people}]
        told.append({"id": "m_2", "created_time": when, "message": "Buenas", **ours})
        platform.api.talks = [{"id": "t_1", "messages": {"data": told}}]
        found = [one for part in look(platform, {}).parts for one in NETWORK.normalise(part, platform.channel)]
        names = {
            (one.text, one.author.name, one.thread_key, one.author.is_us) for one in found if isinstance(one, Said)
        }
        assert names == {("Hola", "Marta Ruiz", MARTA, False), ("Buenas", "Aurora Air", MARTA, True)}


def test_a_fetched_comment_and_a_pushed_one_are_one_row() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    words = Words("k1", at=now, text="missed")
    with RIG.listening() as platform:
        platform.happen_unseen(words)
        (fetched,) = look(platform, {}).parts
    assert fetched.platform_event_id == RIG.fetch(RIG.say(words)).platform_event_id


# ---- connecting


def introduce(platform: PagePlatform, hook_url: str = HOOK) -> Introduced:
    return with_tools(lambda tools: NETWORK.introduce(platform.channel, hook_url, tools))


def test_the_page_says_who_it_is_and_both_subscriptions_are_made() -> None:
    with RIG.listening() as platform:
        platform.api.token["data_access_expires_at"] = 1_800_000_000
        known = introduce(platform)
        assert (known.account_key, known.name, known.handle) == (PAGE, "Aurora Air", "@aurora.air")
        assert known.secrets_end_at == datetime.fromtimestamp(1_800_000_000, UTC)
        assert [one["callback_url"] for one in platform.api.subscriptions] == [HOOK]
        assert "feed" in platform.api.apps[0]["subscribed_fields"]


def test_an_app_that_delivers_elsewhere_is_left_alone() -> None:
    with RIG.listening() as platform:
        theirs = {"object": "page", "callback_url": "https://else.example/", "active": True}
        platform.api.subscriptions = [theirs]
        with pytest.raises(ChannelError) as refused:
            introduce(platform)
        assert refused.value.code == "app_serves_another"
        assert platform.api.subscriptions == [theirs]


def check(channel: ChannelView) -> str:
    return with_tools(lambda tools: NETWORK.check(channel, tools)).code


def test_the_live_check_says_what_is_wrong() -> None:
    with RIG.listening() as platform:
        assert check(platform.channel) == "hook_missing"
        introduce(platform)
        assert check(platform.channel) == "ok"
        assert check(msgspec.structs.replace(platform.channel, account_key="another")) == "account_not_served"
        platform.api.token["scopes"] = platform.api.token["scopes"][1:]
        assert check(platform.channel) == "permissions_missing"
        platform.api.token |= {"scopes": [*platform.api.token["scopes"], "pages_messaging"], "type": "USER"}
        assert check(platform.channel) == "not_a_page_token"
        platform.api.token["is_valid"] = False
        assert check(platform.channel) == "token_refused"
