"""Readers: which channels are read, that rows and cursor go together, and that trouble of one is not trouble of all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from careline.channels import registry
from careline.channels.base import ChannelView, Fetched, Part, Tools
from careline.channels.models import Channel
from careline.clocks import leases
from careline.clocks.models import Lease
from careline.conftest import Air, TestNetwork, make_channel
from careline.errors import ChannelError
from careline.intake import readers
from careline.intake.models import JournalRow
from careline.intake.readers import Readers, listening_channels
from careline.intake.tests.inline import PromptJournal, inline_pool, run_beside
from careline.kit import clock
from careline.kit.http import GuardedClient
from careline.workspaces.models import Installation

pytestmark = pytest.mark.django_db
Script = Callable[[Mapping[str, object]], AsyncIterator[Fetched]]


@dataclass
class Post:
    """A network that is read: what `listen` does by channel name, and with which cursors it was begun."""

    scripts: dict[str, Script] = field(default_factory=dict)
    begun: list[tuple[str, object]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)


class ReadNetwork(TestNetwork):
    """Plays the scripts of a Post."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def listens(self, channel: ChannelView) -> bool:
        return channel.name in self._post.scripts

    async def listen(self, channel: ChannelView, cursor: Mapping[str, object], tools: Tools) -> AsyncIterator[Fetched]:
        self._post.begun.append((channel.name, cursor.get("at")))
        try:
            async for fetched in self._post.scripts[channel.name](cursor):
                yield fetched
        finally:
            self._post.ended.append(channel.name)


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    monkeypatch.setattr(readers, "SCAN_S", 0.01)
    monkeypatch.setattr(readers, "_pause_s", lambda failures, retry_after_s: 0.01)
    made = Post()
    registry.add_for_tests(ReadNetwork(made))
    yield made
    registry.add_for_tests(TestNetwork())


def mail(number: int) -> Fetched:
    return Fetched((Part("x", f"m{number}", "t", f"mail {number}".encode()),), {"at": number})


async def _for_ever() -> None:
    await asyncio.Event().wait()


def room() -> Readers:
    return Readers(PromptJournal(mark=100), Tools(http=GuardedClient.__new__(GuardedClient)), inline_pool())


def kept() -> list[str]:
    return list(JournalRow.objects.order_by("id").values_list("event_key", flat=True))


def test_what_is_read_is_journalled_with_its_cursor_and_a_restart_goes_on_from_there(
    air: Air, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(cursor: Mapping[str, object]) -> AsyncIterator[Fetched]:
        at = cursor.get("at", 0)
        assert isinstance(at, int)
        for number in range(at + 1, at + 3):
            yield mail(number)
        await _for_ever()

    post.scripts["@air"] = script
    for expected in (2, 4):
        run_beside(room().run, lambda expected=expected: len(kept()) == expected)
    assert kept() == ["m1", "m2", "m3", "m4"]
    assert post.begun == [("@air", None), ("@air", 2)]
    channel = Channel.objects.get(id=air.channel.id)
    assert (channel.cursor, channel.last_in_at is not None) == ({"at": 4}, True)


def test_a_failing_reader_is_tried_again_and_others_read_on(
    air: Air, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_channel(air.workspace, air.care, name="@other")
    tries = []

    async def broken(cursor: Mapping[str, object]) -> AsyncIterator[Fetched]:
        tries.append(1)
        if len(tries) % 2:
            raise ChannelError("unreachable", "The platform could not be reached.")
        raise ZeroDivisionError
        yield

    async def fine(cursor: Mapping[str, object]) -> AsyncIterator[Fetched]:
        for number in range(1, 4):
            yield mail(number)
        await _for_ever()

    post.scripts |= {"@air": broken, "@other": fine}
    run_beside(room().run, lambda: len(tries) >= 4 and len(kept()) == 3)
    assert post.begun.count(("@other", None)) == 1
    failed = Channel.objects.get(id=air.channel.id)
    assert (failed.state, failed.fail_count >= 3, failed.last_error) == ("failing", True, failed.last_error)
    assert "ZeroDivisionError" in failed.last_error or "unreachable" in failed.last_error


def test_a_refused_token_marks_the_channel_unauthorised(air: Air, post: Post) -> None:
    async def refused(cursor: Mapping[str, object]) -> AsyncIterator[Fetched]:
        raise ChannelError("login_refused", unauthorised=True)
        yield

    post.scripts["@air"] = refused
    run_beside(room().run, lambda: Channel.objects.get(id=air.channel.id).state == "unauthorised")
    assert kept() == []


def test_a_reader_that_ends_by_itself_begins_again_without_spinning(
    air: Air, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "SCAN_S", 0.1)

    async def once(cursor: Mapping[str, object]) -> AsyncIterator[Fetched]:
        yield mail(len(post.begun))

    post.scripts["@air"] = once
    began = clock.now()
    run_beside(room().run, lambda: len(post.begun) >= 4)
    assert clock.now() - began >= timedelta(seconds=0.3)


def test_a_reader_another_process_holds_is_left_alone_until_its_lease_runs_out(
    air: Air, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(cursor: Mapping[str, object]) -> AsyncIterator[Fetched]:
        yield mail(1)
        await _for_ever()

    post.scripts["@air"] = script
    leases.take([f"reader:{air.channel.id}"], lasts_s=30, owner="another process")
    scans = []
    plain = readers.listening_channels
    monkeypatch.setattr(readers, "listening_channels", lambda: (scans.append(1), plain())[1])
    run_beside(room().run, lambda: len(scans) >= 4)
    assert post.begun == []
    Lease.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    run_beside(room().run, lambda: kept() == ["m1"])
    assert Lease.objects.get().owner == leases.OWNER


def test_a_channel_that_is_held_stops_being_read_and_stopping_gives_leases_back(
    air: Air, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(cursor: Mapping[str, object]) -> AsyncIterator[Fetched]:
        yield mail(1)
        await _for_ever()

    post.scripts["@air"] = script
    reading = room()

    stages = [
        lambda: kept() == ["m1"] and Channel.objects.update(held_at=clock.now()) > 0,
        lambda: post.ended == ["@air"] and Channel.objects.update(held_at=None) > 0,
        lambda: len(post.begun) == 2,
    ]

    async def read_then_stop() -> None:
        task = asyncio.create_task(reading.run())
        while stages:
            await asyncio.sleep(0.005)
        await reading.stop()
        await task

    def walk() -> bool:
        if stages and stages[0]():
            stages.pop(0)
        return False

    run_beside(read_then_stop, walk)
    assert post.ended == ["@air", "@air"]
    assert leases.free([f"reader:{air.channel.id}"]) == [f"reader:{air.channel.id}"]


@pytest.mark.parametrize("columns", [{"held_at": clock.now()}, {"state": "off"}, {"network": "not-installed"}])
def test_a_channel_that_may_not_be_read_is_not(air: Air, post: Post, columns: dict[str, object]) -> None:
    post.scripts["@air"] = lambda cursor: mail_stream()
    assert list(listening_channels()) == [air.channel.id]
    Channel.objects.update(**columns)
    assert listening_channels() == {}


async def mail_stream() -> AsyncIterator[Fetched]:
    yield mail(1)


def test_a_held_installation_reads_nothing(air: Air, post: Post) -> None:
    post.scripts["@air"] = lambda cursor: mail_stream()
    Installation.objects.update_or_create(id=1, defaults={"is_held": True})
    assert listening_channels() == {}


@pytest.mark.parametrize(
    ("failures", "given", "low", "high"),
    [(1, None, 1.4, 2.0), (5, None, 22.4, 32.0), (60, None, 84.0, 120.0), (3, 0.0, 0.0, 0.0), (1, 77.0, 77.0, 77.0)],
)
def test_pauses_double_up_to_two_minutes_unless_the_platform_says(
    failures: int, given: float | None, low: float, high: float
) -> None:
    assert low <= readers._pause_s(failures, given) <= high
