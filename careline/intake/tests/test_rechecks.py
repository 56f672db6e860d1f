"""Asking again: which messages are asked about, how often, by one process, and that what is gone goes through the journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
import pytest

from careline.channels import registry
from careline.channels.base import ChannelView, KnownMessage, Part, Tools
from careline.channels.capabilities import Capabilities, DeleteRule
from careline.channels.models import Channel
from careline.conftest import Air, TestNetwork, make_channel
from careline.errors import ChannelError
from careline.intake import rechecks
from careline.intake.models import JournalRow
from careline.intake.rechecks import Rechecks, due_rounds, known_messages
from careline.intake.tests.inline import PromptJournal, inline_pool, run_beside
from careline.kit import clock, ids
from careline.kit.http import GuardedClient
from careline.threads.models import Message, Thread
from careline.workspaces.models import Workspace

pytestmark = pytest.mark.django_db
EVERY_S = 300


@dataclass
class Asked:
    """What the platform was asked about, what of it is gone, and whether it is away."""

    pages: list[list[str]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    is_away: bool = False
    tries: int = 0


class ForgetfulNetwork(TestNetwork):
    """Tells nobody of a deletion."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def listens(self, channel: ChannelView) -> bool:
        return True

    def effective(self, channel: ChannelView) -> Capabilities:
        rule = DeleteRule(duty="recheck", recheck_every_s=EVERY_S)
        surfaces = tuple(msgspec.structs.replace(one, delete=rule) for one in self.capabilities.surfaces[:1])
        return msgspec.structs.replace(self.capabilities, surfaces=(*surfaces, *self.capabilities.surfaces[1:]))

    async def recheck(self, known: Sequence[KnownMessage], channel: ChannelView, tools: Tools) -> tuple[Part, ...]:
        self._asked.tries += 1
        if self._asked.is_away:
            raise ChannelError("unreachable", "away")
        self._asked.pages.append([one.platform_id for one in known])
        gone = [one for one in known if one.platform_id in self._asked.gone]
        return tuple(Part("", f"gone:{one.platform_id}", one.thread_key, b"{}") for one in gone)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    monkeypatch.setattr(rechecks, "SCAN_S", 0.01)
    monkeypatch.setattr(rechecks, "PAGE", 2)
    made = Asked()
    registry.add_for_tests(ForgetfulNetwork(made))
    yield made
    registry.add_for_tests(TestNetwork())


def surface(number: int = 0) -> str:
    return TestNetwork.capabilities.surfaces[number].name


def hold(air: Air, name: str, *, channel: Channel | None = None, **more: object) -> Message:
    """A message of somebody's that the desk holds."""
    at = channel or air.channel
    thread, _ = Thread.objects.get_or_create(
        workspace_id=at.workspace_id, channel_id=at.id, key="t1", defaults={"surface": surface()}
    )
    values = {"direction": "inbound", "surface": surface(), "platform_id": name, "text": name, "at": clock.now()}
    return Message.objects.create(workspace_id=at.workspace_id, channel_id=at.id, thread=thread, **(values | more))


def room() -> Rechecks:
    return Rechecks(PromptJournal(mark=100), Tools(http=GuardedClient.__new__(GuardedClient)), inline_pool())


def test_what_others_said_and_still_stands_is_asked_about_in_pages_and_what_is_gone_is_journalled(
    air: Air, asked: Asked
) -> None:
    for name in ("a", "b", "c"):
        hold(air, name)
    hold(air, "ours", direction="outbound")
    hold(air, "buried", deleted_at=clock.now())
    asked.gone.add("b")
    run_beside(room().run, lambda: len(asked.pages) >= 2)
    assert asked.pages == [["a", "b"], ["c"]]
    assert list(JournalRow.objects.values_list("channel_id", "event_key", "order_key")) == [
        (air.channel.id, "gone:b", "t1")
    ]


def test_all_are_asked_about_once_in_many_rounds_and_young_ones_in_each(air: Air, asked: Asked) -> None:
    old_id = ids.id_at(int((clock.epoch_s() - timedelta(days=3).total_seconds()) * 1000))
    hold(air, "old", id=old_id)
    hold(air, "young")

    def asked_now() -> list[list[str]]:
        return [[known.platform_id for _, known in known_messages(one, one.since_id)] for one in due_rounds()]

    assert asked_now() == [["old", "young"]]
    assert asked_now() == [["young"]]
    assert asked_now() == []
    with clock.travel(timedelta(seconds=EVERY_S + 1)):
        assert asked_now() == [["young"]]
        assert asked_now() == []
    with clock.travel(timedelta(seconds=EVERY_S * rechecks.ROUNDS_UNTIL_ALL + 1)):
        assert asked_now() == [["old", "young"]]


def test_a_platform_that_is_away_ends_the_round_and_another_workspace_is_its_own(
    air: Air, cleo_channel: Channel, asked: Asked
) -> None:
    hold(air, "a")
    hold(air, "hers", channel=cleo_channel)
    rounds = {one.channel.id: one for one in due_rounds()}
    assert [known.platform_id for _, known in known_messages(rounds[air.channel.id], 0)] == ["a"]
    assert [known.platform_id for _, known in known_messages(rounds[cleo_channel.id], 0)] == ["hers"]
    asked.is_away = True
    with clock.travel(timedelta(seconds=EVERY_S + 1)):
        run_beside(room().run, lambda: asked.tries == 2)
    assert asked.pages == []
    assert not JournalRow.objects.exists()


def test_a_network_without_the_duty_is_never_asked(air: Air) -> None:
    class TellingNetwork(TestNetwork):
        def listens(self, channel: ChannelView) -> bool:
            return True

    hold(air, "a")
    registry.add_for_tests(TellingNetwork())
    try:
        assert due_rounds() == []
    finally:
        registry.add_for_tests(TestNetwork())


@pytest.fixture
def cleo_channel(air: Air) -> Channel:
    cargo = Workspace.objects.create(slug="cargo", name="Cargo")
    return make_channel(cargo, None, name="hers")
