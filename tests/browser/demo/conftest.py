"""A running `bin/demo`, as the README says, for the tests of this folder."""

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
from playwright.sync_api import Page

from tests.servers.processes import ROOT, free_port

READY_WITHIN_S = 60


@dataclass
class Demo:
    """A running `bin/demo` and what it printed."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    took_s: float

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def printed(self, pattern: str) -> str:
        """The first group of a pattern in what it said."""
        found = re.search(pattern, self.log.read_text())
        assert found is not None, self.log.read_text()[-2000:]
        return found.group(1)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Started by the README's own command, in a data folder of its own."""
    folder, port = tmp_path_factory.mktemp("demo"), free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CARELINE_", "DJANGO_"))}
    environment |= {"CARELINE_DATA": str(folder / "data"), "CARELINE_TRIAGE": "0"}
    begin_s = time.monotonic()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(ROOT / "bin" / "demo"), "--port", str(port)], stdout=log, stderr=log, env=environment
        )
    running = Demo(process, port, folder / "log", 0)
    try:
        while not is_ready(port):
            assert process.poll() is None, running.log.read_text()[-3000:]
            assert time.monotonic() - begin_s < READY_WITHIN_S, "not live within a minute"
            time.sleep(0.1)
        running.took_s = time.monotonic() - begin_s
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def sign_in(page: Page, demo: Demo, who: str = "") -> None:
    """With what was printed; `who` for another of the printed addresses."""
    page.goto(demo.printed(r"Careline\s+(http\S+)"))
    page.fill("input[name=login]", who or demo.printed(r"Sign in as\s+(\S+)"))
    page.fill("input[name=password]", demo.printed(r"Password\s+(\S+)"))
    page.click("button[type=submit]")
