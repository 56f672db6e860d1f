"""Spikes: what fires, what never does, how sure and how bad it is, about what, and who stands for it."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careline.triage.duplicates import Cluster, Member
from careline.triage.spikes.causes import choose_examples, count_usage, find_causes
from careline.triage.spikes.counts import BRAND, BUCKET, Counts, Seen, Unit, Usage, bucket_counts, units_of
from careline.triage.spikes.defaults import DEFAULTS, Defaults
from careline.triage.spikes.expecting import Expected, expect
from careline.triage.spikes.judging import judge_cluster, judge_unit
from careline.triage.spikes.severity import severity_of, severity_parts

MONDAY = datetime(2026, 9, 7, tzinfo=UTC)
DAY, WEEK = 288, 7 * 288
NOON = 12 * 12


def steady(weeks: int = 5, per_hour: int = 12, extra: int = 0) -> np.ndarray:
    """One message every so often, the same in every week, and then `extra` buckets."""
    return np.tile(np.array([per_hour // 12]), weeks * WEEK + extra).astype(np.int64)


def people(now: datetime, count: int, authors: int | None = None, **more: object) -> tuple[Seen, ...]:
    return tuple(
        Seen(number, str(number % (authors or count)), now - timedelta(minutes=4), **more) for number in range(count)
    )


def hour(now: datetime, count: int) -> tuple[Seen, ...]:
    """So many, evenly over the last hour."""
    return tuple(Seen(number, str(number), now - timedelta(seconds=3600 * number / count)) for number in range(count))


def burst(counts: np.ndarray, size: int, authors: int | None = None, **more: object) -> tuple[Counts, datetime]:
    """So many messages more than usual in the last five minutes."""
    counts = counts.copy()
    counts[-1] += size
    now = MONDAY + len(counts) * BUCKET
    return Counts(BRAND, MONDAY, counts, people(now, size, authors), **more), now


def test_far_more_than_usual_fires_and_shows_how_it_was_judged() -> None:
    history, now = burst(steady(), 40)
    spike = judge_unit(history, now)
    assert spike is not None
    assert (spike.rule, spike.basis, spike.samples, spike.window) == ("unit", "weeks", 4, timedelta(minutes=15))
    assert spike.count == 40 and spike.authors == 40
    assert spike.expected == pytest.approx(3, abs=0.2)
    assert spike.ratio == pytest.approx(40 / 3, rel=0.1)
    assert spike.p < DEFAULTS.p
    assert 1 <= spike.severity <= 10 and len(spike.examples) == 3


def test_what_is_usual_does_not_fire() -> None:
    history, now = burst(steady(), 0)
    assert judge_unit(history, now) is None


def test_one_loud_person_is_no_spike() -> None:
    for authors in (1, 4):
        history, now = burst(steady(), 40, authors)
        assert judge_unit(history, now) is None
    history, now = burst(steady(), 40, 5)
    assert judge_unit(history, now) is not None


def test_four_messages_are_none_however_silent_it_was() -> None:
    silent = np.zeros(5 * WEEK, dtype=np.int64)
    history, now = burst(silent, 4)
    assert judge_unit(history, now) is None
    history, now = burst(silent, 5)
    assert judge_unit(history, now) is not None


def test_a_large_unit_does_not_fire_below_its_ratio() -> None:
    history, now = burst(steady(per_hour=12 * 200), 400)
    assert judge_unit(history, now) is None


def test_it_is_quiet_for_an_hour_after_firing() -> None:
    history, now = burst(steady(), 40, fired_at=MONDAY + 5 * WEEK * BUCKET - timedelta(minutes=59))
    assert judge_unit(history, now) is None
    history, now = burst(steady(), 40, fired_at=MONDAY + 5 * WEEK * BUCKET - timedelta(minutes=60))
    assert judge_unit(history, now) is not None


def test_nothing_fires_on_nothing() -> None:
    assert judge_unit(Counts(BRAND, MONDAY, np.zeros(0, dtype=np.int64)), MONDAY) is None
    history, now = burst(np.zeros(12, dtype=np.int64), 500)
    assert judge_unit(history, now) is None


@pytest.mark.parametrize(
    ("buckets", "basis"),
    [
        (12 * 8, "pooled"),
        (2 * DAY, "pooled"),
        (4 * DAY + 24, "days"),
        (2 * WEEK + 24, "days"),
        (3 * WEEK + 48, "weeks"),
    ],
)
def test_with_less_history_it_needs_more(buckets: int, basis: str) -> None:
    counts = np.ones(buckets, dtype=np.int64)
    now = MONDAY + buckets * BUCKET
    found = expect(Counts(BRAND, MONDAY, counts), now, 3, DEFAULTS)
    assert found is not None and found.basis == basis
    assert found.mean == pytest.approx(3, rel=0.1)
    needed = next(count for count in range(1, 500) if found.tail(count) < DEFAULTS.p)
    assert {"weeks": needed <= 16, "days": 14 <= needed <= 30, "pooled": 25 <= needed <= 60}[basis]


def test_the_same_hour_of_other_weeks_is_expected_not_the_hour_before() -> None:
    week = np.zeros(WEEK, dtype=np.int64)
    week[NOON : NOON + 36] = 10  # Mondays from noon to three
    counts = np.concatenate([np.tile(week, 5), week[: NOON + 18]])
    now = MONDAY + len(counts) * BUCKET
    history = Counts(BRAND, MONDAY, counts, hour(now, 120))
    assert judge_unit(history, now) is None
    tuesday = np.concatenate([np.tile(week, 5), week[:DAY], week[: NOON + 18]])
    now = MONDAY + len(tuesday) * BUCKET
    assert judge_unit(Counts(BRAND, MONDAY, tuesday, hour(now, 120)), now) is not None


def test_an_earlier_spike_does_not_hide_this_one() -> None:
    counts = steady()
    counts[-1 - WEEK - 24 : -1 - WEEK + 24] = 60
    history, now = burst(counts, 40)
    spike = judge_unit(history, now)
    assert spike is not None and spike.expected == pytest.approx(3, abs=0.5)


def test_a_busy_day_is_no_spike_in_each_of_its_hours() -> None:
    counts = steady()
    counts[-12 * 12 :] = 3
    now = MONDAY + len(counts) * BUCKET
    found = expect(Counts(BRAND, MONDAY, counts), now, 12, DEFAULTS)
    assert found is not None and 2 < found.level <= 3
    assert judge_unit(Counts(BRAND, MONDAY, counts, hour(now, 36)), now) is None


def test_outages_are_no_silence() -> None:
    counts = steady()
    known = expect(Counts(BRAND, MONDAY, counts), MONDAY + len(counts) * BUCKET, 12, DEFAULTS)
    counts[-WEEK - 40 : -WEEK + 40] = -1
    counts[-2 * WEEK - 2] = -1
    holed = expect(Counts(BRAND, MONDAY, counts), MONDAY + len(counts) * BUCKET, 12, DEFAULTS)
    assert known is not None and holed is not None
    assert holed.mean == pytest.approx(known.mean, rel=0.1)
    assert holed.samples == known.samples - 1


def test_hours_are_those_of_the_wall_clock_across_the_change_of_time() -> None:
    began = datetime(2026, 9, 27, 22, tzinfo=UTC)  # Monday 00:00 in Madrid; on 25 October clocks go back
    week = np.zeros(WEEK, dtype=np.int64)
    week[9 * 12 : 10 * 12] = 12  # nine to ten on Mondays
    counts = np.concatenate([np.tile(week, 4), np.zeros(12, dtype=np.int64), week])  # the Sunday of 25 hours
    end = began + (4 * WEEK + 12 + 10 * 12) * BUCKET
    assert end.astimezone(UTC).hour == 9
    found = {
        zone: expect(Counts(BRAND, began, counts, zone=zone), end, 12, DEFAULTS) for zone in ("Europe/Madrid", "UTC")
    }
    assert found["Europe/Madrid"] is not None and found["Europe/Madrid"].mean > 20
    assert found["UTC"] is not None and found["UTC"].mean < 1


def exact_tail(count: int, mean: float, dispersion: float) -> float:
    size = 1 / dispersion
    share = mean / (size + mean)
    log = [
        math.lgamma(k + size)
        - math.lgamma(size)
        - math.lgamma(k + 1)
        + size * math.log(1 - share)
        + k * math.log(share)
        for k in range(count)
    ]
    return 1 - sum(map(math.exp, log))


@pytest.mark.parametrize(
    ("count", "mean", "dispersion"), [(1, 0.5, 0.1), (8, 3, 0.2), (20, 10, 0.05), (30, 20, 1.0), (5, 0.2, 3.0)]
)
def test_the_tail_is_that_of_the_negative_binomial(count: int, mean: float, dispersion: float) -> None:
    assert Expected(mean, dispersion, "weeks", 4).tail(count) == pytest.approx(
        exact_tail(count, mean, dispersion), rel=1e-6, abs=1e-12
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-1, 30), min_size=1, max_size=60),
    st.sampled_from([1, 40, 200, 600]),
    st.integers(0, 60),
    st.integers(1, 12),
)
def test_any_history_gives_nothing_or_a_spike_that_meets_its_own_rule(
    pattern: list[int], times: int, size: int, authors: int
) -> None:
    history, now = burst(np.tile(np.array(pattern, dtype=np.int64), times), size, authors)
    spike = judge_unit(history, now)
    if spike is not None:
        assert spike.count >= DEFAULTS.count and spike.authors >= DEFAULTS.authors
        assert spike.p < DEFAULTS.p and spike.count >= DEFAULTS.ratio * spike.expected * 0.99
        assert 1 <= spike.severity <= 10


@given(
    st.floats(1.8, 1e4),
    st.floats(1e-300, 1e-4),
    st.integers(5, 10**6),
    st.integers(5, 10**6),
    st.floats(0, 1),
    st.integers(0, 10**10),
)
def test_severity_is_the_sum_of_its_parts_and_fame_adds_half_a_point_at_most(
    ratio: float, p: float, count: int, authors: int, negative: float, reach: int
) -> None:
    def parts(reach: int) -> tuple[object, ...]:
        return severity_parts(ratio=ratio, p=p, count=count, authors=authors, negative_share=negative, reach=reach)

    told = severity_of(parts(reach))
    assert 1 <= told <= 10
    assert told - severity_of(parts(0)) in {0, 1}
    assert sum(part.most for part in parts(reach)) == 9


def test_a_larger_spike_is_more_severe() -> None:
    small = severity_of(severity_parts(ratio=2, p=5e-5, count=6, authors=5, negative_share=0.2, reach=100))
    large = severity_of(severity_parts(ratio=12, p=1e-12, count=300, authors=240, negative_share=0.9, reach=10**6))
    assert small <= 2 and large >= 9


USUAL = [
    "where is my bag it has not arrived", "the app does not let me check in", "thank you for the flight", "my points are missing from the account",
    "can I take a scooter on the plane", "your call centre does not answer", "the wifi on board does not work", "the seat was broken again",
] * 12  # fmt: skip


def test_the_cause_is_what_is_said_more_than_usual() -> None:
    usual = count_usage(Seen(number, str(number), MONDAY, text) for number, text in enumerate(USUAL))
    said = [
        f"the cabin crew strike has cancelled my flight to {where}"
        for where in ("Lisbon", "Paris", "Rome", "Oslo", "Bonn", "Kiel")
    ]
    said += ["where is my bag it has not arrived", "thank you for the flight"]
    messages = [
        Seen(number, str(number), MONDAY, text, topic="strikes", cluster=7 if "strike" in text else None)
        for number, text in enumerate(said)
    ]
    causes = find_causes(messages, usual, 5)
    told = {cause.term for cause in causes}
    assert any("strike" in term or "cancelled" in term or term == "cluster:7" for term in told)
    assert "topic:strikes" in told
    assert "word:flight to" not in told
    assert not {"word:the", "word:my", "word:bag"} & told
    assert all(cause.z >= 1.96 for cause in causes)


def test_what_one_person_repeats_is_no_cause() -> None:
    messages = [Seen(number, "loud", MONDAY, "scandal") for number in range(20)]
    assert find_causes(messages, Usage(100, {}), 5) == ()


def test_examples_are_central_and_of_different_people() -> None:
    said = [
        "flight cancelled because of the strike",
        "strike! my flight cancelled",
        "flight cancelled by your strike again",
        "lovely sunset today",
    ]
    messages = [Seen(number, str(number), MONDAY, text) for number, text in enumerate(said)]
    messages += [Seen(9, "0", MONDAY, said[0] + " again"), Seen(10, "10", MONDAY, said[1])]
    chosen = choose_examples(messages, (), 3)
    authors = [next(one.author for one in messages if one.id == id) for id in chosen]
    assert len(set(authors)) == 3
    assert 3 not in chosen
    assert not {1, 10} <= set(chosen)


def cluster(minutes: list[int], authors: list[str]) -> Cluster:
    now = MONDAY + timedelta(days=1)
    members = [
        Member(number, author, "our fleet is on fleek", now - timedelta(minutes=ago))
        for number, (ago, author) in enumerate(zip(minutes, authors, strict=True))
    ]
    return Cluster(0, tuple(sorted(members, key=lambda member: member.at)))


def test_a_new_cluster_by_five_people_in_half_an_hour_fires_by_itself() -> None:
    now = MONDAY + timedelta(days=1)
    spike = judge_cluster(cluster([25, 20, 15, 10, 5], list("abcde")), now)
    assert spike is not None
    assert (spike.rule, spike.unit, spike.count, spike.authors, spike.cluster) == ("cold_cluster", BRAND, 5, 5, 0)
    assert len(spike.examples) == 3 and 1 <= spike.severity <= 10


@pytest.mark.parametrize(
    ("minutes", "authors"),
    [
        ([25, 20, 15, 10, 5], "abcda"),
        ([95, 70, 35, 10, 5], "abcde"),
        ([300, 290, 280, 270, 260, 9, 8, 7, 6, 5], "abcdefghij"),
    ],
    ids=["four people", "too slow", "known since this morning"],
)
def test_other_clusters_do_not(minutes: list[int], authors: str) -> None:
    assert judge_cluster(cluster(minutes, list(authors)), MONDAY + timedelta(days=1)) is None


def test_a_cluster_is_quiet_after_firing_too() -> None:
    now = MONDAY + timedelta(days=1)
    assert judge_cluster(cluster([25, 20, 15, 10, 5], list("abcde")), now, fired_at=now - timedelta(minutes=30)) is None


def test_defaults_can_be_changed() -> None:
    history, now = burst(steady(), 40)
    assert judge_unit(history, now, Defaults(count=1000)) is None


@pytest.mark.parametrize("minutes", [5, 25, 35, 60, 180])
def test_windows_of_any_length_can_be_judged(minutes: int) -> None:
    history, now = burst(steady(), 120)
    spike = judge_unit(history, now, Defaults(windows=(timedelta(minutes=minutes),)))
    assert spike is not None and spike.expected == pytest.approx(minutes / 5, rel=0.1)


def test_messages_count_in_their_unit_and_in_the_brand() -> None:
    assert units_of("bags", "x", "es") == (BRAND, Unit("bags", "x", "es"))


def test_times_become_counts() -> None:
    times = [
        MONDAY,
        MONDAY + timedelta(minutes=4, seconds=59),
        MONDAY + timedelta(minutes=5),
        MONDAY - BUCKET,
        MONDAY + 3 * BUCKET,
    ]
    assert bucket_counts(times, MONDAY, MONDAY + 3 * BUCKET).tolist() == [2, 1, 0]
    assert bucket_counts([], MONDAY, MONDAY).tolist() == []


def test_judging_needs_neither_a_database_nor_the_slow_half_of_scipy() -> None:
    code = (
        "import careline.triage.spikes, sys; print([name for name in ('django', 'scipy.stats') if name in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
