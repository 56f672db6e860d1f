"""Raw to typed, before the transaction: everything slow and pure (parsing, cleaning, typing and encrypting files, language)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from careline.channels.base import InboundFile, Part, Said
from careline.errors import CarelineError, ForeignPayload, UnknownEvent
from careline.files import storing
from careline.files.storing import PreparedFile
from careline.intake.batch import Batch, ChangeItem, ChannelFacts, SaidItem
from careline.intake.models import JournalRow
from careline.kit.places import place_of
from careline.threads.cleaning import clean_html
from careline.threads.personal import find_places, hide
from careline.triage.language import detect_language

FUTURE_TOLERANCE: Final = timedelta(minutes=2)
MOST_CHARS: Final = 200_000


def normalise(batch: Batch, channels: dict[int, ChannelFacts]) -> None:
    """Fill `batch.said` and `batch.changes`; a row that cannot be read is marked, alone, with its reason."""
    for row in batch.rows:
        channel = channels.get(row.channel_id)
        if channel is None:
            batch.dead[row.id] = ("channel_gone", "The channel of this delivery no longer exists.")
            continue
        try:
            _normalise_row(batch, row, channel)
        except UnknownEvent as unknown:
            batch.reasons[row.id] = "unknown_event"
            del unknown
        except ForeignPayload as foreign:
            batch.dead[row.id] = ("foreign_payload", foreign.message)
        except Exception as error:  # the worker loop: whatever an adapter makes of hostile bytes, only its own row dies
            batch.dead[row.id] = ("unreadable", place_of(error))


def _normalise_row(batch: Batch, row: JournalRow, channel: ChannelFacts) -> None:
    part = Part(channel.row.account_key, row.event_key, row.order_key, bytes(row.raw))
    for happening in channel.network.normalise(part, channel.view):
        if isinstance(happening, Said):
            batch.said.append(_prepare(batch, row, channel, happening))
        else:
            batch.changes.append(ChangeItem(row, channel, happening))


def _prepare(batch: Batch, row: JournalRow, channel: ChannelFacts, said: Said) -> SaidItem:
    said = without_nul(said)
    personal = find_places(said.text[:MOST_CHARS])
    at = min(said.at, batch.now) if said.at <= batch.now + FUTURE_TOLERANCE else batch.now
    return SaidItem(
        row=row,
        channel=channel,
        said=said,
        files=[_prepare_file(row.workspace_id, file) for file in said.files],
        html=clean_html(said.html) if said.html else "",
        language=said.language or detect_language(said.text),
        personal=personal,
        shown=hide(said.text[:MOST_CHARS], personal),
        at=at,
    )


def without_nul(said: Said) -> Said:
    """The message without NUL characters anywhere: PostgreSQL stores none, and no person ever wrote one."""
    if not _may_have_nul(said) or not _has_nul(said):
        return said
    return msgspec.structs.replace(said, **{name: _strip(getattr(said, name)) for name in said.__struct_fields__})


def _may_have_nul(said: Said) -> bool:
    """A quick look at the whole at once, which only knows what certainly has none; files would have to be written out for it."""
    return bool(said.files) or b"\\u0000" in msgspec.json.encode(said)


def _has_nul(value: Any) -> bool:
    ahead = [value]
    while ahead:
        one = ahead.pop()
        if isinstance(one, str):
            if "\0" in one:
                return True
        elif isinstance(one, msgspec.Struct):
            ahead.extend(msgspec.structs.astuple(one))
        elif isinstance(one, tuple):
            ahead.extend(one)
        elif isinstance(one, Mapping):
            ahead.extend(one.keys())
            ahead.extend(one.values())
    return False


def _strip(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(
            value, **{name: _strip(getattr(value, name)) for name in value.__struct_fields__}
        )
    if isinstance(value, tuple):
        return tuple(_strip(one) for one in value)
    if isinstance(value, Mapping):
        return {_strip(key): _strip(one) for key, one in value.items()}
    return value


def _prepare_file(workspace_id: int, file: InboundFile) -> PreparedFile | None:
    if not file.content:
        return None
    try:
        return storing.prepare_file(workspace_id, file.content, file.name)
    except CarelineError:
        return None
