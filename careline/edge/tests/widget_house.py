"""A widget door in memory and a real server on loopback around the widget's routes: what the edge's tests stand on."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette

from careline.channels.base import ChannelView, Part
from careline.channels.webchat import inbound
from careline.channels.webchat.tests.building import SITE, channel
from careline.channels.webchat.wire import Journalled, Spoken
from careline.edge.hub import Hub
from careline.edge.widget import widget_routes
from careline.edge.widget_doors import Availability, Changes, ChatMessage, FileBytes, History, KeptUpload, Typing
from careline.errors import NotFound, Unavailable
from careline.kit import clock

KEY = "public-key"


class MemoryDoor:
    """Implements WidgetDoor: a journal that is a list, threads that are lists of messages, one event number for all."""

    def __init__(self) -> None:
        self.trusted_proxies: frozenset[str] = frozenset()
        self.channels = {KEY: channel(), "other-key": channel(channel_id=6, origins="https://sea.example")}
        self.journal: dict[str, Part] = {}
        self.is_full = False
        self.threads: dict[tuple[int, str], list[tuple[int, ChatMessage]]] = {}
        self.uploads: dict[int, bytes] = {}
        self.addresses: dict[str, str] = {}
        self.rings: dict[tuple[int, str], list[Callable[[str], None]]] = {}
        self.n = 0
        self.typed_in: list[int] = []

    def close(self) -> None:
        for rings in list(self.rings.values()):
            for ring in list(rings):
                ring("closing")

    async def channel(self, key: str) -> ChannelView:
        if key not in self.channels:
            raise NotFound("chat_unknown")
        return self.channels[key]

    async def submit(self, channel: ChannelView, parts: list[Part]) -> None:
        if self.is_full:
            raise Unavailable("journal_full", "Too much is waiting.")
        for part in parts:
            fresh = part.platform_event_id not in self.journal
            self.journal.setdefault(part.platform_event_id, part)
            event = msgspec.json.decode(part.raw, type=Journalled)
            if fresh and isinstance(event, Spoken):
                self.put(channel, part.order_key, event.text, client_id=event.client_id)

    def put(self, channel: ChannelView, thread_key: str, text: str, **facts: Any) -> ChatMessage:
        """A message in the thread, as the digest or an agent would write it."""
        self.n += 1
        message = ChatMessage(str(self.n), 1, not facts.get("client_id"), text, clock.now(), **facts)
        self.threads.setdefault((channel.id, thread_key), []).append((self.n, message))
        for ring in list(self.rings.get((channel.id, thread_key), ())):
            ring("changed")
        return message

    async def history(self, channel: ChannelView, thread_key: str, *, before: int, limit: int) -> History:
        rows = [one for n, one in self.threads.get((channel.id, thread_key), []) if not before or n < before]
        return History(self.n, tuple(rows[-limit:]), has_earlier=len(rows) > limit)

    async def changes(self, channel: ChannelView, thread_key: str, after: int) -> Changes:
        return Changes(self.n, tuple(one for n, one in self.threads.get((channel.id, thread_key), []) if n > after))

    def listen(self, channel: ChannelView, thread_key: str, ring: Callable[[str], None]) -> Callable[[], None]:
        rings = self.rings.setdefault((channel.id, thread_key), [])
        rings.append(ring)
        return lambda: rings.remove(ring)

    async def keep_upload(self, channel: ChannelView, name: str, content: bytes) -> KeptUpload:
        self.uploads[len(self.uploads) + 1] = content
        return KeptUpload(len(self.uploads), len(content), "text/plain")

    async def read_upload(self, channel: ChannelView, file_id: int) -> bytes:
        return self.uploads[file_id]

    async def read_attachment(self, channel: ChannelView, thread_key: str, attachment_id: int) -> FileBytes:
        if (channel.id, thread_key) not in self.threads or attachment_id not in self.uploads:
            raise NotFound("file_not_found")
        return FileBytes('"><script>.html', "text/html", self.uploads[attachment_id], is_inline=False)

    async def availability(self, channel: ChannelView) -> Availability:
        return Availability(median_wait_s=42)

    async def keep_address(self, channel: ChannelView, thread_key: str, email: str) -> None:
        if (channel.id, thread_key) not in self.threads:
            raise NotFound("chat_not_begun")
        self.addresses[thread_key] = email

    async def show_typing(self, workspace_id: int, case_id: int) -> None:
        self.typed_in.append(case_id)
        for rings in self.rings.values():
            for ring in rings:
                ring("typing")

    async def typing_audience(self, channel: ChannelView, thread_key: str) -> Typing | None:
        return None


class NoDoors:
    """A hub without desk: nobody's screen is open."""


class Answer(msgspec.Struct):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


class House:
    """A running server, and a browser's worth of requests to it."""

    def __init__(self, door: MemoryDoor, port: int, loop: asyncio.AbstractEventLoop) -> None:
        self.door = door
        self.port = port
        self._loop = loop

    def in_loop(self, act: Callable[[], object]) -> None:
        """Do it in the server's own loop."""
        self._loop.call_soon_threadsafe(act)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request; JSON unless `body` is bytes. A POST says it comes from our own page unless told otherwise."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        named = {name.replace("_", "-"): value for name, value in headers.items() if value}
        if method == "POST" and "origin" not in headers:
            named["origin"] = f"http://127.0.0.1:{self.port}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, raw, named)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def page_ticket(self, key: str = KEY, host: str = SITE) -> str:
        page = self.call("GET", f"/widget/{key}/chat?host={host}").body.decode()
        return page.split('data-ticket="')[1].split('"')[0]

    def session(self, key: str = KEY, host: str = SITE, **opening: object) -> Any:
        return self.call("POST", f"/widget/api/{key}/session", {"page": self.page_ticket(key, host), **opening}).json

    def say(self, token: str, text: str = "Hola", *, client_id: str = "client-0001", **saying: object) -> Answer:
        body = {"client_id": client_id, "text": text, **saying}
        return self.call("POST", f"/widget/api/{KEY}/messages", body, authorization=f"Bearer {token}")

    @contextmanager
    def stream(self, token: str, after: int = 0) -> Iterator[Callable[[], tuple[str, str, Any]]]:
        """An open stream; the callable gives the next (event, id, data)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"authorization": f"Bearer {token}", "last-event-id": str(after)}
        connection.request("GET", f"/widget/api/{KEY}/stream", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()

        def next_event() -> tuple[str, str, Any]:
            event = {"event": "", "id": "", "data": ""}
            while True:
                line = answer.readline().decode()
                if not line:
                    return "end", "", None
                if line.strip():
                    name, _, value = line.rstrip("\n").partition(": ")
                    event[name] = value
                elif event["data"]:
                    return event["event"], event["id"], json.loads(event["data"])

        try:
            yield next_event
        finally:
            connection.close()


@contextmanager
def running(door: MemoryDoor, hub: Hub | None = None) -> Iterator[House]:
    """A uvicorn server in a thread, on a free port."""
    app = Starlette(routes=widget_routes(door, hub))
    options: dict[str, Any] = {"log_config": None, "access_log": False, "timeout_graceful_shutdown": 1}
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, **options))
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.01)
    try:
        yield House(door, server.servers[0].sockets[0].getsockname()[1], loops[0])
    finally:
        door.close()
        server.should_exit = True
        thread.join(timeout=10)


def journalled(door: MemoryDoor) -> list[Spoken]:
    """The visitors' words in the journal."""
    events = (msgspec.json.decode(part.raw, type=Journalled) for part in door.journal.values())
    return [event for event in events if isinstance(event, Spoken)]


__all__ = ["KEY", "House", "MemoryDoor", "inbound", "journalled", "running"]
