"""The live check of a mailbox: sign in, open the folders, sign in to send. Says in plain words what to change."""

from __future__ import annotations

from careline.channels.base import ChannelView, Health, Tools
from careline.channels.email import outbound, reading
from careline.errors import ChannelError


async def check(channel: ChannelView, tools: Tools) -> Health:
    """First reading, then sending. Never raises; the code begins with `imap_` or `smtp_`, then the reason. Nothing is
    read or sent.
    """
    for side, name in (("imap", "reading"), ("smtp", "sending")):
        try:
            await (_check_reading(channel, tools) if side == "imap" else _check_sending(channel, tools))
        except ChannelError as failed:
            code = failed.code if failed.code.startswith(side) else f"{side}_{failed.code}"
            return Health(ok=False, code=code, detail=f"{name}: {failed.message}"[:300])
    return Health(ok=True)


async def _check_reading(channel: ChannelView, tools: Tools) -> None:
    async with reading.signed_in(channel, tools) as imap:
        for folder in reading.folders(channel):
            await reading.open_folder(imap, folder)


async def _check_sending(channel: ChannelView, tools: Tools) -> None:
    async with outbound.signed_in(channel, tools):
        pass
