"""What may be done to a message that stands, and what was: from the rules of its surface and its own state."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from careline.cases.rows import ModerationView
from careline.channels.base import ModerationVerb
from careline.channels.capabilities import Surface
from careline.outbox.models import Moderation
from careline.threads.models import Message

USUAL_EMOJIS: Final = ("👍", "❤️", "🙏", "😊", "🎉", "😢")
"""Offered where a network takes any; Unicode Emoji 15.1, the most used in customer service first."""


def abilities(
    message: Message, surface: Surface | None, now: datetime, our_reaction: str = ""
) -> tuple[ModerationVerb, ...]:
    """The acts that surface, author and state allow now, in the order they are offered. Pure."""
    if surface is None or message.deleted_at is not None or not message.platform_id:
        return ()
    if message.direction == "outbound":
        return _on_ours(message, surface, now)
    return _on_theirs(message, surface, our_reaction) if message.direction == "inbound" else ()


def _on_theirs(message: Message, surface: Surface, our_reaction: str) -> tuple[ModerationVerb, ...]:
    found: list[ModerationVerb] = []
    if surface.moderation.like:
        found.append("unlike" if message.liked_at else "like")
    if surface.reactions.outbound:
        found += ["react", "unreact"] if our_reaction else ["react"]
    if surface.moderation.hide:
        found.append("unhide" if message.hidden_at else "hide")
    return tuple(found)


def _on_ours(message: Message, surface: Surface, now: datetime) -> tuple[ModerationVerb, ...]:
    found: list[ModerationVerb] = []
    if _may_edit(message, surface, now):
        found.append("edit")
    if _may_delete(message, surface, now):
        found.append("delete")
    return tuple(found)


def _may_edit(message: Message, surface: Surface, now: datetime) -> bool:
    """Words of ours that went out from here as one post: what was posted elsewhere has no delivery that says how."""
    rule = surface.edit
    in_time = not rule.within_s or now - message.at <= timedelta(seconds=rule.within_s)
    return rule.out and in_time and not message.is_echo and bool(message.text) and not message.html


def _may_delete(message: Message, surface: Surface, now: datetime) -> bool:
    rule = surface.delete
    return rule.out and (not rule.within_s or now - message.at <= timedelta(seconds=rule.within_s))


def emojis_of(surface: Surface) -> tuple[str, ...]:
    """What may be chosen as a reaction."""
    return surface.reactions.allowed or USUAL_EMOJIS


def moderation_views(rows: Iterable[Moderation], agents: dict[int, str]) -> tuple[ModerationView, ...]:
    """What is under way or went wrong, and the newest done of each kind: whose it was. No statement."""
    newest_done: dict[str, Moderation] = {}
    told = []
    for row in rows:
        if row.state == "done":
            newest_done[row.verb] = row
        else:
            told.append(row)
    shown = sorted([*told, *newest_done.values()], key=lambda row: row.id)
    return tuple(
        ModerationView(
            id=row.id,
            verb=row.verb,
            emoji=row.emoji,
            state=row.state,
            agent_name=agents.get(row.agent_id or 0, ""),
            error_code=row.error_code,
            error_detail=row.error_detail,
            not_before=row.not_before,
            done_at=row.done_at,
        )
        for row in shown
    )
