"""What leaves for Bluesky: keys, facets by bytes, once, acts, renewal; each call held against the lexicons by the fake."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec
import pytest

from careline.channels.base import ModerationAct, ModerationVerb, Outgoing, OutgoingFile, Sent
from careline.channels.bluesky import NETWORK, facets, outbound
from careline.channels.bluesky.tests import lexicon
from careline.channels.bluesky.tests.platform import CONVO, MARTA, OTRO, US, FakeBluesky, uri_of
from careline.channels.bluesky.tests.rig import channel_view
from careline.channels.conformance.acting import with_tools
from careline.errors import ChannelError
from careline.kit import clock

ASKED = uri_of(MARTA, "3kasked")


@pytest.fixture
def fake() -> Iterator[FakeBluesky]:
    platform = FakeBluesky(channel_view())
    yield platform
    platform.stop()


def answer(text: str, *, key: str = "key-1", surface: str = "post", **more: Any) -> Outgoing:
    given = {"delivery_id": 1, "attempt": 1, "thread_id": 1, "thread_key": CONVO if surface == "dm" else ASKED}
    given |= {"recipient": MARTA, "author_kind": "human", "reply_to": "" if surface == "dm" else ASKED}
    return Outgoing(text=text, surface=surface, idempotency_key=key, **(given | more))  # type: ignore[arg-type]


def send(fake: FakeBluesky, outgoing: Outgoing) -> Sent:
    return with_tools(lambda tools: NETWORK.send(outgoing, fake.channel, tools))


def act(fake: FakeBluesky, verb: str, uri: str, *, surface: str = "comment", thread: str = "", mark: str = "") -> str:
    one = ModerationAct(cast(ModerationVerb, verb), uri, surface, thread, "key", mark=mark)
    return with_tools(lambda tools: NETWORK.moderate(one, fake.channel, tools)).mark


def methods(fake: FakeBluesky) -> list[str]:
    return [method.rpartition(".")[2] for method, _ in fake.calls]


def refused(run: Any) -> ChannelError:
    with pytest.raises(ChannelError) as found:
        run()
    return found.value


def test_a_record_key_is_a_tid_and_the_same_at_every_attempt() -> None:
    at = datetime(2026, 11, 22, 10, tzinfo=UTC)
    keys = [outbound.record_key(answer("a", key=f"key-{n}", written_at=at)) for n in range(200)]
    assert len(set(keys)) == 200
    assert keys[0] == outbound.record_key(answer("b", key="key-0", written_at=at, attempt=3))
    later = outbound.record_key(answer("a", written_at=at + timedelta(seconds=3)))
    assert later > max(keys), "keys sort by the time they were written"
    for key in [*keys, later, outbound.record_key(answer("a"))]:
        lexicon._check_format("tid", key, "rkey")


@pytest.mark.parametrize(
    "name", ["tid", "did", "handle", "nsid", "recordkey", "aturi"], ids=lambda name: f"{name} of the interop files"
)
def test_the_judge_of_formats_takes_what_is_valid_by_their_files(name: str) -> None:
    if not lexicon.IS_HERE:
        pytest.skip(lexicon.ABSENT)
    folder = lexicon.FOLDER.parent / "interop-test-files" / "syntax"
    form = {"recordkey": "record-key", "aturi": "at-uri"}.get(name, name)
    lines = [one for one in (folder / f"{name}_syntax_valid.txt").read_text().splitlines() if one and one[0] != "#"]
    assert lines
    for line in lines:
        lexicon._check_format(form, line.strip(), name)


def test_a_tid_of_ours_is_none_of_the_invalid_ones() -> None:
    if not lexicon.IS_HERE:
        pytest.skip(lexicon.ABSENT)
    path = lexicon.FOLDER.parent / "interop-test-files" / "syntax" / "tid_syntax_invalid.txt"
    wrong = [one for one in path.read_text().splitlines() if one and one[0] != "#"]
    assert wrong
    for line in wrong:
        with pytest.raises(lexicon.Wrong):
            lexicon._check_format("tid", line, "tid")


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("👩‍👩‍👧 mira https://aurora.test/a.", [("https://aurora.test/a", "link")]),
        ("(ver https://aurora.test/x)", [("https://aurora.test/x", "link")]),
        ("https://es.wikipedia.org/wiki/Lima_(Perú)", [("https://es.wikipedia.org/wiki/Lima_(Perú)", "link")]),
        ("¡@marta.test! y @nadie.test", [("@marta.test", "mention")]),
        ("correo@marta.test no es nadie", []),
        ("#equipaje, #2026 y #vuelo2026", [("#equipaje", "tag"), ("#vuelo2026", "tag")]),
        ("https://aurora.test/#ancla", [("https://aurora.test/#ancla", "link")]),
    ],
)
def test_facets_stand_on_the_bytes_of_their_words(text: str, marked: list[tuple[str, str]]) -> None:
    async def resolve(handle: str) -> str:
        return MARTA if handle == "marta.test" else ""

    found = asyncio.run(facets.facets_of(text, resolve))
    content = text.encode()
    cut = [content[one.index.byte_start : one.index.byte_end].decode() for one in found]
    assert [(words, one.features[0].kind.partition("#")[2]) for words, one in zip(cut, found, strict=True)] == marked


def test_a_post_answers_below_the_root_and_says_its_language_and_pictures(fake: FakeBluesky) -> None:
    async def read() -> bytes:
        return b"\x89PNG\r\n\x1a\n"

    file = OutgoingFile("a.png", "image/png", 8, read, alt_text="una maleta")
    sent = send(fake, answer("Hola @marta.test", files=(file,), language="es"))
    record = next(body["record"] for method, body in fake.calls if method.endswith("createRecord"))
    assert sent.platform_id.startswith(f"at://{US}/app.bsky.feed.post/")
    assert record["reply"]["root"]["uri"] == record["reply"]["parent"]["uri"] == ASKED
    assert (record["langs"], record["embed"]["images"][0]["alt"]) == (["es"], "una maleta")
    assert record["facets"][0]["features"][0]["did"] == MARTA


def test_a_picture_that_is_too_large_is_refused_before_anything_leaves(fake: FakeBluesky) -> None:
    async def read() -> bytes:
        raise AssertionError("it is not even read")

    file = OutgoingFile("a.png", "image/png", 2_000_001, read)
    error = refused(lambda: send(fake, answer("Hola", files=(file,))))
    assert (error.code, error.permanent, fake.posted()) == ("too_large", True, [])


def test_what_was_answered_and_is_gone_is_refused_for_good(fake: FakeBluesky) -> None:
    fake.vanish(ASKED)
    error = refused(lambda: send(fake, answer("Hola")))
    assert (error.code, error.permanent, error.outcome_unknown) == ("message_gone", True, False)


def test_both_limits_hold_and_bytes_are_counted_beside_graphemes() -> None:
    rule = NETWORK.capabilities.surface("post").text
    family = "👩‍👩‍👧‍👦"
    assert rule.fits("é" * 300) and not rule.fits("é" * 301)
    assert rule.fits(family * 120) and not rule.fits(family * 121)
    parts = rule.parts(f"{family} " * 400)
    assert all(rule.fits(one) for one in parts)


def test_somebody_who_takes_no_messages_is_told_as_such(fake: FakeBluesky) -> None:
    fake.closed_to.add(OTRO)
    outgoing = answer("Hola", surface="dm", thread_key="", recipient=OTRO, answers_comment=uri_of(OTRO, "3ka"))
    error = refused(lambda: send(fake, outgoing))
    assert (error.code, error.permanent, fake.posted()) == ("recipient_closed", True, [])


def test_a_message_of_unknown_outcome_is_found_by_its_words_but_never_an_older_one(fake: FakeBluesky) -> None:
    older = send(fake, answer("Gracias", surface="dm"))
    outgoing = answer("Gracias", surface="dm", key="key-2", references=(older.platform_id,), written_at=clock.now())
    assert with_tools(lambda tools: NETWORK.look_up(outgoing, fake.channel, tools)) is None
    fake.plan("cut")
    assert refused(lambda: send(fake, outgoing)).outcome_unknown
    found = with_tools(lambda tools: NETWORK.look_up(outgoing, fake.channel, tools))
    assert found is not None
    assert found.platform_id not in {"", older.platform_id}


def test_what_we_answered_is_read_in_the_app_too(fake: FakeBluesky) -> None:
    send(fake, answer("Hola", surface="dm"))
    assert methods(fake)[-2:] == ["sendMessage", "updateRead"]


def test_an_ended_session_is_refreshed_and_the_password_is_not_used(fake: FakeBluesky) -> None:
    fake.sessions = 2
    send(fake, answer("Hola"))
    assert "refreshSession" in methods(fake)
    assert "createSession" not in methods(fake)
    assert fake.posted() == ["Hola"]


def test_hiding_keeps_who_may_reply_and_what_was_hidden_before(fake: FakeBluesky) -> None:
    root = fake.own_post("3kours", "Vuelos", at=clock.now())
    gate = root.replace("feed.post", "feed.threadgate")
    rule = {"$type": "app.bsky.feed.threadgate#mentionRule"}
    kept = {"$type": "app.bsky.feed.threadgate", "post": root, "createdAt": "2026-11-22T00:00:00.000Z"}
    fake._records[gate] = {**kept, "allow": [rule], "hiddenReplies": [uri_of(OTRO, "3kold")]}
    act(fake, "hide", ASKED, thread=root)
    assert fake._records[gate]["allow"] == [rule]
    assert fake._records[gate]["hiddenReplies"] == [uri_of(OTRO, "3kold"), ASKED]
    act(fake, "unhide", ASKED, thread=root)
    assert fake._records[gate]["hiddenReplies"] == [uri_of(OTRO, "3kold")]


def test_what_others_said_is_never_deleted(fake: FakeBluesky) -> None:
    error = refused(lambda: act(fake, "delete", ASKED, surface="reply"))
    assert (error.code, error.permanent) == ("no_moderation", True)
    assert fake.deleted == set()


def test_a_like_set_in_the_app_is_ours_to_take_back(fake: FakeBluesky) -> None:
    mark = act(fake, "like", ASKED)
    assert act(fake, "like", ASKED) == mark
    act(fake, "unlike", ASKED, mark="")
    assert fake.done_to(ASKED) == frozenset()


def test_a_second_limit_header_says_when_to_come_back() -> None:
    from careline.channels.bluesky import calling
    from careline.kit.http import Answer

    reset = str(int(clock.epoch_s()) + 30)
    error = calling._refused(Answer(429, {"ratelimit-reset": reset}, b'{"error":"RateLimitExceeded"}', ""))
    assert error.retry_after_s == pytest.approx(30, abs=2)


def test_the_account_is_introduced_once_with_its_home(fake: FakeBluesky) -> None:
    typed = msgspec.structs.replace(
        fake.channel, account_key="", secrets={"app_password": fake.channel.secrets["app_password"]}
    )
    known = with_tools(lambda tools: NETWORK.introduce(typed, "", tools))
    assert (known.account_key, known.handle, known.settings["has_chat"]) == (US, "@aurora.test", True)
    assert methods(fake).count("createSession") == 1
    assert "app_password" not in known.secrets
