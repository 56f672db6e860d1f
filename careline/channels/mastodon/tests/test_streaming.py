"""What the stream tells is heard at once; what it keeps quiet about is found by looking; what is not ours to know leaves no trace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from careline.channels.base import Deleted, Edited, Happening, Said
from careline.channels.conformance.acting import with_tools
from careline.channels.mastodon import NETWORK
from careline.channels.mastodon.streaming import Told, told_by
from careline.channels.mastodon.tests.platform import FakeMastodon, number_of, stamp
from careline.channels.mastodon.tests.rig import MastodonRig
from careline.kit import clock

RIG = MastodonRig()
NOW = clock.now().replace(microsecond=0)


def read(*lines: bytes) -> list[Told]:
    async def given() -> AsyncIterator[bytes]:
        for line in lines:
            yield line

    async def run() -> list[Told]:
        return [one async for one in told_by(given())]

    return asyncio.run(run())


def test_events_are_cut_at_empty_lines_and_heartbeats_say_nothing() -> None:
    lines = (
        b":)",
        b":thump",
        b"",
        b"event: delete",
        b"data: 12",
        b"",
        b"event:update",
        b'data:{"a":',
        b"data:1}",
        b"",
        b"x",
    )
    assert read(*lines) == [Told("delete", b"12"), Told("update", b'{"a":1}')]
    assert read(b"event: delete", b"data: 12") == []


def hear(platform: FakeMastodon, *acts: tuple[Any, int], poll_s: float = 30.0) -> list[Happening]:
    """What is heard by a reader that looks seldom: after each act, until so many happenings are known."""
    settings = {**platform.channel.settings, "poll_s": poll_s}
    channel = msgspec.structs.replace(platform.channel, settings=settings)
    found: list[Happening] = []

    async def run(tools: Any) -> None:
        reader = NETWORK.listen(channel, {}, tools)
        for act, wanted in acts:
            act()
            while len(found) < wanted:
                fetched = await asyncio.wait_for(anext(reader), 10)
                found.extend(one for part in fetched.parts for one in NETWORK.normalise(part, channel))
        await reader.aclose()  # type: ignore[attr-defined]

    with_tools(run)
    return found


def nothing() -> None:
    """Only listen."""


def test_a_deletion_and_an_edit_are_heard_at_once_and_those_of_others_are_not_kept() -> None:
    with RIG.listening() as platform:
        platform.streams = True
        known, other = number_of("a"), number_of("b")
        edited = {**platform.mentioned(known, "hola", at=NOW), "content": "<p>adiós</p>", "edited_at": stamp(NOW)}

        def change() -> None:
            platform.tell("delete", other)
            platform.tell("status.update", msgspec.json.encode({**edited, "id": other}).decode())
            platform.tell("status.update", msgspec.json.encode(edited).decode())
            platform.tell("delete", known)

        said, change_heard, gone = hear(platform, (nothing, 1), (change, 3))
        assert isinstance(said, Said) and isinstance(change_heard, Edited) and isinstance(gone, Deleted)
        assert (change_heard.platform_id, change_heard.text, gone.platform_id) == (known, "adiós", known)


def test_a_word_of_the_stream_makes_the_next_look_come_sooner() -> None:
    with RIG.listening() as platform:
        platform.streams = True
        platform.mentioned(number_of("a"), "uno", at=NOW)

        def mention() -> None:
            platform.mentioned(number_of("b"), "dos", at=NOW)
            platform.tell("notification", "{}")

        heard = hear(platform, (nothing, 1), (mention, 2))
        assert [one.text for one in heard if isinstance(one, Said)] == ["uno", "dos"]


def test_without_a_stream_looking_goes_on() -> None:
    with RIG.listening() as platform:
        platform.mentioned(number_of("a"), "uno", at=NOW)
        later = lambda: platform.mentioned(number_of("b"), "dos", at=NOW)  # noqa: E731
        heard = hear(platform, (nothing, 1), (later, 2), poll_s=0.1)
        assert [one.text for one in heard if isinstance(one, Said)] == ["uno", "dos"]
        assert "/api/v1/streaming/user" in [path for _, path, _ in platform.calls]


def test_our_own_edit_told_back_says_what_we_wrote_and_not_the_names_before_it() -> None:
    with RIG.listening() as platform:
        platform.streams = True
        platform.mentioned(number_of("m"), "hola", at=NOW)

        def post() -> None:
            platform.own_post(str(10**18), "@marta@lejos.test Lo sentimos", at=NOW, names=("marta",))
            platform.tell("notification", "{}")

        def edit() -> None:
            words = {"content": "<p>@marta Lo sentimos mucho</p>", "edited_at": stamp(NOW), "spoiler_text": "enfado"}
            platform.tell("status.update", msgspec.json.encode({**platform.statuses[str(10**18)], **words}).decode())

        heard = hear(platform, (nothing, 1), (post, 2), (edit, 3))
        assert [one.text for one in heard if isinstance(one, Said | Edited)] == [
            "hola",
            "Lo sentimos",
            "Lo sentimos mucho",
        ]
