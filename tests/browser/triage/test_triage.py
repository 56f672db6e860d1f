"""A message is understood on arrival: what it is, why, what may hurt; agreed to, corrected and brought back by one key."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser.inbox.conftest import House, Shop, SignIn

pytestmark = pytest.mark.browser
STRANDED = (
    "Stuck at Madrid airport since last night with my baby, nobody helps us. Called three times and nobody answers!"
)
NOISE = "RT and follow to win a free phone!!! #giveaway #win"


def _hear(shop: Shop, sign_in: SignIn, text: str, key: str, **more: str) -> Page:
    shop.say(text, thread=key, customer=key, name=f"{key.title()} Cole", **more)
    page = sign_in()
    page.locator("[data-rows] .row", has_text=f"{key.title()} Cole").click()
    expect(page.locator("[data-region=head]")).to_contain_text(f"{key.title()} Cole")
    return page


def _wait(wanted: Callable[[], bool], timeout_s: float = 30.0) -> bool:
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        if wanted():
            return True
        time.sleep(0.2)
    return wanted()


def test_what_may_hurt_stands_above_the_words_and_a_person_confirms_it(sign_in: SignIn, shop: Shop) -> None:
    page = _hear(shop, sign_in, STRANDED, "stella", visibility="public")
    banner = page.locator('.sign-banner[data-sign="harm"]')
    expect(banner).to_be_visible(timeout=30_000)
    expect(banner.locator("mark").first).to_be_visible()
    expect(page.locator(".row", has_text="Stella").locator(".tag.risk")).to_be_visible()
    banner.get_by_role("button", name="It is so").click()
    expect(page.locator("[data-region=head] .tag.harm")).to_be_visible()
    expect(banner).to_have_count(0)


def test_the_panel_says_what_it_is_how_sure_and_why_and_b_agrees(sign_in: SignIn, shop: Shop) -> None:
    page = _hear(shop, sign_in, "Terrible service, my suitcase arrived broken and nobody replies", "bruno")
    kind = page.locator('.sign[data-sign="kind"]')
    expect(kind).to_contain_text("complaint", timeout=30_000)
    kind.locator("summary").click()
    expect(kind.locator(".because")).to_be_visible()
    page.locator("[data-timeline-scroll]").focus()
    page.keyboard.press("b")
    expect(page.locator('.sign[data-sign="kind"]')).to_contain_text("confirmed")


def test_q_corrects_by_typing_and_z_takes_it_back(sign_in: SignIn, shop: Shop) -> None:
    page = _hear(shop, sign_in, "What time does the desk at gate 4 open tomorrow?", "quinn")
    expect(page.locator('.sign[data-sign="kind"]')).to_be_visible(timeout=30_000)
    page.locator("[data-timeline-scroll]").focus()
    page.keyboard.press("q")
    expect(page.locator("dialog[open] .option").first).to_be_visible()
    page.keyboard.type("request")
    page.keyboard.press("Enter")
    expect(page.locator('.sign[data-sign="kind"] b')).to_have_text("request")
    page.locator("[data-timeline-scroll]").focus()
    page.keyboard.press("z")
    expect(page.locator('.sign[data-sign="kind"] b')).not_to_have_text("request")


def test_noise_in_public_is_set_aside_listed_and_brought_back_by_g(sign_in: SignIn, shop: Shop) -> None:
    shop.say(NOISE, thread="nora", customer="nora", name="Nora Cole", visibility="public")
    page = sign_in(path="/w/air/inbox?view=aside")
    row = page.locator("[data-rows] .row", has_text="Nora Cole")
    assert _wait(lambda: bool(page.reload() and row.count()))
    row.click()
    expect(page.locator(".sign-banner", has_text="Set aside by triage")).to_be_visible()
    page.keyboard.press("g")
    expect(page.locator("[data-region=head]")).to_contain_text("open")
    page.goto(page.url.split("/cases/")[0] + "/inbox?view=team")
    expect(page.locator("[data-rows] .row", has_text="Nora Cole")).to_be_visible()


def test_a_card_is_hidden_until_a_reason_is_given(sign_in: SignIn, shop: Shop) -> None:
    page = _hear(shop, sign_in, "You charged 4111 1111 1111 1111 twice", "carl")
    message = page.locator(".msg", has_text="You charged")
    expect(message).not_to_contain_text("4111")
    expect(message).to_contain_text("hidden: card number")
    message.get_by_role("button", name="show").click()
    page.locator("dialog[open] .option", has_text="To solve their case").click()
    expect(message.locator(".bubble")).to_have_text("You charged 4111 1111 1111 1111 twice")


def test_the_sentences_are_spanish_for_who_reads_spanish(sign_in: SignIn, shop: Shop) -> None:
    shop.say("Llevo 9 horas tirada en Barajas con mi madre en silla de ruedas y nadie me ayuda", thread="elena", customer="elena", name="Elena Cole", visibility="public")  # fmt: skip
    page = sign_in(locale="es-ES")
    page.locator("[data-rows] .row", has_text="Elena Cole").click()
    expect(page.locator('.sign-banner[data-sign="harm"]')).to_be_visible(timeout=30_000)


def test_a_killed_triage_process_costs_a_moment_and_no_verdict(house: House, sign_in: SignIn, shop: Shop) -> None:
    assert house.server.process is not None
    server = psutil.Process(house.server.process.pid)

    def child() -> psutil.Process | None:
        return next((one for one in server.children() if "careline.triage.child" in one.cmdline()), None)

    assert _wait(lambda: child() is not None)
    before = child()
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)
    page = _hear(shop, sign_in, "My refund never arrived and I am very angry", "kim")
    expect(page.locator('.sign[data-sign="kind"]')).to_be_visible(timeout=30_000)
    after = child()
    assert after is not None and after.pid != before.pid


def test_a_killed_house_judges_what_it_had_heard_once(house: House, sign_in: SignIn, shop: Shop) -> None:
    for number in range(20):
        shop.say(f"My suitcase {number} is lost and nobody answers", thread=f"kill-{number}", customer=f"kill-{number}", name=f"Killed {number}")  # fmt: skip
    house.server.kill()
    house.server.start().wait_ready()
    shop.careline = house.server.address
    page = sign_in()
    rows = page.locator('[data-rows] .row[data-kind]:not([data-kind=""])', has_text="Killed")
    assert _wait(lambda: bool(page.reload() and rows.count() == 20)), rows.count()
