"""A Careline process, a shop that speaks and listens over the generic API, and Debian's Chromium."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from careline.kit import signing
from tests.browser.inbox.seeding import SECRET, TOKEN
from tests.servers.processes import Careline

CHROMIUM = "/usr/bin/chromium"


@dataclass
class Shop:
    """The platform's other side: what it received, and what its customers say."""

    server: ThreadingHTTPServer
    received: list[dict[str, Any]] = field(default_factory=list)
    careline: str = ""
    spoken: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/in"

    def answers(self) -> list[str]:
        """Texts of Careline's answers, in order."""
        return [one["text"] for one in self.received if one["type"] == "message"]

    def say(
        self,
        text: str,
        *,
        thread: str,
        customer: str = "marta",
        name: str = "Marta Ruiz",
        visibility: str = "private",
        **more: Any,
    ) -> None:
        """A customer speaks; it is durable when this returns."""
        self.spoken += 1
        event = {
            "type": "message", "id": f"m-{self.spoken}-{time.time_ns()}", "at": _now(), "text": text,
            "thread": {"id": thread, "visibility": visibility}, "customer": {"id": customer, "name": name}, **more,
        }  # fmt: skip
        self._post(event)

    def _post(self, event: dict[str, Any]) -> None:
        body = json.dumps(event).encode()
        headers = {
            **signing.webhook_headers(SECRET, f"w-{self.spoken}-{time.time_ns()}", body),
            "Content-Type": "application/json",
        }
        request = urllib.request.Request(f"{self.careline}/hooks/generic/{TOKEN}", body, headers, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


def _now() -> str:
    return (datetime.now(UTC) - timedelta(seconds=1)).isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """A shop listening on a free port."""

    class Till(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.received.append(json.loads(body))
            answer = json.dumps({"id": f"out-{len(found.received)}"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    found = Shop(ThreadingHTTPServer(("127.0.0.1", 0), Till))
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@dataclass
class House:
    """The running server and who is signed in to it."""

    server: Careline
    sessions: dict[str, str]


@pytest.fixture(scope="session")
def house(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Seeded, started, stopped by SIGTERM."""
    data: Path = tmp_path_factory.mktemp("inbox") / "data"
    server = Careline(
        data, environment={"CARELINE_ALLOW_PRIVATE_ADDRESSES": "1", "DJANGO_SETTINGS_MODULE": "careline.settings"}
    )
    data.mkdir(parents=True)
    printed = server.run(
        shop.address, code="import sys; from tests.browser.inbox.seeding import main; main(sys.argv[1])"
    )
    sessions = json.loads(printed.strip().splitlines()[-1])
    server.start().wait_ready()
    shop.careline = server.address
    yield House(server, sessions)
    server.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(house: House, chromium: Browser) -> Iterator[SignIn]:
    """`sign_in("Ana")` gives Ana's page at the inbox; what a page complains about fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(name: str = "Ana", path: str = "/w/air/inbox?view=team", **options: Any) -> Page:
        context = chromium.new_context(viewport=options.pop("viewport", {"width": 1440, "height": 900}), **options)
        contexts.append(context)
        context.add_cookies([{"name": "careline_session", "value": house.sessions[name], "url": house.server.address}])
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None
        )
        page.goto(house.server.address + path)
        page.wait_for_selector('[data-live][data-state="live"]')
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def row_of() -> Callable[[Page, str], Any]:
    """The row of a case by a piece of its text."""
    return lambda page, text: page.locator("[data-rows] .row", has_text=text)
