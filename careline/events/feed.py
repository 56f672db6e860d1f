"""Reading the log: what happened after a number, and what each event may tell whom."""

from __future__ import annotations

from careline.events.models import Event, EventCounter

PAGE = 500


def events_after(workspace_id: int, n: int, limit: int = PAGE) -> list[Event]:
    """Events with numbers above `n`, in order. One statement."""
    return list(Event.objects.filter(workspace_id=workspace_id, n__gt=n).order_by("n")[:limit])


def oldest_number(workspace_id: int) -> int:
    """The oldest number still kept, 0 when none: a stream that wants older ones gets `reset`. One statement."""
    return Event.objects.filter(workspace_id=workspace_id).order_by("n").values_list("n", flat=True).first() or 0


def latest_numbers(workspace_ids: list[int]) -> dict[int, int]:
    """Newest number of each workspace. One statement."""
    return dict(EventCounter.objects.filter(workspace_id__in=workspace_ids).values_list("workspace_id", "n"))


def is_for(audience: str, sight: frozenset[str]) -> bool:
    """Whether someone with `sight` may be told. Sight is {'all'} or a set of `team:<id>` and `agent:<id>`; an agent's own name is always in it."""
    if audience == "workspace":
        return True
    named = set(audience.split(","))
    only = {name.removeprefix("only:") for name in named if name.startswith("only:")}
    if only:
        return not sight.isdisjoint(only)
    return "all" in sight or not sight.isdisjoint(named)
