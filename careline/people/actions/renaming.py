"""Correct what a person is called, and in which language they are answered."""

from __future__ import annotations

import regex
from django.utils.translation import gettext as _

from careline.errors import InputRefused
from careline.events.recording import UnitOfWork, unit_of_work
from careline.people.acts import record_act, reverses
from careline.people.following import check_sees, followers
from careline.people.likeness import name_key
from careline.people.models import PersonAct
from careline.people.moving import changed, lock_persons
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


def rename_person(viewer: Viewer, person_id: int, name: str) -> int:
    """Give a person another name, on all their cases. Returns the act's id."""
    check_may(viewer.role, "manage_case")
    check_sees(viewer, person_id)
    name = " ".join(name.split())
    if not name or len(name) > 160:
        raise InputRefused("name_wrong", _("A name has 1 to 160 letters."), field="name")
    with unit_of_work() as work:
        before = _rename(work, viewer.workspace_id, person_id, name)
        return record_act(viewer.workspace_id, person_id, "renamed", viewer.agent_id, "", {"before": before})


def _rename(work: UnitOfWork, workspace_id: int, person_id: int, name: str) -> str:
    person = lock_persons(workspace_id, person_id)[person_id]
    before, person.name, person.name_key = person.name, name, name_key(name)
    person.save(update_fields=["name", "name_key"])
    for follower in followers():
        follower.renamed(work, workspace_id, person_id, name)
    changed(work, workspace_id, person_id, "renamed")
    return before


@reverses("renamed")
def rename_back(work: UnitOfWork, act: PersonAct, actor_id: int) -> None:
    """The name of before."""
    _rename(work, act.workspace_id, act.person_id, str(act.facts["before"]))


def set_language(viewer: Viewer, person_id: int, language: str) -> None:
    """The language a person is answered in; '' for unknown."""
    check_may(viewer.role, "manage_case")
    check_sees(viewer, person_id)
    if language and not regex.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", language):
        raise InputRefused("language_wrong", _("Choose a language."), field="language")
    with unit_of_work() as work:
        person = lock_persons(viewer.workspace_id, person_id)[person_id]
        person.language = language
        person.save(update_fields=["language"])
        changed(work, viewer.workspace_id, person_id, "language")
