"""Invariant 10 held over every test: no network and no sleep while a transaction is open, no sleep while a request is answered.

An audit hook (docs.python.org/3/library/audit_events.html, read 2026-11-22) hears of a connection, a look-up of a name, a datagram and a new process
wherever it is asked for, in Python or in C, and refuses it in the thread that may not; `time.sleep` tells audit hooks only from Python 3.13 on, so it is
wrapped. `sitecustomize.py` beside this puts it into real processes.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.handlers.base import BaseHandler
from django.db.transaction import Atomic

NETWORK = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.sendto",
        "socket.sendmsg",
        "subprocess.Popen",
        "os.system",
        "os.posix_spawn",
    }
)
found: list[str] = []
_here = threading.local()
_installed = False


class Waited(RuntimeError):
    """Somebody waited where everybody else waits for them."""


def install() -> None:
    """Watch this process from now on. A hook cannot be taken out again, so all are put in once."""
    global _installed
    if _installed:
        return
    _installed = True
    sys.addaudithook(_hear)
    time.sleep = _refusing(time.sleep)
    BaseHandler.get_response = _answering(BaseHandler.get_response)  # type: ignore[method-assign] # every request passes here
    Atomic.__enter__ = _entering(Atomic.__enter__)  # type: ignore[method-assign] # every transaction begins here
    Atomic.__exit__ = _leaving(Atomic.__exit__)  # type: ignore[method-assign] # and ends here


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event in NETWORK:
        _judge(event, in_request=False)


def _judge(event: str, *, in_request: bool) -> None:
    where = "a transaction" if _depth("transactions") else "a request" if in_request and _depth("requests") else ""
    if where:
        said = f"{event} inside {where}"
        found.append(said)
        raise Waited(said)


def _depth(what: str) -> int:
    return getattr(_here, what, 0)


def _refusing(sleep: Callable[[float], None]) -> Callable[[float], None]:
    @wraps(sleep)
    def watched(seconds: float) -> None:
        _judge("time.sleep", in_request=True)
        sleep(seconds)

    return watched


def _answering(answer: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(answer)
    def watched(handler: Any, request: Any) -> Any:
        _here.requests = _depth("requests") + 1
        try:
            return answer(handler, request)
        finally:
            _here.requests -= 1

    return watched


def _entering(enter: Callable[..., None]) -> Callable[..., None]:
    @wraps(enter)
    def watched(block: Any) -> None:
        enter(block)
        _here.transactions = _depth("transactions") + _counts(block)

    return watched


def _leaving(leave: Callable[..., None]) -> Callable[..., None]:
    @wraps(leave)
    def watched(block: Any, *error: Any) -> None:
        try:
            leave(block, *error)
        finally:
            _here.transactions = _depth("transactions") - _counts(block)

    return watched


def _counts(block: Any) -> int:
    """The transactions a test is wrapped in are not the product's."""
    return 0 if block._from_testcase else 1
