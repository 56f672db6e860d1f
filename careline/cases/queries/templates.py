"""The approved texts that may be sent in a conversation of a case."""

from __future__ import annotations

from careline.cases.queries.visible import access_case
from careline.channels.access import channels_by_id
from careline.channels.models import Template
from careline.channels.templates import templates_of
from careline.errors import NotFound
from careline.threads.queries import thread_ids_of_case, threads_by_id
from careline.workspaces.sight import Viewer


def templates_for(viewer: Viewer, number: int, thread_id: int) -> list[Template]:
    """Those of the thread's account, in the customer's language first. Raises NotFound for a foreign case or thread. Five statements."""
    case = access_case(viewer, number)
    thread = threads_by_id(viewer.workspace_id, [thread_id]).get(thread_id)
    if thread is None or thread_id not in thread_ids_of_case(viewer.workspace_id, case.id):
        raise NotFound("thread_not_found")
    return templates_of(channels_by_id([thread.channel_id])[thread.channel_id], case.language)
