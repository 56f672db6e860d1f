"""What a workspace sorts its cases by: tags, fields of its own (a booking reference), and how soon answers are owed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils.text import slugify
from django.utils.translation import gettext as _

from careline.cases.clocks import DEFAULTS, AnswerPolicy
from careline.cases.models import Case, CaseField, ClockPolicy, Tag
from careline.cases.queries.defining import access_tag
from careline.errors import Conflict, InputRefused, NotFound
from careline.events.recording import UnitOfWork, unit_of_work
from careline.workspaces.checking import check_name, record_settings_change
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

TAG_COLORS = ("", "action", "public", "late", "soon", "solved", "auto")
MOST_FIELDS = 20
MOST_RENAMED = 5000
LONGEST_PATTERN = 200
LONGEST_CLOCK_S = 30 * 24 * 3600


def add_tag(viewer: Viewer, name: str, color: str = "") -> Tag:
    """A new tag, written small. Raises InputRefused('name_taken')."""
    check_may(viewer.role, "manage_workspace")
    wanted = _check_tag(viewer, name, color, None)
    with unit_of_work() as work:
        tag = Tag.objects.create(workspace_id=viewer.workspace_id, name=wanted, color=color)
        record_settings_change(work, viewer.workspace_id, "tags")
    return tag


def change_tag(viewer: Viewer, tag_id: int, *, name: str, color: str) -> None:
    """Rename or recolour a tag; cases that carry it follow. Raises NotFound, Conflict when 5,000 cases or more carry
    it.
    """
    check_may(viewer.role, "manage_workspace")
    wanted = _check_tag(viewer, name, color, tag_id)
    before = access_tag(viewer.workspace_id, tag_id).name
    carriers = _carriers(viewer.workspace_id, before) if before != wanted else []
    with unit_of_work() as work:
        _rename_on_cases(work, viewer.workspace_id, carriers, before, wanted)
        if not Tag.objects.filter(id=tag_id, workspace_id=viewer.workspace_id).update(name=wanted, color=color):
            raise NotFound("tag_not_found", _("There is no such tag here."))
        record_settings_change(work, viewer.workspace_id, "tags")


def remove_tag(viewer: Viewer, tag_id: int) -> None:
    """Nobody can choose it any more; cases that carry it keep the word. Raises NotFound."""
    check_may(viewer.role, "manage_workspace")
    with unit_of_work() as work:
        gone, _rows = Tag.objects.filter(id=tag_id, workspace_id=viewer.workspace_id).delete()
        if not gone:
            raise NotFound("tag_not_found", _("There is no such tag here."))
        record_settings_change(work, viewer.workspace_id, "tags")


def _carriers(workspace_id: int, tag: str) -> list[int]:
    """Cases that may carry a tag: SQLite keeps JSON as it was escaped, PostgreSQL as characters."""
    written = Q(written__contains=json.dumps(tag)) | Q(written__contains=f'"{tag}"')
    cases = Case.objects.filter(workspace_id=workspace_id).annotate(written=Cast("tags", TextField())).filter(written)
    found = list(cases.order_by("id").values_list("id", flat=True)[:MOST_RENAMED])
    if len(found) == MOST_RENAMED:
        raise Conflict("tag_on_many_cases", _("Too many cases carry this tag to rename it. Add a new tag instead."))
    return found


def _rename_on_cases(work: UnitOfWork, workspace_id: int, case_ids: list[int], before: str, after: str) -> None:
    locked = Case.objects.select_for_update().filter(id__in=case_ids, workspace_id=workspace_id).order_by("id")
    changed = [case for case in locked if before in case.tags]
    for case in changed:
        case.tags = list(dict.fromkeys(after if tag == before else tag for tag in case.tags))
        case.version += 1
        work.record_event(workspace_id, "case.changed", case_id=case.id, version=case.version, facts={"what": "tags"})
    Case.objects.bulk_update(changed, ["tags", "version"], batch_size=500)


def _check_tag(viewer: Viewer, name: str, color: str, tag_id: int | None) -> str:
    wanted = check_name(name, "name", 40).lower()
    if "," in wanted or '"' in wanted:
        raise InputRefused("name_wrong", _("A tag holds no commas and no quotation marks."), field="name")
    if color not in TAG_COLORS:
        raise InputRefused("color_unknown", _("Choose one of the colours offered."), field="color")
    if Tag.objects.filter(workspace_id=viewer.workspace_id, name=wanted).exclude(id=tag_id or 0).exists():
        raise InputRefused("name_taken", _("Another tag has this name."), field="name")
    return wanted


def add_field(viewer: Viewer, *, label: str, pattern: str = "") -> CaseField:
    """A new field, last on the list; its key is made from the label and never changes. Raises InputRefused."""
    check_may(viewer.role, "manage_workspace")
    wanted = check_name(label, "label")
    check_pattern(pattern)
    own = CaseField.objects.filter(workspace_id=viewer.workspace_id)
    if own.count() >= MOST_FIELDS:
        raise InputRefused("fields_many", _("Use at most %(limit)d fields.") % {"limit": MOST_FIELDS}, field="label")
    key = slugify(wanted)[:40].replace("-", "_") or "field"
    if own.filter(key=key).exists():
        raise InputRefused("name_taken", _("Another field has this name."), field="label")
    with unit_of_work() as work:
        made = CaseField.objects.create(
            workspace_id=viewer.workspace_id, key=key, label=wanted, pattern=pattern.strip(), position=own.count()
        )
        record_settings_change(work, viewer.workspace_id, "case_fields")
    return made


def change_field(viewer: Viewer, field_id: int, *, label: str, pattern: str, position: int) -> None:
    """Relabel, move, or change what a value must look like; values already kept stay. Raises NotFound."""
    check_may(viewer.role, "manage_workspace")
    wanted = check_name(label, "label")
    check_pattern(pattern)
    with unit_of_work() as work:
        changed = CaseField.objects.filter(id=field_id, workspace_id=viewer.workspace_id).update(
            label=wanted, pattern=pattern.strip(), position=position
        )
        if not changed:
            raise NotFound("field_not_found", _("There is no such field here."))
        record_settings_change(work, viewer.workspace_id, "case_fields")


def remove_field(viewer: Viewer, field_id: int) -> None:
    """The field is no longer shown; values stay on their cases and come back with the same name. Raises NotFound."""
    check_may(viewer.role, "manage_workspace")
    with unit_of_work() as work:
        gone, _rows = CaseField.objects.filter(id=field_id, workspace_id=viewer.workspace_id).delete()
        if not gone:
            raise NotFound("field_not_found", _("There is no such field here."))
        record_settings_change(work, viewer.workspace_id, "case_fields")


def check_pattern(pattern: str) -> None:
    """Raises InputRefused for a pattern that is no regular expression, or one that could run away on long input."""
    if len(pattern) > LONGEST_PATTERN:
        message = _("Use at most %(limit)d characters.") % {"limit": LONGEST_PATTERN}
        raise InputRefused("pattern_long", message, field="pattern")
    try:
        re.compile(pattern)
    except re.error as wrong:
        message = _("This is not a regular expression: %(why)s.") % {"why": str(wrong)}
        raise InputRefused("pattern_wrong", message, field="pattern") from wrong
    if re.search(r"[*+}]\s*\)\s*[*+{]", pattern):
        message = _("A repetition inside a repetition can run away. Write it without one.")
        raise InputRefused("pattern_slow", message, field="pattern")


def change_policies(viewer: Viewer, policies: Mapping[str, AnswerPolicy]) -> None:
    """How soon answers are owed, open-time seconds; a policy equal to the default leaves no row. Running clocks stay.

    Raises InputRefused; its field is `<clock>_<column>`, as on the page.
    """
    check_may(viewer.role, "manage_workspace")
    for name, policy in policies.items():
        _check_policy(name, policy)
    with unit_of_work() as work:
        ClockPolicy.objects.filter(workspace_id=viewer.workspace_id, name__in=list(policies)).delete()
        own = {name: policy for name, policy in policies.items() if policy != DEFAULTS[name]}
        ClockPolicy.objects.bulk_create(
            [ClockPolicy(workspace_id=viewer.workspace_id, name=name, **asdict(policy)) for name, policy in own.items()]
        )
        record_settings_change(work, viewer.workspace_id, "clocks")


def _check_policy(name: str, policy: AnswerPolicy) -> None:
    if name not in DEFAULTS:
        raise InputRefused("clock_unknown", _("There is no clock of this name."), field=name)
    for column, seconds in asdict(policy).items():
        if not 1 <= seconds <= LONGEST_CLOCK_S:
            raise InputRefused("time_wrong", _("Enter a time between a second and 30 days."), field=f"{name}_{column}")
    if policy.first_breach_s < policy.first_target_s:
        message = _("The breach lies after the target, or is the same.")
        raise InputRefused("breach_early", message, field=f"{name}_first_breach_s")
