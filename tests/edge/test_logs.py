"""Invariant 10: no secret and no message text in a log. A whole journey with every log level on, faults that quote what they refuse, and one look at all of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.edge.asking import ask, close_streams, signed, spoken
from tests.edge.conftest import Door, seed
from tests.edge.seeding import HOOK_SECRET, PASSWORD
from tests.edge.test_core import Desk
from tests.servers.installations import BOTH, KEY, fresh
from tests.servers.processes import ROOT

WORD = "quetzal"
POISON = f"poisoned {WORD}"
TOKEN = f"{WORD}-0123456789-abcdefghij"
# From here on the database refuses a message that says POISON, and quotes it: what a library's own error would log.
_SQLITE = """
from django.db import connection
connection.cursor().execute(
    "CREATE TRIGGER refusing BEFORE INSERT ON threads_message WHEN NEW.text LIKE 'poisoned%' BEGIN SELECT RAISE(ABORT, 'refused: ' || 'poisoned quetzal'); END"
)
"""
_POSTGRESQL = """
from django.db import connection
connection.cursor().execute(
    "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN IF NEW.text LIKE 'poisoned%%' THEN RAISE EXCEPTION 'refused: %%', NEW.text; END IF; RETURN NEW; END $$ LANGUAGE plpgsql;"
    "CREATE TRIGGER refusing BEFORE INSERT ON threads_message FOR EACH ROW EXECUTE FUNCTION refuse()", []
)
"""
_STATES = """
from careline.intake.models import JournalRow
from careline.outbox.models import Delivery
from careline.threads.models import Message
print(json.dumps({
    "dead": JournalRow.objects.filter(state=2, reason="failed").count() + JournalRow.objects.filter(state=0, attempts__gt=0).count(),
    "tries": max(Delivery.objects.values_list("tries", flat=True), default=0),
    "heard": Message.objects.filter(text__contains="quetzal", direction="inbound").count(),
}))
"""


@pytest.fixture(params=BOTH)
def chatty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Door]:
    """A Careline that says all it can, and watches itself for waiting in transactions and requests."""
    careline = fresh(
        tmp_path,
        request.param,
        CARELINE_LOG_LEVEL="debug",
        CARELINE_HOOK_BODY_LIMIT="20000",
        PYTHONPATH=f"{ROOT / 'tests' / 'guard'}:{ROOT}",
    )
    door = Door(careline, seed(careline))
    door.look(_SQLITE if request.param == "sqlite" else _POSTGRESQL)
    careline.start().wait_ready()
    yield door
    close_streams()
    careline.kill()


def _told(door: Door) -> None:
    """What platforms and strangers send to the hooks, good and bad."""
    hook = door.hook()
    assert door.deliver(spoken(f"hello {WORD}", author=WORD)).status == 200
    assert door.deliver(spoken(POISON, author=WORD)).status == 200
    assert door.deliver(json.dumps({"said": WORD}).encode()).status == 400
    assert door.deliver(f'{{"said": "{WORD}'.encode()).status == 400
    assert door.deliver(spoken(WORD, kind="dance.danced")).status == 200
    assert door.deliver(WORD.encode() * 3000).status == 413
    body = spoken(WORD)
    for headers in (
        signed(body, secret="whsec_YW5vdGhlcg=="),
        {"webhook-signature": f"v1,{TOKEN}"},
        {"authorization": TOKEN},
    ):
        assert ask(door.port, "POST", hook, body, headers).status == 401
    for path in (f"/hooks/simulated/{TOKEN}", f"/join/{TOKEN}", f"/setup/{TOKEN}", f"/files/{TOKEN}", f"/log/{TOKEN}"):
        assert ask(door.port, "GET", path).status in {401, 403, 404}
    assert ask(door.port, "GET", f"/w/air/stream?ticket={TOKEN}").status == 401


def _worked(door: Door) -> Desk:
    """What an agent does in a browser, with one fault in the middle."""
    wrong = urlencode({"login": f"{WORD}@air.test", "password": TOKEN}).encode()
    ask(door.port, "POST", "/accounts/login/", wrong, {"content-type": "application/x-www-form-urlencoded"})
    desk = Desk(door)
    number, thread = door.look(_CASE, WORD.title()).split()
    case = f"/w/air/cases/{number}"
    said = {"thread": thread, "text": f"answer {WORD}", "mode": "private"}
    assert desk.post(f"{case}/replies", json.dumps(said).encode()).status == 201
    assert desk.post(f"{case}/notes", json.dumps({"text": f"note {WORD}"}).encode()).status == 201
    assert desk.post(f"{case}/notes", json.dumps({"text": POISON}).encode()).status == 500
    assert desk.post(f"{case}/notes", f'{{"text": "{WORD}'.encode()).status == 400
    assert desk.post(f"{case}/tags", json.dumps({"add": [WORD]}).encode()).status == 200
    assert desk.get(f"/w/air/search?q={WORD}").status == 200
    assert WORD in desk.get(case).body.decode()
    assert desk.get(f"/w/air/trace/{WORD}").status in {403, 404}
    ticket = door.seeded["agents"]["ana"]["upload"]
    kept = ask(door.port, "POST", f"/w/air/files?ticket={ticket}&name={WORD}.txt", WORD.encode())
    assert kept.status == 201, kept.body
    reset = urlencode({"email": "ana@air.test", "csrfmiddlewaretoken": desk.cookies["careline_csrf"]}).encode()
    desk._ask("POST", "/accounts/password/reset/", reset, {"content-type": "application/x-www-form-urlencoded"})
    door.stream("ana").wait(bool)
    return desk


_CASE = """
from careline.cases.models import Case
from careline.threads.models import Message
end = time.monotonic() + 20
while not (found := Case.objects.filter(person_name=sys.argv[1]).first()) and time.monotonic() < end: time.sleep(0.1)
print(found.number, Message.objects.filter(case_id=found.id).latest("id").thread_id)
"""


def test_invariant_10_no_secret_and_no_message_text_in_a_log(chatty: Door) -> None:
    _told(chatty)
    desk = _worked(chatty)
    _until(lambda: all(_states(chatty)[name] for name in ("dead", "tries", "heard")))
    chatty.careline.stop()
    log = chatty.careline.log()
    for expected in ("house_open", "row_failed", "Internal Server Error", "house_closed"):
        assert expected in log, (expected, log)
    tickets = [one[name] for one in chatty.seeded["agents"].values() for name in ("stream", "upload")]
    secrets = [
        KEY,
        HOOK_SECRET,
        PASSWORD,
        *desk.cookies.values(),
        *tickets,
        chatty.hook().rsplit("/", 1)[1],
        "ana@air.test",
    ]
    for secret in (WORD, WORD.title(), *secrets):
        assert secret not in log, [line for line in log.splitlines() if secret in line][:3]
    assert "INVARIANT 10 BROKEN" not in log, log


def _states(door: Door) -> dict[str, int]:
    found: dict[str, int] = json.loads(door.look(_STATES))
    return found


def _until(holds: Callable[[], bool], timeout_s: float = 40) -> None:
    end_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.2)
