"""Values of the workspace's own fields on a case, and what a person corrects about it: title, harm, language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import regex
from django.utils.translation import gettext as _

from careline.cases.cards import index_cards
from careline.cases.changing import changing_case
from careline.cases.models import CaseField
from careline.errors import InputRefused, NotFound
from careline.workspaces.sight import Viewer

MOST_CHARS: Final = 200
MATCH_TIMEOUT_S: Final = 0.2


def set_fields(viewer: Viewer, number: int, values: Mapping[str, str]) -> int:
    """Set fields by key; an empty value clears one. Returns the act's id, 0 when nothing changed.

    Raises NotFound('field_not_found'), InputRefused('field_pattern') naming the field.
    """
    with changing_case(viewer, number, "manage_case") as change:
        defined = {
            one.key: one for one in CaseField.objects.filter(workspace_id=viewer.workspace_id, key__in=list(values))
        }
        fields = dict(change.case.fields)
        for key, value in values.items():
            if key not in defined:
                raise NotFound("field_not_found", _("There is no such field."))
            check_value(defined[key], value.strip())
            fields[key] = value.strip()
        fields = {key: value for key, value in fields.items() if value}
        if fields == change.case.fields:
            return 0
        change.case.fields = fields
        act_id = change.save("fields")
        index_cards([change.case], is_new=False)
        return act_id


def check_value(field: CaseField, value: str) -> None:
    """Refuse a value that is too long or does not fit the field's pattern."""
    if len(value) > MOST_CHARS:
        raise InputRefused("field_too_long", _("At most 200 characters."), field=field.key)
    if value and field.pattern and not _fits(field.pattern, value):
        raise InputRefused(
            "field_pattern", _("%(label)s does not look like this.") % {"label": field.label}, field=field.key
        )


def _fits(pattern: str, value: str) -> bool:
    """A pattern is an administrator's: a broken or endless one must not stop the desk."""
    try:
        return regex.fullmatch(pattern, value, timeout=MATCH_TIMEOUT_S) is not None
    except (regex.error, TimeoutError):
        return True


def set_title(viewer: Viewer, number: int, title: str) -> int:
    """Name the case. Returns the act's id."""
    with changing_case(viewer, number, "manage_case") as change:
        change.case.title = " ".join(title.split())[:200]
        act_id = change.save("titled")
        index_cards([change.case], is_new=False)
        return act_id


def set_harm(viewer: Viewer, number: int, is_harm: bool, why: str = "") -> int:
    """Confirm or take back that somebody may come to harm: a class of its own in the queue, with its own clock.
    Returns the act's id.
    """
    from careline.cases.moving import settle

    with changing_case(viewer, number, "manage_case") as change:
        change.case.is_harm = is_harm
        settle(change.case)
        return change.save("harm", why=why)


def set_language(viewer: Viewer, number: int, language: str) -> int:
    """Correct the language of a case: a code of two or three letters, with a region perhaps. Returns the act's id."""
    if not regex.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", language):
        raise InputRefused("language_wrong", _("Choose a language."), field="language")
    with changing_case(viewer, number, "manage_case") as change:
        change.case.language = language
        return change.save("language")
