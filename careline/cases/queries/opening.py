"""One case, whole: the middle and right pane in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from careline.cases.models import Case, CaseField, Draft
from careline.cases.queries import answering, timeline
from careline.cases.queries.listing import row_of
from careline.cases.queries.naming import Names, names_of
from careline.cases.queries.persons import known_identities, person_card
from careline.cases.queries.signs import copies_of, sign_views
from careline.cases.queries.visible import access_case, readers_of
from careline.cases.rows import CasePane
from careline.channels.access import channels_by_id
from careline.events.recording import last_number
from careline.kit import clock
from careline.outbox.queries import sent_moments
from careline.threads import queries as threads_queries
from careline.triage.queries import masked_kinds
from careline.workspaces.sight import Viewer

# Measured by test_opening_a_case_takes_a_constant_number_of_statements.
MOST_STATEMENTS = 34


def open_case(viewer: Viewer, number: int, *, limit: int = 200, before_id: int = 0, from_id: int = 0) -> CasePane:
    """Everything shown of one case: the newest `limit` messages (older than message `before_id`; as many as it takes,
    up to MOST_MESSAGES, to reach back to message `from_id`), acts, answer choices, drafts, person.

    Raises NotFound for a case the viewer may not see. At most MOST_STATEMENTS statements, whatever the number of
    messages; three more with `from_id`.
    """
    n, now = last_number(viewer.workspace_id), clock.now()
    case = access_case(viewer, number)
    threads = threads_queries.threads_by_id(
        case.workspace_id, threads_queries.thread_ids_of_case(case.workspace_id, case.id)
    )
    said = timeline.spoken(
        case, [one.id for one in threads.values() if one.is_public], timeline.Stretch(limit, before_id, from_id)
    )
    acts = timeline.acts_of(case, said.until)
    channels = channels_by_id(sorted({case.channel_id, *(one.channel_id for one in threads.values())}))
    acting = [row for rows in said.moderations.values() for row in rows]
    names = _names(case, said.messages, [*acts, *acting], channels)
    identities = known_identities(case.workspace_id, case.person_id)
    known_private = answering.private_ways(case, threads.values(), channels)
    counted = answering.counted_threads([*threads.values(), *known_private.values()], channels)
    choices = answering.Answerable(
        threads=list(threads.values()),
        channels=channels,
        replies_to=threads_queries.last_inbound_by_thread(list(threads), case.person_id),
        identities=identities,
        now=now,
        sent_at=sent_moments(counted),
        known_private=known_private,
    )
    follows, merged_into = _related_numbers(case)
    return CasePane(
        row=row_of(case, names, readers_of([case.id]).get(case.id, ())),
        fields=case_fields(case),
        messages=timeline.message_views(
            said, timeline.Setting(case, threads, channels, names, now, masked_kinds(case.workspace_id))
        ),
        acts=timeline.act_views(acts, names),
        threads=answering.thread_views(case, choices),
        person=person_card(viewer, case.person_id, identities, besides=case),
        priority_reasons=tuple((str(code), int(points)) for code, points in case.priority_reasons),
        drafts=dict(Draft.objects.filter(case_id=case.id, agent_id=viewer.agent_id).values_list("mode", "text")),
        has_earlier=said.has_earlier,
        follows_number=follows,
        merged_into_number=merged_into,
        n=n,
        signs=sign_views(case),
        sentiment_first=case.sentiment_first,
        copies=copies_of(case),
        is_set_aside=case.outcome == "no_answer_needed" and any(act.verb == "set_aside" for act in acts),
    )


def _names(case: Case, messages: Iterable[object], acts: Iterable[object], channels: Iterable[int]) -> Names:
    agent_ids = {
        case.assignee_id,
        *(getattr(one, "author_agent_id", None) for one in messages),
        *(getattr(one, "agent_id", None) for one in acts),
    }
    return names_of(case.workspace_id, agent_ids, channels)


def case_fields(case: Case) -> tuple[tuple[str, str, str], ...]:
    """(key, label, value) of the workspace's fields, in their order. One statement."""
    defined = (
        CaseField.objects.filter(workspace_id=case.workspace_id).order_by("position", "id").values_list("key", "label")
    )
    return tuple((key, label, str(case.fields.get(key, ""))) for key, label in defined)


def _related_numbers(case: Case) -> tuple[int, int]:
    wanted = [one for one in (case.follows_id, case.merged_into_id) if one]
    if not wanted:
        return 0, 0
    numbers = dict(Case.objects.filter(Q(id__in=wanted), workspace_id=case.workspace_id).values_list("id", "number"))
    return numbers.get(case.follows_id or 0, 0), numbers.get(case.merged_into_id or 0, 0)
