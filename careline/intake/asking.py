"""Asks platforms who somebody is that came without a name: after the digest, in the network loop, a few a second for each account.

What may be asked and what becomes of the answer is in `people/naming.py`. A question is claimed before it is put, so it is put once, in all
processes; accounts do not wait for each other.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import structlog

from careline.channels import access, registry
from careline.channels.base import Tools
from careline.channels.models import Channel
from careline.errors import ChannelError, NotFound
from careline.kit.connections import refresh_connections
from careline.people import naming
from careline.people.naming import Question

SCAN_S = 1.0
PAUSE_S = 0.5
_log = structlog.get_logger()
P = ParamSpec("P")
T = TypeVar("T")


class Asking:
    """Runs in the network loop."""

    def __init__(self, tools: Tools, pool: ThreadPoolExecutor) -> None:
        self._tools = tools
        self._pool = pool

    async def run(self) -> None:
        """For ever."""
        while True:
            due = await self._in_thread(naming.due_questions)
            await asyncio.gather(*(self._ask_all(questions) for questions in _by_channel(due)))
            await asyncio.sleep(SCAN_S)

    async def _ask_all(self, questions: Iterable[Question]) -> None:
        """One account's, one after the other."""
        for question in questions:
            if await self._in_thread(naming.claim, question):
                await self.ask(question)
            await asyncio.sleep(PAUSE_S)

    async def ask(self, question: Question) -> None:
        """Put one question that is claimed, and keep what comes of it."""
        try:
            channel = await self._in_thread(access.view_of, question.channel_id)
            facts = await registry.network(channel.network).who_is(question.author, channel, self._tools)
        except ChannelError as error:
            _log.info("name_not_told", channel=question.channel_id, error=error.code)
            await self._in_thread(naming.keep_error, question, error)
        except (Channel.DoesNotExist, NotFound):
            return
        else:
            await self._in_thread(naming.keep_answer, question, facts)

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def run() -> T:
            refresh_connections()
            return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)


def _by_channel(due: Iterable[Question]) -> list[list[Question]]:
    found: dict[int, list[Question]] = defaultdict(list)
    for question in due:
        found[question.channel_id].append(question)
    return list(found.values())
