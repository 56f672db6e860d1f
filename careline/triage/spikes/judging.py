"""Whether a unit or a new cluster of near-duplicates is a spike now, with everything that led there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

import numpy as np
from msgspec import Struct

from careline.triage.duplicates import Cluster
from careline.triage.spikes.causes import Cause, choose_examples, find_causes
from careline.triage.spikes.counts import BRAND, BUCKET, Counts, Seen, Unit, floor_bucket
from careline.triage.spikes.defaults import DEFAULTS, Defaults
from careline.triage.spikes.expecting import Basis, Expected, expect
from careline.triage.spikes.severity import Part, severity_of, severity_parts

Rule = Literal["unit", "cold_cluster"]
_CERTAIN: Final = 1e-12  # below it probabilities of counts mean nothing more


class Spike(Struct, frozen=True):
    """What fired and why. `window` ends at `at`; `expected` messages were usual in it, `p` is the chance of `count` or more. `basis`: weeks,
    days or pooled history, '' for a cold cluster, which has none and whose `expected` is 0. `examples` are message ids.
    """

    rule: Rule
    unit: Unit
    at: datetime
    window: timedelta
    count: int
    expected: float
    ratio: float
    p: float
    authors: int
    negative_share: float
    reach: int
    severity: int
    parts: tuple[Part, ...]
    basis: Basis | Literal[""] = ""
    samples: int = 0
    level: float = 1.0
    causes: tuple[Cause, ...] = ()
    examples: tuple[int, ...] = ()
    cluster: int | None = None


def judge_unit(history: Counts, now: datetime, defaults: Defaults = DEFAULTS) -> Spike | None:
    """The surest spike of the windows that end `now` (aware); None when there is none, when it fired less than the quiet time ago, or when
    there is no history to say so. Asked every minute it is soonest; the windows are counted from `history.recent`, to the second.
    """
    if _is_quiet(history.fired_at, now, defaults):
        return None
    found = [_judge_window(history, now, window, defaults) for window in defaults.windows]
    return min((spike for spike in found if spike), key=lambda spike: spike.p, default=None)


def _is_quiet(fired_at: datetime | None, now: datetime, defaults: Defaults) -> bool:
    return fired_at is not None and now - fired_at < defaults.quiet


def _judge_window(history: Counts, now: datetime, window: timedelta, defaults: Defaults) -> Spike | None:
    messages = [seen for seen in history.recent if now - window < seen.at <= now]
    count = len(messages)
    if count < defaults.count or len({seen.author for seen in messages}) < defaults.authors:
        return None
    expected = expect(history, floor_bucket(now), window // BUCKET, defaults, worth=count / defaults.ratio)
    if expected is None or count < defaults.ratio * expected.mean or expected.tail(count) >= defaults.p:
        return None
    return _spike(history, now, window, count, expected, messages, defaults)


def _spike(
    history: Counts,
    now: datetime,
    window: timedelta,
    count: int,
    expected: Expected,
    messages: list[Seen],
    defaults: Defaults,
) -> Spike:
    causes = find_causes(messages, history.usual, defaults.causes) if history.usual else ()
    facts = _Facts.of(messages, count, count / expected.mean, max(expected.tail(count), _CERTAIN))
    return Spike(
        rule="unit",
        unit=history.unit,
        at=now,
        window=window,
        count=count,
        expected=round(expected.mean, 2),
        ratio=round(facts.ratio, 2),
        p=facts.p,
        authors=facts.authors,
        negative_share=round(facts.negative_share, 2),
        reach=facts.reach,
        severity=severity_of(facts.parts()),
        parts=facts.parts(),
        basis=expected.basis,
        samples=expected.samples,
        level=round(expected.level, 2),
        causes=causes,
        examples=choose_examples(messages, causes, defaults.examples),
        cluster=_main_cluster(messages),
    )


class _Facts(Struct, frozen=True):
    """What severity is made of."""

    count: int
    ratio: float
    p: float
    authors: int
    negative_share: float
    reach: int

    @classmethod
    def of(cls, messages: list[Seen], count: int, ratio: float, p: float) -> _Facts:
        negative = np.mean([seen.is_negative for seen in messages]) if messages else 0.0
        by_author = {seen.author: seen.reach for seen in messages}
        return cls(count, ratio, p, len(by_author), float(negative), sum(by_author.values()))

    def parts(self) -> tuple[Part, ...]:
        return severity_parts(
            ratio=self.ratio,
            p=self.p,
            count=self.count,
            authors=self.authors,
            negative_share=self.negative_share,
            reach=self.reach,
        )


def _main_cluster(messages: list[Seen]) -> int | None:
    """The cluster half of the messages belong to, if any."""
    clusters = [seen.cluster for seen in messages if seen.cluster is not None]
    most = max(set(clusters), key=lambda one: (clusters.count(one), -one), default=None)
    return most if most is not None and 2 * clusters.count(most) >= len(messages) else None


def judge_cluster(
    cluster: Cluster,
    now: datetime,
    defaults: Defaults = DEFAULTS,
    *,
    seen: tuple[Seen, ...] = (),
    fired_at: datetime | None = None,
) -> Spike | None:
    """The cold-cluster rule: near-duplicates by enough authors within half an hour, where there was no such thing before. `seen` are the
    members as messages, for reach, mood and examples; without them the members alone are told.
    """
    since = now - defaults.cold_window
    if _is_quiet(fired_at, now, defaults) or cluster.authors_since(since) < defaults.authors:
        return None
    if len({member.author for member in cluster.members if member.at < since}) >= defaults.authors:
        return None
    known = {one.id: one for one in seen}
    messages = [
        known.get(member.id, Seen(member.id, member.author, member.at, member.text, cluster=cluster.id))
        for member in cluster.members
        if since <= member.at <= now
    ]
    facts = _Facts.of(messages, len(messages), float(len(messages)), defaults.p)
    return Spike(
        rule="cold_cluster",
        unit=BRAND,
        at=now,
        window=defaults.cold_window,
        count=facts.count,
        expected=0.0,
        ratio=facts.ratio,
        p=facts.p,
        authors=facts.authors,
        negative_share=round(facts.negative_share, 2),
        reach=facts.reach,
        severity=severity_of(facts.parts()),
        parts=facts.parts(),
        examples=choose_examples(messages, (), defaults.examples),
        cluster=cluster.id,
    )
