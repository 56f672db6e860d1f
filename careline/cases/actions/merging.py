"""Merge a case into another: one problem told twice. Reversible: the act keeps which messages came from where."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from careline.cases.applying import close, reopen
from careline.cases.cards import index_cards
from careline.cases.changing import CaseChange, changing_cases
from careline.cases.gathering import gather_signs
from careline.cases.models import CaseAct
from careline.cases.moving import bind_threads, bound_threads_of, message_ids_of, move_messages, settle
from careline.cases.reversing import reverses
from careline.errors import Conflict, InputRefused
from careline.kit import ids
from careline.workspaces.sight import Viewer


def merge_case(viewer: Viewer, number: int, into_number: int, why: str = "") -> int:
    """Move everything of a case into another, which goes on alone. Returns the act's id. Raises
    InputRefused('same_case').
    """
    if number == into_number:
        raise InputRefused("same_case", _("Choose another case to merge into."), field="into")
    with changing_cases(viewer, [number, into_number], "manage_case") as changes:
        source, target = sorted(changes, key=lambda change: change.case.number != number)
        return merge_changes(source, target, "merged", why)


def merge_changes(source: CaseChange, target: CaseChange, what: str, why: str = "") -> int:
    """Merge locked cases under the verb `what`. Returns the id of the source's act; the target's shares its batch."""
    message_ids, thread_ids = message_ids_of(source.case), bound_threads_of(source.case)
    move_messages(message_ids, target.case)
    bind_threads(thread_ids, target.case)
    _take_over(source, target)
    batch = ids.new_id()
    facts = {
        "message_ids": message_ids,
        "thread_ids": thread_ids,
        "into": target.case.number,
        "into_id": target.case.id,
    }
    close(source.case, "", source.now)
    source.case.merged_into_id = target.case.id
    source.case.message_count = 0
    act_id = source.save(what, why=why, batch=batch, extra=facts)
    source.record("case.merged", into=target.case.number)
    target.save(f"{what}_here", why=why, batch=batch, extra={"from": source.case.number, "from_id": source.case.id})
    index_cards([target.case], is_new=False)
    return act_id


def _take_over(source: CaseChange, target: CaseChange) -> None:
    """What the target learns: tags, fields, reach, readers, what is said of the messages, and the older of two waits."""
    old, new = source.case, target.case
    new.tags = list(dict.fromkeys([*new.tags, *old.tags]))
    new.fields = {**old.fields, **{key: value for key, value in new.fields.items() if value}}
    new.reach, new.is_harm = max(new.reach, old.reach), new.is_harm or old.is_harm
    if old.waiting_since is not None:
        new.waiting_since = min(new.waiting_since or old.waiting_since, old.waiting_since)
        if new.state != "open":
            reopen(new)
    target.let_read(source.reader_ids)
    gather_signs(new, new.signs, old.signs)
    settle(new)


@reverses("merged")
@reverses("joined")
def unmerge(act: CaseAct, changes: Mapping[int, CaseChange]) -> None:
    """Give the messages back that still stand in the target."""
    source, target = changes[act.case_id], changes[int(act.after["into_id"])]
    if source.case.merged_into_id is not None:
        raise Conflict("changed_since", _("This was changed again since. Undo the later change first."))
    still_there = set(message_ids_of(target.case))
    move_messages([one for one in act.after["message_ids"] if one in still_there], source.case)
    bind_threads(list(act.after["thread_ids"]), source.case)
    for change in (source, target):
        gather_signs(change.case, source.case.signs, target.case.signs)
        settle(change.case)
    index_cards([target.case], is_new=False)
