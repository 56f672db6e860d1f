"""What leaves for X, each request held against X's own description, and what its refusals mean."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec
import pytest

from careline.channels.base import (
    ChannelError,
    ChannelView,
    Counted,
    Deleted,
    Edited,
    Fetched,
    Happening,
    KnownMessage,
    ModerationAct,
    OutgoingFile,
    Said,
    Tools,
)
from careline.channels.conformance.acting import with_tools
from careline.channels.x import NETWORK, setup
from careline.channels.x.tests import x_api
from careline.channels.x.tests.rig import XPlatform, XRig, channel_view
from careline.channels.x.tests.x_api import MARTA, US, XApi, dm, post
from careline.kit import clock

HOOK = "https://desk.example/hooks/x/token"
T = TypeVar("T")


@pytest.fixture
def api() -> Iterator[XApi]:
    """An X on loopback; what it was asked must be as X describes it."""
    found = XApi()
    yield found
    found.stop()
    assert found.complaints == []


@pytest.fixture
def channel(api: XApi) -> ChannelView:
    return XPlatform(api, channel_view()).channel


def run(work: Callable[[Tools], Awaitable[T]]) -> T:
    return with_tools(work)


def picture(name: str, kind: str, size: int, alt: str = "") -> OutgoingFile:
    async def read() -> bytes:
        return b"x" * size

    return OutgoingFile(name, kind, size, read, alt_text=alt)


def bodies(api: XApi, path: str) -> list[object]:
    return [body for method, where, _, body in api.requests if where == path and method == "POST"]


# ---- connecting


def test_connecting_makes_the_webhook_and_each_subscription_once(api: XApi, channel: ChannelView) -> None:
    first = run(lambda tools: NETWORK.introduce(channel, HOOK, tools))
    again = run(lambda tools: NETWORK.introduce(channel, HOOK, tools))
    assert (first.account_key, first.name, first.handle) == (US, "Aurora Air", "@AuroraAir")
    assert first.settings == again.settings
    assert [one["url"] for one in api.webhooks] == [HOOK]
    assert [one["event_type"] for one in api.subscriptions] == list(setup.EVENTS)
    assert {one["webhook_id"] for one in api.subscriptions} == {first.settings["webhook_id"]}


def test_an_address_x_gave_up_is_asked_for_again_and_another_is_left(api: XApi, channel: ChannelView) -> None:
    api.webhooks = [
        {"id": "5", "url": "https://other.example/hook", "valid": False, "created_at": "2026-01-01T00:00:00.000Z"},
        {"id": "6", "url": HOOK, "valid": False, "created_at": "2026-01-01T00:00:00.000Z"},
    ]
    run(lambda tools: NETWORK.introduce(channel, HOOK, tools))
    assert [(one["id"], one["valid"]) for one in api.webhooks] == [("5", False), ("6", True)]


def test_an_address_that_answers_no_challenge_is_said_to_be_refused(api: XApi, channel: ChannelView) -> None:
    api.knock = lambda url, token: {"response_token": "sha256=wrong"}
    with pytest.raises(ChannelError) as refused:
        run(lambda tools: NETWORK.introduce(channel, HOOK, tools))
    assert (refused.value.code, refused.value.permanent) == ("hook_refused", True)


def test_without_an_address_only_the_account_is_asked_for(api: XApi, channel: ChannelView) -> None:
    run(lambda tools: NETWORK.introduce(channel, "", tools))
    assert api.webhooks == api.subscriptions == []


def test_the_check_says_what_is_wrong(api: XApi, channel: ChannelView) -> None:
    def told(**secrets: str) -> str:
        shown = msgspec.structs.replace(channel, secrets={**channel.secrets, **secrets})
        return run(lambda tools: NETWORK.check(shown, tools)).code

    assert told() == "hook_missing"
    api.webhooks = [{"id": "42", "url": HOOK, "valid": False, "created_at": "2026-01-01T00:00:00.000Z"}]
    assert told() == "hook_invalid"
    api.webhooks[0]["valid"] = True
    assert told() == "ok"
    assert told(access_token="wrong", refresh_token="wrong") == "token_refused"
    assert told(app_bearer="wrong") == "app_token_refused"
    untouched = api.refresh
    fresh = msgspec.structs.replace(channel, id=0, secrets={**channel.secrets, "access_token": "ended"})
    health = run(lambda tools: NETWORK.check(fresh, tools))
    assert (health.ok, health.code, api.refresh) == (True, "token_ended", untouched)
    other = msgspec.structs.replace(channel, account_key="99")
    assert run(lambda tools: NETWORK.check(other, tools)).code == "account_not_served"
    api.complaints.clear()  # a wrong bearer token is no bearer token to the judge


# ---- tokens


def test_an_ended_token_is_renewed_once_and_the_work_goes_on(api: XApi, channel: ChannelView) -> None:
    api.access = "another"
    sent = run(lambda tools: NETWORK.send(XRig().outgoing(channel, "Hola"), channel, tools))
    assert sent.platform_id
    assert api.posted == ["Hola"]
    assert (api.renewals, api.refresh) == (1, "refresh-2")


def test_a_refresh_token_that_was_spent_stops_the_channel(api: XApi, channel: ChannelView) -> None:
    api.access, api.refresh = "another", "another"
    with pytest.raises(ChannelError) as refused:
        run(lambda tools: NETWORK.send(XRig().outgoing(channel, "Hola"), channel, tools))
    assert refused.value.unauthorised
    assert api.posted == []


# ---- sending


def test_an_answer_hangs_on_the_post_it_answers(api: XApi, channel: ChannelView) -> None:
    outgoing = XRig().outgoing(channel, "Hola Marta")
    run(lambda tools: NETWORK.send(outgoing, channel, tools))
    assert bodies(api, "/2/tweets") == [{"text": "Hola Marta", "reply": {"in_reply_to_tweet_id": outgoing.reply_to}}]


def test_a_direct_message_goes_to_its_reader(api: XApi, channel: ChannelView) -> None:
    sent = run(lambda tools: NETWORK.send(XRig().outgoing(channel, "Hola", surface="dm"), channel, tools))
    assert bodies(api, f"/2/dm_conversations/with/{MARTA}/messages") == [{"text": "Hola"}]
    assert sent.thread_key == f"dm:{MARTA}"


def test_pictures_go_up_in_pieces_with_what_they_show(api: XApi, channel: ChannelView) -> None:
    files = (picture("bag.jpg", "image/jpeg", 2_000_005, "A bag"), picture("tag.png", "image/png", 9))
    outgoing = msgspec.structs.replace(XRig().outgoing(channel, "Yours?"), files=files)
    run(lambda tools: NETWORK.send(outgoing, channel, tools))
    (body,) = bodies(api, "/2/tweets")
    assert isinstance(body, dict)
    ids = body["media"]["media_ids"]
    assert [len(api.files[one]) for one in ids] == [2_000_005, 9]
    assert [api.uploads[one]["media_category"] for one in ids] == ["tweet_image", "tweet_image"]
    assert [api.uploads[one].get("alt_text") for one in ids] == ["A bag", None]


def test_a_film_is_waited_for_and_a_bad_one_is_refused(api: XApi, channel: ChannelView) -> None:
    film = picture("bag.mp4", "video/mp4", 20)
    outgoing = msgspec.structs.replace(XRig().outgoing(channel, "Look", surface="dm"), files=(film,))
    run(lambda tools: NETWORK.send(outgoing, channel, tools))
    ((media_id, upload),) = api.uploads.items()
    assert (upload["media_category"], upload["looks"]) == ("dm_video", 2)
    assert bodies(api, f"/2/dm_conversations/with/{MARTA}/messages") == [
        {"text": "Look", "attachments": [{"media_id": media_id}]}
    ]
    api._worked = lambda media_id: {"id": media_id, "processing_info": {"state": "failed"}}  # type: ignore[method-assign]
    with pytest.raises(ChannelError) as refused:
        run(lambda tools: NETWORK.send(outgoing, channel, tools))
    assert (refused.value.code, refused.value.permanent) == ("file_refused", True)
    assert len(api.posted) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("403:You are not allowed to create a Tweet with duplicate content.", "duplicate_text"),
        ("403:Reply to this conversation is not allowed because you have not been mentioned", "not_summoned"),
        ("403:You do not have permission to DM one or more participants.", "recipient_closed"),
        ("403:Forbidden", "rights_missing"),
        ("404:Not Found", "message_gone"),
        ("402:CreditsDepleted", "credits_used_up"),
        ("400:The Tweet contains something", "refused"),
    ],
)
def test_a_refusal_is_said_in_the_outboxs_words(api: XApi, channel: ChannelView, fault: str, code: str) -> None:
    api.faults.append(fault)
    with pytest.raises(ChannelError) as refused:
        run(lambda tools: NETWORK.send(XRig().outgoing(channel, "Hola"), channel, tools))
    assert (refused.value.code, refused.value.permanent, refused.value.outcome_unknown) == (code, True, False)


# ---- acts and plans


def test_likes_are_for_enterprise_plans_alone(api: XApi, channel: ChannelView) -> None:
    act = ModerationAct("like", "2080000000000000001", "post", "t", "key")
    with pytest.raises(ChannelError):
        run(lambda tools: NETWORK.moderate(act, channel, tools))
    rich = msgspec.structs.replace(channel, settings={**channel.settings, "plan": "enterprise"})
    run(lambda tools: NETWORK.moderate(act, rich, tools))
    assert api.liked == {"2080000000000000001"}
    run(lambda tools: NETWORK.moderate(msgspec.structs.replace(act, verb="unlike"), rich, tools))
    assert api.liked == set()


def test_the_plan_decides_whom_we_may_answer(channel: ChannelView) -> None:
    rich = msgspec.structs.replace(channel, settings={"plan": "enterprise"})
    assert NETWORK.effective(channel).surface("post").reply_rule == "author_must_mention_us"
    assert NETWORK.effective(rich).surface("post").reply_rule == "same_thread"
    assert NETWORK.effective(rich).surface("dm") == NETWORK.effective(channel).surface("dm")


# ---- gaps and duties


def fetch(channel: ChannelView, cursor: dict[str, object]) -> Fetched:
    return run(lambda tools: asyncio.wait_for(anext(NETWORK.listen(channel, cursor, tools)), 10))


def happened(parts: tuple[object, ...], channel: ChannelView) -> list[Happening]:
    return [one for part in parts for one in NETWORK.normalise(part, channel)]  # type: ignore[arg-type]


def test_everything_of_an_outage_is_read_page_by_page_oldest_first(api: XApi, channel: ChannelView) -> None:
    now = datetime.now(UTC)
    for _ in range(230):
        number = api.next_number()
        api.posts[str(number)] = post(number, f"@AuroraAir {number}", MARTA, now, names=(US,))
        api.mentions.append(str(number))
    ours, private = api.next_number(), api.next_number()
    api.posts[str(ours)] = post(ours, "said elsewhere", US, now)
    api.messages = [dm(private, "in private", MARTA, now, MARTA)]
    fetched = fetch(channel, {})
    found = [one for one in happened(fetched.parts, channel) if isinstance(one, Said)]
    assert len(found) == 232
    assert [int(one.platform_id) for one in found] == sorted(int(one.platform_id) for one in found)
    assert [(one.text, one.author.is_us, one.surface) for one in found[-2:]] == [
        ("said elsewhere", True, "post"),
        ("in private", False, "dm"),
    ]
    again = fetch(channel, dict(fetched.cursor))
    assert again.parts == ()


def test_a_new_channel_hears_nothing_older_than_its_history(api: XApi, channel: ChannelView) -> None:
    began = clock.now()
    for at in (began - timedelta(days=2), began + timedelta(minutes=1)):
        api.messages.insert(0, dm(api.next_number(), f"{at:%d}", MARTA, at, MARTA))
    fetched = fetch(msgspec.structs.replace(channel, history_before=began), {})
    assert len(fetched.parts) == 1
    assert any("start_time" in query for _, _, query, _ in api.requests)


def test_after_a_silence_x_is_asked_to_deliver_again(api: XApi, channel: ChannelView) -> None:
    now = clock.now()
    for silence, replays in ((timedelta(minutes=5), 0), (timedelta(hours=3), 1), (timedelta(days=4), 2)):
        fetch(channel, {"looked_at": (now - silence).isoformat()})
        assert len(api.replays) == replays
    assert api.replays[1]["webhook_id"] == "42"
    assert api.replays[1]["from_date"] >= f"{now - timedelta(hours=24):%Y%m%d%H%M}"


def test_asking_again_finds_what_is_gone_edited_or_seen_by_more(api: XApi, channel: ChannelView) -> None:
    now = datetime.now(UTC)
    seen, old, new, gone = (str(api.next_number()) for _ in range(4))
    api.posts[seen] = post(int(seen), "@AuroraAir seen", MARTA, now, names=(US,))
    api.posts[seen]["public_metrics"]["impression_count"] = 912
    for one, text in ((old, "@AuroraAir blue"), (new, "@AuroraAir green")):
        api.posts[one] = post(int(one), text, MARTA, now, names=(US,), edit_history_tweet_ids=[old, new])
    known = [KnownMessage(one, seen, "post") for one in (seen, old, gone)] + [KnownMessage("9", "dm:1", "dm")]
    parts = run(lambda tools: NETWORK.recheck(known, channel, tools))
    found = [one for one in happened(parts, channel) if not isinstance(one, Said)]
    assert [(type(one), getattr(one, "platform_id", "")) for one in found] == [
        (Deleted, gone),
        (Edited, old),
        (Counted, ""),
    ]
    edited, counted = found[1:]
    assert isinstance(edited, Edited)
    assert isinstance(counted, Counted)
    assert (edited.text, counted.thread_key, counted.reach) == ("@AuroraAir green", seen, 912)


def test_nothing_public_asks_nothing(api: XApi, channel: ChannelView) -> None:
    assert run(lambda tools: NETWORK.recheck([KnownMessage("9", "dm:1", "dm")], channel, tools)) == ()
    assert api.requests == []


def test_a_private_link_names_us_and_the_thread(channel: ChannelView) -> None:
    link = NETWORK.private_link(channel, 4177)
    assert link.startswith(f"https://x.com/messages/compose?recipient_id={US}&text=Ref.%20")
    assert NETWORK.private_link(msgspec.structs.replace(channel, account_key=""), 4177) == ""
    assert x_api.US in link
