"""The first hour of an administrator: invite, connect, hold, look; with and without scripts, large and small."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.settings.conftest import EMAIL, PASSWORD, House

pytestmark = pytest.mark.browser
DESK = "/w/aerolinea-norte"
PAGES = (
    "settings/profile", "settings/security", "settings/workspace", "settings/agents", "settings/teams", "settings/brands",
    "settings/calendars", "settings/calendars/new", "settings/clocks", "settings/tags", "settings/fields",
    "settings/snippets/new", "settings/audit", "channels/", "channels/new", "channels/new/email", "channels/new/generic",
    "channels/new/webchat", "trace/",
)  # fmt: skip


def test_somebody_invited_joins_and_is_seen(house: House) -> None:
    page = house.open(f"{DESK}/settings/agents")
    page.get_by_label("E-mail address").fill("ana@norte.test")
    page.get_by_label("Role").select_option("trainee")
    page.get_by_role("button", name="Invite").click()
    link = page.get_by_label("Invitation link").input_value()
    guest = house.open(link.removeprefix(house.address), signed_in=False)
    guest.get_by_label("Your name").fill("Ana Gil")
    guest.get_by_label("Password").fill("another-long-secret")
    guest.get_by_role("button", name="Join").click()
    guest.wait_for_url("**/w/aerolinea-norte/inbox")
    guest.goto(f"{house.address}{DESK}/settings/agents")
    expect(guest.get_by_text("Not for your role")).to_be_visible()
    page.goto(f"{house.address}{DESK}/settings/agents")
    expect(page.get_by_role("row", name=re.compile("Ana Gil.*Trainee", re.S))).to_be_visible()


def test_a_channel_is_connected_held_and_resumed(house: House) -> None:
    page = house.open(f"{DESK}/channels/")
    page.get_by_role("link", name="Connect a channel").first.click()
    page.get_by_role("link", name=re.compile("^API")).click()
    secret = page.get_by_label("Signing secret").input_value()
    page.get_by_label("Name", exact=True).fill("Partner API")
    page.get_by_role("button", name="Check and connect").click()
    expect(page.get_by_text("Give this to the other side now")).to_be_visible()
    assert secret.startswith("whsec_") and page.locator("input.once").first.input_value() == secret
    expect(page.get_by_label("The platform posts to")).to_have_value(re.compile(r"/hooks/generic/"))
    page.get_by_label("Reason").fill("maintenance")
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_text("Held: neither fetching nor sending")).to_be_visible()
    expect(page.get_by_text("Give this to the other side now")).to_have_count(0)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".channel-state")).to_contain_text("Works")


def test_a_live_check_that_fails_keeps_the_page(house: House) -> None:
    page = house.open(f"{DESK}/channels/new/email")
    page.get_by_label("Mail address").fill("service@norte.test")
    page.get_by_label("Password").first.fill("secret-of-the-mailbox")
    page.get_by_label("IMAP server").fill("127.0.0.1")
    page.get_by_label("SMTP server").fill("127.0.0.1")
    page.get_by_text("more settings").click()
    page.get_by_label("IMAP port").fill("9")
    page.get_by_role("button", name="Check and connect").click()
    expect(page.locator(".say.late").last).to_contain_text("could not be reached", timeout=20_000)
    assert page.get_by_label("Mail address").input_value() == "service@norte.test"
    expect(page.get_by_label("Connect although the live check fails")).to_be_visible()


def test_a_passkey_is_added_and_signs_in_under_the_strict_policy(house: House) -> None:
    page = house.open("/accounts/login/", signed_in=False)
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/inbox")
    page.goto(f"{house.address}/accounts/2fa/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("Laptop")
    page.locator("input[name=passwordless]").check()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/recovery-codes/**")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/inbox")


def test_settings_work_without_any_script(house: House) -> None:
    page = house.open(f"{DESK}/settings/tags", java_script_enabled=False)
    page.get_by_role("link", name="Add a tag").first.click()
    page.get_by_label("Tag", exact=True).fill("Equipaje")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name=re.compile("equipaje"))).to_be_visible()
    page.goto(f"{house.address}{DESK}/settings/audit")
    expect(page.locator("time").first).to_be_visible()
    page.goto(f"{house.address}{DESK}/settings/tags")
    page.get_by_role("button", name="Remove equipaje").click()
    expect(page.get_by_text("Removed.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_passes_the_checks_of_axe(house: House, scheme: str) -> None:
    page = house.open(f"{DESK}/channels/", color_scheme=scheme)
    for path in PAGES:
        page.goto(f"{house.address}{DESK}/{path}")
        assert _violations(page) == [], path


def test_entrance_pages_pass_the_checks_of_axe(house: House) -> None:
    page = house.open("/accounts/login/", signed_in=False)
    for path in ("login/", "password/reset/", "inactive/"):
        page.goto(f"{house.address}/accounts/{path}")
        assert _violations(page) == [], path


def _violations(page: Page) -> list[str]:
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    found = Axe().run(page, options=rules).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]


@pytest.mark.parametrize("width", [360, 768])
def test_no_page_is_wider_than_its_screen(house: House, width: int) -> None:
    page = house.open(f"{DESK}/channels/", viewport={"width": width, "height": 740})
    for path in PAGES:
        page.goto(f"{house.address}{DESK}/{path}")
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, (path, over)
