"""Whether we may still write on a surface: the platform's windows after a customer's act, and for whom. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from careline.channels.capabilities import AuthorKind, Surface, Window


class WindowState(NamedTuple):
    """`closes_at` None: no window, or closed. `closed_code` '' while writing is allowed, else why not:

    answer_elsewhere, replies_not_possible, window_not_open, window_closed, window_needs_template, window_humans_only,
    window_used_up.
    """

    closes_at: datetime | None
    closed_code: str


def window_of(
    surface: Surface,
    last_inbound_at: datetime | None,
    now: datetime,
    author_kind: AuthorKind,
    *,
    last_comment_at: datetime | None = None,
    sent_since: int = 0,
) -> WindowState:
    """The state of a surface's windows.

    `last_inbound_at` is the customer's last word in the thread, `last_comment_at` their last public one on the channel:
    it opens the windows of `inbound_comment`. `sent_since` counts our messages since, for windows with `max_messages`.
    """
    if not surface.answer_here:
        return WindowState(None, "answer_elsewhere")
    if surface.reply_rule == "none":
        return WindowState(None, "replies_not_possible")
    if not surface.windows:
        return WindowState(None, "")
    opened = [
        (at + timedelta(seconds=window.lasts_s), window)
        for window in surface.windows
        if (at := last_comment_at if window.opens == "inbound_comment" else last_inbound_at) is not None
    ]
    if not opened:
        return WindowState(None, "window_not_open")
    running = [(closes_at, window) for closes_at, window in opened if closes_at > now]
    return _among(running, author_kind, sent_since) if running else WindowState(None, _closed_code(surface))


def _among(running: list[tuple[datetime, Window]], author_kind: AuthorKind, sent_since: int) -> WindowState:
    mine = [(closes_at, window) for closes_at, window in running if window.author == "any" or author_kind == "human"]
    if not mine:
        return WindowState(None, "window_humans_only")
    unused = [closes_at for closes_at, window in mine if not window.max_messages or sent_since < window.max_messages]
    return WindowState(max(unused), "") if unused else WindowState(None, "window_used_up")


def _closed_code(surface: Surface) -> str:
    by_template = surface.templates_required_after_window or any(
        window.after == "template" for window in surface.windows
    )
    return "window_needs_template" if by_template else "window_closed"
