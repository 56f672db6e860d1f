"""Whether we may still write on a surface: the platform's windows after a customer's act, and for whom. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from careline.channels.capabilities import AuthorKind, Surface, Window


class WindowState(NamedTuple):
    """`closes_at` None: no window, or closed. `closed_code` '' while writing is allowed, else why not:

    answer_elsewhere, replies_not_possible, not_summoned, window_not_open, window_closed, window_needs_template, window_humans_only,
    window_used_up. `opens` is the customer's act that lets us write; `used` of `allows` messages are sent, 0 and 0 where
    nobody counts.
    """

    closes_at: datetime | None
    closed_code: str
    opens: str = ""
    allows: int = 0
    used: int = 0


class _Running(NamedTuple):
    closes_at: datetime
    window: Window
    used: int


def window_of(
    surface: Surface,
    last_inbound_at: datetime | None,
    now: datetime,
    author_kind: AuthorKind,
    *,
    last_comment_at: datetime | None = None,
    sent_at: Collection[datetime] = (),
    wanted: int = 1,
    is_summons: bool = True,
) -> WindowState:
    """The state of a surface's windows for `wanted` messages more.

    `last_inbound_at` is the customer's last word in the thread, `last_comment_at` their public one that we answer in
    private: it opens the windows of `inbound_comment`. `sent_at` are our messages in the thread, for windows with
    `max_messages`: each window counts those since the act that opened it. `is_summons`: the author of what we answer
    named or quoted us, which `author_must_mention_us` asks for.
    """
    if not surface.answer_here:
        return WindowState(None, "answer_elsewhere")
    if surface.reply_rule == "none":
        return WindowState(None, "replies_not_possible")
    if surface.reply_rule == "author_must_mention_us" and not is_summons:
        return WindowState(None, "not_summoned")
    if not surface.windows:
        return WindowState(None, "")
    opened = [
        _Running(at + timedelta(seconds=window.lasts_s), window, sum(1 for sent in sent_at if sent > at))
        for window in surface.windows
        if (at := last_comment_at if window.opens == "inbound_comment" else last_inbound_at) is not None
    ]
    if not opened:
        return WindowState(None, "window_not_open")
    running = [one for one in opened if one.closes_at > now]
    return _among(running, author_kind, wanted) if running else WindowState(None, _closed_code(surface))


def _among(running: list[_Running], author_kind: AuthorKind, wanted: int) -> WindowState:
    """Their own word in the conversation counts before a public one: what it allows is not used up by answering."""
    mine = [one for one in running if one.window.author == "any" or author_kind == "human"]
    if not mine:
        return WindowState(None, "window_humans_only")
    unused = [one for one in mine if not one.window.max_messages or one.used + wanted <= one.window.max_messages]
    best = max(unused or mine, key=lambda one: (one.window.opens != "inbound_comment", one.closes_at))
    allows = best.window.max_messages
    used = best.used if allows else 0
    closed_code = "" if unused else "window_used_up"
    return WindowState(best.closes_at if unused else None, closed_code, best.window.opens, allows, used)


def _closed_code(surface: Surface) -> str:
    by_template = surface.templates_required_after_window or any(
        window.after == "template" for window in surface.windows
    )
    return "window_needs_template" if by_template else "window_closed"
