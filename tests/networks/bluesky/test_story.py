"""A complaint in public, moved private and deleted: through the screens, with a real PDS and AppView."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.inbox.conftest import House, SignIn
from tests.networks.bluesky.world import Person, World, until

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.postgres]
LONG = " ".join(f"Frase {number} de una respuesta larga y amable." for number in range(1, 17))


def connect(page: Page, world: World, brand: Person) -> None:
    """With a wrong password, with one that lets no direct messages through, and with a right one."""
    page.goto(re.sub(r"/w/air/.*", "/w/air/channels/new/bluesky", page.url))
    page.get_by_label("Handle").fill(f"@{brand.handle}")
    page.get_by_label("App password").fill("aaaa-aaaa-aaaa-aaaa")
    page.get_by_label("Name", exact=True).fill("Aurora on Bluesky")
    page.get_by_label("Team").select_option(label="Care")
    _fill_more(page, world)
    page.get_by_label(re.compile("undo|taken back", re.I)).fill("0")
    page.get_by_role("button", name="Check and connect").click()
    expect(page.locator(".say.late").last).to_contain_text("refuses", timeout=20_000)
    page.get_by_label("App password").fill(brand.app_password("careline"))
    _fill_more(page, world)
    page.get_by_role("button", name="Check and connect").click()
    page.wait_for_url(re.compile(r"/channels/\d+"))
    expect(page.locator("main")).to_contain_text("@aurora.test")


def _fill_more(page: Page, world: World) -> None:
    server = page.get_by_label("Server")
    if not server.is_visible():
        page.get_by_text("more settings").click()
    server.fill(world.address)
    page.get_by_label("Ask for news every (seconds)").fill("1")


def open_case(page: Page, text: str) -> None:
    row = page.locator("[data-rows] .row", has_text=text)
    expect(row).to_have_count(1, timeout=20_000)
    row.locator(".row-open").click()
    expect(page.locator("[data-region=timeline]")).to_contain_text(text)


def message(page: Page, text: str) -> Locator:
    return page.locator(".msg", has_text=text)


def write(page: Page, text: str) -> None:
    page.locator("[data-text]").click()
    page.keyboard.insert_text(text)


def texts_of(person: Person) -> list[str]:
    return [one["value"]["text"] for one in person.posts()]


def test_a_complaint_in_public_is_moved_private_and_deleted(sign_in: SignIn, world: World, house: House) -> None:
    brand, marta, otro = world.join("aurora"), world.join("marta"), world.join("otro")
    connect(sign_in("Olga"), world, brand)
    said = marta.mention(brand, "third time without my bag, passport zanahoria")
    page = sign_in("Ana")
    open_case(page, "third time without my bag")
    expect(page.locator("[data-who-reads]")).to_contain_text("PUBLIC")

    # In public, and the way to private in one act.
    write(page, "Sorry Marta, we write to you in private.")
    page.locator("[data-send-private]").click()
    until(lambda: texts_of(brand) == ["Sorry Marta, we write to you in private."])
    assert brand.posts()[0]["value"]["reply"]["parent"]["uri"] == said["uri"]
    readers = page.locator("[data-who-reads]")
    expect(readers).to_contain_text("only Marta")
    write(page, "What is your booking?")
    page.keyboard.press("Control+Enter")
    convo = marta.convo(brand)
    until(lambda: [one["text"] for one in marta.messages(convo)] == ["What is your booking?"])
    number = page.url.split("/cases/")[1].split("?")[0]
    marta.write(convo, "It is AB12CD")
    expect(message(page, "It is AB12CD")).to_be_visible(timeout=20_000)
    assert page.url.split("/cases/")[1].split("?")[0] == number

    # Somebody else below her post is shown with its parent, and opens no case.
    below = otro.reply(said, "Same here @aurora.test")
    brand_answer = brand.posts()[0]
    otro.reply({"uri": brand_answer["uri"], "cid": brand_answer["cid"]}, "And mine?", root=said)
    expect(page.locator("[data-region=timeline]")).to_contain_text("And mine?", timeout=20_000)
    assert below["uri"]

    # Ours is deleted.
    page.locator("[data-text]").blur()
    message(page, "Sorry Marta, we write to you").locator('[data-do="delete-ours"]').click()
    expect(page.locator(".msg.ours.is-gone")).to_contain_text("We deleted this message.", timeout=20_000)
    until(lambda: texts_of(brand) == [])

    # She deletes hers: nobody tells, so it is asked for again.
    marta.delete(said)
    gone = page.locator(".msg.is-gone", has_text="The author deleted this message.")
    expect(gone).to_have_count(1, timeout=60_000)
    expect(page.locator("body")).not_to_contain_text("zanahoria")


def test_a_long_answer_is_a_thread_and_a_comment_below_ours_is_liked_and_hidden(
    sign_in: SignIn, world: World, house: House
) -> None:
    brand, lola = world.sign_in("aurora"), world.join("lola")
    ours = brand.post("Vuelos a Lima desde 399")
    until(lambda: lola.seen(ours["uri"]))
    comment = lola.reply(ours, "Vaya timo, explicadlo")
    page = sign_in("Ana")
    open_case(page, "Vaya timo, explicadlo")
    page.locator("[data-text]").blur()
    page.keyboard.press("w")
    expect(message(page, "Vaya timo").locator(".hidden-mark")).to_be_visible(timeout=20_000)
    message(page, "Vaya timo").locator('[data-do="like"]').click()
    expect(message(page, "Vaya timo").locator(".liked-mark")).to_be_visible(timeout=20_000)
    until(lambda: (brand.seen(comment["uri"]) or {})["viewer"].get("like"))
    write(page, LONG)
    page.keyboard.press("Control+Enter")
    shown = page.locator("[data-stopped] li")
    expect(shown).to_have_count(3)
    page.get_by_role("button", name="Send as 3 posts").click()
    until(lambda: len(texts_of(brand)) == 4, 40)
    posts = sorted((one for one in brand.posts() if "reply" in one["value"]), key=lambda one: one["value"]["text"])
    assert " ".join(sorted((one["value"]["text"] for one in posts), key=LONG.index)) == LONG
    parents = {one["value"]["reply"]["parent"]["uri"] for one in posts}
    assert len(parents) == 3
    assert comment["uri"] in parents
