"""Judges the units that changed after each batch, and all of a busy hour once a minute, so that what goes on is followed to its end."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from prometheus_client import Counter

from careline.clocks import leases
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.triage.duplicates import Cluster
from careline.triage.models import Bucket, Judgement, Spike
from careline.triage.spikes.counts import Counts, Seen, Unit
from careline.triage.spikes.defaults import DEFAULTS
from careline.triage.spikes.judging import Spike as Found
from careline.triage.spikes.judging import judge_cluster, judge_unit
from careline.triage.watching.histories import Histories, span_of
from careline.triage.watching.living import Judged, going_on, live_on
from careline.triage.watching.recent import HOUR, Recent
from careline.triage.watching.usual import Usual
from careline.workspaces.models import Workspace

EVERY: Final = timedelta(minutes=1)
MOST_WORKSPACES: Final = 32
FIRED = Counter(
    "careline_triage_spikes_total",
    "Times a unit or cluster was found above the usual, by what became of it.",
    ["outcome"],
)


class Watcher:
    """One per worker process; the triage lease lets one at a time watch. What it remembers can be read again at any time."""

    def __init__(self) -> None:
        self._watched: OrderedDict[int, _Watched] = OrderedDict()
        self._looked_at: datetime | None = None

    def look(self, news: Iterable[int], fences: dict[str, int]) -> None:
        """At the workspaces with new verdicts; once a minute, at all that heard anything within the hour or where a spike goes on.
        Outside any transaction. Nothing is kept when the lease is another's now.
        """
        now = clock.now()
        is_due = self._looked_at is None or not timedelta(0) <= now - self._looked_at < EVERY
        warm = _warm(now) if is_due else set()
        for workspace_id in sorted({*news, *warm}):
            self._of(workspace_id).look(now, is_due, fences)
        if is_due:
            self._looked_at = now

    def _of(self, workspace_id: int) -> _Watched:
        if workspace_id not in self._watched:
            self._watched[workspace_id] = _Watched(workspace_id)
        self._watched.move_to_end(workspace_id)
        while len(self._watched) > MOST_WORKSPACES:
            self._watched.popitem(last=False)
        return self._watched[workspace_id]


def _warm(now: datetime) -> set[int]:
    """Two statements."""
    heard = Bucket.objects.filter(began_at__gt=now - HOUR).order_by().values_list("workspace_id", flat=True).distinct()
    return {*heard, *Spike.objects.filter(ended_at__isnull=True).values_list("workspace_id", flat=True)}


class _Watched:
    """One workspace."""

    def __init__(self, workspace_id: int) -> None:
        self._workspace_id = workspace_id
        self._recent = Recent(workspace_id)
        self._histories = Histories(workspace_id)
        self._usual = Usual(workspace_id)

    def look(self, now: datetime, is_full: bool, fences: dict[str, int]) -> None:
        """A handful of statements; one more and a unit of work when something is above the usual or ended."""
        news = self._recent.read_on(now)
        known = going_on(self._workspace_id)
        judged = self._judge_units(None if is_full else news.units, known, now)
        judged += self._judge_clusters(None if is_full else news.clusters, [*known.values()], judged, now)
        if not judged and not any(now - one.last_at >= DEFAULTS.quiet for one in known.values()):
            return
        with unit_of_work() as work:
            if fences and not leases.check_held(fences):
                return
            ended = live_on(work, self._workspace_id, judged, now)
        for one in judged:
            FIRED.labels("followed" if one.key in known else "fired").inc()
        for row in ended:
            self._histories.forget(Unit(row.topic, row.place, row.language))

    def _judge_units(self, wanted: Collection[Unit] | None, known: dict[str, Spike], now: datetime) -> list[Judged]:
        said = self._recent.by_unit(wanted)
        said = {unit: messages for unit, messages in said.items() if _is_to_judge(known.get(key_of(unit)), now)}
        if not said:
            return []
        self._histories.bring(said, now)
        zone = Workspace.objects.filter(id=self._workspace_id).values_list("zone", flat=True).first() or "UTC"
        judged = []
        for unit, messages in said.items():
            row = known.get(key_of(unit))
            began_at, buckets = self._histories.of(unit, now, span_of(row) if row else None)
            counts = Counts(unit, began_at, buckets, tuple(messages), zone=zone)
            found = judge_unit(counts, now)
            found = self._tell_why(counts, now) if found else None
            if found:
                judged.append(Judged(key_of(unit), found, self._is_practice(unit)))
        return judged

    def _tell_why(self, counts: Counts, now: datetime) -> Found | None:
        """Judged again with what is usual, without what was erased since it was heard. Two statements at most."""
        still = _standing(counts.recent)
        usual = self._usual.of(counts.unit.language, now - HOUR, now)
        return judge_unit(msgspec.structs.replace(counts, recent=still, usual=usual), now)

    def _judge_clusters(
        self, wanted: Collection[int] | None, known: Sequence[Spike], judged: Sequence[Judged], now: datetime
    ) -> list[Judged]:
        """The cold-cluster rule. Copies of which half were said where a topic or channel spikes already are told there: a strike has many."""
        told = {row.key for row in known if row.rule == "unit"} | {one.key for one in judged}
        followed = {row.cluster_id for row in known if row.rule == "cold_cluster" and not _is_to_judge(row, now)}
        found = []
        for cluster, is_practice in self._recent.clusters(wanted, now - DEFAULTS.cold_window):
            if cluster.id in followed:
                continue
            units = self._recent.units([member.id for member in cluster.members])
            inside = sum(any(key_of(unit) in told for unit in where) for where in units)
            if 2 * inside < max(1, len(units)) and (spike := self._judge_cluster(cluster, now)):
                found.append(Judged(f"cluster:{cluster.id}", spike, is_practice))
        return found

    def _judge_cluster(self, cluster: Cluster, now: datetime) -> Found | None:
        if judge_cluster(cluster, now) is None:
            return None
        seen = _standing(self._recent.seen([member.id for member in cluster.members]))
        ids = {one.id for one in seen}
        since = now - HOUR
        members = tuple(member for member in cluster.members if member.id in ids or member.at <= since)
        return judge_cluster(Cluster(cluster.id, members), now, seen=seen)

    def _is_practice(self, unit: Unit) -> bool:
        return self._recent.is_practice(unit.place)


def _is_to_judge(row: Spike | None, now: datetime) -> bool:
    """What goes on is followed once a minute: in a flood every batch would count its words anew."""
    return row is None or not timedelta(0) <= now - row.last_at < EVERY


def key_of(unit: Unit) -> str:
    """A unit as the key of its spikes."""
    return f"unit:{unit.place}|{unit.topic}|{unit.language}"


def _standing(messages: Sequence[Seen]) -> tuple[Seen, ...]:
    """Those whose words were not erased. One statement."""
    ids = [seen.id for seen in messages]
    kept = set(Judgement.objects.filter(message_id__in=ids).values_list("message_id", flat=True))
    return tuple(seen for seen in messages if seen.id in kept)
