"""Files dropped on the case or pasted into the text, and the browser's own notifications."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.inbox.conftest import House, Shop, SignIn
from tests.browser.inbox.test_desk import hear, write
from tests.browser.inbox.test_keyboard import pick
from tests.browser.inbox.test_whole_desk import PNG

pytestmark = pytest.mark.browser
CARRY = """([kind, where, name, bytes]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true })
    : new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true });
  document.querySelector(where).dispatchEvent(event);
}"""


def carry(page: Page, kind: str, where: str, name: str) -> None:
    """What a hand with a mouse, or Ctrl-V, makes of a picture. Each differs in its last bytes: the same file goes out once."""
    page.evaluate(CARRY, [kind, where, name, list(PNG + name.encode())])


def test_a_dropped_and_a_pasted_picture_go_out_together(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Two pictures, please", "drop-1", name="Dora Drop")
    carry(page, "dragover", "[data-text]", "dropped.png")
    expect(page.locator(".is-dropping")).to_have_count(1)
    carry(page, "drop", "[data-text]", "dropped.png")
    expect(page.locator(".is-dropping")).to_have_count(0)
    carry(page, "paste", "[data-text]", "pasted.png")
    expect(page.locator(".upload")).to_have_count(2)
    expect(page.locator(".upload progress")).to_have_count(0)
    write(page, "Both of them")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.ours .delivery")).to_contain_text("sent", timeout=15000)
    sent = next(one for one in shop.received if one.get("text") == "Both of them")
    assert sorted(file["name"] for file in sent["files"]) == ["dropped.png", "pasted.png"]


def test_pasted_words_stay_words(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Words only", "drop-2", name="Wanda Words")
    page.locator("[data-text]").click()
    page.evaluate(
        """() => { const carried = new DataTransfer(); carried.setData("text/plain", "AB12CD");
        document.querySelector("[data-text]").dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true })); }"""
    )
    expect(page.locator(".upload")).to_have_count(0)


# Chromium's own Notification, with a note of what was shown; and a page that is not in front.
WATCHED = """
  window.shown = [];
  window.Notification = new Proxy(Notification, { construct: (made, given) => (window.shown.push(given[1].body), new made(...given)) });
  Object.defineProperty(document, "hidden", { get: () => window.isAway === true });
"""


def test_the_browser_tells_of_an_assignment_a_mention_and_a_reply_when_the_page_is_not_in_front(
    sign_in: SignIn, shop: Shop, house: House
) -> None:
    ana = sign_in(permissions=["notifications"])
    ana.context.grant_permissions(["notifications"], origin=house.server.address)
    ana.add_init_script(WATCHED)
    ana.reload()
    ana.wait_for_selector('[data-live][data-state="live"]')
    ana.evaluate("window.isAway = true")
    ben = hear(sign_in("Ben"), shop, "Who looks after me?", "notice-1", name="Nora Notice")
    write_note(ben, "@Ana can you look?")
    expect_shown(ana, 1, "Ben")
    assign(ben, "Ana")
    expect_shown(ana, 2)
    shop.say("Hello? Anybody?", thread="notice-1", customer="notice-1", name="Nora Notice")
    expect_shown(ana, 3)
    ana.evaluate("window.isAway = false")
    shop.say("Still here", thread="notice-1", customer="notice-1", name="Nora Notice")
    expect(ana.locator("[data-notice-count]")).to_have_text(re.compile("[4-9]"))
    assert len(ana.evaluate("window.shown")) == 3, "a page in front needs no notification"


def expect_shown(page: Page, count: int, words: str = "") -> None:
    """As many notifications were shown, the newest with these words."""
    page.wait_for_function("count => window.shown.length >= count", arg=count, timeout=8000)
    shown = page.evaluate("window.shown")
    assert len(shown) == count and words in shown[-1], shown


def write_note(page: Page, text: str) -> None:
    """A note, by its key."""
    page.locator("[data-region=timeline]").click()
    page.keyboard.press("n")
    page.keyboard.type(text)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.note, .note").last).to_contain_text("can you look?")


def assign(page: Page, name: str) -> None:
    """By the key, as an agent does."""
    page.locator("[data-timeline-scroll]").focus()
    page.keyboard.press("a")
    pick(page, name)
    expect(page.locator("[data-region=head]")).to_contain_text(f"with {name}")
