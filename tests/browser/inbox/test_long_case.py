"""A case of many messages: it opens with the newest, and the earlier ones come on the way up, by a key, by a link, and stay."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from careline.screens.inbox.case_views import SHOWN_MESSAGES
from tests.browser.inbox.conftest import House, Shop, SignIn

pytestmark = pytest.mark.browser
SAID = SHOWN_MESSAGES + 40
_MESSAGES = "[data-region=timeline] .msg"
# Up again and again as long as nothing came, as a reader would: the module that listens may still be on its way.
_NEAR_THE_TOP = """most => {
  if (document.querySelectorAll("[data-region=timeline] .msg").length > most) return true;
  const scroll = document.querySelector("[data-timeline-scroll]");
  scroll.scrollTop = 900;
  setTimeout(() => document.querySelectorAll("[data-region=timeline] .msg").length > most || (scroll.scrollTop = 40), 60);
}"""


def hear_many(page: Page, shop: Shop, thread: str) -> Page:
    """A customer writes `SAID` times and the agent opens the case: the newest are there, the earlier ones are not."""
    for number in range(SAID):
        shop.say(f"Line {number} of {thread}.", thread=thread, customer=thread, name=thread.title())
    row = page.locator("[data-rows] .row", has_text=f"Line {SAID - 1} of {thread}.")
    expect(row).to_have_count(1, timeout=15000)
    row.locator(".row-open").click()
    expect(page.locator(_MESSAGES)).to_have_count(SHOWN_MESSAGES)
    expect(page.locator(_MESSAGES).first).to_contain_text("Line 40 of")
    expect(page.locator(_MESSAGES).last).to_be_in_viewport()
    return page


def numbers(page: Page) -> list[int]:
    """The lines on screen, in their order."""
    return [
        int(found) for text in page.locator(_MESSAGES).all_inner_texts() for found in re.findall(r"Line (\d+) of", text)
    ]


def test_reading_upwards_brings_what_was_said_before_and_the_reader_keeps_their_place(
    sign_in: SignIn, shop: Shop
) -> None:
    page = hear_many(sign_in(), shop, "longscroll")
    line = page.locator(_MESSAGES, has_text="Line 40 of")
    page.wait_for_function(_NEAR_THE_TOP, arg=SHOWN_MESSAGES, polling=200)
    expect(page.locator(_MESSAGES)).to_have_count(SAID)
    assert numbers(page) == list(range(SAID))
    expect(line).to_be_in_viewport()
    expect(page.locator("[data-region=timeline] .earlier")).to_have_count(0)
    shop.say("One more line, after all.", thread="longscroll", customer="longscroll")
    expect(page.locator(_MESSAGES)).to_have_count(SAID + 1)
    assert numbers(page) == list(range(SAID))


def test_earlier_messages_come_by_keyboard_in_spanish_too(sign_in: SignIn, shop: Shop) -> None:
    page = hear_many(sign_in("Inés"), shop, "longkeys")
    button = page.get_by_role("button", name="Mostrar mensajes anteriores")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(_MESSAGES)).to_have_count(SAID)
    expect(page.locator(_MESSAGES, has_text="Line 40 of")).to_be_focused()
    expect(page.locator("[data-announce]")).to_have_text("Los mensajes anteriores están en pantalla")
    page.keyboard.press("[")
    expect(page.locator(".is-jumped")).to_contain_text("Line 39 of")


def test_jumping_back_past_the_first_message_on_screen_fetches_the_one_before(sign_in: SignIn, shop: Shop) -> None:
    page = hear_many(sign_in(), shop, "longjump")
    page.locator(_MESSAGES).first.evaluate("one => one.classList.add('is-jumped')")
    page.keyboard.press("[")
    expect(page.locator(".is-jumped")).to_contain_text("Line 39 of")
    expect(page.locator(".is-jumped")).to_be_in_viewport()


def test_a_link_to_an_old_message_lands_on_it_and_it_stays(sign_in: SignIn, shop: Shop, house: House) -> None:
    page = hear_many(sign_in(), shop, "longlink")
    page.locator('[data-do="earlier"]').click()
    expect(page.locator(_MESSAGES)).to_have_count(SAID)
    message = page.locator(_MESSAGES, has_text="Line 7 of").get_attribute("id")
    address = page.url.partition("?")[0]
    again = sign_in("Ana", address.removeprefix(house.server.address) + f"#{message}")
    landed = again.locator(f"#{message}")
    expect(landed).to_be_in_viewport()
    expect(landed).to_be_focused()
    assert numbers(again) == list(range(SAID))
    shop.say("And one more.", thread="longlink", customer="longlink")
    expect(again.locator(_MESSAGES).last).to_contain_text("And one more.")
    expect(landed).to_be_in_viewport()
    assert numbers(again) == list(range(SAID))
