"""Views and filters of a list as conditions on the case row. No statement of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.db import connection
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from careline.cases.models import Case, Notice
from careline.cases.rows import ListFilters
from careline.errors import NotFound
from careline.workspaces.sight import Viewer

_TAG_SQL: Final = {
    "sqlite": "EXISTS (SELECT 1 FROM json_each(case_.tags) WHERE json_each.value = %s)",
    "postgresql": "case_.tags @> to_jsonb(%s::text)",
}
NEWEST_FIRST: Final = frozenset({"done", "spam", "mentions", "aside", "audit"})

_VIEWS: Final[dict[str, Callable[[Viewer], Q]]] = {
    "mine": lambda viewer: Q(state="open", assignee_id=viewer.agent_id),
    "team": lambda viewer: Q(state="open") & (Q(team_id__isnull=True) | Q(team_id__in=viewer.team_ids)),
    "unassigned": lambda viewer: Q(state="open", assignee_id__isnull=True),
    "all": lambda viewer: Q(state="open"),
    "waiting": lambda viewer: Q(state="waiting") & ~Q(waiting_reason="until"),
    "snoozed": lambda viewer: Q(state="waiting", waiting_reason="until"),
    "done": lambda viewer: Q(state="done") & ~Q(outcome="spam"),
    "spam": lambda viewer: Q(state="done", outcome="spam"),
    "aside": lambda viewer: Q(state="done", outcome="no_answer_needed", set_aside__isnull=False),
    "audit": lambda viewer: Q(state="done", set_aside__is_audit=True, set_aside__judged_at__isnull=True),
    "mentions": lambda viewer: Q(
        id__in=Notice.objects.filter(agent_id=viewer.agent_id, what="mention").values("case_id")
    ),
}


def view_condition(viewer: Viewer, view: str) -> Q:
    """The condition of a named view. Raises NotFound('view_unknown')."""
    condition = _VIEWS.get(view)
    if condition is None:
        raise NotFound("view_unknown", _("There is no such view."))
    return condition(viewer)


def narrow(cases: QuerySet[Case], filters: ListFilters) -> QuerySet[Case]:
    """Everything of the filters but the view and the words."""
    wanted = {
        "channel_id": filters.channel_id or None,
        "team_id": filters.team_id or None,
        "assignee_id": filters.assignee_id or None,
        "language": filters.language or None,
        "kind": filters.kind or None,
        "topic_id": filters.topic_id or None,
        "is_public": filters.is_public,
    }
    cases = cases.filter(**{column: value for column, value in wanted.items() if value is not None})
    return cases.filter(has_tag(filters.tag)) if filters.tag else cases


def has_tag(tag: str) -> RawSQL:
    """Whether the JSON list of tags holds exactly this one, in the words of each database."""
    sql = _TAG_SQL[connection.vendor]
    return RawSQL(sql, [tag], output_field=BooleanField())  # noqa: S611 - fixed text, the tag is a parameter
