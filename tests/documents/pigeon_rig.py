"""The pigeon office of docs/channels.md: what it posts, and a fake one on loopback that takes each letter once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Network, Outgoing, Part
from careline.channels.conformance import Fault, Words
from careline.kit import signing

SECRET = "whsec_" + "cGlnZW9uLW9mZmljZS1zZWNyZXQtMzItYnl0ZXMtISE="
TOKEN = "loft-token"


class Office:
    """Takes letters, unless a fault was planned for the next one."""

    def __init__(self, channel: ChannelView) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.channel = msgspec.structs.replace(channel, settings={**channel.settings, "office": address})
        self._taken: dict[str, str] = {}
        self._texts: list[str] = []
        self._fault: Fault | None = None
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def plan(self, fault: Fault) -> None:
        """What happens to the next letter."""
        self._fault = fault

    def posted(self) -> list[str]:
        """Texts taken, in order."""
        return list(self._texts)

    def happen_unseen(self, words: Words) -> None:
        """The office repeats what was not acknowledged, so nothing happens unseen."""

    def next_fault(self) -> Fault | None:
        """The planned fault, once."""
        fault, self._fault = self._fault, None
        return fault

    def take(self, key: str, text: str) -> str:
        """The letter's id; the same key is the same letter."""
        if key not in self._taken:
            self._taken[key] = f"out-{len(self._taken) + 1}"
            self._texts.append(text)
        return self._taken[key]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


_REFUSALS: dict[Fault, tuple[int, dict[str, str]]] = {
    "rate_limited": (429, {"Retry-After": "7"}),
    "rate_limited_silently": (429, {}),
    "revoked": (401, {}),
    "refused": (422, {}),
}


def _handler_of(office: Office) -> type[BaseHTTPRequestHandler]:
    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["content-length"])))
            fault = office.next_fault()
            if fault in _REFUSALS:
                self._answer(*_REFUSALS[fault])
                return
            letter = office.take(self.headers["idempotency-key"], said["text"])
            if fault == "cut":
                self.close_connection = True
                return
            self._answer(500 if fault == "failing" else 201, {}, {"letter": letter})

        def _answer(self, status: int, headers: dict[str, str], body: object = None) -> None:
            content = json.dumps(body or {}).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is printed in tests."""

    return Desk


class PigeonRig:
    """Two lofts behind one connection. The network is the one under test."""

    signed_headers = ("webhook-id", "webhook-timestamp", "webhook-signature")

    def __init__(self, network: Network) -> None:
        self.network = network
        self.connection = ConnectionView(
            1, 1, "pigeons", {"hook_secret": SECRET, "token": TOKEN}, {"north": 7, "south": 8}
        )
        self.channel = ChannelView(
            7,
            1,
            "pigeons",
            "north",
            "North",
            "",
            {"account": "north", "office": "http://127.0.0.1:9"},
            {"token": TOKEN},
        )

    def say(self, words: Words) -> bytes:
        return self._event("arrived", words, sender=words.author, text=words.text)

    def edit(self, of: Words, text: str) -> bytes | None:
        return None

    def delete(self, of: Words) -> bytes | None:
        return self._event("burnt", of)

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        return None

    def novelty(self) -> bytes | None:
        return json.dumps({"id": "e-news", "loft": "north", "route": "t1", "kind": "moulted"}).encode()

    def _event(self, kind: str, of: Words, **more: object) -> bytes:
        loft = list(self.connection.accounts)[of.account]
        head = {"id": f"e-{kind}-{of.key}", "loft": loft, "route": of.thread, "kind": kind, "letter": f"l-{of.key}"}
        return json.dumps({**head, "at": of.at.isoformat(), **more}).encode()

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        body = b'{"events":[' + b",".join(events) + b"]}"
        return HookRequest(
            "POST", "/hooks/pigeons/t", signing.webhook_headers(secret or SECRET, "d-1", body, at_s=at_s), body
        )

    def fetch(self, event: bytes) -> Part:
        request = self.deliver([event])
        assert request is not None
        return self.network.split(request, self.connection)[0]

    def foreign(self) -> bytes:
        return b'{"object":"page","entry":[]}'

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        return Outgoing(
            delivery_id=1,
            idempotency_key="key-1",
            attempt=attempt,
            surface=surface or "letter",
            thread_id=1,
            thread_key="t1",
            recipient="marta",
            text=text,
            author_kind="human",
        )

    @contextmanager
    def listening(self) -> Iterator[Office]:
        office = Office(self.channel)
        try:
            yield office
        finally:
            office.close()
