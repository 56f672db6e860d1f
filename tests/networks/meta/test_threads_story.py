"""A complaint under our post on Threads: answered, another one hidden and shown again, ours deleted, and gone here when its author deletes it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from careline.channels.meta.tests.graph import APP_SECRET, TOKEN
from careline.channels.meta.threads.tests.profile import PROFILE
from tests.browser.inbox.conftest import House, SignIn
from tests.networks.meta.conftest import connect, message, open_case, write
from tests.networks.meta.world import ThreadsWorld

pytestmark = pytest.mark.browser
MARTA = "marta.r"
FIELDS = {
    "Access token": TOKEN,
    "Threads app secret": APP_SECRET,
    "Verify token": "a-word-of-ours-0123456789",
    "Ask for news every (seconds)": "1",
}


def test_a_complaint_is_answered_hidden_and_gone_when_its_author_deletes_it(
    sign_in: SignIn, house: House, threads_world: ThreadsWorld
) -> None:
    card = connect(sign_in, threads_world, "threads", FIELDS, **{"Access token": "THAA-mistyped"})
    expect(card.locator("main")).to_contain_text("@aurora.air")
    threads_world.enter(card.get_by_label("The platform posts to").input_value(), FIELDS["Verify token"])

    # Found by asking, as a reply and as a mention: it is one message, and stands under our post.
    said = threads_world.says(MARTA, "@aurora.air third time without my bag, passport zanahoria")
    page = sign_in("Ana")
    open_case(page, "third time without my bag")
    expect(page.locator("[data-who-reads]")).to_contain_text("PUBLIC")
    complaint = message(page, "third time without my bag")
    expect(complaint).to_have_count(1)
    expect(complaint.locator('[data-do="hide"]')).to_have_count(1)

    # In public: a container below her words, then its publishing.
    write(page, "Sorry Marta, we are looking.")
    page.keyboard.press("Control+Enter")
    ours = message(page, "Sorry Marta, we are looking.")
    expect(ours.locator('.delivery[data-state="sent"]')).to_have_count(1, timeout=20_000)
    (container,) = threads_world.containers
    assert threads_world.acts() == [
        (f"{PROFILE}/threads", {"media_type": "TEXT", "text": "Sorry Marta, we are looking.", "reply_to_id": said}),
        (f"{PROFILE}/threads_publish", {"creation_id": container}),
    ]
    answer = threads_world.replies[-1]["id"]

    # Her next words come by webhook, into the same case; they are hidden, and shown again.
    again = threads_world.pushes(MARTA, "Thieves, all of you")
    rude = message(page, "Thieves, all of you")
    expect(rude).to_be_visible(timeout=20_000)
    page.locator("[data-text]").blur()
    rude.locator('[data-do="hide"]').click()
    expect(rude.locator(".hidden-mark")).to_contain_text("hidden from the public", timeout=20_000)
    assert threads_world.hidden == {again}
    rude.locator('[data-do="hide"][data-verb="unhide"]').click()
    expect(rude.locator(".hidden-mark")).to_have_count(0, timeout=20_000)
    assert threads_world.hidden == set()

    # We delete ours. While that can still be undone the desk is killed, and she deletes hers: nobody tells of it.
    ours.locator('[data-do="delete-ours"]').click()
    expect(ours.locator('[data-do="undo-moderation"]')).to_be_visible(timeout=20_000)
    house.server.kill()
    threads_world.delete(said)
    house.server.start().wait_ready()
    page.reload()

    # What is kept is asked for again: hers has lost its words here too. What we asked for is done.
    gone = page.locator(".msg.is-gone", has_text="The author deleted this message.")
    expect(gone).to_have_count(1, timeout=20_000)
    expect(page.locator("body")).not_to_contain_text("third time without my bag")
    expect(page.locator("body")).not_to_contain_text("zanahoria")
    expect(page.locator(".msg.ours.is-gone")).to_contain_text("We deleted this message.", timeout=20_000)
    assert threads_world.deleted == {answer}
    expect(rude).to_be_visible()
