"""Who looks at a case and who types is seen on every screen, whichever process holds it: two web processes on one PostgreSQL."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.edge.asking import Listener, ask, close_streams, stream
from tests.edge.conftest import seed
from tests.operations.test_several_processes import sibling
from tests.servers.installations import fresh, program
from tests.servers.processes import Careline

pytestmark = pytest.mark.postgres
# What is said at once to others of this process, and within a second to those of others.
WITHIN_S = 1.0
_FORGED = """
import psycopg
from careline.events import bridging
air = int(sys.argv[1])
forged = [
    'x:%d:{"n":0,"type":"case","audience":"workspace","body":"e30="}' % air,
    'x:%d:{"n":9,"type":"presence","audience":"workspace","body":"e30="}' % air,
    'x:%d:not a frame' % air, 'nothing at all', 'x:y:{}',
    'x:%d:{"n":0,"type":"presence","audience":"workspace","body":"eyJmb3JnZWQiOjB9"}' % air,
]
with psycopg.connect(bridging.address_of_database(), autocommit=True) as link:
    for one in forged:
        link.execute("SELECT pg_notify('careline_whispers', %s)", [one])
"""


@dataclass
class Pair:
    """Two processes, and what was put into their database."""

    here: Careline
    there: Careline
    seeded: dict[str, Any]

    def listen(self, careline: Careline, agent: str, workspace: str = "air") -> Listener:
        listener = stream(careline.port, workspace, self.seeded["agents"][agent]["stream"])
        listener.wait(bool)
        return listener

    def say(self, careline: Careline, agent: str, **said: object) -> None:
        ticket = quote(self.seeded["agents"][agent]["stream"])
        answer = ask(careline.port, "POST", f"/w/air/presence?ticket={ticket}", json.dumps(said).encode())
        assert answer.status == 204


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    home = fresh(tmp_path / "home", "postgresql", CARELINE_BASE_URL="http://127.0.0.1:8000")
    seeded = seed(home)
    here, there = (sibling(home, tmp_path / name, "web") for name in ("here", "there"))
    try:
        for one in (here, there):
            one.start()
        for one in (here, there):
            one.wait_ready()
        yield Pair(here, there, seeded)
    finally:
        close_streams()
        for one in (here, there):
            one.kill()


def test_a_colleague_at_another_process_is_seen_looking_and_typing_within_a_second_and_once(pair: Pair) -> None:
    ana, ben = pair.listen(pair.here, "ana"), pair.listen(pair.there, "ben")
    cleo = pair.listen(pair.here, "cleo", "sea")
    said = ({"case": "77"}, {"case": "77", "typing": True, "mode": "private"}, {"case": "", "typing": False})
    for number, one in enumerate(said, 1):
        begun_s = time.monotonic()
        pair.say(pair.there, "ben", **one)
        ana.wait(lambda heard, number=number: len(ana.of("presence")) == number, WITHIN_S)
        assert time.monotonic() - begun_s < WITHIN_S
    assert [(one.data["name"], one.data["case"], one.data["typing"], one.n) for one in ana.of("presence")] == [
        ("Ben", "77", False, 0),
        ("Ben", "77", True, 0),
        ("Ben", "", False, 0),
    ]
    pair.say(pair.here, "ana", case="78")
    ben.wait(lambda heard: any(one.data["case"] == "78" for one in ben.of("presence")), WITHIN_S)
    time.sleep(0.5)
    # Each process hears its own whisper come back, and tells nobody twice; another workspace hears nothing.
    assert [one.data["case"] for one in ben.of("presence")] == ["77", "77", "", "78"]
    assert len(ana.of("presence")) == 4 and not cleo.of("presence")


def test_what_somebody_else_tells_through_the_database_is_no_event(pair: Pair) -> None:
    ana = pair.listen(pair.here, "ana")
    program(pair.here, _FORGED, str(pair.seeded["air"]))
    ana.wait(lambda heard: bool(ana.of("presence")), 5)
    assert [(one.type, one.data) for one in ana.heard if one.type != "open"] == [("presence", {"forged": 0})]
