"""Invariant 5 inside SMTP DATA: killed before and after the dot, no customer gets a letter twice, and none is believed sent that was not."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.figures import tell
from tests.mail.desk import desk_with_mailbox
from tests.servers.mail import MailServers, missing
from tests.servers.processes import Careline

pytestmark = [pytest.mark.crash, pytest.mark.mail]
KILLS = max(4, min(20, int(os.environ.get("CARELINE_KILLS", "16")) // 4))
_STATES = """
import json, os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from careline.outbox.models import Delivery
print(json.dumps(dict(Delivery.objects.values_list("recipient", "state"))))
"""
_RESOLVE = """
import json, os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from careline.events.recording import unit_of_work
from careline.outbox import actions
from careline.outbox.models import Delivery
arrived = set(json.loads(sys.argv[1]))
for delivery in Delivery.objects.filter(state="unknown"):
    with unit_of_work() as work:
        actions.resolve(work, actions.access_delivery(delivery.workspace_id, delivery.id), was_sent=delivery.recipient in arrived)
"""


def test_killed_inside_smtp_data_no_letter_is_doubled_and_a_person_settles_what_is_unknown(tmp_path: Path) -> None:
    reason = missing()
    if reason:
        pytest.fail(reason, pytrace=False)
    servers = MailServers().start()
    careline = desk_with_mailbox(tmp_path, servers, letters=KILLS * 3)
    try:
        for number in range(KILLS):
            point = ("mail.in_data", "mail.after_data")[number % 2]
            careline.start(CARELINE_CRASH_AT=f"{point}:1")
            assert careline.wait_ended(timeout_s=60) == -9, careline.log()[-2000:]
        _run_until(careline, lambda states: set(states.values()) <= {"sent", "unknown"})
        arrived = _arrived(servers, KILLS * 3)
        assert max(arrived.values()) == 1
        states = _states(careline)
        assert all(arrived[recipient] == 1 for recipient, state in states.items() if state == "sent")
        assert "unknown" in states.values()
        careline.run(json.dumps(sorted(arrived)), code=_RESOLVE)
        _run_until(careline, lambda states: set(states.values()) == {"sent"})
        assert set(_arrived(servers, KILLS * 3).values()) == {1}
        unknown = Counter(states.values())["unknown"]
        tell(f"SMTP: {KILLS} kills, {KILLS * 3} letters, unknown {unknown}, all arrived once")
    finally:
        careline.kill()
        servers.stop()


def _states(careline: Careline) -> dict[str, str]:
    found = json.loads(careline.run(code=_STATES))
    assert isinstance(found, dict)
    return found


def _run_until(careline: Careline, is_done: Callable[[dict[str, str]], bool]) -> None:
    """Serve some seconds at a time until the outbox says so: a stopped process's rows may be read on SQLite."""
    for _ in range(8):
        careline.start().wait_ready()
        time.sleep(6)
        careline.stop()
        if is_done(_states(careline)):
            return
    raise AssertionError(Counter(_states(careline).values()))


def _arrived(servers: MailServers, letters: int) -> Counter[str]:
    """Letters in the customers' mailboxes."""
    found: Counter[str] = Counter()
    for number in range(letters):
        recipient = f"c{number}@cust.test"
        count = len(servers.mails(recipient, at_least=1, within_s=0.05))
        if count:
            found[recipient] = count
    return found
