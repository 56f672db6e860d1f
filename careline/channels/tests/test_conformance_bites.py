"""Each rule of the conformance suite fails on an adapter that breaks it, and every rule has such an adapter."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from careline.channels.conformance import ChannelConformance, Core
from careline.channels.simulated.tests.rig import SimulatedRig
from careline.channels.tests import broken
from careline.channels.tests.broken import Broken
from careline.errors import CarelineError

RULES = sorted(
    name for name, _ in inspect.getmembers(ChannelConformance, inspect.isfunction) if name.startswith("test_")
)


# What a rule says when it fails; anything else would be a fault of the broken adapter itself.
NOTICED = (AssertionError, ValueError, CarelineError, pytest.fail.Exception)


def _broken() -> list[type[Broken]]:
    found = [one for _, one in inspect.getmembers(broken, inspect.isclass) if issubclass(one, Broken) and one.fails]
    return sorted(found, key=lambda one: one.__name__)


PAIRS = [(one, rule) for one in _broken() for rule in one.fails]


def test_every_rule_is_shown_failing() -> None:
    assert sorted({rule for _, rule in PAIRS}) == RULES


@pytest.mark.django_db
@pytest.mark.parametrize(("adapter", "rule"), PAIRS, ids=[f"{one.__name__}-{rule}" for one, rule in PAIRS])
def test_a_broken_adapter_is_noticed(adapter: type[Broken], rule: str, tmp_path: Path) -> None:
    sound = list(_outcomes(SimulatedRig(tmp_path, sending="never_retry"), rule))
    assert not any(sound), f"the rule must hold for the sound adapter: {sound}"
    noticed = list(_outcomes(SimulatedRig(tmp_path, network=adapter(), sending="never_retry"), rule))
    assert any(noticed), f"{rule} did not notice {adapter.__name__}"


def _outcomes(rig: SimulatedRig, rule: str) -> Iterator[BaseException | None]:
    """What each variant of a rule raises on a rig; None for nothing."""
    act = getattr(ChannelConformance(), rule)
    wants = inspect.signature(act).parameters
    for values in _variants(act):
        core = Core(rig) if "core" in wants else None
        try:
            act(rig, **({"core": core} if core else {}), **values)
        except NOTICED as noticed:
            yield noticed
        else:
            yield None
        finally:
            if core is not None:
                core.close()


def _variants(act: object) -> list[dict[str, object]]:
    """The parameters a rule is run with, read from its own marks."""
    marks = [mark for mark in getattr(act, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        return [{}]
    name, values = marks[0].args
    return [{name: value} for value in values]
