"""An agent's word on what triage says of a case: right, or what it is instead. Each word is kept as a row that trains, and can be taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.utils.translation import gettext as _

from careline.cases.applying import reopen
from careline.cases.changing import CaseChange, changing_case
from careline.cases.gathering import SAID_SENTIMENT, take_word
from careline.cases.models import CaseAct, SetAside
from careline.cases.moving import settle
from careline.cases.reversing import reverses
from careline.cases.signs import Sign, stands
from careline.errors import Conflict, InputRefused
from careline.kit import clock
from careline.threads.models import Message
from careline.triage.models import Correction, Judgement, Topic
from careline.triage.protocol import CLOSINGS, HARMS, KINDS
from careline.workspaces.sight import Viewer

# What a person may say of a case; '' refuses what was proposed. Topics are the workspace's own.
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "kind": KINDS,
    "needs_answer": ("yes", "no"),
    "sentiment": tuple(SAID_SENTIMENT),
    "harm": HARMS,
    "legal": ("legal",),
    "leaving": ("leaving",),
    "failed_elsewhere": ("phone", "email", "chat", "form", "branch", "social", "app"),
    "closing": CLOSINGS,
}
REFUSABLE: Final = frozenset({"harm", "legal", "leaving", "failed_elsewhere", "closing", "topic"})


def correct_sign(viewer: Viewer, number: int, verdict: str, value: str) -> int:
    """Say what it is; '' says it is not what was proposed. Returns the act's id.

    Raises InputRefused('verdict_unknown'), ('value_unknown'), Conflict('words_gone') when no word of the customer is left.
    """
    check_value(viewer.workspace_id, verdict, value)
    with changing_case(viewer, number, "manage_case") as change:
        before = _signs_of(change, [verdict])
        kept = [_correct(change, viewer, verdict, value)]
        return change.save("signs", extra={"corrections": kept, "signs": before})


def accept_signs(viewer: Viewer, number: int) -> int:
    """All that triage proposes of the case is right. Returns the act's id, 0 when nothing was proposed."""
    with changing_case(viewer, number, "manage_case") as change:
        proposed = [
            (name, str(sign["value"]))
            for name, sign in sorted(change.case.signs.items())
            if sign["state"] == "proposed"
        ]
        if not proposed:
            return 0
        before = _signs_of(change, [name for name, _value in proposed])
        kept = [_correct(change, viewer, name, value) for name, value in proposed]
        return change.save("signs", extra={"corrections": kept, "signs": before})


def _signs_of(change: CaseChange, names: Sequence[str]) -> dict[str, Sign | None]:
    """What is said now under these names, for the way back: what others say meanwhile stands when the words are taken back."""
    return {name: change.case.signs.get(name) for name in names}


def check_value(workspace_id: int, verdict: str, value: str) -> None:
    """Refuse a verdict or a value that does not exist. One statement for a topic."""
    if verdict == "topic":
        known = not value or (
            value.isdigit()
            and Topic.objects.filter(id=int(value), workspace_id=workspace_id, retired_at__isnull=True).exists()
        )
    elif verdict in CHOICES:
        known = value in CHOICES[verdict] or (not value and verdict in REFUSABLE)
    else:
        raise InputRefused("verdict_unknown", _("There is no such verdict."), field="verdict")
    if not known:
        raise InputRefused("value_unknown", _("Choose one of the values offered."), field="value")


def _correct(change: CaseChange, viewer: Viewer, verdict: str, value: str) -> str:
    message = _message(change, verdict)
    was, confidence = _said_by_triage(message.id, verdict)
    row = Correction.objects.create(
        workspace_id=viewer.workspace_id,
        message=message,
        verdict=verdict,
        was=was,
        value=value,
        confidence=confidence,
        agent_id=viewer.agent_id,
        at=change.now,
    )
    _apply(change, verdict, value, message.id)
    change.record("message.corrected", message_id=message.id, verdict=verdict)
    return str(row.id)


def _message(change: CaseChange, verdict: str) -> Message:
    """The message the sign came from, else the customer's newest."""
    case = change.case
    heard = Message.objects.filter(case_id=case.id, direction="inbound", deleted_at__isnull=True)
    sign = case.signs.get(verdict)
    found = heard.filter(id=int(sign["message_id"])).first() if sign else None
    found = found or heard.order_by("-at", "-id").first()
    if found is None:
        raise Conflict("words_gone", _("No word of the customer is left in this case."))
    return found


def _said_by_triage(message_id: int, verdict: str) -> tuple[str, float]:
    row = Judgement.objects.filter(message_id=message_id).values_list("verdicts", flat=True).first() or []
    found = next((one for one in row if one["name"] == verdict), None)
    return (str(found["value"]), float(found["confidence"])) if found else ("", 0.0)


def _apply(change: CaseChange, verdict: str, value: str, message_id: int) -> None:
    case = change.case
    take_word(case, verdict, value, message_id)
    if verdict == "needs_answer":
        _judge_set_aside(change, was_right=value == "no")
    elif verdict in {"kind", "harm"}:
        case.is_harm = stands(case.signs, "harm") and case.signs["harm"]["state"] == "confirmed"
        settle(case)


def _judge_set_aside(change: CaseChange, *, was_right: bool) -> None:
    """A person says whether the verdict was right; where it was wrong, the case is open again."""
    case = change.case
    aside = SetAside.objects.filter(case_id=case.id).first()
    if not was_right and case.state == "done" and case.outcome == "no_answer_needed":
        reopen(case)
        case.waiting_since = case.last_inbound_at
        settle(case)
    if aside is not None:
        aside.judged_at, aside.judged_by_id, aside.was_right = change.now, change.agent_id, was_right
        aside.save(update_fields=["judged_at", "judged_by_id", "was_right"])


@reverses("set_aside")
def _was_wrong(act: CaseAct, changes: Mapping[int, CaseChange]) -> None:
    """Brought back by undoing: somebody judged the verdict, and it was wrong."""
    change = changes[act.case_id]
    SetAside.objects.filter(case_id=act.case_id).update(
        judged_at=change.now, judged_by_id=change.agent_id, was_right=False
    )


@reverses("signs")
def _take_words_back(act: CaseAct, changes: Mapping[int, CaseChange]) -> None:
    """What was said trains nobody any more, and what stood under its names stands again; newer verdicts under others stay."""
    case = changes[act.case_id].case
    was = act.after.get("signs") or {}
    case.signs = {name: sign for name, sign in (case.signs | was).items() if sign is not None}
    wanted = [int(str(one)) for one in act.after.get("corrections", []) if str(one).isdigit()]
    Correction.objects.filter(id__in=wanted, undone_at__isnull=True).update(undone_at=clock.now())
    SetAside.objects.filter(case_id=act.case_id, judged_by_id=act.agent_id, judged_at=act.at).update(
        judged_at=None, judged_by_id=None, was_right=None
    )
