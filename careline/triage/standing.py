"""How what was learned stands: for each head its versions, their figures on held-out rows, and what has been said since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from careline.triage.learning import FIRST_ROWS, NAMES, NEXT_ROWS, number_of
from careline.triage.models import Correction, FittedHead, TopicExample
from careline.triage.queries import topic_names

SHOWN_VERSIONS = 10


@dataclass(frozen=True)
class Version:
    """A fitted version. `labels`: (label, how many rows); topics by name, '' for what is of no topic. `why`: the code of a refusal."""

    version: int
    state: str
    rows: int
    own_rows: int
    accuracy: float
    macro_f1: float
    labels: tuple[tuple[str, int], ...]
    made_at: datetime
    why: str


@dataclass(frozen=True)
class HeadLine:
    """A head with its newest versions. `active` None: the shipped head judges (for topics: nobody). `since`: rows said since the newest
    version; `missing`: how many more until the next fit.
    """

    name: str
    active: Version | None
    versions: tuple[Version, ...]
    since: int
    missing: int


def head_lines(workspace_id: int) -> list[HeadLine]:
    """Every head there may be. Eleven statements."""
    names = {str(key): name for key, name in topic_names(workspace_id).items()}
    rows = FittedHead.objects.filter(workspace_id=workspace_id).defer("body").order_by("-version")
    by_name: dict[str, list[FittedHead]] = {name: [] for name in NAMES}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    return [_line(workspace_id, name, by_name[name], names) for name in NAMES]


def _line(workspace_id: int, name: str, rows: Sequence[FittedHead], names: dict[str, str]) -> HeadLine:
    versions = tuple(_version(row, names) for row in rows)
    active = next((one for one in versions if one.state == "active"), None)
    counted_to = max((row.counted_to for row in rows), default=0)
    since = _said_since(workspace_id, name, counted_to)
    missing = max(0, (NEXT_ROWS if rows else FIRST_ROWS) - since)
    return HeadLine(name, active, versions[:SHOWN_VERSIONS], since, missing)


def _version(row: FittedHead, names: dict[str, str]) -> Version:
    labels, examples = row.card.get("labels", []), row.card.get("examples", [])
    return Version(
        version=row.version,
        state=row.state,
        rows=int(number_of(row.card, "rows")),
        own_rows=row.own_rows,
        accuracy=number_of(row.card, "accuracy"),
        macro_f1=number_of(row.card, "macro_f1"),
        labels=tuple(zip((_label(str(one), row.name, names) for one in labels), map(int, examples), strict=False)),
        made_at=row.made_at,
        why=row.why,
    )


def _label(label: str, name: str, names: dict[str, str]) -> str:
    if name != "topic":
        return label
    return names.get(label, "")


def _said_since(workspace_id: int, name: str, counted_to: int) -> int:
    said = Correction.objects.filter(workspace_id=workspace_id, verdict=name, undone_at__isnull=True, id__gt=counted_to)
    count = said.count()
    if name == "topic":
        count += TopicExample.objects.filter(workspace_id=workspace_id, source="thumb", id__gt=counted_to).count()
    return count
