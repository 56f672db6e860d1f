"""Event streams: opened by a good ticket alone, resumed from any number, silent about what their reader may not see, ended when a right ends."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.edge.asking import Listener, ask, raw, spoken, stream
from tests.edge.conftest import Door

MOVE = """
from careline.cases.actions.assigning import assign_team
from careline.workspaces.models import Agent
from careline.workspaces.sight import viewer_of
from careline.cases.models import Case
ben = viewer_of(Agent.objects.get(name="Ben"))
case = Case.objects.get(person_name=sys.argv[1])
assign_team(ben, case.number, int(sys.argv[2]))
print(case.id)
"""


def speak(door: Door, author: str, text: str) -> None:
    """A direct message that opens a case of team care."""
    assert door.deliver(spoken(text, author=author)).status == 200


def cases_of(listener: Listener, person: str) -> list[dict[str, object]]:
    """Case frames with this person's row."""
    return [one.data for one in listener.of("case") if person in str(one.data["row"])]


def test_a_message_appears_on_the_screens_that_may_see_it_and_on_no_other(door: Door) -> None:
    listeners = {name: door.stream(name, "sea" if name == "cleo" else "air") for name in ("ana", "ben", "dora", "cleo")}
    speak(door, "paula", "my bag is at the wrong airport")
    for name in ("ana", "ben"):
        listeners[name].wait(lambda heard, name=name: bool(cases_of(listeners[name], "Paula")))
    last = listeners["ben"].last
    listeners["dora"].wait(lambda heard: listeners["dora"].last >= last)
    assert {one.type for one in listeners["dora"].heard} <= {"open", "n"}
    assert "wrong airport" not in json.dumps([one.data for one in listeners["dora"].heard])
    assert [one.type for one in listeners["cleo"].heard] == ["open"]
    for listener in listeners.values():
        listener.close()


def test_a_case_that_moves_to_another_team_leaves_one_screen_and_appears_on_the_other(door: Door) -> None:
    speak(door, "quim", "the secret of quim")
    ana, dora = door.stream("ana", since=0), door.stream("dora", since=0)
    ana.wait(lambda heard: bool(cases_of(ana, "Quim")))
    assert not cases_of(dora, "Quim")
    moved = door.look(MOVE, "Quim", str(door.seeded["teams"]["air"]["loyalty"]))
    dora.wait(lambda heard: bool(cases_of(dora, "Quim")))
    ana.wait(lambda heard: any(one.data["id"] == moved for one in ana.of("gone")))
    gone = next(one for one in ana.of("gone") if one.data["id"] == moved)
    assert set(gone.data) == {"n", "id", "number"}
    before = len(cases_of(ana, "Quim"))
    speak(door, "quim", "only for loyalty")
    dora.wait(lambda heard: "only for loyalty" in json.dumps([one.data for one in dora.heard]))
    ana.wait(lambda heard: ana.last >= dora.last)
    assert len(cases_of(ana, "Quim")) == before and "only for loyalty" not in json.dumps(
        [one.data for one in ana.heard]
    )
    ana.close()
    dora.close()


def test_a_stream_resumes_after_the_last_number_it_heard_without_loss_or_repetition(door: Door) -> None:
    first = door.stream("ben")
    speak(door, "rita", "one")
    first.wait(lambda heard: bool(cases_of(first, "Rita")))
    first.close()
    heard_until = first.last
    for text in ("two", "three", "four"):
        speak(door, "rita", text)
    again = door.stream("ben", last_event_id=heard_until)
    again.wait(lambda heard: "four" in json.dumps([one.data for one in heard]))
    numbers = [one.n for one in again.heard if one.n and one.type != "open"]
    assert numbers == list(range(heard_until + 1, numbers[-1] + 1))
    whole = door.stream("ben", since=0)
    whole.wait(lambda heard: whole.last >= numbers[-1])
    assert [one.n for one in whole.heard if one.type != "open"][: numbers[-1]] == list(range(1, numbers[-1] + 1))
    again.close()
    whole.close()


def test_a_fresh_stream_starts_at_the_newest_number(door: Door) -> None:
    speak(door, "sara", "before")
    door.stream("ben", since=0).wait(lambda heard: "before" in json.dumps([one.data for one in heard]))
    late = door.stream("ben")
    (opened,) = late.wait(bool)
    assert opened.type == "open" and opened.n == opened.data > 0


def test_a_stream_from_the_future_or_older_than_the_log_is_reset(door: Door) -> None:
    future = door.stream("ben", last_event_id=10**12)
    assert [one.type for one in future.wait(lambda heard: len(heard) == 2)] == ["reset", "open"]
    door.look(
        "from careline.events.models import Event\nEvent.objects.filter(workspace_id=int(sys.argv[1]), n__lte=3).delete()",
        str(door.seeded["air"]),
    )
    old = door.stream("ben", last_event_id=1)
    reset, opened = old.wait(lambda heard: len(heard) == 2)[:2]
    assert (reset.type, opened.type) == ("reset", "open") and opened.n > 3
    fine = door.stream("ben", last_event_id=3)
    assert fine.wait(bool)[0].type != "reset"


def test_a_stream_of_a_log_that_was_purged_whole_is_reset(own_door: Callable[..., Door]) -> None:
    door = own_door()
    speak(door, "tere", "hello")
    door.stream("ben", since=0).wait(lambda heard: any(one.type == "case" for one in heard))
    door.look("from careline.events.models import Event\nEvent.objects.all().delete()")
    purged = door.stream("ben", last_event_id=1)
    assert [one.type for one in purged.wait(lambda heard: len(heard) == 2)] == ["reset", "open"]


@pytest.mark.parametrize("kind", ["over", "upload", "forged", "empty", "file"])
def test_a_ticket_that_is_not_a_good_stream_ticket_is_401(door: Door, kind: str) -> None:
    good = door.seeded["agents"]["ana"]["stream"]
    ticket = {
        "over": door.seeded["agents"]["ana"]["over"],
        "upload": door.seeded["agents"]["ana"]["upload"],
        "forged": good[:-2] + ("AA" if good[-2:] != "AA" else "BB"),
        "empty": "",
        "file": door.seeded["files"]["air"]["photo.png"]["good"],
    }[kind]
    answer = ask(door.port, "GET", f"/w/air/stream?ticket={quote(ticket)}")
    assert (answer.status, answer.code) == (401, "ticket_over" if kind == "over" else "ticket_wrong")
    assert ask(door.port, "POST", f"/w/air/presence?ticket={quote(ticket)}", b'{"case": "1"}').status == 401


def test_a_ticket_of_another_workspace_opens_its_own_log_whatever_the_address(door: Door) -> None:
    cleo = stream(door.port, "air", door.seeded["agents"]["cleo"]["stream"], since=0)
    ben = door.stream("ben")
    speak(door, "ursula", "not for cleo")
    ben.wait(lambda heard: bool(cases_of(ben, "Ursula")))
    time.sleep(1.2)  # the poll behind the hints
    assert [one.type for one in cleo.heard] == ["open"]
    cleo.close()


def test_since_must_be_a_number(door: Door) -> None:
    ticket = quote(door.seeded["agents"]["ana"]["stream"])
    assert ask(door.port, "GET", f"/w/air/stream?ticket={ticket}&since=x").status == 400
    assert ask(door.port, "GET", f"/w/air/stream?ticket={ticket}", headers={"last-event-id": "1; drop"}).status == 400


def test_presence_is_told_without_a_number_and_never_to_another_workspace(door: Door) -> None:
    ben, cleo = door.stream("ben"), door.stream("cleo", "sea")
    ticket = quote(door.seeded["agents"]["ana"]["stream"])
    answer = ask(
        door.port,
        "POST",
        f"/w/air/presence?ticket={ticket}",
        json.dumps({"case": "17", "typing": True, "mode": "public"}).encode(),
    )
    assert answer.status == 204
    said = next(one for one in ben.wait(lambda heard: bool(ben.of("presence"))) if one.type == "presence")
    assert said.n == 0 and said.data == {
        "agent": str(door.seeded["agents"]["ana"]["id"]),
        "name": "Ana",
        "case": "17",
        "typing": True,
        "mode": "public",
    }
    assert not cleo.of("presence")
    for body in (b"", b"[]", b'{"case": 1}', b'{"other": 1}', b'{"case": "' + b"x" * 3000):
        assert ask(door.port, "POST", f"/w/air/presence?ticket={ticket}", body).status in {400, 413}


def test_an_agent_who_is_deactivated_loses_the_stream_and_presence_within_seconds(
    own_door: Callable[..., Door],
) -> None:
    door = own_door()
    ana, ben = door.stream("ana"), door.stream("ben")
    ana.wait(bool)
    door.look(
        """
from careline.workspaces.actions.staffing import deactivate_agent, change_role
from careline.workspaces.models import Agent
from careline.workspaces.sight import viewer_of
ben, ana = (Agent.objects.get(name=name) for name in ("Ben", "Ana"))
Agent.objects.filter(id=ben.id).update(role="owner")
ben.refresh_from_db()
deactivate_agent(viewer_of(ben), ana.id)
"""
    )
    assert ana.is_over.wait(10)
    assert not ben.is_over.is_set()
    ticket = quote(door.seeded["agents"]["ana"]["stream"])
    for method, path in (("GET", "stream"), ("POST", "presence")):
        answer = ask(
            door.port, method, f"/w/air/{path}?ticket={ticket}", b'{"case": "1"}' if method == "POST" else None
        )
        assert (answer.status, answer.code) == (401, "agent_ended")
    upload = quote(door.seeded["agents"]["ana"]["upload"])
    assert ask(door.port, "POST", f"/w/air/files?ticket={upload}&name=x", b"x").status == 401


def test_an_agent_who_changes_teams_sees_the_new_teams_cases_on_the_same_stream(own_door: Callable[..., Door]) -> None:
    door = own_door()
    dora = door.stream("dora")
    ben = door.stream("ben")
    speak(door, "vera", "first")
    ben.wait(lambda heard: bool(cases_of(ben, "Vera")))
    door.look(
        """
from careline.workspaces.actions.staffing import set_teams
from careline.workspaces.models import Agent, Team
from careline.workspaces.sight import viewer_of
Agent.objects.filter(name="Ben").update(role="owner")
ben, dora = (Agent.objects.get(name=name) for name in ("Ben", "Dora"))
set_teams(viewer_of(ben), dora.id, [Team.objects.get(workspace__slug="air", name="care").id])
"""
    )
    dora.wait(lambda heard: bool(dora.of("agent")))
    assert not cases_of(dora, "Vera")
    speak(door, "vera", "second")
    dora.wait(lambda heard: "second" in json.dumps(cases_of(dora, "Vera")))


def test_a_reader_that_stops_reading_is_dropped_and_hears_everything_when_it_comes_back(
    own_door: Callable[..., Door],
) -> None:
    """Its buffers fill, its stream ends, nobody else waits; it resumes by number."""
    door = own_door()
    ticket = quote(door.seeded["agents"]["ben"]["stream"])
    stuck: list[bytes] = []
    brisk = door.stream("ben")

    def stall(link: object) -> None:
        link.setsockopt(1, 8, 4096)  # type: ignore[attr-defined] # SOL_SOCKET, SO_RCVBUF
        stuck.append(link.recv(2000))  # type: ignore[attr-defined]
        for number in range(60):
            door.deliver(
                spoken(
                    *(f"message {number}.{part} " + "x" * 200 for part in range(40)),
                    author=f"w{number}",
                    thread=f"dm_w{number}",
                )
            )
        brisk.wait(lambda heard: "message 59.39" in json.dumps([one.data for one in brisk.heard[-50:]]), timeout_s=60)
        while part := link.recv(65_536):  # type: ignore[attr-defined]
            stuck.append(part)
            if b"message 59.39" in part:
                break

    raw(door.port, f"GET /w/air/stream?ticket={ticket} HTTP/1.1\r\nhost: x\r\n\r\n".encode(), then=stall, timeout_s=60)
    told = [
        int(line.removeprefix(b"id: "))
        for line in b"".join(stuck).split(b"\n")
        if line.startswith(b"id: ") and line[4:].strip().isdigit()
    ]
    assert told == list(range(told[0], told[-1] + 1)) or told[1:] == list(range(told[1], told[-1] + 1))
    again = door.stream("ben", last_event_id=told[-1])
    again.wait(lambda heard: again.last >= brisk.last)
    assert [one.n for one in again.heard if one.type != "open"] == list(range(told[-1] + 1, again.last + 1))


def test_sigterm_closes_streams_first_and_the_process_ends_within_seconds_with_0(own_door: Callable[..., Door]) -> None:
    door = own_door()
    listeners = [door.stream(name) for name in ("ana", "ben", "dora") for _ in range(10)]
    for listener in listeners:
        listener.wait(bool)
    assert door.careline.process is not None
    began = time.monotonic()
    os.kill(door.careline.process.pid, signal.SIGTERM)
    assert all(listener.is_over.wait(5) for listener in listeners)
    assert door.careline.wait_ended() == 0
    assert time.monotonic() - began < 12
    assert "house_closed" in door.careline.log() and "error" not in door.careline.log().split("house_open")[1]
