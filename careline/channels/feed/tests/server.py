"""A web server on loopback: files with the ETags, dates and ranges of aiohttp's own static files, redirects, and answers of any kind."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web, web_fileresponse

web_fileresponse.NOSENDFILE = True  # sendfile leaves the transport of a closed connection to the collector


class FeedServer:
    """`write` puts a file at an address; `answers` and `moved` overrule it. `asked` are (path, headers) in order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.moved: dict[str, tuple[int, str]] = {}
        self.answers: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.open: list[asyncio.Transport] = []
        self.address = ""

    def write(self, path: str, body: str | bytes) -> str:
        """A file from now on at this path; gives its address. A new length or time is a new ETag."""
        place = self.folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body if isinstance(body, bytes) else body.encode())
        return f"{self.address}/{path.lstrip('/')}"

    def visits(self, path: str) -> list[dict[str, str]]:
        """The headers of each request for this path."""
        return [headers for asked, headers in self.asked if asked == path]

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.transport is not None:
            self.open.append(request.transport)
        answer = self._answer(request)
        answer.force_close()
        return answer

    def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append((request.path, {name.lower(): value for name, value in request.headers.items()}))
        if request.path in self.moved:
            status, where = self.moved[request.path]
            return web.Response(status=status, headers={"Location": where})
        if request.path in self.answers:
            status, body, headers = self.answers[request.path]
            return web.Response(status=status, body=body, headers=headers)
        place = self.folder / request.path.lstrip("/")
        if not place.is_file():
            return web.Response(status=404)
        return web.FileResponse(place, headers=self.headers.get(request.path, {}))


@contextmanager
def serving(folder: Path) -> Iterator[FeedServer]:
    """A server in a thread of its own, for the time of a block."""
    server, loop = FeedServer(folder), asyncio.new_event_loop()
    folder.mkdir(parents=True, exist_ok=True)
    started, stopping = threading.Event(), asyncio.Event()

    async def run() -> None:
        runner = web.ServerRunner(web.Server(server.handle))
        await runner.setup()
        door = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(runner, door).start()
        server.address = f"http://127.0.0.1:{door.getsockname()[1]}"
        started.set()
        await stopping.wait()
        loop.remove_reader(door.fileno())  # asyncio forgets a visitor it lets in while the door is closed
        await asyncio.sleep(0.05)
        for transport in server.open:
            transport.abort()  # a visitor who left in the middle of 50 MB leaves its connection open
        await runner.cleanup()
        await asyncio.sleep(0.05)  # connections end a moment later

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        loop.close()
