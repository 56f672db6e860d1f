"""The load generator sends what it says, and knows what was acknowledged."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgspec

from careline.channels.base import ChannelView, Part
from careline.channels.simulated import NETWORK
from careline.simulator.load import Load, make_events, plan_deliveries, run_load
from careline.simulator.tests.conftest import SECRET
from careline.simulator.tests.hooks import Hook

CHANNEL = ChannelView(7, 1, "simulated", "aurora", "Aurora", "@aurora", {}, {})


def load(hook: str = "http://127.0.0.1:9/hook", **more: object) -> Load:
    return Load(**({"hook_url": hook, "hook_secret": SECRET, "account": "aurora", "events": 60, "threads": 7} | more))  # type: ignore[arg-type]


def test_the_same_seed_says_the_same_words() -> None:
    first, second = make_events(load()), make_events(load())
    assert [(one.id, one.text) for one in first] == [(one.id, one.text) for one in second]
    assert [one.text for one in make_events(load(seed=2))] != [one.text for one in first]


def test_every_event_is_one_that_the_network_reads() -> None:
    for one in make_events(load()):
        (said,) = NETWORK.normalise(Part("aurora", one.id, one.thread, one.body), CHANNEL)
        assert said.text == one.text  # type: ignore[union-attr]
        assert said.is_addressed  # type: ignore[union-attr]


def test_words_are_numbered_in_their_thread() -> None:
    counts: Counter[str] = Counter()
    for one in make_events(load()):
        counts[one.thread] += 1
        assert one.text.startswith(f"#{counts[one.thread]} ")


def test_duplicates_and_disorder_lose_nothing() -> None:
    one = load(duplicates=0.5, disorder=0.5, batch=3)
    events = make_events(one)
    sent = [event.id for batch in plan_deliveries(one, events) for event in batch]
    assert set(sent) == {event.id for event in events}
    assert len(sent) > len(events)
    assert list(dict.fromkeys(sent)) != [event.id for event in events]


def test_what_was_acknowledged_is_what_arrived(listener: Hook) -> None:
    outcome = asyncio.run(run_load(load(listener.address, batch=5)))
    assert set(outcome.acked) == {str(event["id"]) for event in listener.events}
    assert (len(outcome.acked), outcome.refused, outcome.deliveries) == (60, (), 12)
    assert outcome.percentile_s(0.5) > 0


def test_a_refused_delivery_is_repeated(listener: Hook) -> None:
    listener.refuse_next = 4
    outcome = asyncio.run(run_load(load(listener.address, batch=10)))
    assert len(outcome.acked) == 60


def test_a_hook_that_is_away_is_said_to_be(listener: Hook) -> None:
    outcome = asyncio.run(run_load(load(events=3, retry_s=0.0)))
    assert (len(outcome.refused), outcome.acked, outcome.rate) == (3, (), 0.0)
    assert listener.events == []


def test_a_rate_is_kept(listener: Hook) -> None:
    outcome = asyncio.run(run_load(load(listener.address, events=20, rate=100.0)))
    assert outcome.seconds >= 0.19
    assert msgspec.structs.asdict(outcome)["deliveries"] == 20
