"""What a worker remembers of a workspace's last hours: who said what in the last hour, and which messages of a day are alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from careline.events.recording import unit_of_work
from careline.threads.personal import Place, hide
from careline.triage.duplicates import Cluster, Clusters
from careline.triage.models import Judgement
from careline.triage.personal.masking import KINDS
from careline.triage.protocol import Verdict
from careline.triage.spikes.counts import Seen, Unit
from careline.triage.spikes.defaults import DEFAULTS
from careline.triage.watching.counting import is_negative, places_of, unit_keys

HOUR: Final = max(DEFAULTS.windows)
ALIKE_FOR: Final = timedelta(hours=24)
MOST_ALIKE: Final = 5_000
# Another node may have kept what this one reads: its clock may differ.
_OVERLAP: Final = timedelta(seconds=10)
_COLUMNS: Final = (
    "message_id", "at", "cluster_id", "verdicts", "message__text", "message__personal", "message__received_at",
    "message__channel_id", "message__thread__reach", "message__author_identity__person_id",
)  # fmt: skip


class _Row(NamedTuple):
    """A judgement with its message, as `_COLUMNS`."""

    id: int
    at: datetime
    cluster_id: int | None
    verdicts: list[dict[str, object]]
    text: str
    personal: list[Place]
    received_at: datetime
    channel_id: int | None
    reach: int | None
    person_id: int | None

    @property
    def author(self) -> str:
        """Whose identities are one person, they are one author; nobody knows who nobody is."""
        return str(self.person_id or "")

    @property
    def words(self) -> str:
        """Without personal data of any kind."""
        return hide(self.text, self.personal, KINDS)


class Heard(NamedTuple):
    """One message of the last hour and where it counts."""

    seen: Seen
    units: tuple[Unit, ...]


@dataclass(frozen=True)
class News:
    """Units and clusters that grew since last asked."""

    units: frozenset[Unit] = frozenset()
    clusters: frozenset[int] = frozenset()


class Recent:
    """One workspace's, in memory, read on from where it was; after a restart from the judgements of a day. Words leave it after that day
    at the latest; what is erased meanwhile must be left out by whoever tells of it.
    """

    def __init__(self, workspace_id: int) -> None:
        self._workspace_id = workspace_id
        self._read_to: datetime | None = None
        self._hour: dict[int, Heard] = {}
        self._alike = {False: Clusters(ALIKE_FOR, MOST_ALIKE), True: Clusters(ALIKE_FOR, MOST_ALIKE)}
        self._kept_ids: dict[int, int] = {}
        self._practice: frozenset[str] = frozenset()

    def read_on(self, now: datetime) -> News:
        """Two statements, and a unit of work where a cluster grew."""
        self._hour = {key: one for key, one in self._hour.items() if one.seen.at > now - HOUR}
        rows = self._read(now)
        if not rows:
            return News()
        self._read_to = rows[-1].at
        places = places_of(self._workspace_id, {row.channel_id for row in rows if row.channel_id})
        practice = {key for key, (brand, _channel) in places.items() if brand.startswith("practice:")}
        self._practice |= {place for key in practice for place in places[key]}
        clusters = self._join(rows, practice)
        fresh = {row.id: _heard(row, places.get(row.channel_id or 0, ()), clusters.get(row.id)) for row in rows}
        known = {key for key, one in fresh.items() if self._hour.get(key) == one}
        self._hour |= {key: one for key, one in fresh.items() if one.seen.at > now - HOUR}
        units = frozenset(unit for key, one in fresh.items() if key not in known for unit in one.units)
        return News(units, frozenset(clusters.values()))

    def _read(self, now: datetime) -> list[_Row]:
        since = now - ALIKE_FOR if self._read_to is None else self._read_to - _OVERLAP
        kept = Judgement.objects.filter(workspace_id=self._workspace_id, at__gte=since, message__is_history=False)
        newest = kept.order_by("-at", "-message_id").values_list(*_COLUMNS)[:MOST_ALIKE]
        return [_Row(*columns) for columns in reversed(newest)]

    def _join(self, rows: Sequence[_Row], practice: Collection[int]) -> dict[int, int]:
        """The clusters of these messages, and of the first of each, who was alone when it was heard; new ones are kept."""
        found: dict[int, int] = {}
        for row in rows:
            cluster = self._alike[row.channel_id in practice].add(row.id, row.author, row.words, row.received_at)
            if cluster is None:
                continue
            if cluster not in self._kept_ids:
                self._kept_ids[cluster] = row.cluster_id or cluster
                found[cluster] = self._kept_ids[cluster]
            found[row.id] = self._kept_ids[cluster]
        for key in found.keys() & self._hour.keys():
            seen = msgspec.structs.replace(self._hour[key].seen, cluster=found[key])
            self._hour[key] = Heard(seen, self._hour[key].units)
        stored = {row.id: row.cluster_id for row in rows}
        self._keep({key: cluster for key, cluster in found.items() if stored.get(key) != cluster})
        return found

    def _keep(self, found: dict[int, int]) -> None:
        if not found:
            return
        with unit_of_work():
            for cluster in sorted(set(found.values())):
                ids = [key for key, one in found.items() if one == cluster]
                Judgement.objects.filter(workspace_id=self._workspace_id, message_id__in=ids).update(cluster_id=cluster)

    def by_unit(self, wanted: Collection[Unit] | None) -> dict[Unit, list[Seen]]:
        """The last hour of these units (None: of all) where enough authors said enough to be worth judging."""
        said: defaultdict[Unit, list[Seen]] = defaultdict(list)
        for one in self._hour.values():
            for unit in one.units:
                if wanted is None or unit in wanted:
                    said[unit].append(one.seen)
        return {unit: messages for unit, messages in said.items() if _is_worth(messages)}

    def clusters(self, wanted: Collection[int] | None, since: datetime) -> Iterator[tuple[Cluster, bool]]:
        """These clusters (None: all) by the ids they are kept under, and whether they are of simulated channels."""
        for found, kept in list(self._kept_ids.items()):
            if wanted is not None and kept not in wanted:
                continue
            left = [(alike.cluster(found), is_practice) for is_practice, alike in self._alike.items()]
            if not any(cluster for cluster, _practice in left):
                del self._kept_ids[found]  # a day has gone over it
            for cluster, is_practice in left:
                if cluster is not None and cluster.authors_since(since) >= DEFAULTS.authors:
                    yield Cluster(kept, cluster.members), is_practice

    def units(self, ids: Collection[int]) -> list[tuple[Unit, ...]]:
        """Where those of these messages that came in the last hour count, brands left out."""
        heard = (self._hour[key] for key in ids if key in self._hour)
        return [tuple(unit for unit in one.units if unit.place.startswith("channel:")) for one in heard]

    def is_practice(self, place: str) -> bool:
        """Whether a place is simulated."""
        return place in self._practice

    def seen(self, ids: Collection[int]) -> tuple[Seen, ...]:
        """Those of these messages that came in the last hour."""
        return tuple(self._hour[key].seen for key in ids if key in self._hour)


def _heard(row: _Row, places: Sequence[str], cluster: int | None) -> Heard:
    verdicts = msgspec.convert(row.verdicts, list[Verdict])
    keys = unit_keys(places, verdicts)
    seen = Seen(
        row.id,
        row.author,
        row.received_at,
        text=row.words,
        topic=keys[-1][1] if keys else "",
        cluster=cluster if cluster is not None else row.cluster_id,
        is_negative=is_negative(verdicts),
        reach=row.reach or 0,
    )
    return Heard(seen, tuple(Unit(topic, place, language) for place, topic, language in keys))


def _is_worth(messages: Sequence[Seen]) -> bool:
    return len(messages) >= DEFAULTS.count and len({seen.author for seen in messages}) >= DEFAULTS.authors
