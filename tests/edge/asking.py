"""Asking a running Careline from outside: plain requests, half requests, streams; and how platforms speak to it."""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from careline.kit import clock, ids, signing
from tests.edge.seeding import HOOK_SECRET


@dataclass(frozen=True)
class Answer:
    """Status, headers with lower-case names, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of an error in words for machines."""
        return str(self.json["error"]["code"])


def ask(
    port: int,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    *,
    timeout_s: float = 20,
) -> Answer:
    """One request on a connection of its own."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        link.request(method, path, body, headers or {})
        answer = link.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        link.close()


def raw(
    port: int, content: bytes, *, then: Callable[[socket.socket], None] | None = None, timeout_s: float = 20
) -> bytes:
    """Exactly these bytes; what came back until the other side closed, or `then` did."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as link:
        link.sendall(content)
        if then is not None:
            then(link)
            return b""
        parts = []
        while part := link.recv(65_536):
            parts.append(part)
        return b"".join(parts)


def signed(body: bytes, *, delivery: str = "", secret: str = HOOK_SECRET, at_s: int | None = None) -> dict[str, str]:
    """Headers of a genuine delivery."""
    return {
        **signing.webhook_headers(secret, delivery or f"d{ids.new_id()}", body, at_s=at_s),
        "content-type": "application/json",
    }


def spoken(*texts: str, author: str = "marta", thread: str = "", account: str = "aurora", **more: object) -> bytes:
    """A delivery of the simulated network: direct messages, each in its own event."""
    thread = thread or f"dm_{author}"
    events = [
        {
            "id": f"e{ids.new_id()}",
            "account": account,
            "kind": "message.created",
            "at": clock.now().isoformat(),
            "thread": thread,
            "conversation": {"place": "dm", "author_id": author, "author_name": author.title()},
            "message": {
                "id": f"m{ids.new_id()}",
                "author": {"id": author, "handle": f"@{author}", "name": author.title()},
                "text": text,
            },
            **more,
        }
        for text in texts
    ]
    return json.dumps({"delivery": f"d{ids.new_id()}", "events": events}).encode()


@dataclass
class Heard:
    """One event of a stream."""

    type: str
    n: int
    data: Any


@dataclass
class Listener:
    """An open event stream, read in a thread of its own."""

    port: int
    path: str
    last_event_id: str = ""
    heard: list[Heard] = field(default_factory=list)
    status: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)
    _news: queue.SimpleQueue[None] = field(default_factory=queue.SimpleQueue)
    _link: http.client.HTTPConnection | None = None
    _thread: threading.Thread | None = None

    def open(self) -> Listener:
        """Connect, and return when the answer's head is there."""
        self._link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self._link.request(
            "GET", self.path, headers={"Last-Event-ID": self.last_event_id} if self.last_event_id else {}
        )
        answer = self._link.getresponse()
        self.status = answer.status
        self._thread = threading.Thread(target=self._read, args=(answer,), daemon=True)
        self._thread.start()
        OPEN.append(self)
        return self

    def _read(self, answer: http.client.HTTPResponse) -> None:
        kind, number, data = "message", 0, ""
        try:
            for line in answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "event":
                    kind = value
                elif name == "id":
                    number = int(value)
                elif name == "data":
                    data += value
                elif not name and data:
                    self.heard.append(Heard(kind, number, json.loads(data)))
                    self._news.put(None)
                    kind, number, data = "message", 0, ""
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass
        answer.close()
        if self._link is not None:
            self._link.close()
        self.is_over.set()
        self._news.put(None)

    def wait(self, until: Callable[[list[Heard]], bool], timeout_s: float = 20) -> list[Heard]:
        """Until what was heard satisfies; raises AssertionError when it does not in time."""
        end_s = time.monotonic() + timeout_s
        while not until(self.heard):
            try:
                self._news.get(timeout=max(0.01, end_s - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"heard only {[(one.type, one.n) for one in self.heard]}") from None
        return self.heard

    def of(self, kind: str) -> list[Heard]:
        """Events of a type."""
        return [one for one in self.heard if one.type == kind]

    @property
    def last(self) -> int:
        """The newest number heard."""
        return max((one.n for one in self.heard), default=0)

    def close(self) -> None:
        """Go away."""
        if self._link is not None and self._link.sock is not None:
            with contextlib.suppress(OSError):
                self._link.sock.shutdown(socket.SHUT_RDWR)
        if self._thread is not None:
            self._thread.join(10)


OPEN: list[Listener] = []


def close_streams() -> None:
    """All that a test left open."""
    while OPEN:
        OPEN.pop().close()


def stream(
    port: int, workspace: str, ticket: str, *, since: int | None = None, last_event_id: int | None = None
) -> Listener:
    """Open a stream; `last_event_id` as a browser sends it when it reconnects."""
    path = f"/w/{workspace}/stream?ticket={quote(ticket)}" + ("" if since is None else f"&since={since}")
    return Listener(port, path, "" if last_event_id is None else str(last_event_id)).open()
