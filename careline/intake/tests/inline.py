"""Rooms of the network loop in a test: their loop runs in a thread of its own, their database work in the test's, where the test's transaction is."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, cast

from django.db import connection

from careline.intake.journal import Cursor, Journal, NewRow

_work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()


class _Inline(Executor):
    """Hands work to whoever pumps."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        _work.put((done, lambda: work(*args, **kwargs)))
        return done


class PromptJournal(Journal):
    """Its writer is the test's thread."""

    def submit(self, rows: Iterable[NewRow], cursor: Cursor | None = None) -> Future[int]:
        done = super().submit(rows, cursor)
        _work.put((Future(), lambda: self._write(self._take())))
        return done


def inline_pool() -> ThreadPoolExecutor:
    """Passes for the pool the rooms are given."""
    return cast(ThreadPoolExecutor, _Inline())


def run_beside(
    work: Callable[[], Awaitable[object]], until: Callable[[], bool] = lambda: False, *, timeout_s: float = 60.0
) -> None:
    """Run `work` in a loop beside this thread until it ends or `until` is true; then it is cancelled. Raises what `work` raised."""
    # Rooms begin their work by dropping stale connections; this thread's holds the test's transaction.
    connection.close_if_unusable_or_obsolete = lambda: None  # type: ignore[method-assign]
    raised: list[BaseException] = []
    stop = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_main(work, stop, raised)))
    thread.start()
    end_s = time.monotonic() + timeout_s
    try:
        while thread.is_alive():
            _pump()
            if not stop.is_set() and (until() or time.monotonic() > end_s):
                stop.set()
    finally:
        del connection.close_if_unusable_or_obsolete
    if raised:
        raise raised[0]
    assert time.monotonic() < end_s, "it did not happen in time"


async def _main(work: Callable[[], Awaitable[object]], stop: threading.Event, raised: list[BaseException]) -> None:
    task = asyncio.ensure_future(work())
    while not stop.is_set() and not task.done():
        await asyncio.sleep(0.003)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    except BaseException as error:
        raised.append(error)


def _pump() -> None:
    try:
        done, work = _work.get(timeout=0.005)
    except queue.Empty:
        return
    try:
        found = work()
    except Exception as error:
        _settle(done, error=error)
    else:
        _settle(done, found=found)


def _settle(done: Future[Any], *, found: Any = None, error: Exception | None = None) -> None:
    """A waiter that was cancelled meanwhile is told nothing."""
    if not done.set_running_or_notify_cancel():
        return
    if error is None:
        done.set_result(found)
    else:
        done.set_exception(error)
