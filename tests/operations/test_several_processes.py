"""Two web and two worker processes on one PostgreSQL: some are killed under load, and nothing is lost, doubled or left lying; hints and clocks cross processes."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from careline.simulator import running
from careline.simulator.behaviour import Behaviour
from careline.simulator.records import Account, App, Persona
from tests.crash.judging import judge
from tests.edge.asking import ask, close_streams, signed, spoken, stream
from tests.edge.conftest import seed
from tests.servers.installations import KEY, fresh, program
from tests.servers.processes import ROOT, Careline

pytestmark = pytest.mark.postgres
HOOK_SECRET = "whsec_" + "dHdvIHdlYiBhbmQgdHdvIHdvcmtlcnM="
TOKEN = "several-processes"
REPLIES = 40


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    close_streams()


def sibling(careline: Careline, folder: Path, roles: str) -> Careline:
    """One more process of the same installation. All are known by one address, as behind a proxy, and share the files' folder."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        **careline.environment,
        "CARELINE_BASE_URL": "http://127.0.0.1:8000",
        "CARELINE_DATA": str(careline.data),
        "CARELINE_SECRET_KEY": KEY,
    }
    return Careline(
        folder, database_url=careline.database_url, command=("serve", "--roles", roles), environment=environment
    )


def test_two_webs_and_two_workers_lose_and_double_nothing_when_some_are_killed(tmp_path: Path) -> None:
    chance = random.Random(5)
    platform = running.start(
        tmp_path / "ledger.sqlite3",
        behaviour=Behaviour(duplicates=0.05, concurrency=4, longest_backoff_s=0.5, receipts="sent"),
        seed=5,
    )
    home = fresh(tmp_path / "home", "postgresql", CARELINE_BASE_URL="http://127.0.0.1:8000")
    replies = [
        {
            "thread": f"dm_aurora_p{number % 20}",
            "recipient": f"p{number % 20}",
            "text": f"answer {number}",
            "key": f"key-{number}",
        }
        for number in range(REPLIES)
    ]
    arguments = {
        "hook_secret": HOOK_SECRET,
        "token": TOKEN,
        "api": f"{platform.address}/api",
        "sending": "lookup",
        "replies": replies,
        "spread_s": 8,
    }
    hook = json.loads(
        home.run(json.dumps(arguments), code=(ROOT / "tests" / "crash" / "seeding.py").read_text()).splitlines()[-1]
    )["hook"]
    webs = [sibling(home, tmp_path / f"web{number}", "web") for number in range(2)]
    workers = [sibling(home, tmp_path / f"worker{number}", "worker") for number in range(2)]
    for one in webs:
        one.start()
    for one in webs:
        one.wait_ready()
    _point_at(platform, webs[0].address + hook)
    _join(platform)
    for one in workers:
        one.start()
    for one in workers:
        one.wait_ready()
    stop = threading.Event()
    talker = threading.Thread(target=_talk, args=(platform, stop, chance.randrange(10**6)), daemon=True)
    try:
        talker.start()
        time.sleep(1.5)
        workers[0].kill()
        time.sleep(1)
        webs[0].kill()
        _point_at(platform, webs[1].address + hook)  # as a proxy would
        time.sleep(1)
        workers[0].start().wait_ready()
        workers[1].kill()
        time.sleep(1)
        webs[0].start().wait_ready()
        workers[1].start()
        time.sleep(1)
        stop.set()
        talker.join()
        _wait_until_all_is_said(platform, home, REPLIES)
        assert [one.stop() for one in (*webs, *workers)] == [0, 0, 0, 0]
        verdict = judge(home, tmp_path / "ledger.sqlite3", [reply["key"] for reply in replies])
    finally:
        stop.set()
        for one in (*webs, *workers):
            one.kill()
        platform.stop()
    assert verdict.heard > 60
    assert (verdict.lost, verdict.doubled, verdict.disordered_threads, verdict.dead) == (0, 0, 0, [])
    assert (verdict.unsent, verdict.sent_twice, verdict.sent_disordered_threads) == (0, 0, 0)
    assert verdict.gapless


def _point_at(platform: running.Running, hook_url: str) -> None:
    platform.simulator.ledger.save_app(
        App("app", hook_url, HOOK_SECRET, TOKEN), [Account("aurora", "app", "Aurora Air", "@aurora", "lookup")]
    )


def _join(platform: running.Running) -> None:
    """Everybody writes once, so that the platform lets us answer them."""
    for number in range(20):
        platform.simulator.platform.join(Persona(f"p{number}", f"@p{number}", f"Person {number}"))
        platform.simulator.platform.dm("aurora", f"p{number}", f"hello from {number}")


def _talk(platform: running.Running, stop: threading.Event, seed_number: int) -> None:
    chance = random.Random(seed_number)
    number = 0
    while not stop.is_set():
        number += 1
        platform.simulator.platform.dm("aurora", f"p{chance.randrange(20)}", f"message {number}, where is my bag?")
        stop.wait(0.04)


def _wait_until_all_is_said(platform: running.Running, home: Careline, replies: int, timeout_s: float = 90) -> None:
    ledger = platform.simulator.ledger
    end_s = time.monotonic() + timeout_s
    while ledger.unacked() or len({row.client_key for row in ledger.messages(origin="api")}) < replies:
        assert time.monotonic() < end_s, program(
            home,
            "from careline.outbox.models import Delivery\nfrom collections import Counter\nprint(Counter(Delivery.objects.values_list('state', 'error_code')))",
        )
        time.sleep(0.3)
    waiting = "from careline.intake.models import JournalRow\nend = time.monotonic() + 60\nwhile JournalRow.objects.filter(state=0).exists() and time.monotonic() < end: time.sleep(0.2)"
    program(home, waiting)


def test_what_one_process_hears_another_shows_within_a_second_and_both_take_uploads(tmp_path: Path) -> None:
    home = fresh(tmp_path / "home", "postgresql", CARELINE_BASE_URL="http://127.0.0.1:8000")
    seeded = seed(home)
    web, other, worker = (
        sibling(home, tmp_path / name, roles) for name, roles in (("a", "web"), ("b", "web"), ("c", "worker"))
    )
    for one in (web, other, worker):
        one.start()
    try:
        for one in (web, other, worker):
            one.wait_ready()
        listener = stream(other.port, "air", seeded["agents"]["ben"]["stream"])
        listener.wait(bool)
        body = spoken("from one to the other", author="xenia")
        began = time.monotonic()
        assert ask(web.port, "POST", seeded["channels"]["air.simulated"]["hook"], body, signed(body)).status == 200
        listener.wait(lambda heard: any("Xenia" in str(one.data) for one in heard))
        assert time.monotonic() - began < 5
        assert "held" not in web.log() and [one.stop() for one in (web, other, worker)] == [0, 0, 0]
    finally:
        for one in (web, other, worker):
            one.kill()


def test_hints_survive_a_connection_the_database_ended(tmp_path: Path) -> None:
    """The listening and the telling connection are terminated by the server; both come back by themselves."""
    said = program(
        fresh(tmp_path, "postgresql"),
        """
import psycopg
from careline.events import bridging, hub
from django.db import connection

heard, told = [], []
hub.subscribe(lambda workspace_id, n: heard.append((workspace_id, n)))
bridge = bridging.bridge_for(connection.vendor)
bridge.start()
outside = psycopg.connect(bridging.address_of_database(), autocommit=True)
outside.execute("LISTEN careline")

def until(holds, timeout_s=15):
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end, (heard, told)
        told.extend(note.payload for note in outside.notifies(timeout=0.1, stop_after=1))

def backends():
    return {pid: query for pid, query in outside.execute("SELECT pid, query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")}

until(lambda: any("LISTEN" in query for query in backends().values()))
outside.execute("SELECT pg_notify('careline', '7:1')")
until(lambda: (7, 1) in heard)
hub.wake(8, 2)
until(lambda: "8:2" in told)
for payload in ("", "x", "7", "7:x", "7:" + "9" * 40, "1:2:3", "-1:2"):
    outside.execute("SELECT pg_notify('careline', %s)", [payload])
killed = list(backends())
for pid in killed:
    outside.execute("SELECT pg_terminate_backend(%s)", [pid])
def again():
    outside.execute("SELECT pg_notify('careline', '7:3')")
    return (7, 3) in heard
until(again)
n = [10]
def tell_again():
    n[0] += 1
    hub.wake(8, n[0])
    return any(payload.startswith("8:") and int(payload[2:]) > 10 for payload in told)
until(tell_again)
print(len(killed) >= 2, set(heard) - {(7, 1), (7, 3)} <= {(8, number) for number in range(100)})
bridge.stop()
""",
    )
    assert said.splitlines()[-1] == "True True"
