"""Reading the log by number, and the one rule of who may be told, the same on both sides of the house."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.edge.hub import may_see
from careline.events import feed
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.kit import clock

AIR, SEA = 11, 7
names = st.one_of(
    st.sampled_from(["workspace", "all", "nobody-yet", "team:0", "agent:1", "only:agent:1", "only:team:2", ""]),
    st.builds("{}:{}".format, st.sampled_from(["team", "agent", "only:agent", "only:team"]), st.integers(0, 3)),
)
audiences = st.lists(names, min_size=1, max_size=4).map(",".join)
sights = st.frozensets(
    st.one_of(st.just("all"), st.builds("{}:{}".format, st.sampled_from(["team", "agent"]), st.integers(0, 3))),
    max_size=4,
)


@given(audiences, sights)
def test_the_log_and_the_edge_judge_alike(audience: str, sight: frozenset[str]) -> None:
    assert feed.is_for(audience, sight) == may_see(audience, sight)


ANA, BEN, DORA = (
    frozenset({"agent:1", "team:0", "team:2"}),
    frozenset({"agent:2", "all"}),
    frozenset({"agent:3", "team:0", "team:9"}),
)


@pytest.mark.parametrize(
    ("audience", "told"),
    [
        ("workspace", [ANA, BEN, DORA]),
        ("team:2", [ANA, BEN]),
        ("team:2,agent:3", [ANA, BEN, DORA]),
        ("team:0", [ANA, BEN, DORA]),
        ("only:agent:1", [ANA]),
        ("only:agent:2", [BEN]),
        ("only:agent:1,team:9", [ANA]),
        ("nobody-yet", [BEN]),
        ("team:22", [BEN]),
        ("", [BEN]),
    ],
)
def test_who_may_be_told(audience: str, told: list[frozenset[str]]) -> None:
    assert [sight for sight in (ANA, BEN, DORA) if feed.is_for(audience, sight)] == told
    assert not feed.is_for(audience, frozenset()) or audience == "workspace"


def _happen(workspace_id: int, times: int) -> None:
    with unit_of_work() as work:
        for _ in range(times):
            work.record_event(workspace_id, "settings.changed")


@pytest.mark.django_db
def test_the_log_is_read_in_order_in_pages_and_never_another_workspaces() -> None:
    _happen(AIR, 7)
    _happen(SEA, 3)
    assert [event.n for event in feed.events_after(AIR, 2, limit=3)] == [3, 4, 5]
    assert [event.workspace_id for event in feed.events_after(SEA, 0)] == [SEA] * 3
    assert feed.events_after(AIR, 7) == []
    assert feed.latest_numbers([AIR, SEA, 99]) == {AIR: 7, SEA: 3}


@pytest.mark.django_db
def test_the_oldest_number_moves_when_the_log_forgets() -> None:
    assert feed.oldest_number(AIR) == 0
    _happen(AIR, 4)
    assert feed.oldest_number(AIR) == 1
    Event.objects.filter(workspace_id=AIR, n__lt=3).delete()
    assert feed.oldest_number(AIR) == 3
    assert Event.objects.filter(at__lte=clock.now()).count() == 2
