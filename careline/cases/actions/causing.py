"""Why it happened: the root cause of a case, set by hand and apart from what the customer came with."""

from __future__ import annotations

from django.utils.translation import gettext as _

from careline.cases.changing import changing_case
from careline.errors import InputRefused
from careline.triage.models import Topic
from careline.workspaces.sight import Viewer


def set_root_cause(viewer: Viewer, number: int, topic_id: int | None) -> int:
    """Say why it happened, or with None that nobody knows. Returns the act's id, 0 when nothing changed.

    Raises InputRefused('root_cause_unknown') for what is no root cause in use in this workspace.
    """
    with changing_case(viewer, number, "manage_case") as change:
        if topic_id == change.case.root_cause_id:
            return 0
        if topic_id is not None and not _is_known(viewer.workspace_id, topic_id):
            raise InputRefused("root_cause_unknown", _("Choose one of the root causes offered."), field="root_cause")
        change.case.root_cause_id = topic_id
        return change.save("root_cause")


def _is_known(workspace_id: int, topic_id: int) -> bool:
    causes = Topic.objects.filter(workspace_id=workspace_id, facet="root_cause", retired_at__isnull=True)
    return causes.filter(id=topic_id).exists()
