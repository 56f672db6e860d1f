"""The newcomer's first minutes: `bin/demo --port N` as the README says, sign in as printed, answer Marta in Spanish, see it arrive on the simulated network, stop."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.demo.conftest import Demo, is_ready, sign_in

pytestmark = pytest.mark.browser
ANSWER = "Marta, soy Ana. Su maleta está localizada en Lisboa y sale mañana en el primer vuelo. Le escribo por privado."


def test_a_newcomer_answers_marta_in_spanish_and_sees_it_arrive_and_the_demo_stops_cleanly(demo: Demo) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        sign_in(page, demo)
        first = page.locator("li.row").first
        expect(first).to_contain_text("Marta")
        expect(first.locator(".tag.simulated")).to_have_text("SIMULATED")
        first.locator("a.row-open").click()
        expect(page.locator(".who h1 .tag.simulated")).to_have_text("SIMULATED")
        expect(page.locator("[data-who-reads] .tag.simulated")).to_have_text("SIMULATED")
        page.locator("textarea").first.fill(ANSWER)
        page.keyboard.press("Control+Enter")
        wall = browser.new_page()
        wall.goto(demo.printed(r"Network\s+(http\S+)"))
        _until_shown(wall, "Su maleta está localizada en Lisboa")
        expect(wall.locator("body")).to_contain_text("SIMULATED")
        browser.close()
    demo.process.terminate()
    assert demo.process.wait(15) == 0
    assert not is_ready(demo.port)


def _until_shown(wall: Page, words: str) -> None:
    """The wall is a page of the simulated network, which reloads."""
    end_s = time.monotonic() + 40
    while words not in wall.content():
        assert time.monotonic() < end_s, "the answer never reached the network"
        wall.wait_for_timeout(500)
        wall.reload()
