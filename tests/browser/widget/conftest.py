"""A desk with a chat, the plain site that carries it, and Debian's Chromium."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, sync_playwright

from tests.servers.processes import ROOT, free_port

CHROMIUM = "/usr/bin/chromium"
START_TIMEOUT_S = 90.0


@dataclass
class Desk:
    """The running pair of servers."""

    address: str
    site: str
    process: subprocess.Popen[str]

    def act(self, what: str, **facts: Any) -> Any:
        """Something happens at the desk."""
        request = urllib.request.Request(
            f"{self.site}/act", json.dumps({"what": what, **facts}).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def wait_for(self, wanted: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Look again and again until it is so."""
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            if wanted():
                return True
            time.sleep(0.1)
        return wanted()

    def texts(self) -> list[str]:
        """What visitors said, as the desk knows it."""
        return [one["text"] for one in self.act("said")]


@pytest.fixture
def desk(running_desk: Desk) -> Desk:
    """The desk, emptied; what it keeps in memory for some seconds is waited out where a test changed it."""
    running_desk.act("reset", site=running_desk.site)
    return running_desk


@pytest.fixture(scope="session")
def running_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    tmp_path = tmp_path_factory.mktemp("desk")
    desk_port, site_port = free_port(), free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARELINE_")}
    own = {
        "CARELINE_DATA": str(tmp_path / "data"),
        "CARELINE_BASE_URL": f"http://127.0.0.1:{desk_port}",
        "CARELINE_TRIAGE": "0",
        "DJANGO_SETTINGS_MODULE": "careline.settings",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, str(Path(__file__).with_name("desk.py")), str(desk_port), str(site_port)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, env={**kept, **own}, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.strip() == "READY", (tmp_path / "log").read_text()[-3000:]
        yield Desk(f"http://127.0.0.1:{desk_port}", f"http://127.0.0.1:{site_port}", process)
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@dataclass
class Visit:
    """A page with the chat on it; whatever the browser complains of is kept."""

    page: Page
    complaints: list[str]
    asked: list[str]

    @property
    def chat(self) -> FrameLocator:
        return self.page.frame_locator("careline-chat iframe")

    def open(self) -> None:
        self.page.locator("careline-chat button").click()
        self.chat.locator("#state:not(:empty)").wait_for()

    def say(self, text: str) -> None:
        self.chat.locator("#text").fill(text)
        self.chat.locator("#text").press("Enter")

    def shown(self) -> list[str]:
        return self.chat.locator(".message .bubble").all_inner_texts()


@pytest.fixture
def visit(browser: Browser, desk: Desk) -> Iterator[Callable[..., Visit]]:
    contexts = []

    def go(path: str = "/", **options: Any) -> Visit:
        context = browser.new_context(**{"locale": "en", "viewport": {"width": 1000, "height": 760}, **options})
        contexts.append(context)
        return look(context.new_page(), f"{desk.site}{path}")

    yield go
    for context in contexts:
        context.close()


def look(page: Page, address: str) -> Visit:
    """Open a page of the site and wait for the button."""
    one = Visit(page, [], [])
    page.on("console", lambda said: one.complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: one.complaints.append(str(error)))
    page.on("request", lambda request: one.asked.append(request.url))
    page.goto(address)
    page.locator("careline-chat button").wait_for()
    return one
