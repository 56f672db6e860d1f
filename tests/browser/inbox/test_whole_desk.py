"""The rest of the desk: several at once, files, fields, persons, the lead's page, a phone, and what is seen by whom."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from careline.kit import counting
from tests.browser.inbox.conftest import House, Shop, SignIn
from tests.browser.inbox.test_desk import hear, write
from tests.browser.inbox.test_keyboard import pick

pytestmark = pytest.mark.browser
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
    "18dd8db00000000049454e44ae426082"
)


def test_several_cases_are_closed_in_one_stroke_and_one_undo(sign_in: SignIn, shop: Shop) -> None:
    for number in range(3):
        shop.say(f"Bulk {number}", thread=f"bulk-{number}", customer=f"bulk-{number}", name=f"Bulk {number}")
    page = sign_in()
    rows = page.locator("[data-rows] .row", has_text=re.compile(r"Bulk \d"))
    expect(rows).to_have_count(3)
    for row in rows.all():
        row.locator("[data-pick]").check()
    expect(page.locator("[data-bulk-count]")).to_have_text("3 cases chosen")
    page.locator('[data-do="bulk-close"]').click()
    pick(page, "Solved")
    expect(rows).to_have_count(0)
    page.locator(".toast .act", has_text="Undo").click()
    expect(rows).to_have_count(3)


def test_a_picture_goes_out_with_an_answer(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Send me the picture", "file-1", name="Fia File")
    page.locator("[data-file]").set_input_files({"name": "plane.png", "mimeType": "image/png", "buffer": PNG})
    expect(page.locator(".upload")).to_contain_text("plane.png")
    expect(page.locator(".upload progress")).to_have_count(0)
    write(page, "Here is the picture")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.ours .file-image img")).to_have_attribute("alt", "plane.png")
    expect(page.locator(".msg.ours .delivery")).to_contain_text("sent", timeout=15000)
    sent = next(one for one in shop.received if one.get("text") == "Here is the picture")
    assert [file["name"] for file in sent["files"]] == ["plane.png"]
    shown = page.locator(".msg.ours .file-image img").evaluate("image => image.naturalWidth")
    assert shown == 1


def test_a_field_that_does_not_fit_its_pattern_says_so_beside_it(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "My booking is nonsense", "field-1", name="Fay Field")
    field = page.locator('[data-field][name="booking"]')
    field.fill("x")
    field.press("Enter")
    field.blur()
    expect(page.locator(".field-line .problem")).to_be_visible()
    expect(field).to_have_value("x")
    field.fill("AB12CD")
    field.blur()
    expect(page.locator(".toast").last).to_contain_text("changed")
    page.goto(page.url.split("/w/air/")[0] + "/w/air/search?q=AB12CD")
    expect(page.locator(".found .row")).to_contain_text("Fay Field")


def test_what_is_under_the_pointer_does_not_move(sign_in: SignIn, shop: Shop) -> None:
    page = sign_in()
    shop.say("Pointer ground", thread="point-0", customer="point-0", name="Poe Ground")
    expect(page.locator("[data-rows] .row", has_text="Pointer ground")).to_have_count(1)
    row = page.locator("[data-rows] .row").first
    row.hover()
    page.mouse.move(*_middle(row.bounding_box()))
    before = page.evaluate(_UNDER, _middle(row.bounding_box()))
    shop.say("Someone may be hurt, help!", thread="point-1", customer="point-1", name="Pia New")
    page.wait_for_timeout(1200)
    assert page.evaluate(_UNDER, _middle(row.bounding_box())) == before
    page.mouse.move(900, 500)
    expect(page.locator("[data-rows] .row", has_text="Someone may be hurt")).to_have_count(1)


_UNDER = "([x, y]) => document.elementFromPoint(x, y).closest('.row').dataset.number"


def _middle(box: dict[str, float] | None) -> list[float]:
    assert box is not None
    return [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]


def test_lengths_are_counted_in_the_browser_as_on_the_server(sign_in: SignIn) -> None:
    texts = ["", "plain", "ñandú", "👩‍👩‍👧‍👦 family", "e\u0301", "مرحبا", "日本語", "👍🏽", "a\nb", "x" * 300]
    page = sign_in()
    address = page.evaluate(
        "JSON.parse(document.querySelector('script[type=importmap]').textContent).imports['/static/js/counting.js']"
    )
    for unit in ("chars", "codepoints", "utf16", "bytes", "graphemes"):
        measured = page.evaluate(
            "async ([address, texts, unit]) => { const {measure} = await import(address); return texts.map(text => measure(text, unit)); }",
            [address, texts, unit],
        )
        assert measured == [counting.measure(text, unit) for text in texts], unit


def test_a_second_problem_of_the_same_person_is_joined_by_one_key(sign_in: SignIn, shop: Shop) -> None:
    page = sign_in()
    shop.say("First place", thread="join-1", customer="join", name="Joan Join")
    expect(page.locator("[data-rows] .row", has_text="First place")).to_have_count(1)
    shop.say("Second place, same problem", thread="join-2", customer="join", name="Joan Join")
    page.locator("[data-rows] .row", has_text="Second place").locator(".row-open").click()
    expect(page.locator(".failed")).to_contain_text("wrote before and was not helped")
    page.locator('[data-do="join-case"]').click()
    expect(page.locator("[data-region=timeline]")).to_contain_text("First place")
    expect(page.locator("[data-region=timeline]")).to_contain_text("Second place, same problem")
    expect(page.locator("[data-rows] .row", has_text="Joan Join")).to_have_count(1)


def test_bystanders_fold_and_brackets_jump_between_the_customers_own_words(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "My flight was lost", "fold-1", name="Flo Fold", visibility="public")
    shop.say("Mine too", thread="fold-1", customer="other", name="Otto Other", visibility="public", addressed=False)
    shop.say("Still nothing", thread="fold-1", customer="fold-1", name="Flo Fold", visibility="public")
    expect(page.locator("[data-region=timeline]")).to_contain_text("Still nothing")
    expect(page.locator(".fold summary")).to_contain_text("1 reply by someone else")
    expect(page.locator(".fold .msg")).to_be_hidden()
    page.locator("[data-timeline-scroll]").focus()
    page.keyboard.press("[")
    expect(page.locator(".is-jumped")).to_contain_text(re.compile("My flight was lost|Still nothing"))
    page.locator(".fold summary").click()
    shop.say("And again", thread="fold-1", customer="fold-1", name="Flo Fold", visibility="public")
    expect(page.locator("[data-region=timeline]")).to_contain_text("And again")
    expect(page.locator(".fold .msg")).to_be_visible()


def test_a_case_opens_at_the_customers_last_words_when_others_went_on_below(sign_in: SignIn, shop: Shop) -> None:
    shop.say("I was here first", thread="rest-1", customer="rest-1", name="Ria Rest", visibility="public")
    page = hear(sign_in(), shop, "And I came second", "rest-1", customer="rest-2", name="Rob Rest", visibility="public")
    page.locator("[data-text]").fill("\n".join(f"To Rob, line {number}" for number in range(60)))
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.ours")).to_contain_text("line 59")
    page.locator("[data-rows] .row", has_text="I was here first").locator(".row-open").click()
    expect(page.locator("[data-region=head]")).to_contain_text("Ria Rest")
    expect(page.locator(".msg.ours")).to_contain_text("line 59")
    expect(page.locator(".msg.theirs", has_text="I was here first")).to_be_in_viewport()


def test_html_of_a_stranger_runs_nothing_and_loads_nothing(sign_in: SignIn, shop: Shop) -> None:
    page = sign_in()
    html = "<p>Hello <b>there</b></p><script>top.hacked = 1</script><img src=x onerror='top.hacked=1'><a href='javascript:top.hacked=1'>x</a>"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    shop.say(
        "Hello there",
        thread="html-1",
        customer="html-1",
        name="<img src=x onerror=alert(1)>",
        html=html + "<img src='http://127.0.0.1:9/track.png'>",
    )
    page.locator("[data-rows] .row", has_text="Hello there").locator(".row-open").click()
    frame = page.frame_locator("iframe[data-mail]")
    expect(frame.locator("b")).to_have_text("there")
    assert page.evaluate("typeof window.hacked") == "undefined"
    assert frame.locator("script").count() == 0
    assert (
        page.locator("iframe[data-mail]").get_attribute("sandbox")
        == "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
    )
    assert not any("track.png" in url for url in asked)
    expect(page.locator("[data-region=head] h1")).to_contain_text("<img src=x")


def test_the_lead_sees_who_waits_and_every_case_as_csv(sign_in: SignIn, shop: Shop, tmp_path: Path) -> None:
    shop.say("=cmd()|formula", thread="lead-1", customer="lead-1", name="=Lea Lead")
    page = sign_in("Ben")
    expect(page.locator("[data-rows] .row", has_text="formula")).to_have_count(1)
    page.goto(page.url.split("/w/air/")[0] + "/w/air/lead")
    waiting = int(page.locator("[data-lead-cards] .figure").first.inner_text())
    assert waiting > 0
    with page.expect_download() as coming:
        page.locator("a", has_text="All cases as CSV").click()
    coming.value.save_as(tmp_path / "cases.csv")
    lines = (tmp_path / "cases.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("number,state") and any("'=Lea Lead" in line for line in lines)


def test_a_phone_shows_the_list_then_the_case_then_the_list_again(sign_in: SignIn, shop: Shop) -> None:
    shop.say("From my phone", thread="phone-1", customer="phone-1", name="Phil Phone")
    page = sign_in(viewport={"width": 360, "height": 740})
    row = page.locator("[data-rows] .row", has_text="From my phone")
    expect(row).to_have_count(1)
    row.locator(".row-open").click()
    expect(page.locator("[data-case-pane]")).to_be_visible()
    expect(page.locator("[data-list]")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for name in ("assign", "snooze", "close", "attach"):
        box = page.locator(f'[data-case-pane] [data-do="{name}"]').bounding_box()
        assert box is not None and box["width"] >= 24 and box["height"] >= 24
    page.locator('[data-do="back"]').click()
    expect(page.locator("[data-list]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_nothing_is_lost_under_the_composer_and_it_takes_at_most_two_fifths(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(viewport={"width": 1440, "height": 700}), shop, "A long talk", "long-1", name="Lou Long")
    write(page, "word " * 400)
    composer = page.locator("[data-composer]").bounding_box()
    timeline = page.locator("[data-timeline-scroll]").bounding_box()
    assert composer is not None and timeline is not None
    assert composer["height"] <= 700 * 0.4 + 1
    assert timeline["y"] + timeline["height"] <= composer["y"] + 1


def test_every_control_of_the_desk_has_a_name_and_every_icon_is_silent_or_named(sign_in: SignIn, shop: Shop) -> None:
    page = hear(sign_in(), shop, "Named controls", "named-1", name="Nia Named", visibility="public")
    nameless = page.evaluate(
        # what a reader would hear of each control that can be seen
        """() => [...document.querySelectorAll('button, a[href], input, select, textarea, iframe')]
            .filter((one) => one.checkVisibility() && !(
            one.textContent?.trim() || one.getAttribute('aria-label') || one.title || one.labels?.length
            || one.type === 'hidden')).map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert nameless == []
    loud = page.evaluate(
        "[...document.querySelectorAll('svg')].filter((one) => !one.closest('[aria-hidden=true]') && !one.getAttribute('aria-label')).length"
    )
    assert loud == 0


def test_the_desk_is_small(house: House, sign_in: SignIn) -> None:
    import gzip

    folder = Path(__file__).resolve().parents[3] / "careline" / "screens" / "static" / "js"
    assert len(gzip.compress(b"".join(path.read_bytes() for path in sorted(folder.glob("*.js"))))) <= 60 * 1024
