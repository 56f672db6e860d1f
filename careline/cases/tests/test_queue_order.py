"""The order of the queue, by property: confirmed harm first, then what is past 80 % of its clock by due time, then the score, whatever the reach."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from careline.cases.applying import begin_case
from careline.cases.models import Case
from careline.cases.priority import EXPOSURE_MOST, priority_of
from careline.cases.queue import SOON_PERCENT, rank
from careline.cases.signs import sign_of
from careline.conftest import POST
from careline.people.models import Person
from careline.triage.protocol import HARMS, KINDS

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
_STATES = st.sampled_from(["proposed", "confirmed", "refused"])


def _sign(values: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any] | None]:
    made = st.builds(
        lambda value, confidence, state: sign_of(value, confidence, "rule", 1, state),
        st.sampled_from(values),
        st.floats(0, 1),
        _STATES,
    )
    return st.none() | made


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any case a customer waits in."""
    case = begin_case(
        workspace_id=1, number=1, person=Person(id=7, name="Marta"), channel_id=3, network="x", surface=POST,
        team_id=None, is_simulated=False, now=NOW,
    )  # fmt: skip
    case.is_public = draw(st.booleans())
    case.reach = draw(st.integers(0, 10**9))
    case.is_harm = draw(st.booleans())
    case.clock_percent = draw(st.sampled_from([0, 25, 50, 80, 100]))
    case.waiting_since = NOW - timedelta(seconds=draw(st.integers(0, 10**6)))
    due_in_s = draw(st.integers(-(10**5), 0) if case.clock_percent == 100 else st.integers(1, 10**5))
    case.due_at = NOW + timedelta(seconds=due_in_s)
    case.unanswered_count = draw(st.integers(0, 50))
    case.reopen_count = draw(st.integers(0, 50))
    case.kind = draw(st.sampled_from(["", *KINDS]))
    case.sentiment_now = draw(st.none() | st.floats(-1, 1))
    case.signs = {
        name: sign
        for name, values in {
            "harm": HARMS,
            "legal": ("legal",),
            "leaving": ("leaving",),
            "failed_elsewhere": ("phone",),
        }.items()
        if (sign := draw(_sign(values))) is not None
    }
    rank(case, NOW)
    return case


def _class(case: Case) -> int:
    return 0 if case.is_harm else 1 if case.clock_percent >= SOON_PERCENT else 2


@settings(max_examples=300, deadline=None)
@given(cases(), cases())
def test_harm_then_what_is_past_80_percent_by_due_time_then_the_score(one: Case, other: Case) -> None:
    first, second = sorted((one, other), key=lambda case: case.queue_key)
    assert _class(first) <= _class(second)
    if _class(first) == _class(second) < 2:
        assert first.due_at is not None and second.due_at is not None and first.due_at <= second.due_at
    if _class(first) == _class(second) == 2:
        assert first.priority >= second.priority


@settings(max_examples=300, deadline=None)
@given(cases(), st.integers(0, 10**12))
def test_nothing_past_80_percent_of_its_clock_is_outranked_by_reach_or_value(case: Case, reach: int) -> None:
    case.is_harm, case.clock_percent = False, 80
    rank(case, NOW)
    famous = begin_case(
        workspace_id=1, number=2, person=Person(id=8, name="Famous"), channel_id=3, network="x", surface=POST,
        team_id=None, is_simulated=False, now=NOW,
    )  # fmt: skip
    famous.is_public, famous.reach, famous.clock_percent = True, reach, 50
    famous.waiting_since, famous.due_at, famous.sentiment_now = NOW, NOW + timedelta(minutes=1), -1.0
    famous.unanswered_count = 99
    famous.signs = {"harm": sign_of("press", 1.0, "rule", 1), "legal": sign_of("legal", 1.0, "rule", 1)}
    rank(famous, NOW)
    assert case.queue_key < famous.queue_key


@settings(max_examples=300, deadline=None)
@given(cases())
def test_the_score_is_the_sum_of_its_reasons_and_within_0_and_100(case: Case) -> None:
    reasons = dict(priority_of(case))
    assert case.priority == sum(reasons.values()) and 0 <= case.priority <= 100
    assert all(points > 0 for points in reasons.values())
    assert reasons.get("exposure", 0) <= EXPOSURE_MOST


@settings(max_examples=200, deadline=None)
@given(cases(), st.integers(0, 10**12))
def test_more_reach_never_adds_more_than_its_cap(case: Case, reach: int) -> None:
    case.is_public, case.reach = True, 0
    before = sum(points for _, points in priority_of(case))
    case.reach = reach
    assert 0 <= sum(points for _, points in priority_of(case)) - before <= EXPOSURE_MOST
