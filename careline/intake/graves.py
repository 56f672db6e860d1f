"""What authors deleted and whom we erased, kept in a file beside the database: a restore of an older backup obeys it.

A line of JSON each: {"id", "channel", "platform_id", "at"} for words, {"person", "at"} for a person. Numbers only, no word and no name. A lost
file costs nothing while the database lives: it is written anew.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from careline.channels.models import Channel
from careline.errors import InputRefused
from careline.events.recording import unit_of_work
from careline.kit import clock, ids
from careline.kit.clock import parse_iso
from careline.people.actions.erasing import erase_again
from careline.people.models import Person
from careline.threads import editing
from careline.threads.models import Tombstone

NAME: Final = "deleted.jsonl"
# Ids are taken before they are committed: what came a little late is looked for once more.
LATE: Final = timedelta(minutes=10)
_AT_ONCE: Final = 2000
# A platform's id has 400 characters at most, each six bytes in JSON.
_LONGEST_LINE: Final = 4096
_BURIED_AT_ONCE: Final = 500
Line = dict[str, Any]


class Graves:
    """Follows tombstones and erasures of this installation into its file. One process at a time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._seen: dict[int, datetime] | None = None

    def follow(self) -> int:
        """Write down what is new. Returns how many lines. Two statements a thousand lines, a flush to the disk where there was something."""
        if self._seen is None or not self._path.exists():
            self._seen = self._read()
        since = max(self._seen.values(), default=None)
        fresh = [line for line in _lines(since - LATE if since else None) if _key(line) not in self._seen]
        if fresh:
            self._append(fresh)
        self._seen = _newest(self._seen | {_key(line): parse_iso(line["at"]) for line in fresh})
        return len(fresh)

    def _read(self) -> dict[int, datetime]:
        return _newest({_key(line): parse_iso(line["at"]) for line in read_graves(self._path)})

    def _append(self, lines: Iterable[Line]) -> None:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b") as file:
            # A line cut short by a crash goes: the next one would be glued to it, and both be lost.
            begin = max(0, file.seek(0, os.SEEK_END) - _LONGEST_LINE)
            file.seek(begin)
            file.truncate(begin + file.read().rfind(b"\n") + 1)
            file.seek(0, os.SEEK_END)
            file.writelines(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())


def _key(line: Line) -> int:
    return int(line.get("id") or line["person"])


def _newest(seen: dict[int, datetime]) -> dict[int, datetime]:
    """Those that may be met again: of the last minutes before the newest."""
    newest = max(seen.values(), default=None)
    return {key: at for key, at in seen.items() if newest and at > newest - 2 * LATE}


def _lines(since: datetime | None) -> Iterator[Line]:
    graves = Tombstone.objects.filter(id__gte=ids.id_at(int(since.timestamp() * 1000)) if since else 0).order_by("id")
    for grave in graves.iterator(_AT_ONCE):
        yield {"id": grave.id, "channel": grave.channel_id, "platform_id": grave.platform_id, "at": _iso(grave.at)}
    persons = Person.objects.filter(erased_at__isnull=False)
    for person_id, at in (persons.filter(erased_at__gte=since) if since else persons).values_list("id", "erased_at"):
        yield {"person": person_id, "at": _iso(at)}


def _iso(at: datetime | None) -> str:
    return (at or clock.now()).isoformat()


def read_graves(path: Path) -> Iterator[Line]:
    """The lines of a file, oldest first; nothing where there is none. A last line cut short by a crash is left out.

    Raises InputRefused('deletions_foreign') for a file that is something else.
    """
    if not path.exists():
        return
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines):
        if not line:
            continue
        try:
            yield _parse_line(line)
        except (ValueError, KeyError, TypeError):
            if number == len(lines) - 1:
                return
            raise InputRefused("deletions_foreign", f"{path} is no list of deletions: line {number + 1}.") from None


def _parse_line(line: bytes) -> Line:
    found = json.loads(line)
    parse_iso(found["at"])
    if "person" in found:
        return {"person": int(found["person"]), "at": found["at"]}
    return {
        "id": int(found["id"]),
        "channel": int(found["channel"]),
        "platform_id": str(found["platform_id"]),
        "at": found["at"],
    }


def obey_graves(lines: Iterable[Line]) -> int:
    """Take the words of what these lines and the database's own tombstones name, everywhere. Returns how many messages lost theirs."""
    again, by_channel = 0, defaultdict[int, set[str]](set)
    for line in lines:
        if "person" in line:
            again += erase_again(int(line["person"]))
        else:
            by_channel[int(line["channel"])].add(str(line["platform_id"]))
    for channel_id, platform_id in Tombstone.objects.values_list("channel_id", "platform_id").iterator(_AT_ONCE):
        by_channel[channel_id].add(platform_id)
    workspaces = dict(Channel.objects.filter(id__in=by_channel).values_list("id", "workspace_id"))
    return again + sum(_bury(workspaces[one], one, sorted(by_channel[one])) for one in sorted(workspaces))


def _bury(workspace_id: int, channel_id: int, platform_ids: Sequence[str]) -> int:
    """One unit of work for some hundred ids."""
    again = 0
    for start in range(0, len(platform_ids), _BURIED_AT_ONCE):
        with unit_of_work() as work:
            some = platform_ids[start : start + _BURIED_AT_ONCE]
            again += len(editing.apply_deletions(work, workspace_id, channel_id, some, reason="restored"))
    return again
