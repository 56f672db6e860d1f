"""An expert needs no mouse: walking, taking, tagging, snoozing, closing, taking back, finding."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.inbox.conftest import Shop, SignIn
from tests.browser.inbox.test_desk import hear

pytestmark = pytest.mark.browser


def pick(page: Page, words: str) -> None:
    """Choose from the open list by typing."""
    expect(page.locator("dialog[open] .option").first).to_be_visible()
    page.keyboard.type(words)
    expect(page.locator('dialog[open] [aria-selected="true"]')).to_contain_text(words, ignore_case=True)
    page.keyboard.press("Enter")


def test_j_and_k_walk_the_list_and_open_what_they_reach(sign_in: SignIn, shop: Shop) -> None:
    for number in range(3):
        shop.say(f"Walk {number}", thread=f"walk-{number}", customer=f"walk-{number}", name=f"Walker {number}")
    page = sign_in()
    expect(page.locator("[data-rows] .row", has_text="Walk 2")).to_have_count(1)
    numbers = page.locator("[data-rows] .row").evaluate_all("rows => rows.map(row => row.dataset.number)")
    for number in (numbers[0], numbers[1], numbers[2]):
        page.keyboard.press("j")
        expect(page.locator(".row:has([aria-current])")).to_have_attribute("data-number", number)
        expect(page.locator("[data-region=head]")).to_contain_text(re.compile(rf"Case {number}(?!\d)"))
    page.keyboard.press("k")
    expect(page.locator("[data-region=head]")).to_contain_text(re.compile(rf"Case {numbers[1]}(?!\d)"))
    assert page.url.split("?")[0].endswith(f"/cases/{numbers[1]}")


def test_enter_takes_what_was_typed_also_before_the_list_was_drawn_for_it(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Typed fast", "fast-1", name="Fia Fast")
    page.locator("[data-timeline-scroll]").focus()
    page.keyboard.press("a")
    expect(page.locator("dialog[open] .option").first).to_be_visible()
    page.evaluate(
        """() => {
          const find = document.querySelector("dialog[open] .sheet-find");
          find.value = "Ben";
          find.dispatchEvent(new Event("input", { bubbles: true }));
          find.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.locator("[data-region=head]")).to_contain_text("with Ben")


@pytest.mark.parametrize("pause_ms", [20, 400], ids=["before the skeleton", "after the skeleton"])
def test_who_turns_back_before_a_slow_case_came_stays_where_they_turned_to(
    sign_in: SignIn, shop: Shop, pause_ms: int
) -> None:
    for number in range(2):
        shop.say(f"Turn {number}", thread=f"turn-{number}", customer=f"turn-{number}", name=f"Turner {number}")
    page = sign_in()
    expect(page.locator("[data-rows] .row", has_text="Turn 1")).to_have_count(1)
    first, second = page.locator("[data-rows] .row").evaluate_all(
        "rows => rows.slice(0, 2).map(row => row.dataset.number)"
    )
    page.evaluate(
        """number => {
          const ask = window.fetch;
          const late = (...asked) => new Promise((done) => setTimeout(() => done(ask(...asked)), 900));
          window.fetch = (...asked) => (String(asked[0]).includes(`/cases/${number}?`) ? late(...asked) : ask(...asked));
        }""",
        second,
    )
    page.keyboard.press("j")
    expect(page.locator("[data-region=head]")).to_contain_text(re.compile(rf"Case {first}(?!\d)"))
    page.keyboard.press("j")
    page.wait_for_timeout(pause_ms)
    page.keyboard.press("k")
    page.wait_for_timeout(1500)
    expect(page.locator("[data-region=head]")).to_contain_text(re.compile(rf"Case {first}(?!\d)"))
    expect(page.locator(".row:has([aria-current])")).to_have_attribute("data-number", first)
    expect(page.locator("[data-region=timeline] .skeleton")).to_have_count(0)


def test_the_next_case_is_on_screen_at_once_because_it_was_fetched_before(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Fetched before", "fetch-1", name="Fay Fetch")
    page.wait_for_timeout(700)
    before = page.locator("[data-region=head] .meta").inner_text()
    page.context.set_offline(True)
    page.keyboard.press("k")
    expect(page.locator("[data-region=head] .meta")).not_to_have_text(before)
    page.context.set_offline(False)


def test_enter_takes_t_tags_a_assigns_and_z_takes_back(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Take me", "take-1", name="Tia Take")
    page.locator("[data-timeline-scroll]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-region=head]")).to_contain_text("yours")
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    pick(page, "points")
    expect(page.locator('[data-key="tags"]')).to_contain_text("points")
    page.keyboard.press("a")
    pick(page, "Ben")
    expect(page.locator("[data-region=head]")).to_contain_text("with Ben")
    page.keyboard.press("z")
    expect(page.locator("[data-region=head]")).to_contain_text("yours")


def test_e_closes_moves_on_and_z_brings_it_back(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Close me", "close-1", name="Clo Close")
    number = page.locator(".row:has([aria-current])").get_attribute("data-number")
    page.locator("[data-timeline-scroll]").focus()
    page.keyboard.press("e")
    pick(page, "No answer needed")
    expect(page.locator("[data-rows] .row", has_text="Close me")).to_have_count(0)
    expect(page.locator("[data-region=head]")).not_to_contain_text(f"Case {number} ")
    page.keyboard.press("z")
    expect(page.locator("[data-rows] .row", has_text="Close me")).to_have_count(1)


def test_an_exclamation_mark_is_spam_blocks_the_writer_and_z_lets_them_speak_again(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Cheap watches", "spam-1", name="Spa Mer")
    number = page.locator(".row:has([aria-current])").get_attribute("data-number")
    page.mouse.move(700, 300)  # a row stays in its place while the pointer is on it
    page.locator("[data-timeline-scroll]").focus()
    page.keyboard.press("!")
    expect(page.locator(".toast", has_text=f"Case {number} is spam")).to_be_visible()
    assert "is not a function" not in page.locator("body").inner_text()
    expect(page.locator("[data-rows] .row", has_text="Cheap watches")).to_have_count(0)
    desk, spam = page.url.split("/w/air/")[0] + "/w/air/", page.context.new_page()
    spam.goto(f"{desk}cases/{number}?view=spam")
    expect(spam.locator("[data-rows] .row", has_text="Cheap watches")).to_have_count(1)
    expect(spam.locator("[data-region=head]")).to_contain_text("blocked")
    page.bring_to_front()
    page.keyboard.press("z")
    expect(page.locator("[data-rows] .row", has_text="Cheap watches")).to_have_count(1)
    page.goto(f"{desk}cases/{number}")
    expect(page.locator("[data-region=head]")).not_to_contain_text("blocked")


def test_s_puts_a_case_off_until_a_time(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Snooze me", "snooze-1", name="Sue Snooze")
    page.locator("[data-timeline-scroll]").focus()
    page.keyboard.press("s")
    pick(page, "In one hour")
    expect(page.locator("[data-rows] .row", has_text="Snooze me")).to_have_count(0)
    page.goto(page.url.split("/w/air/")[0] + "/w/air/inbox?view=snoozed")
    expect(page.locator("[data-rows] .row", has_text="Snooze me")).to_have_count(1)


def test_ctrl_k_finds_a_case_by_its_words(sign_in: SignIn, shop: Shop) -> None:
    shop.say("The zeppelin was late", thread="find-1", customer="find-1", name="Zoe Find")
    page = sign_in()
    expect(page.locator("[data-rows] .row", has_text="zeppelin")).to_have_count(1)
    page.keyboard.press("Control+k")
    page.keyboard.type("zeppelin")
    expect(page.locator("dialog[open] .option").first).to_contain_text("Zoe Find")
    page.keyboard.press("Enter")
    expect(page.locator("[data-region=head]")).to_contain_text("Zoe Find")


def test_a_slash_offers_snippets_in_the_customers_language(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Where is my parcel, it should have arrived on Monday", "snip-1", name="Sam Snip")
    page.locator("[data-text]").click()
    page.keyboard.type("/hel")
    expect(page.locator("[data-snippets] .preview")).to_contain_text("Hello Sam, this is Ana.")
    page.keyboard.press("Enter")
    expect(page.locator("[data-text]")).to_have_value("Hello Sam, this is Ana.")


def test_keys_can_be_changed_and_switched_off(sign_in: SignIn) -> None:
    page = sign_in(path="/w/air/keyboard")
    field = page.locator('[aria-label="Key for: Next case"]')
    field.focus()
    page.keyboard.press("y")
    expect(page.locator('[aria-label="Key for: Next case"]')).to_have_value("y")
    page.goto(page.url.replace("keyboard", "inbox?view=team"))
    page.wait_for_selector('[data-live][data-state="live"]')
    page.keyboard.press("y")
    expect(page.locator(".row:has([aria-current])")).to_have_count(1)
    page.goto(page.url.split("/w/air/")[0] + "/w/air/keyboard")
    page.locator("[data-single-keys]").uncheck()
    page.goto(page.url.replace("keyboard", "inbox?view=team"))
    page.wait_for_selector('[data-live][data-state="live"]')
    page.keyboard.press("y")
    page.wait_for_timeout(300)
    assert page.locator(".row:has([aria-current])").count() == 0


def test_single_keys_do_nothing_while_typing(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Typing e", "typing-1", name="Ty Ping")
    page.locator("[data-text]").click()
    page.keyboard.type("jekszna")
    expect(page.locator("[data-text]")).to_have_value("jekszna")
    expect(page.locator("dialog[open]")).to_have_count(0)
