"""A message's way on screen: it appears, is answered, taken back, stopped when something new was said, and kept as a draft."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.inbox.conftest import House, Shop, SignIn

pytestmark = pytest.mark.browser


def hear(page: Page, shop: Shop, text: str, thread: str, **more: str) -> Page:
    """A customer speaks and Ana opens the case."""
    shop.say(text, thread=thread, **{"customer": thread, **more})
    row = page.locator("[data-rows] .row", has_text=text)
    expect(row).to_have_count(1)
    row.locator(".row-open").click()
    expect(page.locator("[data-region=timeline]")).to_contain_text(text)
    return page


def write(page: Page, text: str) -> None:
    """Type into the composer as a person does."""
    page.locator("[data-text]").click()
    page.keyboard.type(text)


def test_a_message_appears_on_an_open_screen_by_itself_within_a_second(sign_in: SignIn, shop: Shop) -> None:
    page = sign_in()
    started_s = time.monotonic()
    shop.say("Where is my bag, please?", thread="bag-1", customer="bag-1", name="Bea Bag")
    expect(page.locator("[data-rows] .row", has_text="Where is my bag")).to_have_count(1, timeout=3000)
    assert time.monotonic() - started_s < 3
    expect(page.locator('[data-count="team"] b')).not_to_have_text("0")


def test_a_private_answer_goes_out_after_its_countdown_and_reaches_the_customer(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "I need an invoice", "invoice-1", name="Ivo Invoice")
    expect(page.locator("[data-who-reads]")).to_contain_text("only Ivo Invoice")
    write(page, "Here it comes.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("Goes out in")
    expect(page.locator(".msg.ours")).to_contain_text("Here it comes.")
    expect(page.locator(".msg.ours .delivery")).to_contain_text("sent", timeout=15000)
    assert "Here it comes." in shop.answers()


def test_an_answer_taken_back_in_time_is_never_sent_and_its_words_return(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "A question too many", "undo-1", name="Una Undo")
    write(page, "Too quick an answer")
    page.keyboard.press("Control+Enter")
    page.locator(".toast .act", has_text="Undo").click()
    expect(page.locator("[data-text]")).to_have_value("Too quick an answer")
    expect(page.locator(".msg.ours")).to_have_count(0)
    time.sleep(9)
    assert "Too quick an answer" not in shop.answers()


def test_public_cannot_be_missed(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Third time I write, everyone!", "public-1", name="Pia Public", visibility="public")
    expect(page.locator("[data-composer]")).to_have_attribute("data-mode", "public")
    expect(page.locator("[data-who-reads]")).to_contain_text("PUBLIC · everyone can read this")
    expect(page.locator("[data-who-reads]")).to_contain_text("from @shop")
    write(page, "We are on it.")
    expect(page.locator("[data-send]")).to_contain_text("Reply in public")
    band = page.locator("[data-who-reads]").evaluate("row => getComputedStyle(row).backgroundImage")
    assert "repeating-linear-gradient" in band
    width = page.locator("[data-who-reads]").evaluate("row => row.clientWidth / row.closest('form').clientWidth")
    assert width > 0.98
    page.locator('[data-modes] [data-mode="note"]').click()
    expect(page.locator("[data-who-reads]")).to_contain_text("only colleagues")


def test_a_button_of_the_closed_composer_does_not_slip_away_from_under_the_pointer(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Closed composer", "closed-1")
    composer = page.locator("[data-composer]")
    page.locator("[data-timeline-scroll]").focus()
    expect(composer).not_to_have_class(re.compile("is-open"))
    box = page.locator("[data-do=attach]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    with page.expect_file_chooser() as chosen:
        page.mouse.down()
        page.wait_for_timeout(150)
        page.mouse.up()
    chosen.value.set_files({"name": "plan.txt", "mimeType": "text/plain", "buffer": b"a plan"})
    expect(page.locator("[data-uploads]")).to_contain_text("plan.txt")
    expect(composer).to_have_class(re.compile("is-open"))


def test_personal_data_in_a_public_text_asks_once(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Tell me how to reach you", "personal-1", name="Paz Personal", visibility="public")
    write(page, "Write to marta@example.org please")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-stopped]")).to_contain_text("an e-mail address")
    assert "Write to marta@example.org please" not in shop.answers()
    page.locator("[data-stopped] button", has_text="It may be public").click()
    expect(page.locator(".msg.ours")).to_contain_text("marta@example.org")


def test_something_new_stops_a_send_shows_itself_and_lets_the_writer_decide(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Is anybody there?", "collide-1", name="Coco Collide")
    write(page, "Yes, we are.")
    shop.say("Never mind, it is solved!", thread="collide-1", customer="collide-1", name="Coco Collide")
    expect(page.locator("[data-stopped]")).to_contain_text("Never mind, it is solved!")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-stopped]")).to_contain_text("Read this before you send")
    assert page.locator(".msg.ours").count() == 0
    page.locator("[data-stopped] button", has_text="Send anyway").click()
    expect(page.locator(".msg.ours")).to_contain_text("Yes, we are.")


def test_two_agents_never_answer_twice_unseen(sign_in: SignIn, shop: Shop) -> None:
    ana = hear(sign_in("Ana"), shop, "One question, two agents", "two-1", name="Dora Dos")
    ben = sign_in("Ben", path=ana.url.replace(ana.url.split("/w/")[0], ""))
    expect(ben.locator("[data-region=head]")).to_contain_text("Dora Dos")
    expect(ana.locator("[data-here]")).to_contain_text("B", timeout=6000)
    write(ben, "Ben is on it")
    expect(ana.locator("[data-here-said]")).to_contain_text("Ben is writing", timeout=6000)
    write(ana, "Ana answers as well")
    ben.keyboard.press("Control+Enter")
    expect(ben.locator(".msg.ours")).to_contain_text("Ben is on it")
    expect(ana.locator(".msg.ours")).to_contain_text("Ben is on it")
    ana.keyboard.press("Control+Enter")
    expect(ana.locator("[data-stopped]")).to_be_visible()
    expect(ana.locator(".msg.ours", has_text="Ana answers")).to_have_count(0)


def test_a_draft_survives_a_reload_and_another_browser(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Take your time", "draft-1", name="Dan Draft")
    write(page, "Half a sentence that")
    expect(page.locator("[data-draft-state]")).to_have_text("draft kept")
    page.reload()
    expect(page.locator("[data-text]")).to_have_value("Half a sentence that")
    other = sign_in("Ana", path=re.sub(r"^https?://[^/]+", "", page.url))
    expect(other.locator("[data-text]")).to_have_value("Half a sentence that")


_SLOW = """
const usual = window.fetch;
window.slowly = 0;
window.fetch = async (address, options) => {
  if (!String(address).endsWith("%s")) return usual(address, options);
  window.slowly += 1;
  await new Promise((done) => setTimeout(done, 1500));
  return usual(address, options).finally(() => (window.slowly = -1));
};
"""


def test_a_draft_on_a_slow_line_never_comes_after_its_own_answer(sign_in: SignIn, shop: Shop) -> None:
    page = sign_in()
    page.context.add_init_script(_SLOW % "/drafts")
    page.reload()
    hear(page, shop, "Answer me once", "slow-1", name="Sol Slow")
    write(page, "Said once")
    page.wait_for_function("() => window.slowly > 0")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.ours")).to_contain_text("Said once")
    page.wait_for_function("() => window.slowly < 0")
    page.reload()
    expect(page.locator(".msg.ours")).to_contain_text("Said once")
    expect(page.locator("[data-text]")).to_have_value("")


def test_words_in_the_next_case_stay_when_the_last_answer_gets_through_late(sign_in: SignIn, shop: Shop) -> None:
    page = sign_in()
    page.context.add_init_script(_SLOW % "/replies")
    page.reload()
    hear(page, shop, "The first of two", "late-1", name="Lía Late")
    write(page, "To the first")
    page.keyboard.press("Control+Enter")
    page.wait_for_function("() => window.slowly > 0")
    hear(page, shop, "The second of two", "late-2", name="Lou Later")
    write(page, "To the second")
    page.wait_for_function("() => window.slowly < 0")
    expect(page.locator(".toast")).to_contain_text("Goes out in")
    expect(page.locator("[data-text]")).to_have_value("To the second")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.ours")).to_contain_text("To the second")
    expect(page.locator(".msg.ours", has_text="To the first")).to_have_count(0)


def test_words_stay_while_the_case_changes_around_them(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "First words", "stay-1", name="Sol Stay")
    write(page, "Being written")
    page.locator("[data-text]").evaluate("field => field.setSelectionRange(5, 5)")
    shop.say("Second words", thread="stay-1", customer="stay-1", name="Sol Stay")
    expect(page.locator("[data-region=timeline]")).to_contain_text("Second words")
    assert page.locator("[data-text]").evaluate(
        "field => [field.value, field.selectionStart, document.activeElement === field]"
    ) == ["Being written", 5, True]


def test_a_note_never_leaves_the_house_and_never_becomes_an_answer(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "About a note", "note-1", name="Nora Note")
    page.keyboard.press("n")
    page.keyboard.type("Careful with this one, @Ben")
    page.locator('[data-modes] [data-mode="private"]').click()
    expect(page.locator("[data-text]")).to_have_value("")
    page.locator('[data-modes] [data-mode="note"]').click()
    expect(page.locator("[data-text]")).to_have_value("Careful with this one, @Ben")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.note")).to_contain_text("Careful with this one")
    assert not any("Careful" in text for text in shop.answers())
    ben = sign_in("Ben", path="/w/air/notices")
    expect(ben.locator(".notices")).to_contain_text("Ana asks you in case")


def test_a_lost_connection_is_said_and_caught_up_without_a_reload(sign_in: SignIn, shop: Shop, house: House) -> None:
    page = sign_in()
    page.evaluate("window.isSamePage = true")
    house.server.stop()
    expect(page.locator("[data-connection]")).to_be_visible(timeout=15000)
    expect(page.locator("[data-connection-words]")).to_contain_text("Nothing is lost")
    house.server.start().wait_ready()
    shop.say("Said while you were away", thread="gap-1", customer="gap-1", name="Gil Gap")
    expect(page.locator("[data-rows] .row", has_text="Said while you were away")).to_have_count(1, timeout=30000)
    expect(page.locator("[data-connection]")).to_be_hidden()
    assert page.evaluate("window.isSamePage")
