"""Invariant 9: no row without its workspace. Every address of the desk is walked in one workspace while a second lies beside it, filled alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver

from careline.screens.conftest import Desk
from careline.screens.settings.shelves import SHELVES
from careline.screens.tests.two_workspaces import NAMED, NULLABLE, Filled, fill, own_models

pytestmark = pytest.mark.django_db
HERE, BESIDE = "lynx", "zebu"
# By address name where a word means different things, else by word alone.
_VALUES: dict[str, Callable[[Filled], Sequence[Any]]] = {
    "person_undo.act": lambda one: one.named["person_act"],
    "channel_act.act": lambda one: ("hold", "resume", "off", "on"),
    "topic_act.act": lambda one: ("use", "retirement", "removal"),
    "connect.network": lambda one: ("testnet", "email", "webchat", "generic", "simulated", "intake_form"),
    "trace_of.reference": lambda one: [str(one.named[name][0]) for name in ("message", "letter", "delivery", "act")],
}
# A statement that names one of these columns beside a value asks for rows whose ids it was given.
_NARROWED = re.compile(r'(?:"?\b(?:id|[a-z]+_id)"?)\s*(?:=|IN)\s*(?:\(?\s*%s|\(SELECT|ANY|"|\(VALUES)', re.I)


@pytest.fixture
def here(db: None) -> Filled:
    return fill("here", HERE, numbers_from=10)


@pytest.fixture
def beside(db: None) -> Filled:
    return fill("beside", BESIDE, numbers_from=5000)


def addresses() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Name, address and words of every pattern below /w/<workspace>/, whoever wrote it."""
    for entry in get_resolver().url_patterns:
        if isinstance(entry, URLResolver) and str(entry.pattern).startswith("w/<slug:workspace>/"):
            for one in entry.url_patterns:
                assert isinstance(one, URLPattern), one
                words = tuple(one.pattern.converters) or tuple(one.pattern.regex.groupindex)
                yield str(one.name), str(one.pattern), words


def places(one: Filled) -> Iterator[tuple[str, str]]:
    """Every address with the rows of one workspace in it: address name and path. An unknown word fails: say what it names."""
    for name, pattern, words in addresses():
        if set(words) == {"shelf", "entry"}:
            chosen = [{"shelf": shelf, "entry": entry} for shelf in SHELVES for entry in one.named[shelf]]
        else:
            values = [_values(one, name, word) for word in words]
            chosen = [dict(zip(words, row, strict=True)) for row in product(*values)]
        for row in chosen:
            yield name, _path(pattern, row)


def _values(one: Filled, name: str, word: str) -> Sequence[Any]:
    found = _VALUES.get(f"{name}.{word}")
    if found is not None:
        return found(one)
    return list(SHELVES) if word == "shelf" else one.named[word]


def _path(pattern: str, row: dict[str, Any]) -> str:
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(row[found[1]]), pattern) if "(?P" not in pattern else pattern
    return re.sub(r"\(\?P<(\w+)>[^()]*\)", lambda found: str(row[found[1]]), path).strip("^$")


def test_invariant_9_every_table_has_its_workspace_or_a_reason_why_not() -> None:
    without, empty = set(), set()
    for model in own_models():
        columns = {field.attname: field for field in model._meta.concrete_fields}
        if "workspace_id" not in columns:
            without.add(model.__name__)
        elif columns["workspace_id"].null:
            empty.add(model.__name__)
    assert (without, empty) == (set(NAMED), set(NULLABLE))


@contextmanager
def overhearing(beside: Filled) -> Iterator[list[str]]:
    """Every statement that asks for rows without saying whose, and every one that was given a row of the other workspace."""
    faults: list[str] = []
    theirs = beside.row_ids()
    tables = {model._meta.db_table for model in own_models() if model.__name__ not in NAMED}
    reading = False

    def overhear(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal reading
        answer = execute(sql, params, many, context)
        if reading:
            return answer
        touched = set(re.findall(r'(?:FROM|JOIN|UPDATE)\s+"?(\w+)"?', sql)) & tables
        if not touched:
            return answer
        after = sql.partition(" WHERE ")[2] + "".join(re.findall(r" ON \(.*?\)", sql))
        if "workspace_id" not in after and not _NARROWED.search(after):
            faults.append(f"says not whose: {sql[:400]}")
        if sql.lstrip().startswith(("SELECT", "WITH")):
            reading = True
            try:
                with connection.cursor() as cursor:
                    cursor.execute(sql, params)
                    rows = cursor.fetchall()
            finally:
                reading = False
            faults.extend(
                f"was given a row of the other workspace: {sql[:400]}" for row in rows if _is_theirs(row, theirs)
            )
        return answer

    with connection.execute_wrapper(overhear):
        yield faults


def _is_theirs(row: Sequence[Any], theirs: set[int]) -> bool:
    return any(
        value in theirs
        if isinstance(value, int)
        else BESIDE in str(bytes(value) if isinstance(value, memoryview) else value)
        for value in row
    )


def test_invariant_9_no_page_asks_for_a_row_of_another_workspace(here: Filled, beside: Filled) -> None:
    desk, seen, asked = Desk(here.viewer), set(), 0
    with overhearing(beside) as faults:
        for name, path in places(here):
            answer = desk.get(path)
            assert answer.status_code in {200, 302, 404, 405, 422}, (path, answer.status_code)
            assert BESIDE.encode() not in answer.content, path
            asked += 1
            if answer.status_code == 200:
                seen.add(name)
        for query in (f"search?q={HERE}", f"search?q={BESIDE}", "list?view=all", "inbox?view=all", "lead/cases.csv"):
            assert BESIDE.encode() not in desk.get(query).content.replace(f'value="{BESIDE}"'.encode(), b"")
    assert not faults, "\n".join(sorted(set(faults)))
    assert asked > 90 and {"inbox", "case", "person", "channel", "entry", "trace_of", "lead_csv", "agent"} <= seen


# What a page would send, so that an act is refused for whose it is and not for how it is said.
_SAID: dict[str, dict[str, object]] = {
    "case_assignment": {"take": True},
    "case_drafts": {"mode": "note", "text": "x"},
    "case_fields": {"title": "x"},
    "case_join": {"other": 11},
    "case_merge": {"into": 11},
    "case_notes": {"text": "x"},
    "case_parts": {"thread": "1", "text": "x", "mode": "private"},
    "case_replies": {"thread": "1", "text": "x", "mode": "private"},
    "case_signs": {"accept": True},
    "case_snooze": {"reason": "customer"},
    "case_split": {"messages": ["1"]},
    "case_tags": {"add": ["x"]},
    "delivery_outcome": {"was_sent": True},
    "message_words": {"reason": "solve"},
    "message_moderations": {"verb": "like"},
    "moderation_outcome": {"was_done": True},
    "person_join": {"other": "1"},
    "person_name": {"name": "x"},
    "person_erasure": {"name": "x"},
}


def test_invariant_9_a_row_of_another_workspace_is_not_there_at_any_address(here: Filled, beside: Filled) -> None:
    """Cleo's twin: signed in here, with every address that names a row of the other workspace, by every method."""
    before, desk, asked = beside.picture(), Desk(here.viewer), 0
    foreign = set(places(beside)) - set(places(here))
    with overhearing(beside) as faults:
        for name, path in sorted(foreign):
            for method in ("GET", "POST", "DELETE"):
                answer = desk.ask(method, path, _SAID.get(name))
                assert answer.status_code in {404, 405}, (method, path, answer.status_code)
                assert BESIDE.encode() not in answer.content, path
                asked += 1
    assert beside.picture() == before
    assert not faults, "\n".join(sorted(set(faults)))
    assert asked > 150


def _foreign_names(here: Filled, beside: Filled) -> Iterator[tuple[str, dict[str, object]]]:
    """Acts on rows of our own that name a row of the other workspace in what they say."""
    case = f"cases/{here.named['number'][0]}"
    team, agent, message, thread, file, number, channel, person, snippet = (
        beside.named[name][0] for name in ("team", "agent", "message", "thread", "file", "number", "channel", "person", "snippets")
    )  # fmt: skip
    own = {"thread": str(here.named["thread"][0]), "text": "Hello", "mode": "private"}
    yield f"{case}/assignment", {"agent": str(agent)}
    yield f"{case}/assignment", {"team": str(team)}
    yield f"{case}/merge", {"into": number}
    yield f"{case}/join", {"other": number}
    yield f"{case}/split", {"messages": [str(message)]}
    yield f"{case}/replies", own | {"thread": str(thread)}
    yield f"{case}/replies", own | {"files": [str(file)], "names": ["a.png"]}
    yield f"{case}/replies", own | {"reply_to": str(message)}
    yield f"{case}/parts", own | {"thread": str(thread)}
    yield f"{case}/messages/{message}/moderations", {"verb": "like"}
    yield f"{case}/notes", {"text": "Hello", "files": [str(file)], "names": ["a.png"]}
    yield "letters", {"channel": str(channel), "to": ["a@b.test"], "text": "Hello"}
    yield f"persons/{here.named['person'][0]}/join", {"other": str(person)}
    for verb, more in (("close", {}), ("tag", {"add": ["x"]}), ("assign", {}), ("move", {})):
        yield "bulk", {"verb": verb, "numbers": [here.named["number"][0], number], **more}
    yield "bulk", {"verb": "assign", "numbers": [here.named["number"][0]], "agent": str(agent)}
    yield "bulk", {"verb": "move", "numbers": [here.named["number"][0]], "team": str(team)}
    yield f"{case}/replies", own | {"snippet": str(snippet), "client_key": "with-a-foreign-snippet"}


def test_invariant_9_nothing_done_here_takes_a_row_of_another_workspace_along(here: Filled, beside: Filled) -> None:
    before, desk = beside.picture(), Desk(here.viewer)
    with overhearing(beside) as faults:
        for path, said in _foreign_names(here, beside):
            answer = desk.ask("POST", path, said)
            # Which snippet was used is only counted: a foreign one is not, and the answer goes out.
            wanted = {201} if "snippet" in said else {404, 422}
            assert answer.status_code in wanted, (path, said, answer.status_code, answer.content)
    assert beside.picture() == before
    assert not faults, "\n".join(sorted(set(faults)))
