"""Invariant 7: undo. Every verb the product writes down as an act, found in its source, is taken back to exactly what was there before, row by row."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model

import careline
from careline.cases.actions import (
    assigning,
    blocking,
    causing,
    closing,
    correcting,
    fields,
    joining,
    merging,
    replying,
    snoozing,
    splitting,
    tagging,
)
from careline.cases.actions.undoing import undo_act
from careline.cases.changing import changes_of
from careline.cases.models import Case, CaseAct, CaseField, Notice, RollupHour
from careline.cases.queries.listing import list_page
from careline.cases.rows import ListFilters
from careline.cases.triaging import set_case_aside
from careline.conftest import DM, Air, hear, make_case, make_identity, make_thread
from careline.events.models import Event, EventCounter
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.people.actions import blocking as blocking_persons
from careline.people.actions import joining as joining_persons
from careline.people.actions import linking, renaming
from careline.people.actions.undoing import undo_person_act
from careline.people.likeness import name_key
from careline.people.models import Identity, Link, Person, PersonAct, PersonKey
from careline.threads.models import Message
from careline.triage.models import Topic

pytestmark = pytest.mark.django_db
# The log of what was done, and what was told to people: an undo adds to them.
TOLD = {Event, EventCounter, CaseAct, PersonAct, Notice}
# Counted up by every change, and worked out anew from the rest and the time.
COUNTED_UP = {"version", "queue_key", "priority", "priority_reasons", "saved_at"}
SEARCHES = ("miles", "Missing", "ABC123", "strike", "bag", "Luggage")


@dataclass
class Scene:
    """Marta's case with two messages in private, another of hers, and one of somebody else."""

    air: Air
    case: Case
    later: Case
    strangers: Case
    second: Message
    suggestion: Link
    otto: Identity


@pytest.fixture
def scene(air: Air) -> Scene:
    CaseField.objects.create(workspace_id=air.workspace.id, key="booking", label="Booking")
    Person.objects.filter(id=air.marta.id).update(name_key=name_key(air.marta.name))
    otto_person = Person.objects.create(workspace_id=air.workspace.id, name="Otto", name_key="otto")
    otto = make_identity(otto_person, "otto-1", name="Otto")
    make_identity(air.marta, "marta-2", name="Marta R.")
    PersonKey.objects.create(workspace_id=air.workspace.id, kind="email", value="otto@example.test", person=otto_person)
    thread = make_thread(air.channel, DM)
    case = make_case(air.channel, air.marta_identity, surface=DM, thread=thread, at=clock.now() - timedelta(hours=2))
    second = hear(case, air.channel, air.marta_identity, "and my bag is lost", surface=DM, thread=thread)
    later = make_case(air.channel, air.marta_identity, "the same again", at=clock.now() - timedelta(hours=1))
    strangers = make_case(air.channel, otto, "mine too")
    tagging.tag_case(air.ana, case.number, add=["old"])
    suggestion = Link.objects.create(
        workspace_id=air.workspace.id, identity=otto, person=air.marta, evidence="name", is_suggestion=True
    )
    Topic.objects.create(workspace_id=air.workspace.id, name="Belt four broken", facet="root_cause")
    case.refresh_from_db()
    return Scene(air, case, later, strangers, second, suggestion, otto)


def _split(scene: Scene) -> int:
    splitting.split_case(scene.air.ana, scene.case.number, [scene.second.id], title="Luggage")
    return CaseAct.objects.get(verb="split").id


def _answer(scene: Scene) -> int:
    replying.write_reply(
        scene.air.ana, scene.case.number, thread_id=scene.second.thread_id or 0, text="Found it", mode="private", then="done"
    )  # fmt: skip
    return CaseAct.objects.get(verb="answered").id


def _reopen(scene: Scene) -> int:
    return closing.reopen_case(scene.air.ana, scene.case.number)


def _set_aside(scene: Scene) -> int:
    with unit_of_work() as work:
        [change] = changes_of(work, [Case.objects.select_for_update().get(id=scene.later.id)], None)
        set_case_aside(change, Message.objects.get(case_id=scene.later.id), 0.99, 2.0)
    return CaseAct.objects.get(verb="set_aside").id


def _done_before(scene: Scene) -> None:
    closing.close_case(scene.air.ana, scene.case.number, "heard")


def _a_second_identity(scene: Scene) -> None:
    """So that the suggestion moves one of two, and joins nobody."""
    make_identity(Person.objects.get(id=scene.otto.person_id), "otto-2", name="Otto")


# What does each verb, and what has to be so before. A verb without an entry fails the first test below.
Act = Callable[[Scene], int]
CASES: dict[str, Act] = {
    "closed": lambda one: closing.close_case(one.air.ana, one.case.number, "heard", "told by phone"),
    "reopened": _reopen,
    "taken": lambda one: assigning.take_case(one.air.ana, one.case.number),
    "assigned": lambda one: assigning.assign_agent(one.air.ana, one.case.number, one.air.ben.agent_id),
    "moved": lambda one: assigning.assign_team(one.air.owner, one.case.number, one.air.loyalty.id),
    "snoozed": lambda one: snoozing.snooze_case(one.air.ana, one.case.number, clock.now() + timedelta(hours=3)),
    "waiting": lambda one: snoozing.wait_for(one.air.ana, one.case.number, "customer"),
    "tagged": lambda one: tagging.tag_case(one.air.ana, one.case.number, add=["strike"], remove=["old"]),
    "fields": lambda one: fields.set_fields(one.air.ana, one.case.number, {"booking": "ABC123"}),
    "titled": lambda one: fields.set_title(one.air.ana, one.case.number, "Missing miles"),
    "harm": lambda one: fields.set_harm(one.air.ana, one.case.number, True, "an injury"),
    "language": lambda one: fields.set_language(one.air.ana, one.case.number, "fr"),
    "blocked": lambda one: blocking.block_case(one.air.ana, one.case.number),
    "merged": lambda one: merging.merge_case(one.air.ana, one.strangers.number, one.case.number),
    "merged_here": lambda one: _other_half(merging.merge_case(one.air.ana, one.strangers.number, one.case.number)),
    "joined": lambda one: joining.join_case(one.air.ana, one.later.number, one.case.number),
    "joined_here": lambda one: _other_half(joining.join_case(one.air.ana, one.later.number, one.case.number)),
    "split": _split,
    "split_here": lambda one: _other_half(_split(one)),
    "answered": _answer,
    "root_cause": lambda one: causing.set_root_cause(one.air.ana, one.case.number, Topic.objects.get().id),
    "signs": lambda one: correcting.correct_sign(one.air.ana, one.case.number, "kind", "question"),
    "set_aside": _set_aside,
}
PERSONS: dict[str, Act] = {
    "renamed": lambda one: renaming.rename_person(one.air.ben, one.air.marta.id, "Marta Ruiz Gil"),
    "joined": lambda one: joining_persons.join_persons(one.air.ben, one.air.marta.id, one.otto.person_id),
    "blocked": lambda one: blocking_persons.block_person(one.air.ben, one.air.marta.id, "insults"),
    "refused": lambda one: linking.refuse_suggestion(one.air.ben, one.suggestion.id),
    "reassigned": lambda one: linking.accept_suggestion(one.air.ben, one.suggestion.id),
}
FIRST: dict[str, Callable[[Scene], None]] = {"reopened": _done_before, "person reassigned": _a_second_identity}
# What stays all the same, by verb and table, and why that is no harm.
STAYS: dict[tuple[str, str], str] = {
    ("tagged", "Tag"): "the workspace knows the word from now on",
    ("split", "Case"): "the new case ends as merged, so that its number leads somewhere",
    ("split_here", "Case"): "as above",
    ("split", "CaseNumber"): "a number is given once",
    ("split_here", "CaseNumber"): "as above",
    ("signs", "Correction"): "the word is kept, marked as taken back, and trains nobody",
    ("set_aside", "SetAside"): "what chance drew is kept; that it was brought back says the verdict was wrong",
    ("answered", "Draft"): "the words come back to the writer",
    ("answered", "Message"): "a wordless row stays for its delivery, in no case and no thread",
    ("answered", "Delivery"): "cancelled, never sent",
    ("person joined", "Link"): "the evidence is kept, marked as undone",
    ("person reassigned", "Link"): "as above; the accepted suggestion is not made a second time",
}


def _other_half(act_id: int) -> int:
    act = CaseAct.objects.get(id=act_id)
    return CaseAct.objects.filter(batch=act.batch).exclude(id=act_id).get().id


def written_acts() -> Iterator[tuple[str, str]]:
    """('case' or 'person', verb) of every act the product writes, read from its source."""
    for path in sorted(Path(careline.__file__).parent.rglob("*.py")):
        if "tests" in path.parts or "simulator" in path.parts or path.name == "conftest.py":
            continue
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            words = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if name == "save" and words and not any(one.arg == "undoable" for one in call.keywords):
                yield "case", words[0]
            elif name == "merge_changes" or (name == "save" and call.args and isinstance(call.args[0], ast.JoinedStr)):
                yield from (("case", f"{verb}{end}") for verb in words or ["merged", "joined"] for end in ("", "_here"))
            elif name == "record_act":
                yield from (("person", verb) for verb in words if verb)


def test_invariant_7_every_verb_that_is_written_down_has_its_undo_here() -> None:
    written = set(written_acts())
    assert {verb for kind, verb in written if kind == "case"} - {"merged", "joined"} == set(CASES) - {
        "merged",
        "joined",
    }
    assert {verb for kind, verb in written if kind == "person"} == set(PERSONS)


def picture() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, without what only counts up; a counted figure of nothing is no figure."""
    found = {}
    for model in apps.get_models():
        if model in TOLD or not model.__module__.startswith("careline."):
            continue
        rows = [_row(model, row) for row in model._default_manager.order_by("pk").values()]
        found[model.__name__] = sorted((row for row in rows if row), key=str)
    return found


def _row(model: type[Model], row: dict[str, Any]) -> dict[str, Any]:
    if model is RollupHour and not any(
        value for name, value in row.items() if isinstance(value, int) and "id" not in name
    ):
        return {}
    left_out = COUNTED_UP | ({"id", "created_at"} if model.__name__ == "Clock" else set())
    return {name: value for name, value in row.items() if name not in left_out}


def _searched(scene: Scene) -> dict[str, list[int]]:
    return {
        word: [row.number for row in list_page(scene.air.owner, ListFilters(view="all", query=word)).rows]
        for word in SEARCHES
    }


def _check_taken_back(scene: Scene, verb: str, act: Act, undo: Callable[[int], object]) -> None:
    FIRST.get(verb, lambda one: None)(scene)
    before, searched = picture(), _searched(scene)
    act_id = act(scene)
    done = picture()
    assert done != before, "the act did something"
    undo(act_id)
    after = picture()
    for table in before:
        if (verb, table) not in STAYS:
            assert after[table] == before[table], (verb, table)
        elif table not in {"Tag", "CaseNumber"}:
            assert after[table] != done[table] or table in {"Draft"}, (verb, table, "nothing was taken back")
    assert _searched(scene) == searched


@pytest.mark.parametrize("verb", CASES)
def test_invariant_7_an_act_on_a_case_is_taken_back_to_exactly_the_state_before(scene: Scene, verb: str) -> None:
    undoer = scene.air.owner if verb == "moved" else scene.air.ana
    _check_taken_back(scene, verb, CASES[verb], lambda act_id: undo_act(undoer, act_id))
    row = CaseAct.objects.filter(verb=verb).latest("id")
    assert (
        row.undone_at is not None
        and row.undone_by_id == undoer.agent_id
        and row.agent_id == (None if verb == "set_aside" else undoer.agent_id)
    )


@pytest.mark.parametrize("verb", PERSONS)
def test_invariant_7_an_act_on_a_person_is_taken_back_to_exactly_the_state_before(scene: Scene, verb: str) -> None:
    _check_taken_back(scene, f"person {verb}", PERSONS[verb], lambda act_id: undo_person_act(scene.air.ben, act_id))
    row = PersonAct.objects.get(verb=verb)
    assert row.undone_at is not None and row.undone_by_id == row.agent_id == scene.air.ben.agent_id
