"""From Careline to Threads: replies in two steps, looking for one whose outcome is unknown, hiding, deleting ours.

Sources: developers.facebook.com/documentation/threads/retrieve-and-manage-replies/create-replies (updated 2025-12-22), .../reply-management (2026-02-13),
.../posts/delete-posts, .../docs/threads/troubleshooting (the status of a container), read 2026-11-22. The 30 seconds recommended between the steps are for media; a
text whose container is not ready is tried again by the outbox.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from careline.channels.base import ChannelView, Moderated, ModerationAct, Outgoing, Sent, Tools
from careline.channels.meta.calling import Graph
from careline.channels.meta.reading import moment
from careline.channels.meta.threads import setup, wire
from careline.channels.meta.threads.rules import CAPABILITIES
from careline.errors import ChannelError
from careline.kit import clock

SKEW: Final = timedelta(seconds=30)


async def send(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
    """A container, then its publishing; only the second has an outcome that can be unknown. Raises ChannelError."""
    rule = CAPABILITIES.surface(outgoing.surface).text
    if not rule.fits(outgoing.text):
        raise ChannelError("text_too_long", f"At most {rule.max_length}, emoji by their bytes.", permanent=True)
    graph = setup.graph_of(channel, tools)
    body = {"media_type": "TEXT", "text": outgoing.text, "reply_to_id": outgoing.reply_to or outgoing.thread_key}
    container = await graph.post(f"{channel.account_key}/threads", body, wire.Made, is_act=False)
    await _check_ready(container.id, graph)
    publishing = {"creation_id": container.id}
    made = await graph.post(f"{channel.account_key}/threads_publish", publishing, wire.Made)
    return Sent(made.id, thread_key=outgoing.thread_key)


async def _check_ready(container_id: str, graph: Graph) -> None:
    """Nothing is public yet, so trying again is harmless. Raises ChannelError."""
    status = (await graph.get(container_id, wire.Container, fields="status")).status
    if status in {"ERROR", "EXPIRED"}:
        raise ChannelError("refused", f"Threads says {status} of the container.", permanent=True)
    if status == "IN_PROGRESS":
        raise ChannelError("not_ready", "The container is not ready yet.")


async def look_up(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent | None:
    """Our reply with these words to this post, not older than they are; None when it does not stand. Raises ChannelError."""
    graph = setup.graph_of(channel, tools)
    fields = "id,text,timestamp,replied_to,root_post"
    page = await graph.get("me/replies", wire.Posts, fields=fields, limit="50")
    found = next((one for one in page.data if _is_it(one, outgoing)), None)
    return Sent(found.id, moment(found.timestamp), thread_key=outgoing.thread_key) if found is not None else None


def _is_it(post: wire.Post, outgoing: Outgoing) -> bool:
    begun_at = (outgoing.written_at or clock.from_epoch(0)) - SKEW
    answered = post.replied_to.id if post.replied_to else ""
    is_there = answered in {outgoing.reply_to or outgoing.thread_key, ""}
    return is_there and post.text == outgoing.text and moment(post.timestamp) >= begun_at


async def moderate(act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
    """Hide a reply under ours, with all below it; delete ours. What is so already is done."""
    surface, graph = CAPABILITIES.surface(act.surface), setup.graph_of(channel, tools)
    if act.verb in {"hide", "unhide"} and surface.moderation.hide:
        await graph.post(f"{act.platform_id}/manage_reply", {"hide": act.verb == "hide"}, object)
    elif act.verb == "delete":
        await graph.delete(act.platform_id)
    else:
        raise ChannelError("no_moderation", "Threads cannot do that.", permanent=True)
    return Moderated()
