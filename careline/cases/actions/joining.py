"""Join a person's later case with their earlier one: the same problem told in another place, by one key."""

from __future__ import annotations

from django.utils.translation import gettext as _

from careline.cases.actions.merging import merge_changes
from careline.cases.changing import changing_cases
from careline.errors import InputRefused
from careline.workspaces.sight import Viewer


def join_case(viewer: Viewer, number: int, other_number: int) -> int:
    """Two cases of one person become one, under the number of the earlier. Returns the act's id; undo takes it back.

    Raises InputRefused('same_case') or ('not_same_person').
    """
    if number == other_number:
        raise InputRefused("same_case", _("Choose another case to join."), field="other")
    with changing_cases(viewer, [number, other_number], "manage_case") as changes:
        earlier, later = sorted(changes, key=lambda change: (change.case.opened_at, change.case.id))
        if earlier.case.person_id != later.case.person_id:
            raise InputRefused(
                "not_same_person",
                _("These cases belong to different people. Merge them if you mean it."),
                field="other",
            )
        return merge_changes(later, earlier, "joined")
