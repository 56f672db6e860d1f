"""Killed while acts and the posts of a long text are on their way: each post stands once, in order; each act is done. Judged by the platform's ledger."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from careline.simulator import running
from careline.simulator.behaviour import Behaviour
from careline.simulator.records import Account, App, Persona
from tests.browser.inbox.platform_seeding import APP_TOKEN, SECRET, TOKEN
from tests.servers.postgres import Cluster
from tests.servers.processes import Careline

pytestmark = pytest.mark.crash
PARTS = 3
# The n-th pass: of three posts the second and third are the interesting ones.
KILLS = (
    "moderate.attempt_committed:1",
    "moderate.answered:1",
    "send.attempt_committed:2",
    "send.on_wire:2",
    "send.answered:2",
    "send.answered:3",
)
_SEED = "import sys; from tests.browser.inbox.platform_seeding import main; main(sys.argv[1])"
_QUEUE = """
import json, os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from careline.cases.actions.moderating import moderate_message
from careline.cases.actions.replying import write_reply
from careline.cases.models import Case
from careline.threads.models import Message
from careline.workspaces.models import Agent
from careline.workspaces.sight import viewer_of
text = sys.argv[1]
case = Case.objects.get()
ana = viewer_of(Agent.objects.get(name="Ana"))
heard = Message.objects.get(case_id=case.id)
moderate_message(ana, case.number, heard.id, "hide")
write_reply(ana, case.number, thread_id=heard.thread_id, text=text, mode="public", parts=int(sys.argv[2]))
"""
_STATES = """
import json, os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from careline.outbox.models import Delivery, Moderation
print(json.dumps([list(model.objects.order_by("id").values_list("state", flat=True)) for model in (Delivery, Moderation)]))
"""


@pytest.mark.parametrize("point", KILLS)
def test_killed_in_the_middle_each_post_stands_once_and_the_act_is_done_on_sqlite(tmp_path: Path, point: str) -> None:
    _kill_and_judge(tmp_path, point, "")


@pytest.mark.postgres
@pytest.mark.parametrize("point", KILLS)
def test_killed_in_the_middle_each_post_stands_once_and_the_act_is_done_on_postgresql(
    tmp_path: Path, point: str
) -> None:
    cluster = Cluster().start()
    try:
        _kill_and_judge(tmp_path, point, cluster.database())
    finally:
        cluster.stop()


def _kill_and_judge(folder: Path, point: str, database_url: str) -> None:
    text = " ".join(f"Frase {number} de una respuesta larga y amable." for number in range(1, 17))
    with _house(folder, database_url) as (world, careline):
        platform = world.simulator.platform
        ours = platform.own_post("aurora", "Vuelos a Lima")
        said = platform.reply(ours.thread, "u_marta", "Vaya precios")
        _hear(world, careline)
        careline.run(text, str(PARTS), code=_QUEUE)
        careline.start(CARELINE_CRASH_AT=point)
        assert careline.wait_ended(timeout_s=60) == -9, careline.log()[-2000:]
        careline.start().wait_ready()
        _until_settled(careline)
        kept = platform.ledger.message(said.id)
        assert kept is not None and kept.hidden_at is not None
        posts = [one for one in platform.ledger.messages_of(ours.thread) if one.origin == "api"]
        assert " ".join(one.text for one in posts) == text
        assert [one.reply_to for one in posts] == [said.id] * PARTS, "comments have two levels"


@contextmanager
def _house(folder: Path, database_url: str) -> Iterator[tuple[running.Running, Careline]]:
    world = running.start(folder / "ledger.sqlite3", behaviour=Behaviour(receipts="none"))
    environment = {"CARELINE_ALLOW_PRIVATE_ADDRESSES": "1", "DJANGO_SETTINGS_MODULE": "careline.settings"}
    careline = Careline(folder / "data", environment=environment, database_url=database_url)
    careline.data.mkdir()
    try:
        careline.run(world.address, code=_SEED)
        app = App("app", f"{careline.address}/hooks/simulated/{TOKEN}", SECRET, APP_TOKEN)
        world.simulator.ledger.save_app(app, [Account("aurora", "app", "Aurora Air", "@aurora")])
        world.simulator.platform.join(Persona("u_marta", "@martarg", "Marta Ruiz"))
        yield world, careline
    finally:
        careline.kill()
        world.stop()


def _hear(world: running.Running, careline: Careline) -> None:
    """Let the desk hear of it, and stop."""
    careline.start().wait_ready()
    end_s = time.monotonic() + 20
    while world.simulator.ledger.unacked() or careline.gauge("careline_journal_new") > 0:
        assert time.monotonic() < end_s, "it was never heard"
        time.sleep(0.1)
    time.sleep(0.5)
    careline.stop()


def _until_settled(careline: Careline) -> None:
    """Whatever was unknown was asked for, whatever was harmless done again."""
    end_s = time.monotonic() + 60
    while True:
        states = json.loads(careline.run(code=_STATES).strip().splitlines()[-1])
        if states == [["sent"] * PARTS, ["done"]]:
            return
        assert time.monotonic() < end_s, f"never settled: {states}"
        time.sleep(1)
