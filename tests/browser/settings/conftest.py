"""An empty Careline process with its first owner made through the one-time link, and Debian's Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.servers.processes import Careline, free_port

CHROMIUM = "/usr/bin/chromium"
EMAIL, PASSWORD = "olga@norte.test", "muy-larga-y-secreta"


@dataclass
class House:
    """The running server, by a name (passkeys belong to names), with what its pages complained about."""

    server: Careline
    browser: Browser
    state: Any = None
    complaints: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://localhost:{self.server.port}"

    def open(self, path: str = "/", *, signed_in: bool = True, **options: Any) -> Page:
        """A page in a browser context of its own."""
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context: BrowserContext = self.browser.new_context(storage_state=self.state if signed_in else None, **options)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self._hear(page, said.text))
        page.goto(self.address + path)
        return page

    def _hear(self, page: Page, text: str) -> None:
        if "Content Security Policy" in text:
            self.complaints.append(f"{page.url}: {text}")


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Started empty; its owner comes by the link in the log."""
    port = free_port()
    data: Path = tmp_path_factory.mktemp("settings") / "data"
    server = Careline(data, port=port, environment={"CARELINE_BASE_URL": f"http://localhost:{port}"})
    server.start().wait_ready()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        found = House(server, browser)
        found.state = make_owner(found)
        yield found
        browser.close()
    server.stop()
    assert found.complaints == []


def make_owner(house: House) -> Any:
    """The workspace and its owner by the one-time link of the log; what the browser keeps of their sign-in."""
    link = re.findall(r"http://localhost:\d+(/setup/[\w-]+)", house.server.log())[-1]
    page = house.open(link, signed_in=False)
    page.get_by_label("Name of your organisation").fill("Aerolínea Norte")
    page.get_by_label("Your name").fill("Olga Ruiz")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Make the workspace").click()
    assert "too short" in page.locator(".problem").inner_text()
    assert page.get_by_label("Your name").input_value() == "Olga Ruiz"
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the workspace").click()
    page.wait_for_url("**/w/aerolinea-norte/inbox")
    state = page.context.storage_state()
    page.context.close()
    return state
