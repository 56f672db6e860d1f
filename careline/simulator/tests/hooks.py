"""A hook of our own on loopback, which notes each delivery and answers as told: what an app sees of the platform."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from careline.kit import signing


class Hook:
    """Deliveries as they came. `refuse_next` answers so many with 500."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.deliveries: list[list[dict[str, object]]] = []
        self.refuse_next = 0
        self.port = 0
        self.arrived = threading.Condition()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def events(self) -> list[dict[str, object]]:
        return [event for delivery in self.deliveries for event in delivery]

    def wait_for(self, count: int, *, timeout_s: float = 5.0) -> list[dict[str, object]]:
        """At least so many events, or fail."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.events) >= count, timeout_s), (
                f"{len(self.events)} of {count} events came"
            )
            return self.events

    def take(self, headers: dict[str, str], body: bytes) -> int:
        signing.check_webhook(self.secret, headers, body)
        with self.arrived:
            if self.refuse_next > 0:
                self.refuse_next -= 1
                return 500
            self.deliveries.append(msgspec.json.decode(body)["events"])
            self.arrived.notify_all()
            return 200


@contextmanager
def hook(secret: str) -> Iterator[Hook]:
    """A hook that listens while the block runs."""
    one = Hook(secret)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(one.take({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield one
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
