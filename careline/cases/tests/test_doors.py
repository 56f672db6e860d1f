"""Role x door x foreign team: every verb on a case, tried by everybody who must not, changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.cases.actions import (
    assigning,
    blocking,
    bulk,
    closing,
    drafting,
    fields,
    joining,
    merging,
    noting,
    replying,
    snoozing,
    splitting,
    tagging,
)
from careline.cases.models import Case
from careline.cases.queries.framing import message_html
from careline.cases.queries.opening import open_case
from careline.conftest import hear, make_case
from careline.errors import Forbidden, NotFound
from careline.kit import clock
from careline.threads.models import Message
from careline.workspaces.roles import ROLE_VERBS

pytestmark = pytest.mark.django_db

DOORS = {
    "close": ("manage_case", lambda viewer, it: closing.close_case(viewer, it["number"])),
    "reopen": ("manage_case", lambda viewer, it: closing.reopen_case(viewer, it["number"])),
    "take": ("manage_case", lambda viewer, it: assigning.take_case(viewer, it["number"])),
    "assign": ("manage_case", lambda viewer, it: assigning.assign_agent(viewer, it["number"], None)),
    "move": ("manage_case", lambda viewer, it: assigning.assign_team(viewer, it["number"], None)),
    "snooze": (
        "manage_case",
        lambda viewer, it: snoozing.snooze_case(viewer, it["number"], clock.now() + timedelta(hours=1)),
    ),
    "wait": ("manage_case", lambda viewer, it: snoozing.wait_for(viewer, it["number"], "customer")),
    "tag": ("manage_case", lambda viewer, it: tagging.tag_case(viewer, it["number"], add=["x"])),
    "title": ("manage_case", lambda viewer, it: fields.set_title(viewer, it["number"], "x")),
    "harm": ("manage_case", lambda viewer, it: fields.set_harm(viewer, it["number"], True)),
    "language": ("manage_case", lambda viewer, it: fields.set_language(viewer, it["number"], "fr")),
    "fields": ("manage_case", lambda viewer, it: fields.set_fields(viewer, it["number"], {})),
    "merge": ("manage_case", lambda viewer, it: merging.merge_case(viewer, it["number"], it["other"])),
    "merge_into": ("manage_case", lambda viewer, it: merging.merge_case(viewer, it["other"], it["number"])),
    "join": ("manage_case", lambda viewer, it: joining.join_case(viewer, it["number"], it["other"])),
    "split": ("manage_case", lambda viewer, it: splitting.split_case(viewer, it["number"], [it["message"]])),
    "block": ("block_person", lambda viewer, it: blocking.block_case(viewer, it["number"])),
    "bulk_close": ("manage_case", lambda viewer, it: bulk.close_many(viewer, [it["number"]])),
    "bulk_tag": ("manage_case", lambda viewer, it: bulk.tag_many(viewer, [it["number"]], add=["x"])),
    "bulk_assign": ("manage_case", lambda viewer, it: bulk.assign_many(viewer, [it["number"]], None)),
    "bulk_move": ("manage_case", lambda viewer, it: bulk.move_many(viewer, [it["number"]], None)),
    "note": ("note", lambda viewer, it: noting.write_note(viewer, it["number"], text="x")),
    "draft": ("note", lambda viewer, it: drafting.save_draft(viewer, it["number"], mode="note", text="x")),
    "answer": (
        "answer",
        lambda viewer, it: replying.write_reply(viewer, it["number"], thread_id=it["thread"], text="x", mode="private"),
    ),
    "answer_public": (
        "answer_public",
        lambda viewer, it: replying.write_reply(viewer, it["number"], thread_id=it["thread"], text="x", mode="public"),
    ),
    "open": ("read_cases", lambda viewer, it: open_case(viewer, it["number"])),
    "html": ("read_cases", lambda viewer, it: message_html(viewer, it["message"])),
}


def _it(air):
    case, other = (make_case(air.channel, air.marta_identity, team=air.care) for _ in range(2))
    message = hear(case, air.channel, air.marta_identity, "again")
    # Private words: a public one may be read wherever it stands in public.
    Message.objects.filter(case_id=case.id).update(is_public=False)
    return {
        "id": case.id,
        "number": case.number,
        "other": other.number,
        "message": message.id,
        "thread": message.thread_id,
    }


@pytest.mark.parametrize("door", DOORS)
def test_a_foreign_workspace_and_a_foreign_team_find_no_case(air, cleo, door):
    it = _it(air)
    before = Case.objects.filter(id=it["id"]).values().get()
    for stranger in (cleo, air.dora):
        with pytest.raises(NotFound):
            DOORS[door][1](stranger, it)
    assert Case.objects.filter(id=it["id"]).values().get() == before


@pytest.mark.parametrize("door", DOORS)
def test_a_role_without_the_verb_is_forbidden_and_one_with_it_passes(air, door):
    verb, act = DOORS[door]
    for name, viewer in air.agents.items():
        if name in {"dora", "carl"}:
            continue  # they do not see the case at all: tested above
        it = _it(air)
        if verb in ROLE_VERBS[viewer.role] and (door != "block" or "manage_case" in ROLE_VERBS[viewer.role]):
            act(viewer, it)
        else:
            with pytest.raises(Forbidden):
                act(viewer, it)


@pytest.mark.parametrize("door", DOORS)
def test_a_colleague_reads_and_notes_what_they_were_asked_into_and_nothing_more(air, door):
    verb, act = DOORS[door]
    it = _it(air)
    noting.write_note(air.ana, it["number"], text="@Carl please look")
    if verb in {"note", "read_cases"}:
        act(air.carl, it)
    else:
        with pytest.raises(Forbidden):
            act(air.carl, it)
