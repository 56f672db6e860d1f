"""A complaint in public, moved private, edited and deleted: through the screens, with an independent server."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.inbox.conftest import House, SignIn
from tests.networks.mastodon.world import Person, World, until

pytestmark = pytest.mark.browser
LONG = " ".join(f"Frase {number} de una respuesta larga y amable." for number in range(1, 23))


def connect(page: Page, world: World, brand: Person) -> None:
    """With a token that is none, with one that may not write, and with a right one."""
    page.goto(re.sub(r"/w/air/.*", "/w/air/channels/new/mastodon", page.url))
    _fill(page, world, "a-mistyped-token")
    expect(page.locator(".say.late").last).to_contain_text("does not accept this token", timeout=20_000)
    _fill(page, world, world.token_for(brand, "read"))
    expect(page.locator(".say.late").last).to_contain_text("lacks permissions", timeout=20_000)
    _fill(page, world, world.token_for(brand, "read write"))
    page.wait_for_url(re.compile(r"/channels/\d+"))
    expect(page.locator("main")).to_contain_text(f"@aurora@{world.domain}")


def _fill(page: Page, world: World, token: str) -> None:
    page.get_by_label("Server").fill(world.address)
    page.get_by_label("Access token").fill(token)
    page.get_by_label("Name", exact=True).fill("Aurora on Mastodon")
    page.get_by_label("Team").select_option(label="Care")
    pace = page.get_by_label("Ask for news every (seconds)")
    if not pace.is_visible():
        page.locator("details.more summary").click()
    pace.fill("1")
    page.get_by_label(re.compile("undo|taken back", re.I)).fill("0")
    page.get_by_role("button", name="Check and connect").click()


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
    """Newest first, with the names before them, as the server has them."""
    return [person.call("GET", f"statuses/{one['id']}/source")["text"] for one in person.posts()]


def test_a_complaint_in_public_is_moved_private_edited_and_deleted(sign_in: SignIn, world: World, house: House) -> None:
    brand, marta, otro = world.join("aurora"), world.marta, world.join("otro")
    connect(sign_in("Olga"), world, brand)
    said = marta.post("@aurora third time without my bag, passport zanahoria")
    page = sign_in("Ana")
    open_case(page, "third time without my bag")
    expect(page.locator("[data-who-reads]")).to_contain_text("PUBLIC")

    # In public, and the way to private in one act.
    write(page, "Sorry Marta, we write to you in private.")
    page.locator("[data-send-private]").click()
    until(lambda: texts_of(brand) == ["@marta@lejos.test Sorry Marta, we write to you in private."])
    assert (brand.posts()[0]["in_reply_to_id"], brand.posts()[0]["visibility"]) == (said["id"], "public")
    expect(page.locator("[data-who-reads]")).to_contain_text("Marta reads this, and administrators of the servers can")
    write(page, "What is your booking?")
    page.keyboard.press("Control+Enter")
    until(lambda: texts_of(brand)[0] == "@marta@lejos.test What is your booking?")
    asked = brand.posts()[0]
    assert (asked["visibility"], [one["acct"] for one in asked["mentions"]]) == ("direct", ["marta@lejos.test"])
    number = page.url.split("/cases/")[1].split("?")[0]
    marta.write("@aurora It is AB12CD", in_reply_to_id=asked["id"])
    expect(message(page, "It is AB12CD")).to_be_visible(timeout=20_000)
    assert page.url.split("/cases/")[1].split("?")[0] == number

    # Somebody else below her post is shown, and opens no case.
    otro.reply(said, "@marta@lejos.test @aurora same here")
    expect(page.locator("[data-region=timeline]")).to_contain_text("same here", timeout=20_000)

    # She edits her post: nobody tells, so it is asked for again.
    marta.edit(said, "@aurora third time without my bag")
    edited = message(page, "third time without my bag")
    expect(edited.locator(".revisions summary")).to_contain_text("what it said before the edit", timeout=60_000)
    expect(edited.locator(".revisions blockquote")).to_be_hidden()

    # Ours is edited and deleted, then hers is deleted: the words of before the edit go too.
    page.locator("[data-text]").blur()
    message(page, "Sorry Marta, we write to you").locator('[data-do="edit-ours"]').click()
    page.locator("dialog.sheet textarea").fill("Sorry Marta, we wrote to you in private.")
    page.keyboard.press("Control+Enter")
    until(lambda: "@marta@lejos.test Sorry Marta, we wrote to you in private." in texts_of(brand))
    expect(message(page, "we wrote to you in private")).to_contain_text("edited")
    message(page, "we wrote to you in private").locator('[data-do="delete-ours"]').click()
    expect(page.locator(".msg.ours.is-gone")).to_contain_text("We deleted this message.", timeout=20_000)
    until(lambda: texts_of(brand) == ["@marta@lejos.test What is your booking?"])
    # This server tells deletions to followers, Mastodon also to those whom the post named.
    brand.call("POST", f"accounts/{said['account']['id']}/follow")
    marta.delete(said)
    gone = page.locator(".msg.is-gone", has_text="The author deleted this message.")
    expect(gone).to_have_count(1, timeout=10_000)
    expect(page.locator("[data-region=timeline]")).not_to_contain_text("third time without my bag")
    expect(page.locator("body")).not_to_contain_text("zanahoria")


def test_a_long_answer_is_a_thread_and_a_comment_is_liked(sign_in: SignIn, world: World, house: House) -> None:
    lola = world.join("lola")
    brand = Person(world, "aurora", world.call("POST", "/api/v1/_mock/login", b'{"username":"aurora"}')["access_token"])
    ours = brand.post("Vuelos a Lima desde 399")
    comment = lola.reply(ours, "@aurora vaya timo, explicadlo")
    page = sign_in("Ana")
    open_case(page, "vaya timo, explicadlo")
    page.locator("[data-text]").blur()
    message(page, "vaya timo").locator('[data-do="like"]').click()
    expect(message(page, "vaya timo").locator(".liked-mark")).to_be_visible(timeout=20_000)
    until(lambda: (brand.seen(comment["id"]) or {})["favourited"])
    write(page, LONG)
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-stopped] li")).to_have_count(3)
    page.get_by_role("button", name="Send as 3 posts").click()
    until(lambda: len([one for one in texts_of(brand) if one.startswith("@lola Frase")]) == 3, 40)
    posts = [one for one in reversed(brand.posts()) if "Frase" in one["content"]]
    words = [one.removeprefix("@lola ") for one in reversed(texts_of(brand)) if "Frase" in one]
    assert " ".join(words) == LONG
    assert [one["in_reply_to_id"] for one in posts] == [comment["id"], posts[0]["id"], posts[1]["id"]]


def test_a_desk_that_was_killed_misses_nothing_and_doubles_nothing(world: World, house: House) -> None:
    """After the stories above, whose channel it is. What was said, edited and deleted meanwhile is there once it runs again."""
    marta, before = world.marta, len(kept(house))
    posts = [marta.post(f"@aurora corte {number}") for number in range(30)]
    until(lambda: len(kept(house)) > before)
    house.server.kill()
    marta.edit(posts[0], "@aurora corte corregido")
    marta.delete(posts[1])
    posts += [marta.post(f"@aurora corte {number}") for number in range(30, 90)]
    house.server.start().wait_ready()
    said = {one["id"] for one in posts} - {posts[1]["id"]}
    until(lambda: said <= {one for one, _, _ in kept(house)}, 40)
    until(lambda: "@aurora corte corregido" in [text for _, text, _ in kept(house)], 60)
    until(lambda: "@aurora corte 1" not in [text for _, text, _ in kept(house)], 60)
    standing = [one for one, _, is_gone in kept(house) if not is_gone]
    assert sorted(standing) == sorted(said)


def kept(house: House) -> list[tuple[str, str, bool]]:
    """Messages of this test in the desk's own table: id, words, whether they are gone."""
    table = sqlite3.connect(f"file:{house.server.data / 'careline.sqlite3'}?mode=ro", uri=True)
    with closing(table):
        rows = table.execute("SELECT platform_id, text, deleted_at FROM threads_message WHERE direction = 'inbound'")
        return [(one, text, gone is not None) for one, text, gone in rows if "corte" in text or gone]
