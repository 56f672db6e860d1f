"""A complaint under a Page's post, moved private by the one private reply, edited and deleted: through the screens, with a double of the platform."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from careline.channels.meta.facebook.tests.page import MARTA, OTRO, PAGE, POST
from careline.channels.meta.tests.graph import APP_ID, APP_SECRET, TOKEN
from tests.browser.inbox.conftest import House, SignIn
from tests.networks.meta.conftest import connect, message, open_case, until, write
from tests.networks.meta.world import PageWorld

pytestmark = pytest.mark.browser
WHO = {"id": MARTA, "name": "Marta Ruiz"}
FIELDS = {"Page access token": TOKEN, "App ID": APP_ID, "App secret": APP_SECRET}


def test_a_complaint_under_a_post_is_moved_private_edited_and_deleted(
    sign_in: SignIn, house: House, page_world: PageWorld
) -> None:
    card = connect(sign_in, page_world, "facebook", FIELDS)
    # Human Agent was not ticked: the card says what this account may, not what others may.
    expect(card.locator("main")).to_contain_text("24 hours after the customer's last message")
    expect(card.locator("main")).not_to_contain_text("7 days after the customer's last message")
    assert page_world.hook, "Meta has knocked at our address and was answered"
    told = {"item": "comment", "verb": "add", "comment_id": "900_1", "post_id": POST, "parent_id": POST, "from": WHO}
    said = {**told, "message": "¿Dónde está mi maleta? 🧳", "created_time": int(time.time())}
    page_world.feed(PAGE, **said)
    other = {"comment_id": "900_2", "parent_id": "900_1", "from": {"id": OTRO, "name": "Otro"}}
    page_world.feed(PAGE, **{**said, **other, "message": "Mine too, always"})
    page = sign_in("Ana")
    open_case(page, "¿Dónde está mi maleta? 🧳")
    expect(page.locator("[data-region=timeline]")).to_contain_text("Mine too, always", timeout=20_000)
    expect(page.locator("[data-rows] .row")).to_have_count(1)
    expect(page.locator("[data-who-reads]")).to_contain_text("PUBLIC")

    # In public, and in private in the same act.
    write(page, "So sorry, Marta. We write to you in private.")
    page.locator("[data-send-private]").click()
    until(lambda: len(page_world.posted) == 1)
    assert page_world.bodies[0][0] == "900_1/comments"
    readers = page.locator("[data-who-reads]")
    expect(readers).to_contain_text("only Marta Ruiz")
    expect(readers).to_contain_text("open until")
    expect(readers).to_contain_text("0 of 1 answers used")
    write(page, "What is your booking?")
    page.keyboard.press("Control+Enter")
    asked = message(page, "What is your booking?")
    expect(asked.locator('.delivery[data-state="sent"]')).to_have_count(1, timeout=20_000)
    assert page_world.bodies[-1][1]["recipient"] == {"comment_id": "900_1"}
    expect(page.locator(".window-line.is-closed")).to_contain_text("one private answer to a public message")

    # She answers in Messenger, in the same case; then we may write again, and see that she reads.
    number = page.url.split("/cases/")[1].split("?")[0]
    page_world.talk(PAGE, MARTA, message={"mid": "m_1", "text": "It is AB12CD"})
    expect(message(page, "It is AB12CD")).to_be_visible(timeout=20_000)
    assert page.url.split("/cases/")[1].split("?")[0] == number
    expect(page.locator(".window-line.is-closed")).to_have_count(0)
    write(page, "Found, it is in Lima.")
    page.keyboard.press("Control+Enter")
    ours = message(page, "Found, it is in Lima.")
    expect(ours.locator('.delivery[data-state="sent"]')).to_have_count(1, timeout=20_000)
    assert page_world.bodies[-1][1]["messaging_type"] == "RESPONSE"
    page_world.talk(PAGE, MARTA, read={"watermark": int(time.time() * 1000) + 1000})
    expect(ours.locator('.delivery[data-state="read"]')).to_have_count(1, timeout=20_000)

    # She edits, and then deletes, what everybody could read.
    page_world.feed(PAGE, **{**said, "verb": "edited", "message": "Where is my blue bag?"})
    expect(message(page, "Where is my blue bag?")).to_contain_text("what it said before the edit", timeout=20_000)
    page_world.feed(PAGE, **{**told, "verb": "remove"})
    expect(page.locator(".msg.is-gone")).to_contain_text("The author deleted this message.", timeout=20_000)
    expect(page.locator("[data-region=timeline]")).not_to_contain_text("Where is my blue bag?")


def test_a_comment_is_hidden_and_ours_is_deleted(sign_in: SignIn, house: House, page_world: PageWorld) -> None:
    eva = {"id": "7003", "name": "Eva Gil"}
    told = {"item": "comment", "verb": "add", "comment_id": "900_7", "post_id": f"{PAGE}_901", "from": eva}
    page_world.feed(PAGE, **told, message="You thieves", parent_id=f"{PAGE}_901", created_time=int(time.time()))
    page = sign_in("Ana")
    open_case(page, "You thieves")
    write(page, "We are sorry, Eva.")
    page.keyboard.press("Control+Enter")
    ours = message(page, "We are sorry, Eva.")
    expect(ours.locator('.delivery[data-state="sent"]')).to_have_count(1, timeout=20_000)
    page.locator("[data-text]").blur()
    message(page, "You thieves").locator('[data-do="hide"]').click()
    until(lambda: "900_7" in page_world.hidden)
    ours.locator('[data-do="delete-ours"]').click()
    expect(page.locator(".msg.ours.is-gone")).to_contain_text("We deleted this message.", timeout=20_000)
    assert len(page_world.deleted) == 1
