"""The newcomer's first minutes: `bin/demo --port N` as the README says, sign in as printed, answer Marta in Spanish, see it arrive on the simulated network, stop."""

from __future__ import annotations

import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.servers.processes import ROOT, free_port

pytestmark = pytest.mark.browser
READY_WITHIN_S = 60
ANSWER = "Marta, soy Ana. Su maleta está localizada en Lisboa y sale mañana en el primer vuelo. Le escribo por privado."


@dataclass
class Demo:
    """A running `bin/demo` and what it printed."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    took_s: float

    def printed(self, pattern: str) -> str:
        """The first group of a pattern in what it said."""
        found = re.search(pattern, self.log.read_text())
        assert found is not None, self.log.read_text()[-2000:]
        return found.group(1)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Started by the README's own command, in a data folder of its own."""
    folder, port = tmp_path_factory.mktemp("demo"), free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CARELINE_", "DJANGO_"))}
    environment["CARELINE_DATA"] = str(folder / "data")
    begin_s = time.monotonic()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(ROOT / "bin" / "demo"), "--port", str(port)], stdout=log, stderr=log, env=environment
        )
    running = Demo(process, port, folder / "log", 0)
    try:
        while not _is_ready(port):
            assert process.poll() is None, running.log.read_text()[-3000:]
            assert time.monotonic() - begin_s < READY_WITHIN_S, "not live within a minute"
            time.sleep(0.1)
        running.took_s = time.monotonic() - begin_s
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _sign_in(page: Page, demo: Demo) -> None:
    page.goto(demo.printed(r"Careline\s+(http\S+)"))
    page.fill("input[name=login]", demo.printed(r"Sign in as\s+(\S+)"))
    page.fill("input[name=password]", demo.printed(r"Password\s+(\S+)"))
    page.click("button[type=submit]")


def test_a_newcomer_answers_marta_in_spanish_and_sees_it_arrive_and_the_demo_stops_cleanly(demo: Demo) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        _sign_in(page, demo)
        first = page.locator("li.row").first
        expect(first).to_contain_text("Marta")
        first.locator("a.row-open").click()
        expect(page.locator("body")).to_contain_text("SIMULATED")
        page.locator("textarea").first.fill(ANSWER)
        page.keyboard.press("Control+Enter")
        wall = browser.new_page()
        wall.goto(demo.printed(r"Network\s+(http\S+)"))
        _until_shown(wall, "Su maleta está localizada en Lisboa")
        expect(wall.locator("body")).to_contain_text("SIMULATED")
        browser.close()
    demo.process.terminate()
    assert demo.process.wait(15) == 0
    assert not _is_ready(demo.port)


def _until_shown(wall: Page, words: str) -> None:
    """The wall is a page of the simulated network, which reloads."""
    end_s = time.monotonic() + 40
    while words not in wall.content():
        assert time.monotonic() < end_s, "the answer never reached the network"
        wall.wait_for_timeout(500)
        wall.reload()
