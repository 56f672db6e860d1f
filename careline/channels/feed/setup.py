"""What an administrator fills in, and the live check: each address is asked for, and a page is asked for the feeds it names."""

from __future__ import annotations

import asyncio
from typing import Final

from careline.channels.base import ChannelView, Health, Introduced, SettingField, Tools
from careline.channels.feed import pages
from careline.channels.feed.calling import Caller
from careline.channels.feed.listening import read_feed
from careline.channels.feed.wire import Document, FeedState, addresses
from careline.errors import ChannelError
from careline.kit.http import guarded_client


def _(text: str) -> str:
    """Marks a text for the catalogue; the screen that shows it translates."""
    return text


NAME: Final = _("RSS and Atom feeds")
MOST_CHECKED: Final = 12

FIELDS: Final = (
    SettingField(
        "feeds",
        _("Feeds or pages"),
        hint=_("Their addresses, separated by spaces. Of a page Careline takes the feed that the page names."),
    ),
    SettingField(
        "words",
        _("Only what names"),
        required=False,
        hint=_("Words separated by commas, such as your brand's names. Empty: everything in the feeds is for you."),
    ),
    SettingField(
        "own_names",
        _("Your own names there"),
        required=False,
        hint=_("Names you post under on these pages, separated by commas. What they say is shown as yours."),
    ),
    SettingField(
        "comments",
        _("Read the comments of posts, too"),
        "flag",
        required=False,
        default="1",
        hint=_("Where a feed says where they are."),
    ),
    SettingField(
        "every_min",
        _("Ask every (minutes)"),
        "number",
        required=False,
        default="10",
        hint=_("At most this often. Careline comes less often where a feed asks for it."),
    ),
)


async def introduce(channel: ChannelView, tools: Tools) -> Introduced:
    """The feeds behind the addresses, and the name of the first. Raises ChannelError."""
    found = await _read_all(channel, tools)
    for _at, document in found:
        _check(document)
    settings = {"feeds": " ".join(dict.fromkeys(at for at, document in found))}
    name = next((document.title for _at, document in found if document.title), "")
    return Introduced(name=name[:120], handle=pages.host_of(found[0][0]), settings=settings)


async def check(channel: ChannelView, tools: Tools) -> Health:
    """The first trouble among the addresses. Never raises."""
    try:
        for _at, document in await _read_all(channel, tools):
            _check(document)
    except ChannelError as trouble:
        return Health(ok=False, code=trouble.code, detail=trouble.message)
    return Health(ok=True)


async def _read_all(channel: ChannelView, tools: Tools) -> list[tuple[str, Document]]:
    """By the address that was typed, or the one that its page names."""
    typed = addresses(channel)
    if not typed or not all(pages.is_web(one) for one in typed):
        raise ChannelError("feeds_none", "Enter at least one web address.")
    async with guarded_client(timeout_s=9) as outside:
        callers = [(one, Caller(tools, outside, pages.host_of(one))) for one in typed[:MOST_CHECKED]]
        found = await asyncio.gather(*(_read(one, caller) for one, caller in callers))
    return [*found, *((one, Document(title="")) for one in typed[MOST_CHECKED:])]


async def _read(address: str, caller: Caller) -> tuple[str, Document]:
    found, document = await read_feed(address, FeedState(), caller)
    return found.moved_to or address, document or Document()


def _check(document: Document) -> None:
    if document.problem and not document.entries:
        code = "page_without_feed" if document.is_page else "feed_unreadable"
        raise ChannelError(code, document.problem)
