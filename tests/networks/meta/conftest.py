"""A real Careline beside a double of Meta's platform, and Debian's Chromium."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.inbox.conftest import House, SignIn, chromium, sign_in
from tests.networks.meta.world import AccountWorld, Knocking, NumberWorld, PageWorld, ThreadsWorld
from tests.servers.processes import Careline

__all__ = ["chromium", "sign_in"]


@pytest.fixture(scope="module")
def page_world() -> Iterator[PageWorld]:
    found = PageWorld()
    yield found
    found.stop()
    assert found.complaints == [], "every request is as Meta describes it"


@pytest.fixture(scope="module")
def account_world() -> Iterator[AccountWorld]:
    found = AccountWorld()
    yield found
    found.stop()
    assert found.complaints == [], "every request is as Meta describes it"


@pytest.fixture(scope="module")
def number_world() -> Iterator[NumberWorld]:
    found = NumberWorld()
    yield found
    found.stop()
    assert found.complaints == [], "every request is as Meta describes it"


@pytest.fixture(scope="module")
def threads_world() -> Iterator[ThreadsWorld]:
    found = ThreadsWorld()
    yield found
    found.stop()
    assert found.complaints == [], "every request is as the documents show it"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Without a channel: each story connects its own."""
    data = tmp_path_factory.mktemp("desk") / "data"
    data.mkdir(parents=True)
    server = Careline(data, environment={"DJANGO_SETTINGS_MODULE": "careline.settings"})
    printed = server.run(code="from tests.networks.seeding import main; main()")
    server.start().wait_ready()
    yield House(server, json.loads(printed.strip().splitlines()[-1]))
    server.stop()


def connect(sign_in: SignIn, world: Knocking, network: str, fields: dict[str, str], **more: str) -> Page:
    """Through the guided page: first with a token Meta does not accept, then with one it does. Gives the channel's page."""
    page = sign_in("Olga")
    page.goto(re.sub(r"/w/air/.*", f"/w/air/channels/new/{network}", page.url))
    world.token["is_valid"] = False
    _fill(page, world, {**fields, **more})
    page.get_by_label("Name", exact=True).fill(f"Aurora on {network}")
    page.get_by_label("Team").select_option(label="Care")
    page.get_by_label(re.compile("undo|taken back", re.I)).fill("0")
    page.get_by_role("button", name="Check and connect").click()
    expect(page.locator(".say.late").last).to_contain_text("does not accept this token", timeout=20_000)
    world.token["is_valid"] = True
    _fill(page, world, fields)
    page.get_by_role("button", name="Check and connect").click()
    page.wait_for_url(re.compile(r"/channels/\d+"))
    return page


def _fill(page: Page, world: Knocking, fields: dict[str, str]) -> None:
    if not page.get_by_label("API address").is_visible():
        page.locator("details.more > summary").first.click()
    page.get_by_label("API address").fill(world.address)
    for label, value in fields.items():
        page.get_by_label(label, exact=True).fill(value)


def open_case(page: Page, text: str) -> None:
    row = page.locator("[data-rows] .row", has_text=text)
    expect(row).to_have_count(1, timeout=20_000)
    row.locator(".row-open").click()
    expect(page.locator("[data-region=timeline]")).to_contain_text(text)


def message(page: Page, text: str) -> Locator:
    return page.locator(".msg", has_text=text)


def write(page: Page, text: str) -> None:
    page.locator("[data-text]").click()
    page.keyboard.insert_text(text)


def until(holds: Callable[[], bool], timeout_s: float = 20.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end_s, "the platform never saw it"
        time.sleep(0.05)
