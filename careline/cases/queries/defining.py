"""Reads for settings: tags and fields of a workspace. Each states its statements."""

from __future__ import annotations

from careline.cases.models import CaseField, Tag
from careline.errors import NotFound


def list_fields(workspace_id: int) -> list[CaseField]:
    """Fields in their order. One statement."""
    return list(CaseField.objects.filter(workspace_id=workspace_id).order_by("position", "id"))


def access_field(workspace_id: int, field_id: int) -> CaseField:
    """A field. Raises NotFound for a foreign one. One statement."""
    found = CaseField.objects.filter(workspace_id=workspace_id, id=field_id).first()
    if found is None:
        raise NotFound("field_not_found")
    return found


def list_tag_rows(workspace_id: int) -> list[Tag]:
    """Tags by name. One statement."""
    return list(Tag.objects.filter(workspace_id=workspace_id).order_by("name"))


def access_tag(workspace_id: int, tag_id: int) -> Tag:
    """A tag. Raises NotFound for a foreign one. One statement."""
    found = Tag.objects.filter(workspace_id=workspace_id, id=tag_id).first()
    if found is None:
        raise NotFound("tag_not_found")
    return found
