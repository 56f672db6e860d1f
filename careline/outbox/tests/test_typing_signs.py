"""The sign that someone types: in the newest private conversation, on networks that show it, once in its time, by one process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from careline.channels import registry
from careline.channels.base import ChannelView, Tools
from careline.channels.capabilities import Capabilities, TypingRule
from careline.channels.models import Channel
from careline.conftest import DM, POST, Air, TestNetwork, make_case, make_thread, say
from careline.errors import ChannelError
from careline.intake.tests.inline import inline_pool, run_beside
from careline.kit import clock
from careline.kit.http import GuardedClient
from careline.outbox.typing_signs import TypingSigns, sign_for
from careline.threads.models import Thread
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db


class ShowingNetwork(TestNetwork):
    """Its private surface shows typing for six seconds."""

    __test__ = False
    capabilities = Capabilities(
        proof="A", surfaces=(POST, msgspec.structs.replace(DM, typing=TypingRule(outbound=True, ttl_s=6)))
    )

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.is_away = False

    async def show_typing(self, thread_key: str, channel: ChannelView, tools: Tools) -> None:
        if self.is_away:
            raise ChannelError("platform_away", "away")
        self.shown.append(thread_key)


@pytest.fixture
def network() -> Iterator[ShowingNetwork]:
    made = ShowingNetwork()
    registry.add_for_tests(made)
    yield made
    registry.add_for_tests(TestNetwork())


def test_the_newest_private_conversation_shows_it_once_in_its_time(air: Air, network: ShowingNetwork) -> None:
    case = make_case(air.channel, air.marta_identity, surface=DM, at=clock.now() - timedelta(hours=1))
    newer = make_thread(air.channel, DM, key="newer")
    say(newer, air.marta_identity, "still here", case=case)
    public = make_thread(air.channel, POST, key="public")
    say(public, air.marta_identity, "hello?", case=case)
    sign = sign_for(air.workspace.id, case.id)
    assert sign is not None
    assert sign.thread_key == "newer"
    assert sign_for(air.workspace.id, case.id) is None, "it still stands"
    with clock.travel(timedelta(seconds=6)):
        assert sign_for(air.workspace.id, case.id) is not None


def test_no_sign_leaves_where_it_is_not_shown_or_not_ours_to_show(
    air: Air, cleo: Viewer, network: ShowingNetwork
) -> None:
    case = make_case(air.channel, air.marta_identity, surface=DM)
    assert sign_for(cleo.workspace_id, case.id) is None
    Channel.objects.update(held_at=clock.now())
    assert sign_for(air.workspace.id, case.id) is None
    Channel.objects.update(held_at=None)
    Thread.objects.update(surface="post")
    assert sign_for(air.workspace.id, case.id) is None


@pytest.mark.django_db(transaction=True)
def test_a_platform_that_is_away_loses_a_sign_and_nothing_more(air: Air, network: ShowingNetwork) -> None:
    case = make_case(air.channel, air.marta_identity, surface=DM)

    async def away_then_back() -> None:
        signs = TypingSigns(Tools(http=GuardedClient.__new__(GuardedClient)), inline_pool(), asyncio.get_running_loop())
        network.is_away = True
        await signs._show(air.workspace.id, case.id)
        network.is_away = False
        with clock.travel(timedelta(seconds=6)):
            signs.hear(air.workspace.id, case.id)
            while not network.shown:
                await asyncio.sleep(0.01)

    run_beside(away_then_back, lambda: bool(network.shown))
    assert network.shown == [Thread.objects.get().key]
