"""Two agents, or two clicks, at the same moment: one answer, one owner."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import OperationalError, connection

from careline.cases.actions.assigning import take_case
from careline.cases.actions.composing import compose
from careline.cases.actions.replying import write_reply
from careline.cases.models import Case
from careline.conftest import make_case
from careline.errors import Conflict
from careline.outbox.models import Delivery
from careline.threads.models import Message

pytestmark = pytest.mark.django_db(transaction=True)


def _at_once(*works: Callable[[], object]) -> list[object]:
    start = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        start.wait(10)
        try:
            return _undisturbed(work)
        except Conflict as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def _undisturbed(work: Callable[[], object]) -> object:
    """Tests on SQLite share one database in memory, whose tables a reader finds locked while another writes; a database in a file, as installations
    have, knows no such refusal. It comes before anything is written, so the click is made again.
    """
    while True:
        try:
            return work()
        except OperationalError as locked:
            if "table is locked" not in str(locked):
                raise


def test_the_same_click_twice_at_once_is_one_answer(air):
    case = make_case(air.channel, air.marta_identity)
    thread_id = Message.objects.get().thread_id
    click = lambda: write_reply(air.ana, case.number, thread_id=thread_id, text="x", mode="public", client_key="k").id  # noqa: E731
    assert len(set(_at_once(click, click, click))) == 1
    assert Delivery.objects.count() == 1


def test_the_same_letter_twice_at_once_is_one_letter(air):
    click = lambda: compose(air.ana, air.channel.id, to=["n@example.org"], text="x", client_key="k").id  # noqa: E731
    assert len(set(_at_once(click, click))) == 1
    assert (Delivery.objects.count(), Case.objects.count()) == (1, 1)


def test_a_case_is_taken_by_one_of_two(air):
    case = make_case(air.channel, air.marta_identity)
    told = _at_once(lambda: take_case(air.ana, case.number), lambda: take_case(air.ben, case.number))
    assert told.count("taken") == 1
    assert Case.objects.get().assignee_id in {air.ana.agent_id, air.ben.agent_id}


def test_two_agents_who_saw_the_same_do_not_both_answer(air):
    case = make_case(air.channel, air.marta_identity)
    seen = Case.objects.get().version
    thread_id = Message.objects.get().thread_id
    more = {"thread_id": thread_id, "text": "x", "mode": "public", "seen_version": seen}
    told = _at_once(
        lambda: write_reply(air.ana, case.number, **more), lambda: write_reply(air.ben, case.number, **more)
    )
    assert told.count("changed_since_seen") == 1
    assert Delivery.objects.count() == 1
