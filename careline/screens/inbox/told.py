"""The timeline of a case as entries to draw: bystanders folded, acts between messages, earlier contacts that failed. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from careline.cases.rows import ActView, CasePane, MessageView, OtherCase
from careline.screens.inbox import wording

_encoder = msgspec.json.Encoder(order="deterministic")
MOST_FAILED = 3
# Acts that say nothing a message beside them does not say.
_UNTOLD = frozenset({"answered", "noted", "opened"})


@dataclass(frozen=True)
class Entry:
    """One thing in the timeline. `key` names it for ever, `mark` changes whenever its drawing would."""

    kind: str
    key: str
    mark: str
    at: datetime
    messages: tuple[MessageView, ...] = ()
    act: ActView | None = None
    words: str = ""
    icon: str = ""


@dataclass(frozen=True)
class Told:
    """A case ready to be drawn."""

    entries: list[Entry] = field(default_factory=list)
    failed: list[OtherCase] = field(default_factory=list)


def tell(pane: CasePane) -> Told:
    """Entries in platform time, and which of the person's other cases were never helped."""
    acts = [_act_entry(act) for act in pane.acts if act.verb not in _UNTOLD]
    spoken = [_message_entry(message) for message in pane.messages]
    inside = [act for act in acts if not spoken or not pane.has_earlier or act.at >= spoken[0].at]
    ordered = sorted([*spoken, *inside], key=lambda entry: entry.at)
    return Told(list(_folded(ordered)), failed_contacts(pane))


def failed_contacts(pane: CasePane) -> list[OtherCase]:
    """Cases begun before this one's last word that wait for us or ended unsolved, oldest first."""
    unhelped = [one for one in pane.person.cases if one.last_at <= pane.row.last_at and _is_unhelped(one)]
    return sorted(unhelped, key=lambda one: one.last_at)[-MOST_FAILED:]


def _is_unhelped(case: OtherCase) -> bool:
    return case.state == "open" or (case.state == "done" and case.outcome == "heard")


def _folded(entries: Iterable[Entry]) -> Iterable[Entry]:
    waiting: list[Entry] = []
    for entry in entries:
        if entry.kind == "message" and is_bystander(entry.messages[0]):
            waiting.append(entry)
            continue
        yield from _fold(waiting)
        waiting = []
        yield entry
    yield from _fold(waiting)


def _fold(waiting: list[Entry]) -> Iterable[Entry]:
    if not waiting:
        return
    mark = str(zlib.crc32("".join(entry.mark for entry in waiting).encode()))
    said = tuple(entry.messages[0] for entry in waiting)
    yield Entry("fold", f"fold-{said[0].id}", mark, waiting[0].at, said)


def is_bystander(message: MessageView) -> bool:
    """Someone else's word in a public thread."""
    return message.direction == "inbound" and not message.is_customer and message.is_public


def _message_entry(message: MessageView) -> Entry:
    return Entry("message", f"message-{message.id}", _mark(message), message.at, (message,))


def _act_entry(act: ActView) -> Entry:
    return Entry(
        "act",
        f"act-{act.id}",
        _mark(act),
        act.at,
        act=act,
        words=wording.act_words(act),
        icon=wording.act_icon(act.verb),
    )


def _mark(struct: msgspec.Struct) -> str:
    return str(zlib.crc32(_encoder.encode(struct)))
