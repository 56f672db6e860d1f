"""The crash run: a real process under load is killed again and again, at named points and at random moments; then both sides are counted."""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from careline.kit import clock
from careline.simulator import running
from careline.simulator.behaviour import Behaviour
from careline.simulator.records import Account, App, Persona
from tests.crash.judging import Verdict, judge
from tests.servers.processes import ROOT, Careline

HOOK_SECRET = "whsec_" + "Y2FyZWxpbmUtY3Jhc2gtdGVzdC1zZWNyZXQ="
TOKEN = "crash-test-token"
POINTS = {
    "digest": ("digest.attempt_committed", "digest.before_commit", "digest.after_commit"),
    "send": ("send.attempt_committed", "send.on_wire", "send.answered"),
    "journal": ("journal.before_commit", "journal.after_commit"),
}
DRAIN_TIMEOUT_S = 300.0
POINT_TIMEOUT_S = 20.0


@dataclass
class Run:
    """How the run went: kills by kind, and the verdict."""

    kills: dict[str, int] = field(default_factory=dict)
    verdict: Verdict | None = None


def crash_run(folder: Path, *, kills: int, database_url: str = "", seed: int = 1) -> Run:
    """Kill `kills` times: a quarter inside the digest, a quarter inside sending, an eighth in the journal, the rest at random moments."""
    chance = random.Random(seed)
    platform = running.start(
        folder / "ledger.sqlite3",
        behaviour=Behaviour(duplicates=0.05, concurrency=4, longest_backoff_s=0.5, receipts="sent"),
        seed=seed,
    )
    careline = Careline(folder / "data", database_url=database_url)
    replies = [
        {
            "thread": f"dm_aurora_p{number % 40}",
            "recipient": f"p{number % 40}",
            "text": f"answer {number}",
            "key": f"key-{number}",
        }
        for number in range(kills * 8)
    ]
    found = _seed(careline, platform.address, replies, spread_s=kills * 2.6)
    _register(platform, careline.address + found["hook"])
    for number in range(40):
        platform.simulator.platform.join(Persona(f"p{number}", f"@p{number}", f"Person {number}"))
        platform.simulator.platform.dm("aurora", f"p{number}", "hola")
    talking = threading.Event()
    talker = threading.Thread(target=_talk, args=(platform, talking, chance.randrange(10**6)), daemon=True)
    run = Run()
    talker.start()
    try:
        for plan in _plans(kills, chance):
            kind = _kill_once(careline, plan, chance)
            run.kills[kind] = run.kills.get(kind, 0) + 1
        careline.start().wait_ready()
        talking.set()
        talker.join()
        _drain(careline, platform, len(replies))
        careline.stop()
        run.verdict = judge(careline, folder / "ledger.sqlite3", [reply["key"] for reply in replies])
    finally:
        talking.set()
        careline.kill()
        platform.stop()
    return run


def _plans(kills: int, chance: random.Random) -> list[str]:
    plans = ["digest"] * (kills // 4) + ["send"] * (kills // 4) + ["journal"] * (kills // 8)
    plans += ["moment"] * (kills - len(plans))
    chance.shuffle(plans)
    return plans


def _kill_once(careline: Careline, plan: str, chance: random.Random) -> str:
    """Kill as planned. Where the work of a point has run out, at that moment instead; returns what kind of kill it was."""
    if plan == "moment":
        careline.start()
        time.sleep(chance.uniform(0.2, 2.5))
        careline.kill()
        return plan
    careline.start(CARELINE_CRASH_AT=f"{chance.choice(POINTS[plan])}:{chance.randint(1, 3)}")
    try:
        careline.wait_ended(timeout_s=POINT_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        careline.kill()
        return "moment"
    assert careline.process is not None and careline.process.returncode == -9, careline.log()[-3000:]
    return plan


def _seed(careline: Careline, api: str, replies: list[dict[str, str]], spread_s: float) -> dict[str, str]:
    arguments = {
        "hook_secret": HOOK_SECRET,
        "token": TOKEN,
        "api": f"{api}/api",
        "sending": "lookup",
        "replies": replies,
        "spread_s": spread_s,
    }
    careline.data.mkdir(parents=True, exist_ok=True)
    code = (ROOT / "tests" / "crash" / "seeding.py").read_text()
    found = json.loads(careline.run(json.dumps(arguments), code=code).strip().splitlines()[-1])
    assert isinstance(found, dict)
    return found


def _register(platform: running.Running, hook_url: str) -> None:
    accounts = [Account("aurora", "app", "Aurora Air", "@aurora", "lookup")]
    platform.simulator.ledger.save_app(App("app", hook_url, HOOK_SECRET, TOKEN), accounts)


def _talk(platform: running.Running, stop: threading.Event, seed: int) -> None:
    """Customers write in private and in public, all the time."""
    chance = random.Random(seed)
    posts: list[str] = []
    number = 0
    while not stop.is_set():
        number += 1
        person = f"p{chance.randrange(40)}"
        if chance.random() < 0.6:
            platform.simulator.platform.dm("aurora", person, f"message {number}, where is my bag?")
        elif posts and chance.random() < 0.5:
            platform.simulator.platform.reply(chance.choice(posts), person, f"reply {number}: @aurora, still nothing")
        else:
            posts.append(platform.simulator.platform.post("aurora", person, f"post {number} for @aurora").thread)
        stop.wait(0.05)


def _drain(careline: Careline, platform: running.Running, replies: int) -> None:
    """Until the platform has delivered everything, everything is digested, and all that waits in the outbox is out."""
    end_s = clock.epoch_s() + DRAIN_TIMEOUT_S
    ledger = platform.simulator.ledger
    while clock.epoch_s() < end_s:
        if not ledger.unacked() and len({row.client_key for row in ledger.messages(origin="api")}) >= replies:
            break
        time.sleep(0.3)
    while clock.epoch_s() < end_s and careline.gauge("careline_journal_new") != 0:
        time.sleep(0.5)
    time.sleep(3)  # one more round of everything, and the last receipts
