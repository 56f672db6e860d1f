"""The card of a case in the search index: name, handles, number, title, tags and field values, under the case's own
id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from careline.cases.models import Case
from careline.people.models import Identity
from careline.threads import search


def card_text(case: Case, identities: Sequence[Identity] = ()) -> str:
    """The words a case is found by besides its messages. Pure."""
    named = (word for one in identities for word in (one.name, one.handle, one.key))
    return " ".join(
        [
            str(case.number),
            case.person_name,
            case.title,
            *named,
            *case.tags,
            *(str(value) for value in case.fields.values()),
        ]
    )


def index_cards(cases: Sequence[Case], *, is_new: bool = True) -> None:
    """Index cards of cases, or replace them, in the caller's unit of work. Two statements for new ones, three to
    replace.
    """
    if not cases:
        return
    identities: dict[int, list[Identity]] = defaultdict(list)
    for one in Identity.objects.filter(person_id__in={case.person_id for case in cases}).order_by("id"):
        identities[one.person_id].append(one)
    rows = [
        (case.id, case.workspace_id, case.id, case.opened_at, card_text(case, identities[case.person_id][:20]))
        for case in cases
    ]
    if is_new:
        search.index_messages(rows)
    else:
        search.reindex(rows)
