"""The live check of a mailbox: sign in, open the folders, sign in to send. Says in plain words what to change."""

from __future__ import annotations

from careline.channels.base import ChannelView, Health, Tools
from careline.channels.email import outbound, reading
from careline.errors import ChannelError

# Reasons that one word on the settings page covers.
_CODES = {"certificate_wrong": "tls_failed", "tls_injection": "tls_failed", "oauth_refused": "unauthorised"}


async def check(channel: ChannelView, tools: Tools) -> Health:
    """First reading (IMAP), then sending (SMTP); `detail` says which of them. Never raises; nothing is read or sent."""
    for side, act in (("IMAP", _check_reading), ("SMTP", _check_sending)):
        try:
            await act(channel, tools)
        except ChannelError as failed:
            return Health(ok=False, code=_CODES.get(failed.code, failed.code), detail=f"{side}: {failed.message}"[:300])
    return Health(ok=True)


async def _check_reading(channel: ChannelView, tools: Tools) -> None:
    async with reading.signed_in(channel, tools) as imap:
        for folder in reading.folders(channel):
            await reading.open_folder(imap, folder)


async def _check_sending(channel: ChannelView, tools: Tools) -> None:
    async with outbound.signed_in(channel, tools):
        pass
