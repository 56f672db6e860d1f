"""How a long text would go out: cut in the unit of the surface it is meant for. Nothing is written."""

from __future__ import annotations

from careline.cases.queries.opening import open_case
from careline.errors import NotFound
from careline.workspaces.sight import Viewer


def parts_of_text(viewer: Viewer, number: int, thread_id: int, text: str, *, is_public: bool) -> tuple[str, ...]:
    """The posts of a text in a thread of a case: one where it fits or the surface takes no several. Raises NotFound."""
    ways = open_case(viewer, number, limit=1).threads
    way = next((one for one in ways if one.id == thread_id and one.is_public == is_public), None)
    if way is None:
        raise NotFound("thread_not_found")
    rule = way.rules.text
    whole = text.strip()
    return (whole,) if rule.on_overflow != "multi_post" or rule.fits(whole) else tuple(rule.parts(whole))
