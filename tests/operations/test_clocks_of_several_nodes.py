"""Invariant 12: a clock fires within a second of its time, once, whatever the number of nodes: three timers in processes of their own on one PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.installations import fresh, program
from tests.servers.processes import ROOT, Careline

pytestmark = pytest.mark.postgres
NODES, TIMERS, OVER_S = 3, 200, 5.0
# A node: the product's own timer, with a handler that writes down every call in the claim's own transaction.
_NODE = """
import os, sys, threading
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from django.db import connection
from careline.clocks import firing
from careline.kit import clock

@firing.on("counted")
def count(work, fired):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger VALUES (%s, %s, %s, %s)", [fired.subject_id, fired.due_at, clock.now(), os.getpid()])

stopping = threading.Event()
timer = threading.Thread(target=firing.run_timer, args=(stopping,))
timer.start()
print("ready", flush=True)
sys.stdin.readline()
stopping.set()
timer.join()
"""
_SET = """
from datetime import timedelta
from django.db import connection
from careline.clocks.setting import due, set_clocks
from careline.events.recording import unit_of_work
from careline.kit import clock
timers, over_s = int(sys.argv[1]), float(sys.argv[2])
first = clock.now() + timedelta(seconds=0.6)
with unit_of_work():
    set_clocks([due(1, "counted", number, first + timedelta(seconds=over_s * number / timers)) for number in range(timers)])
"""
_LEDGER = "from django.db import connection\nconnection.cursor().execute('CREATE TABLE ledger (subject bigint, due timestamptz, at timestamptz, pid int)')"
_READ = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT subject, extract(epoch FROM at - due), pid FROM ledger")
    print(json.dumps([[subject, float(late), pid] for subject, late, pid in cursor.fetchall()]))
"""


@contextmanager
def nodes(careline: Careline) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Three, ready."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _NODE], env=careline.env(), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(NODES)
    ]
    try:
        for one in started:
            assert one.stdout is not None and one.stdout.readline() == b"ready\n"
        yield started
    finally:
        for one in started:
            one.communicate(b"\n", timeout=20)


def _fired(careline: Careline, wanted: int, timeout_s: float = 30) -> list[tuple[int, float, int]]:
    end_s = time.monotonic() + timeout_s
    while len(rows := json.loads(program(careline, _READ))) < wanted and time.monotonic() < end_s:
        time.sleep(0.5)
    time.sleep(1)
    return [(subject, late, pid) for subject, late, pid in json.loads(program(careline, _READ) if rows else "[]")]


@pytest.mark.parametrize("killed", [0, 1], ids=["all-live", "one-dies"])
def test_invariant_12_a_clock_fires_within_a_second_once_whatever_the_number_of_nodes(
    tmp_path: Path, killed: int
) -> None:
    careline = fresh(tmp_path, "postgresql")
    program(careline, _LEDGER)
    with nodes(careline) as started:
        program(careline, _SET, str(TIMERS), str(OVER_S))
        time.sleep(OVER_S / 2)
        for one in started[:killed]:
            os.kill(one.pid, signal.SIGKILL)
        fired = _fired(careline, TIMERS)
        pids = {one.pid for one in started}
    assert sorted(subject for subject, _, _ in fired) == list(range(TIMERS))
    assert all(0 <= late < 1 for _, late, _ in fired), max(late for _, late, _ in fired)
    assert {pid for _, _, pid in fired} == pids, "a node that does nothing shows nothing"
