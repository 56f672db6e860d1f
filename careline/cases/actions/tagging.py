"""Tags of a case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.translation import gettext as _

from careline.cases.cards import index_cards
from careline.cases.changing import CaseChange, changing_case
from careline.cases.models import Tag
from careline.errors import InputRefused
from careline.workspaces.sight import Viewer

MOST_TAGS: Final = 20
MOST_CHARS: Final = 40


def tag_case(viewer: Viewer, number: int, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> int:
    """Add and remove tags; a new word becomes a tag of the workspace. Returns the act's id, 0 when nothing changed."""
    wanted, unwanted = clean_tags(add), clean_tags(remove)
    with changing_case(viewer, number, "manage_case") as change:
        make_tags(viewer.workspace_id, wanted)
        act_id = tag_change(change, wanted, unwanted)
        if act_id:
            index_cards([change.case], is_new=False)
        return act_id


def tag_change(change: CaseChange, add: list[str], remove: list[str], batch: int | None = None) -> int:
    """Tag a locked case; the tags exist and the search card is the caller's. Returns the act's id, 0 when nothing
    changed.
    """
    tags = [tag for tag in dict.fromkeys([*change.case.tags, *add]) if tag not in remove]
    if tags == change.case.tags:
        return 0
    if len(tags) > MOST_TAGS:
        raise InputRefused("too_many_tags", _("A case may have at most 20 tags."), field="tags")
    change.case.tags = tags
    return change.save("tagged", batch=batch)


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they are kept: lower case, single spaces, at most 40 characters, each once. Raises
    InputRefused('tag_wrong').
    """
    cleaned = [" ".join(tag.split()).casefold() for tag in tags]
    if any(not tag or len(tag) > MOST_CHARS or not tag.isprintable() or {",", '"'} & set(tag) for tag in cleaned):
        raise InputRefused("tag_wrong", _("A tag has 1 to 40 letters, no commas and no quotation marks."), field="tags")
    return list(dict.fromkeys(cleaned))


def make_tags(workspace_id: int, tags: Iterable[str]) -> None:
    """Let these be tags of the workspace. One statement."""
    Tag.objects.bulk_create(
        [Tag(workspace_id=workspace_id, name=name) for name in sorted(set(tags))], ignore_conflicts=True
    )
