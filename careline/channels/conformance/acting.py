"""Runs one act of a network with a client of its own, as the network loop would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from careline.channels.base import Tools
from careline.kit.http import guarded_client

T = TypeVar("T")


def with_tools(act: Callable[[Tools], Awaitable[T]]) -> T:
    """What the act gives or raises."""

    async def run() -> T:
        async with guarded_client(allow_private=True, timeout_s=5) as client:
            return await act(Tools(http=client))

    return asyncio.run(run())
