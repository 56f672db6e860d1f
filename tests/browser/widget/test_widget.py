"""The widget on a plain HTML page of another origin, in a real browser, against a real desk."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

from careline.channels.webchat.visitors import identity_hash
from tests.browser.widget.conftest import Desk, Visit, look

pytestmark = pytest.mark.browser
Go = Callable[..., Visit]
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000002000000020802000000fdd49a73000000164944415478da63fccfc0f09f81818181898181810100200603026c9d5ca70000000049454e44ae426082"
)


def test_a_chat_goes_both_ways_in_real_time_and_asks_no_third_party(desk: Desk, visit: Go) -> None:
    one = visit()
    one.open()
    one.say("¿Dónde está mi maleta?")
    assert desk.wait_for(lambda: desk.texts() == ["¿Dónde está mi maleta?"])
    desk.act("answer", text="Ya la busco.")
    expect(one.chat.locator(".message:not(.own) .bubble")).to_have_text("Ya la busco.", timeout=3000)
    expect(one.chat.locator(".message.own .foot")).to_contain_text("Sent")
    assert desk.wait_for(lambda: desk.act("states") == ["read"])
    assert one.complaints == []
    assert {
        re.sub(r"^(https?://[^/]+).*", r"\1", url) for url in one.asked if not url.startswith(("blob:", "data:"))
    } <= {desk.site, desk.address}


def test_the_button_moves_nothing_on_the_page(visit: Go) -> None:
    one = visit()
    shift = """() => new Promise((done) => {
      let total = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((entry) => (total += entry.value))).observe({ type: "layout-shift", buffered: true });
      setTimeout(() => done(total), 600);
    })"""
    before = one.page.locator("#text").bounding_box()
    one.open()
    assert one.page.evaluate(shift) == 0
    assert one.page.locator("#text").bounding_box() == before


def test_a_visitor_who_comes_back_finds_the_conversation_and_what_was_missed_is_counted(desk: Desk, visit: Go) -> None:
    one = visit()
    one.open()
    one.say("Hello")
    assert desk.wait_for(lambda: desk.texts() == ["Hello"])
    one.page.locator("careline-chat button").click()
    one.page.goto("about:blank")
    desk.act("answer", text="While you were away")
    one.page.goto(f"{desk.site}/two")
    badge = one.page.locator("careline-chat .badge")
    expect(badge).to_have_text("1", timeout=5000)
    expect(one.page.get_by_role("button", name="Open chat, 1 unread")).to_be_visible()
    one.page.locator("careline-chat button").click()
    expect(one.chat.locator(".message:not(.own) .bubble")).to_have_text("While you were away")
    assert one.shown() == ["Hello", "While you were away"]
    expect(badge).to_be_hidden()


def test_nobody_is_remembered_for_merely_looking(desk: Desk, visit: Go) -> None:
    one = visit()
    one.open()
    frame = next(frame for frame in one.page.frames if "/chat" in frame.url)
    assert frame.evaluate("Object.keys(localStorage).filter((name) => name.endsWith(':tokens'))") == []
    one.say("Hello")
    expect(one.chat.locator(".message.own")).to_have_count(1)
    assert frame.evaluate("Object.keys(localStorage).filter((name) => name.endsWith(':tokens')).length") == 1
    assert one.page.context.cookies() == []
    assert desk.wait_for(lambda: desk.texts() == ["Hello"])


def test_what_is_written_offline_is_kept_and_sent_once_when_the_line_is_back(desk: Desk, visit: Go) -> None:
    one = visit()
    one.open()
    one.say("before")
    assert desk.wait_for(lambda: desk.texts() == ["before"])
    one.page.context.set_offline(True)
    one.say("in the tunnel")
    one.say("still in the tunnel")
    expect(one.chat.locator("#banner")).to_contain_text("You are offline")
    expect(one.chat.locator(".message.waiting")).to_have_count(2)
    one.page.context.set_offline(False)
    assert desk.wait_for(lambda: len(desk.texts()) == 3, 30)
    assert desk.texts() == ["before", "in the tunnel", "still in the tunnel"]
    expect(one.chat.locator("#banner")).to_be_hidden(timeout=20000)
    expect(one.chat.locator(".message.own")).to_have_count(3)


def test_a_browser_that_refuses_other_sites_storage_and_locks_still_sends(desk: Desk, visit: Go) -> None:
    other = desk.site.replace("127.0.0.1", "localhost")
    desk.act("set", settings={"origins": f"{desk.site} {other}", "title": "Aurora Air"})
    before = visit()
    before.page.wait_for_timeout(300)
    one = look(before.page, f"{other}/")
    one.open()
    one.say("first")
    one.say("second")
    assert desk.wait_for(lambda: desk.texts() == ["first", "second"])
    expect(one.chat.locator(".message.own .foot").last).to_contain_text("Sent")
    inside = next(frame for frame in one.page.frames if "/chat" in frame.url)
    refused = "navigator.locks.request('x', () => '').then(() => false, () => true)"
    assert inside.evaluate(refused)


def test_a_stream_that_was_cut_comes_back_without_loss_or_double(desk: Desk, visit: Go) -> None:
    one = visit()
    one.open()
    one.say("Hello")
    assert desk.wait_for(lambda: desk.texts() == ["Hello"])
    desk.act("answer", text="first")
    expect(one.chat.locator(".message:not(.own)")).to_have_count(1)
    one.page.context.set_offline(True)
    one.page.wait_for_timeout(300)
    desk.act("answer", text="second")
    desk.act("answer", text="third")
    one.page.wait_for_timeout(1500)
    one.page.context.set_offline(False)
    expect(one.chat.locator(".message:not(.own)")).to_have_count(3, timeout=30000)
    assert one.shown() == ["Hello", "first", "second", "third"]


def test_two_tabs_show_the_same_conversation(desk: Desk, visit: Go) -> None:
    one = visit()
    one.open()
    one.say("from the first tab")
    assert desk.wait_for(lambda: len(desk.texts()) == 1)
    two = look(one.page.context.new_page(), f"{desk.site}/two")
    two.open()
    expect(two.chat.locator(".message.own .bubble")).to_have_text("from the first tab")
    two.say("from the second tab")
    expect(one.chat.locator(".message.own")).to_have_count(2, timeout=5000)
    assert one.shown() == two.shown() == ["from the first tab", "from the second tab"]
    assert desk.texts() == one.shown()


def test_files_travel_both_ways(desk: Desk, visit: Go, tmp_path: Path) -> None:
    (tmp_path / "bag.png").write_bytes(PNG)
    (tmp_path / "ticket.txt").write_text("AB123")
    one = visit()
    one.open()
    one.chat.locator("#file").set_input_files([tmp_path / "bag.png", tmp_path / "ticket.txt"])
    expect(one.chat.locator("#chips li")).to_have_count(2)
    one.say("two files")
    assert desk.wait_for(lambda: [row["files"] for row in desk.act("said")] == [2])
    expect(one.chat.locator(".message.own .files img")).to_have_count(1)
    desk.act("answer", text="back to you", with_file=True)
    expect(one.chat.locator(".message:not(.own) .files li")).to_have_count(2, timeout=5000)
    with one.page.expect_download() as download:
        one.chat.get_by_role("button", name=re.compile("Download ticket.txt")).last.click()
    assert Path(download.value.path()).read_text() == "AB123"
    assert one.complaints == []


def test_a_file_over_the_limit_is_named_and_the_words_stay(visit: Go, tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    one = visit()
    one.open()
    one.chat.locator("#text").fill("my words")
    one.chat.locator("#file").set_input_files(tmp_path / "big.bin")
    expect(one.chat.locator("#problem")).to_contain_text("big.bin is too big")
    expect(one.chat.locator("#text")).to_have_value("my words")


def test_script_in_names_and_words_is_shown_and_never_run(desk: Desk, visit: Go) -> None:
    one = visit()
    one.open()
    script = "<img src=x onerror=\"parent.postMessage('x','*');document.title='owned'\"><script>document.title='owned'</script>"
    one.say(script)
    assert desk.wait_for(lambda: desk.texts() == [script])
    desk.act("answer", text=f"{script} javascript:alert(1) https://air.example/a")
    expect(one.chat.locator(".message:not(.own)")).to_have_count(1)
    assert one.chat.locator("#log img, #log script").count() == 0
    assert one.chat.locator("#log a").evaluate_all("links => links.map((link) => link.href)") == [
        "https://air.example/a"
    ]
    assert one.page.title() == "Aurora Air"


def test_a_message_over_the_limit_is_counted_and_not_sent(desk: Desk, visit: Go) -> None:
    one = visit()
    one.open()
    one.chat.locator("#text").fill("x" * 8001)
    expect(one.chat.locator("#left")).to_have_text("1 characters too many")
    one.chat.locator("#send").click(force=True)
    expect(one.chat.locator("#problem")).to_be_visible()
    assert desk.texts() == []


def test_the_sites_signed_user_is_known_by_name(desk: Desk, visit: Go) -> None:
    proof = identity_hash("known to the site", "c-4", "marta@example.com")
    one = visit(f"/?user-id=c-4&user-email=marta@example.com&user-name=Marta&user-hash={proof}")
    one.open()
    one.say("Hello")
    assert desk.wait_for(lambda: [row["name"] for row in desk.act("said")] == ["Marta"])
    expect(one.chat.locator("#mail")).to_be_hidden()
    forged = visit("/?user-id=c-5&user-name=Ana&user-hash=" + proof)
    forged.page.locator("careline-chat button").click()
    expect(forged.chat.locator("#banner")).to_contain_text("not available")


def test_signing_out_takes_the_conversation_off_the_screen(desk: Desk, visit: Go) -> None:
    one = visit()
    one.open()
    proof = identity_hash("known to the site", "c-4")
    one.page.evaluate("(hash) => Careline.identify({ id: 'c-4', name: 'Marta', hash })", proof)
    one.say("secret")
    assert desk.wait_for(lambda: desk.texts() == ["secret"])
    one.page.evaluate("Careline.logout()")
    expect(one.chat.locator(".message")).to_have_count(0)
    one.page.evaluate("(hash) => Careline.identify({ id: 'c-4', name: 'Marta', hash })", proof)
    expect(one.chat.locator(".message .bubble")).to_have_text("secret")


def test_a_site_that_is_not_listed_gets_no_chat(desk: Desk, visit: Go) -> None:
    desk.act("set", settings={"origins": "https://only.example"})
    one = visit()
    one.page.wait_for_timeout(300)
    one.page.locator("careline-chat button").click()
    one.page.wait_for_timeout(500)
    assert one.chat.locator("#composer").count() == 0


def test_an_address_left_is_kept_shown_and_can_be_changed(desk: Desk, visit: Go) -> None:
    one = visit()
    one.open()
    expect(one.chat.locator("#mail")).to_be_hidden()
    one.say("Hello")
    one.chat.get_by_role("button", name="Get the answer by e-mail if you leave").click()
    one.chat.get_by_label("Get the answer by e-mail if you leave").fill("no address")
    one.chat.get_by_role("button", name="Save").click()
    expect(one.chat.locator("#email-note")).to_contain_text("not an e-mail address")
    expect(one.chat.locator("#email")).to_have_value("no address")
    one.chat.locator("#email").fill("marta@example.com")
    one.chat.get_by_role("button", name="Save").click()
    expect(one.chat.locator("#email-note")).to_contain_text("the answer also goes to marta@example.com")
    one.chat.get_by_role("button", name="Change").click()
    expect(one.chat.locator("#email")).to_have_value("marta@example.com")


def test_a_closed_office_says_so_and_when_it_opens(desk: Desk, visit: Go) -> None:
    desk.act("close_office")
    one = visit(locale="es-ES")
    one.page.locator("careline-chat button").click()
    expect(one.chat.locator("#state")).to_contain_text("Cerrado ahora")
    expect(one.chat.locator("#welcome")).to_contain_text("una persona lo leerá")
    one.say("Hola")
    expect(one.chat.locator("#email")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "locale", "word"),
    [
        ("/", "es-MX", "Escribir un mensaje"),
        ("/?lang=es", "en", "Escribir un mensaje"),
        ("/?lang=en", "es", "Write a message"),
        ("/", "fr", "Write a message"),
    ],
)
def test_the_browsers_language_is_spoken_unless_the_site_says_otherwise(
    visit: Go, path: str, locale: str, word: str
) -> None:
    one = visit(path, locale=locale)
    one.open()
    expect(one.chat.get_by_placeholder(word)).to_be_visible()


def test_everything_works_by_keyboard_and_escape_gives_the_focus_back(desk: Desk, visit: Go) -> None:
    one = visit()
    expect(one.page.locator("careline-chat button")).to_be_visible()
    one.page.keyboard.press("Tab")
    one.page.keyboard.press("Tab")
    expect(one.page.locator("careline-chat button")).to_be_focused()
    one.page.keyboard.press("Enter")
    expect(one.chat.locator("#text")).to_be_focused()
    one.page.keyboard.type("by keyboard")
    one.page.keyboard.press("Shift+Enter")
    one.page.keyboard.type("alone")
    one.page.keyboard.press("Enter")
    assert desk.wait_for(lambda: desk.texts() == ["by keyboard\nalone"])
    one.page.keyboard.press("Escape")
    expect(one.page.locator("careline-chat button")).to_be_focused()
    expect(one.page.get_by_role("button", name="Open chat")).to_have_attribute("aria-expanded", "false")


def test_what_is_written_before_the_chat_has_begun_is_sent_once_it_has(desk: Desk, visit: Go) -> None:
    one = visit()
    held: list[Route] = []
    one.page.route("**/session", lambda route: held.extend([route]))
    one.page.locator("careline-chat button").click()
    expect(one.chat.locator("#text")).to_be_focused()
    one.page.keyboard.type("in a hurry")
    one.page.keyboard.press("Enter")
    expect(one.chat.locator(".message.own .bubble")).to_have_text("in a hurry")
    one.page.keyboard.type("and more")
    one.page.wait_for_timeout(500)
    assert len(held) == 1
    held[0].continue_()
    assert desk.wait_for(lambda: desk.texts() == ["in a hurry"])
    expect(one.chat.locator(".message.own .foot")).to_contain_text("Sent")
    assert one.shown() == ["in a hurry"]
    expect(one.chat.locator("#text")).to_have_value("and more")
    one.page.unroute("**/session")
    one.page.reload()
    one.chat.locator("#state:not(:empty)").wait_for()
    expect(one.chat.locator("#text")).to_have_value("and more")
    assert one.shown() == ["in a hurry"]
    assert desk.texts() == ["in a hurry"]


def test_on_a_phone_the_chat_fills_the_screen_and_keeps_the_focus_inside(visit: Go) -> None:
    one = visit(viewport={"width": 360, "height": 740}, locale="es")
    one.open()
    box = one.page.locator("careline-chat iframe").bounding_box()
    assert box is not None and (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 360, 740)
    stops = []
    for _ in range(8):
        one.page.keyboard.press("Tab")
        stops.append(one.page.evaluate("document.activeElement.tagName"))
    assert set(stops) == {"CARELINE-CHAT"}
    width = one.chat.locator("body").evaluate("body => [body.scrollWidth, innerWidth]")
    assert width[0] <= width[1]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1000), ("dark", 1000), ("light", 360)])
def test_no_rule_of_accessibility_is_broken(desk: Desk, visit: Go, scheme: str, width: int) -> None:
    one = visit(color_scheme=scheme, viewport={"width": width, "height": 740})
    one.open()
    one.say("Hello https://air.example/a")
    assert desk.wait_for(lambda: len(desk.texts()) == 1)
    desk.act("answer", text="Here is the answer https://air.example/b")
    expect(one.chat.locator(".message:not(.own)")).to_have_count(1)
    one.chat.get_by_role("button", name="Get the answer by e-mail if you leave").click()
    inside = next(frame for frame in one.page.frames if "/chat" in frame.url)
    for place in (inside, one.page):
        found = Axe().run(place, context="careline-chat" if place is one.page else None)
        assert found.violations_count == 0, found.generate_report()
        assert found.response["passes"]


def test_a_site_with_a_strict_policy_of_its_own_can_still_show_the_chat(visit: Go) -> None:
    one = visit("/strict")
    box = one.page.locator("careline-chat button").bounding_box()
    assert box is not None and (box["width"], box["height"]) == (56, 56)
    one.open()
    assert one.complaints == []


def test_each_side_sees_the_other_type(desk: Desk, visit: Go) -> None:
    one = visit()
    one.open()
    one.say("Hello")
    assert desk.wait_for(lambda: desk.texts() == ["Hello"])
    expect(one.chat.locator(".message.own")).to_have_count(1)
    name, key = desk.act("sign_in", name="Ana")
    agent = one.page.context.browser.new_context(viewport={"width": 1300, "height": 800})  # type: ignore[union-attr]
    agent.add_cookies([{"name": name, "value": key, "url": desk.address}])
    screen = agent.new_page()
    screen.goto(f"{desk.address}/w/air/cases/{desk.act('case')}")
    expect(screen.locator("[data-live]")).to_have_attribute("data-state", "live", timeout=15000)
    one.chat.locator("#text").press_sequentially("still writing")
    expect(screen.locator("[data-here-said]")).to_have_text("The customer is writing")
    box = screen.get_by_role("textbox").last
    box.click()
    box.press_sequentially("Ya la busco")
    expect(one.chat.locator("#typing")).to_be_visible(timeout=8000)
    agent.close()
