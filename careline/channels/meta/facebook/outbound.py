"""From Careline to a Page: comments, private replies, Messenger, and what we do to comments.

Source: developers.facebook.com/docs/graph-api/reference/comment and .../page/photos (v26.0), read 2026-11-22; edges and parameters as Meta's SDKs know
them (2026-04-15).
"""

from __future__ import annotations

from careline.channels.base import ChannelView, Moderated, ModerationAct, Outgoing, OutgoingFile, Sent, Tools
from careline.channels.meta import messaging
from careline.channels.meta.calling import Graph
from careline.channels.meta.facebook import wire
from careline.channels.meta.facebook.rules import CAPABILITIES, has_human_agent
from careline.errors import ChannelError
from careline.kit.multipart import Upload


async def send(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
    """One comment or one message. Raises ChannelError."""
    check_length(outgoing)
    graph = Graph(channel, tools)
    if outgoing.surface == "dm":
        return await messaging.send(outgoing, channel, graph, may_tag=has_human_agent(channel))
    picture = await _picture(outgoing.files[0], channel, graph) if outgoing.files else None
    # What is answered is a comment or the post itself: both have the edge.
    over = outgoing.reply_to or outgoing.thread_key
    body = {"message": outgoing.text or None, "attachment_id": picture}
    made = await graph.post(f"{over}/comments", body, wire.Made)
    return Sent(made.id, thread_key=outgoing.thread_key)


def check_length(outgoing: Outgoing) -> None:
    """Raises ChannelError: several messages are the outbox's to make."""
    rule = CAPABILITIES.surface(outgoing.surface).text
    if not rule.fits(outgoing.text):
        raise ChannelError("text_too_long", f"At most {rule.max_length} characters.", permanent=True)


async def _picture(file: OutgoingFile, channel: ChannelView, graph: Graph) -> str:
    """Uploaded without being published; the comment shows it."""
    form = Upload("source", file.name, file.content_type, await file.read())
    fields = {"published": b"false", **({"alt_text_custom": file.alt_text.encode()} if file.alt_text else {})}
    return (await graph.upload(f"{channel.account_key}/photos", fields, form, wire.Made)).id


async def edit(platform_id: str, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> None:
    """Change a comment of ours. Repeating it is harmless."""
    check_length(outgoing)
    await Graph(channel, tools).post(platform_id, {"message": outgoing.text}, object, is_act=False)


async def moderate(act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
    """Hide, like, delete ours. What is so already is done."""
    surface = CAPABILITIES.surface(act.surface)
    can = {
        "hide": surface.moderation.hide,
        "unhide": surface.moderation.hide,
        "like": surface.moderation.like,
        "unlike": surface.moderation.like,
        "delete": surface.delete.out,
    }
    if not can.get(act.verb):
        raise ChannelError("no_moderation", "A Page cannot do that.", permanent=True)
    graph = Graph(channel, tools)
    if act.verb in {"hide", "unhide"}:
        await graph.post(act.platform_id, {"is_hidden": act.verb == "hide"}, object)
    elif act.verb == "like":
        await graph.post(f"{act.platform_id}/likes", {}, object)
    else:
        await graph.delete(f"{act.platform_id}/likes" if act.verb == "unlike" else act.platform_id)
    return Moderated()
