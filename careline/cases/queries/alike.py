"""Solved cases that mean nearly the same as one, in any language: by the vectors triage keeps, newest first where alike."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from careline.cases.models import Case
from careline.cases.queries.visible import access_case, visible_cases
from careline.triage.models import Judgement
from careline.workspaces.sight import Viewer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MOST_VECTORS: Final = 20_000
MOST_WORKSPACES: Final = 4
# Nearer than this two messages speak of the same thing (USE-m3; the probe of docs/triage.md).
ALIKE_FROM: Final = 0.55
FRESH_S: Final = 60.0
_VECTOR_BYTES: Final = 1024


class AlikeCase(msgspec.Struct, frozen=True):
    """A solved case and how near it is, 0 to 1."""

    number: int
    title: str
    person_name: str
    outcome: str
    language: str
    nearness: float


@dataclass
class _Kept:
    """The vectors of a workspace's solved cases, as one matrix, for a minute."""

    case_ids: list[int] = field(default_factory=list)
    rows: Any = None
    read_s: float = 0.0


_kept: OrderedDict[int, _Kept] = OrderedDict()
_lock = threading.Lock()


def alike_cases(viewer: Viewer, number: int, most: int = 4) -> tuple[AlikeCase, ...]:
    """The nearest solved cases the viewer may see. Three statements, one more a minute and workspace."""
    case = access_case(viewer, number)
    vector = _vector_of(case)
    if vector is None:
        return ()
    kept = _vectors(viewer.workspace_id)
    if not kept.case_ids:
        return ()
    near = kept.rows @ vector
    best: dict[int, float] = {}
    for place in near.argsort()[::-1][: most * 8].tolist():
        if near[place] >= ALIKE_FROM and kept.case_ids[place] != case.id:
            best.setdefault(kept.case_ids[place], float(near[place]))
    found = visible_cases(viewer).filter(id__in=best, state="done", outcome="solved")
    rows = sorted(found, key=lambda one: -best[one.id])[:most]
    return tuple(
        AlikeCase(one.number, one.title, one.person_name, one.outcome, one.language, round(best[one.id], 2))
        for one in rows
    )


def _vector_of(case: Case) -> npt.NDArray[np.float32] | None:
    """The first words of the case that have a vector: they say what it is about."""
    heard = Judgement.objects.filter(message__case_id=case.id, workspace_id=case.workspace_id)
    kept = heard.exclude(vector=b"").order_by("message__at").values_list("vector", flat=True).first()
    return _unpacked(bytes(kept))[0] if kept and len(bytes(kept)) == _VECTOR_BYTES else None


def _vectors(workspace_id: int) -> _Kept:
    with _lock:
        kept = _kept.get(workspace_id)
        if kept is not None and time.monotonic() - kept.read_s < FRESH_S:
            _kept.move_to_end(workspace_id)
            return kept
    fresh = _read(workspace_id)
    with _lock:
        _kept[workspace_id] = fresh
        while len(_kept) > MOST_WORKSPACES:
            _kept.popitem(last=False)
    return fresh


def _read(workspace_id: int) -> _Kept:
    solved = Case.objects.filter(workspace_id=workspace_id, state="done", outcome="solved").values("id")
    heard = Judgement.objects.filter(workspace_id=workspace_id, message__case_id__in=solved)
    newest = heard.order_by("-at").values_list("message__case_id", "vector")[:MOST_VECTORS]
    rows = [(int(case_id or 0), bytes(vector)) for case_id, vector in newest if len(bytes(vector)) == _VECTOR_BYTES]
    return _Kept([row[0] for row in rows], _unpacked(b"".join(row[1] for row in rows)), time.monotonic())


def _unpacked(packed: bytes) -> npt.NDArray[np.float32]:
    import numpy as np

    return np.frombuffer(packed, dtype="<f2").reshape(-1, _VECTOR_BYTES // 2).astype(np.float32)


def forget_vectors() -> None:
    """What is kept here is read again: after an erasure, and between tests."""
    with _lock:
        _kept.clear()
