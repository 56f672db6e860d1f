"""What is true after the crashes: asked of the simulated platform's own ledger for what we sent, and of the case rows for what we heard."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.servers.processes import Careline

_HEARD = """
import json, os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from careline.events.models import Event
from careline.intake.models import JournalRow
from careline.outbox.models import Delivery
from careline.threads.models import Message
heard = [[m.platform_id, m.thread.key] for m in Message.objects.select_related("thread").filter(direction="inbound").order_by("thread_id", "at", "id")]
numbers = list(Event.objects.order_by("n").values_list("n", flat=True))
print(json.dumps({
    "heard": heard,
    "new": JournalRow.objects.filter(state=0).count(),
    "dead": list(JournalRow.objects.filter(state=2).values_list("reason", "detail")),
    "deliveries": dict(__import__("collections").Counter(Delivery.objects.values_list("state", flat=True))),
    "gapless": numbers == list(range(1, len(numbers) + 1)),
}))
"""


@dataclass(frozen=True)
class Verdict:
    """Counts; a test asserts that all of them are zero or true."""

    heard: int
    lost: int
    doubled: int
    disordered_threads: int
    dead: list[list[str]]
    sent: int
    unsent: int
    sent_twice: int
    sent_disordered_threads: int
    gapless: bool
    deliveries: dict[str, int]
    undigested: int


def look(careline: Careline) -> dict[str, object]:
    """The rows of a stopped installation (or a running one on PostgreSQL)."""
    found = json.loads(careline.run(code=_HEARD))
    assert isinstance(found, dict)
    return found


def judge(careline: Careline, ledger_path: Path, expected_keys: list[str]) -> Verdict:
    """Compare both sides."""
    ours = look(careline)
    ledger = sqlite3.connect(ledger_path)
    spoken = ledger.execute("SELECT id, thread FROM message WHERE origin = 'customer' ORDER BY thread, seq").fetchall()
    accepted = [
        row for row in ledger.execute("SELECT client_key, thread FROM message WHERE origin = 'api' ORDER BY seq")
    ]
    ledger.close()
    heard = [tuple(pair) for pair in ours["heard"]]  # type: ignore[attr-defined]
    counted = Counter(message_id for message_id, _ in heard)
    keys = Counter(key for key, _ in accepted)
    return Verdict(
        heard=len(counted),
        lost=sum(1 for message_id, _ in spoken if message_id not in counted),
        doubled=sum(count - 1 for count in counted.values()),
        disordered_threads=_disordered(spoken, heard),
        dead=list(ours["dead"]),  # type: ignore[call-overload]
        sent=len(keys),
        unsent=sum(1 for key in expected_keys if key not in keys),
        sent_twice=sum(count - 1 for count in keys.values()),
        sent_disordered_threads=_disordered_keys(accepted, expected_keys),
        gapless=bool(ours["gapless"]),
        deliveries=dict(ours["deliveries"]),  # type: ignore[call-overload]
        undigested=int(str(ours["new"])),
    )


def _by_thread(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for message_id, thread in pairs:
        grouped.setdefault(thread, []).append(message_id)
    return grouped


def _disordered(spoken: list[tuple[str, str]], heard: list[tuple[str, str]]) -> int:
    said, shown = _by_thread(spoken), _by_thread(heard)
    return sum(
        1
        for thread, order in said.items()
        if [one for one in shown.get(thread, []) if one in set(order)]
        != [one for one in order if one in set(shown.get(thread, []))]
    )


def _disordered_keys(accepted: list[tuple[str, str]], expected: list[str]) -> int:
    place = {key: number for number, key in enumerate(expected)}
    return sum(
        1
        for order in _by_thread(accepted).values()
        if [place[key] for key in order if key in place] != sorted(place[key] for key in order if key in place)
    )
