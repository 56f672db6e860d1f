"""Every screen of a filled desk in Spanish: light and wide, dark and on a phone; and its empty, loading, error and offline states."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from careline import __file__ as package
from tests.browser.demo.conftest import Demo, sign_in

pytestmark = pytest.mark.browser
DESK = "/w/aurora"
SCREENS = (
    "inbox", "inbox?view=mine", "inbox?view=waiting", "inbox?view=snoozed", "inbox?view=all", "search?q=maleta", "notices", "keyboard", "lead", "log",
    "settings/profile", "settings/security", "settings/workspace", "settings/agents", "settings/teams", "settings/brands", "settings/calendars",
    "settings/calendars/new", "settings/clocks", "settings/tags", "settings/fields", "settings/snippets", "settings/snippets/new", "settings/audit",
    "channels/", "channels/new", "channels/new/email", "channels/new/generic", "channels/new/webchat", "channels/new/intake_form", "trace/",
)  # fmt: skip
LOOKS = {
    "light and wide": {"color_scheme": "light", "viewport": {"width": 1440, "height": 900}},
    "dark on a phone": {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}},
}

# The words of a page that are ours: without names and customers' words (bdi, articles, rows), scripts and what people named.
OURS = """() => {
  const body = document.body.cloneNode(true);
  for (const one of body.querySelectorAll("bdi, article, li.row, script, template, textarea, option, code")) one.remove();
  return body.textContent.replace(/\\s+/g, " ");
}"""


def _english_only() -> list[str]:
    """Sentences of ours that read otherwise in Spanish, whole, without placeholders."""
    catalogue = gettext.translation("django", Path(package).parent / "locale", ["es"])._catalog  # type: ignore[attr-defined] # the only list of what it holds
    return [
        said
        for said, meant in catalogue.items()
        if isinstance(said, str) and len(said) >= 12 and " " in said and not re.search(r"[%{]", said) and said != meant
    ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def session(browser: Browser, demo: Demo) -> str:
    """The owner, who has just chosen Spanish on her profile: the cookie of her session."""
    page = browser.new_page()
    sign_in(page, demo, "olga@aurora.example")
    page.wait_for_url("**/inbox*")
    page.goto(f"{demo.address}{DESK}/settings/profile")
    page.locator("select[name=locale]").select_option("es")
    page.locator("form:has(select[name=locale])").get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    return next(one["value"] for one in page.context.cookies() if one["name"] == "careline_session")


@pytest.fixture(params=list(LOOKS))
def page(request: pytest.FixtureRequest, browser: Browser, demo: Demo, session: str) -> Iterator[Page]:
    """A page of hers in one of the looks; what the page complains about fails the test."""
    context = browser.new_context(**LOOKS[request.param])
    context.add_cookies([{"name": "careline_session", "value": session, "url": demo.address}])
    complaints: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []


def test_every_screen_speaks_spanish_and_fits(page: Page, demo: Demo) -> None:
    english = _english_only()
    assert len(english) > 300
    faults = []
    for screen in SCREENS:
        answer = page.goto(f"{demo.address}{DESK}/{screen}")
        assert answer is not None and answer.status == 200, screen
        shown = page.evaluate(OURS)
        faults += [f"{screen}: {said}" for said in english if re.search(rf"(?<!\w){re.escape(said)}(?!\w)", shown)]
        faults += [f"{screen}: says it is not Spanish"] if page.locator("html").get_attribute("lang") != "es" else []
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        faults += [f"{screen}: {over} px too wide"] if over > 0 else []
    assert faults == []


def test_a_screen_with_nothing_says_what_to_do_in_spanish(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.address}{DESK}/search?q=zzzzqqqq")
    expect(page.locator("main")).to_contain_text("No se ha encontrado nada")
    expect(page.locator("main")).to_contain_text("Prueba con menos palabras")


def test_an_address_without_a_case_says_so_in_spanish_and_leads_back(page: Page, demo: Demo) -> None:
    answer = page.goto(f"{demo.address}{DESK}/cases/99999999")
    assert answer is not None and answer.status == 404
    expect(page.locator("main")).to_contain_text("Aquí no hay nada")
    expect(page.locator(f'main a[href="{DESK}/inbox"]')).to_be_visible()


def test_a_slow_case_shows_its_place_and_a_broken_one_an_offer_to_try_again_in_spanish(page: Page, demo: Demo) -> None:
    held: list[Route] = []
    page.goto(f"{demo.address}{DESK}/inbox?view=all")
    page.wait_for_selector('[data-live][data-state="live"]')
    page.route("**/cases/*", lambda route: held.append(route))  # noqa: PLW0108 - the driver wants a function it can mark
    # Further down than what is fetched ahead.
    page.locator("li.row a.row-open").nth(12).click()
    expect(page.locator(".skeleton").first).to_be_visible()
    for route in held:
        route.abort()
    expect(page.locator("[data-region=timeline]")).to_contain_text("No se ha podido abrir este caso")
    page.unroute("**/cases/*")
    page.locator("[data-region=timeline] button").first.click()
    expect(page.locator("[data-region=timeline] article").first).to_be_visible()


def test_a_lost_connection_is_said_in_spanish_and_words_are_kept(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.address}{DESK}/inbox?view=all")
    page.wait_for_selector('[data-live][data-state="live"]')
    page.context.set_offline(True)
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect(page.locator("[data-connection]")).to_be_visible()
    expect(page.locator("[data-connection-words]")).to_contain_text("No se pierde nada")
    page.context.set_offline(False)
    expect(page.locator("[data-connection]")).to_be_hidden(timeout=20_000)
