"""Invariant 4: a page kept current by the stream equals a fresh page, whatever happened, in whatever order, for whoever looks, in every language."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from careline.cases.models import Case, CaseField
from careline.conftest import Air
from careline.intake.tests.conftest import mouth_of
from careline.screens.inbox.tests.happenings import THINGS, World
from careline.screens.inbox.tests.open_screens import Screen, screen_of
from careline.workspaces.models import Account

pytestmark = pytest.mark.django_db
SEEDS = range(2)
ACTS = 110
LOOK_EVERY = 6
_done: set[str] = set()


def _world(air: Air, seed: int) -> World:
    CaseField.objects.create(workspace_id=air.workspace.id, key="booking", label="Booking")
    Account.objects.filter(id__in=[air.ben.account_id, air.carl.account_id]).update(locale="es")
    return World(air, mouth_of(air), random.Random(seed))


def _open_something(world: World, screen: Screen) -> None:
    if screen.rows:
        case = Case.objects.get(id=world.dice.choice(sorted(screen.rows)))
        screen.open(case.number, case.id)


@pytest.mark.parametrize("seed", SEEDS)
def test_invariant_4_a_page_kept_current_by_the_stream_equals_a_fresh_page(
    air: Air, settings: Settings, tmp_path: Path, seed: int
) -> None:
    settings.DATA_DIR = tmp_path
    world = _world(air, seed)
    for _ in range(4):
        THINGS["somebody_writes"](world)
    screens = [screen_of(viewer) for viewer in (air.ana, air.ben, air.dora, air.owner, air.carl)]
    happened: list[str] = []
    for step in range(1, ACTS + 1):
        happened.append(world.happens())
        if step % LOOK_EVERY:
            continue
        for screen in screens:
            screen.follow()
        wrong = [line for screen in screens for line in screen.differences()]
        assert not wrong, "\n".join([f"seed {seed}, after {', '.join(happened[-LOOK_EVERY:])}", *wrong])
        for screen in screens:
            if world.dice.random() < 0.4:
                _open_something(world, screen)
    _done.update(world.done)


def test_invariant_4_all_that_can_happen_happened() -> None:
    """The seeds above are enough that nothing was left out; run together with them."""
    if _done:
        assert set(THINGS) == _done, set(THINGS) - _done
