"""Signed tickets for the doors beside the screens: files, stream, uploads. Bearer addresses that end by themselves."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from careline.kit import crypto, signing
from careline.workspaces.sight import Viewer

FILE_LASTS_S = 12 * 3600
STREAM_LASTS_S = 12 * 3600
UPLOAD_LASTS_S = 12 * 3600


def tickets_key() -> bytes:
    """The key all tickets are signed with: bound to this installation and to this purpose."""
    return crypto.derive(settings.SECRET_KEY, "tickets")


def file_ticket(viewer: Viewer, file_id: int, name: str) -> str:
    """Lets its bearer fetch one file of the viewer's workspace under that name."""
    claims: dict[str, object] = {"ws": viewer.workspace_id, "file": file_id, "name": name, "agent": viewer.agent_id}
    return signing.seal(tickets_key(), "file", claims, lasts_s=FILE_LASTS_S)


def stream_ticket(viewer: Viewer) -> str:
    """Opens the event stream with the viewer's sight; an event revokes it when the agent's rights change."""
    return signing.seal(tickets_key(), "stream", _rights(viewer), lasts_s=STREAM_LASTS_S)


def upload_ticket(viewer: Viewer) -> str:
    """Lets its bearer put files into the viewer's workspace."""
    return signing.seal(tickets_key(), "upload", _rights(viewer), lasts_s=UPLOAD_LASTS_S)


def _rights(viewer: Viewer) -> dict[str, object]:
    return {
        "ws": viewer.workspace_id,
        "slug": viewer.workspace_slug,
        "name": viewer.name,
        "agent": viewer.agent_id,
        "account": viewer.account_id,
        "sight": sorted(viewer.sight),
        "locale": viewer.locale,
        "role": viewer.role,
    }


def file_ticket_for(rights: Mapping[str, object], file_id: int, name: str) -> str:
    """The same for the bearer of an upload ticket, who just put the file in."""
    claims = {"ws": rights["ws"], "file": file_id, "name": name, "agent": rights["agent"]}
    return signing.seal(tickets_key(), "file", claims, lasts_s=FILE_LASTS_S)
