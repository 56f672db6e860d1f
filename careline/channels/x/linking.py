"""The way from a public post to a direct message: X's own deep link, with a signed reference that stands in the customer's text box.

`https://x.com/messages/compose?recipient_id=<id>&text=<text>` opens a new message to us with that text in it, which the customer sees and may change
(business.x.com, "Moving from a public Tweet to a private conversation", read 2026-11-22). Nothing else comes along: who takes the reference out is
known by their account alone.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlencode

from careline.channels import marks
from careline.channels.base import ChannelView

_PURPOSE: Final = "x private link"
_WORD: Final = "Ref."
_REFERENCE: Final = re.compile(r"\s*\bRef\. ([a-z]{1,14}-[\w-]{6,64}):?\s*")


def link_for(thread_id: int, channel: ChannelView) -> str:
    """The address; empty while the account is unknown."""
    if not channel.account_key:
        return ""
    given = {"recipient_id": channel.account_key, "text": f"{_WORD} {marks.mark_of(thread_id, channel, _PURPOSE)}: "}
    return f"https://x.com/messages/compose?{urlencode(given, quote_via=quote)}"


def arrived_from(text: str, channel: ChannelView) -> tuple[int, str]:
    """The thread that a reference of ours names, 0 for none, and the words without it."""
    found = _REFERENCE.search(text)
    thread_id = marks.thread_of(found[1], channel, _PURPOSE) if found else 0
    if not found or not thread_id:
        return 0, text
    return thread_id, f"{text[: found.start()]} {text[found.end() :]}".strip() or text.strip()
