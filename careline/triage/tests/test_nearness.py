"""Near is near: examples find their like, counter-examples keep theirs out, groups are found, and far is far."""

from __future__ import annotations

import time

import numpy as np

from careline.triage.nearness import claimed, clusters, far_from, likeness, unpack
from careline.triage.tests.learning import vector_at


def _like(word: str, count: int, near: float = 0.85) -> list[bytes]:
    return [vector_at(word, near=near, salt=number * 31 + len(word)) for number in range(count)]


OTHERS = [vector_at(f"other{number}") for number in range(100)]
NONE = np.zeros((0, 512), np.float32)


def test_messages_near_the_examples_are_likely_and_others_are_not() -> None:
    pool = unpack([*_like("delay", 10), *OTHERS])
    chances = likeness(pool, unpack(_like("delay", 5)), NONE)
    assert chances[:10].min() > 0.5 > 0.05 > chances[10:].max()


def test_what_lies_nearer_to_a_counter_example_is_not_caught() -> None:
    pool = unpack([*_like("delay", 10), *OTHERS])
    chances = likeness(pool, unpack(_like("delay", 5)), pool[3:4])
    assert chances[3] == 0.0 and chances[0] > 0.5


def test_a_handful_of_messages_can_be_compared_too() -> None:
    chances = likeness(unpack([*_like("delay", 2), OTHERS[0]]), unpack(_like("delay", 5)), NONE)
    assert chances[:2].min() > 0.5 > chances[2]


def test_the_background_holds_nothing_near_a_topic() -> None:
    pool = unpack([*_like("delay", 20), *OTHERS])
    far = far_from(pool, [unpack(_like("delay", 5))], 30)
    assert len(far) == 30 and far.min() >= 20
    assert len(far_from(pool, [unpack(_like("delay", 5))], 0)) == 0


def test_groups_come_by_size_each_message_in_one_and_the_centre_first() -> None:
    pool = unpack([*_like("delay", 12), *_like("bags", 7), *_like("miles", 3), *OTHERS])
    found = clusters(pool, fewest=5, most=12)
    assert [set(group.tolist()) for group in found] == [set(range(12)), set(range(12, 19))]
    centre = pool[found[0]].mean(axis=0)
    assert pool[found[0][0]] @ centre >= pool[found[0][-1]] @ centre


def test_what_a_topic_holds_already_is_claimed() -> None:
    pool = unpack([*_like("delay", 12), *OTHERS])
    assert claimed(pool, [unpack(_like("delay", 5))], 0.3).tolist() == [True] * 12 + [False] * 100


def test_three_thousand_messages_are_grouped_while_somebody_waits() -> None:
    pool = np.random.default_rng(1).normal(size=(3_000, 512)).astype(np.float32)
    begun = time.process_time()
    assert clusters(pool, fewest=5, most=12) == []
    assert time.process_time() - begun < 5
