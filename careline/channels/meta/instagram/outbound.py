"""From Careline to Instagram: answers to comments and mentions, private replies, messages, and what we do to them.

Source: developers.facebook.com/documentation/instagram-platform/comment-moderation, .../private-replies (updated 2026-06-30), .../docs/instagram-api/
reference/ig-user/mentions, read 2026-11-22; edges and parameters as Meta's SDKs know them (2026-04-15).
"""

from __future__ import annotations

import msgspec

from careline.channels.base import ChannelView, Moderated, ModerationAct, Outgoing, Sent, Tools
from careline.channels.meta import messaging
from careline.channels.meta.calling import Graph
from careline.channels.meta.instagram import setup, wire
from careline.channels.meta.instagram.rules import CAPABILITIES, has_human_agent
from careline.errors import ChannelError


async def send(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
    """One comment or one message. Raises ChannelError."""
    rule = CAPABILITIES.surface(outgoing.surface).text
    if not rule.fits(outgoing.text):
        raise ChannelError("text_too_long", f"At most {rule.max_length} {rule.unit}.", permanent=True)
    graph = setup.graph_of(channel, tools)
    if outgoing.surface == "dm":
        return await messaging.send(outgoing, channel, graph, may_tag=has_human_agent(channel))
    made = await (_answer_mention if outgoing.surface == "mention" else _comment)(outgoing, channel, graph)
    return Sent(made.id, thread_key=outgoing.thread_key)


async def _comment(outgoing: Outgoing, channel: ChannelView, graph: Graph) -> wire.Made:
    """Under what is answered, or under the post."""
    edge = f"{outgoing.reply_to}/replies" if outgoing.reply_to else f"{outgoing.thread_key}/comments"
    return await graph.post(edge, {"message": outgoing.text}, wire.Made)


async def _answer_mention(outgoing: Outgoing, channel: ChannelView, graph: Graph) -> wire.Made:
    """On somebody else's post, where only this edge lets us write."""
    comment = outgoing.reply_to if outgoing.reply_to != outgoing.thread_key else ""
    body = {"media_id": outgoing.thread_key, "comment_id": comment or None, "message": outgoing.text}
    return await graph.post(f"{channel.account_key}/mentions", body, wire.Made)


async def moderate(act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
    """Hide, delete ours; react to a message with the one reaction there is. What is so already is done."""
    surface, graph = CAPABILITIES.surface(act.surface), setup.graph_of(channel, tools)
    if act.verb in {"hide", "unhide"} and surface.moderation.hide:
        await graph.post(act.platform_id, {"hide": act.verb == "hide"}, object)
    elif act.verb == "delete" and surface.delete.out:
        await graph.delete(act.platform_id)
    elif act.verb in {"react", "unreact"} and surface.reactions.outbound:
        await messaging.react(msgspec.structs.replace(act, emoji="love"), channel, graph)
    else:
        raise ChannelError("no_moderation", "Instagram cannot do that.", permanent=True)
    return Moderated()
