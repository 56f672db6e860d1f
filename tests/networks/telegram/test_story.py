"""A complaint in a group, moved private, edited and deleted: through the screens, with a Bot API server that is not ours."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.inbox.conftest import House, SignIn
from tests.networks.telegram.world import BOT_NAME, TOKEN, World

pytestmark = [pytest.mark.browser, pytest.mark.node]
MARTA = {"id": 42, "is_bot": False, "first_name": "Marta", "last_name": "Ruiz"}
OTRO = {"id": 43, "is_bot": False, "first_name": "Otro"}
PRIVATE = {"id": 42, "type": "private", "first_name": "Marta"}
GROUP = {"id": -1005, "type": "supergroup", "title": "Travellers", "username": "travellers"}
MENTION = [{"type": "mention", "offset": 0, "length": len(BOT_NAME) + 1}]
START = [{"type": "bot_command", "offset": 0, "length": 6}]


@pytest.fixture(scope="module")
def connected(world: World, house: House) -> Callable[[SignIn], None]:
    """Connects the bot through the guided page, once."""
    done: list[bool] = []

    def connect(sign_in: SignIn) -> None:
        if not done:
            connect_by_hand(sign_in, world)
            done.append(True)

    return connect


def connect_by_hand(sign_in: SignIn, world: World) -> None:
    page = sign_in("Olga")
    page.goto(re.sub(r"/w/air/.*", "/w/air/channels/new/telegram", page.url))
    page.get_by_label("Bot token").fill(TOKEN)
    page.get_by_text("more settings").click()
    page.get_by_label("API address").fill("http://127.0.0.1:9")
    page.get_by_label("Name", exact=True).fill("Aurora on Telegram")
    page.get_by_label("Team").select_option(label="Care")
    page.get_by_label(re.compile("undo|taken back", re.I)).fill("0")
    page.get_by_role("button", name="Check and connect").click()
    expect(page.locator(".say.late").last).to_contain_text("could not be reached", timeout=20_000)
    page.get_by_label("Bot token").fill(TOKEN)
    more = page.get_by_label("API address")
    if not more.is_visible():
        page.get_by_text("more settings").click()
    more.fill(world.address)
    page.get_by_role("button", name="Check and connect").click()
    page.wait_for_url(re.compile(r"/channels/\d+"))
    expect(page.locator("main")).to_contain_text(f"@{BOT_NAME}")


def open_case(page: Page, text: str) -> None:
    row = page.locator("[data-rows] .row", has_text=text)
    expect(row).to_have_count(1, timeout=20_000)
    row.locator(".row-open").click()
    expect(page.locator("[data-region=timeline]")).to_contain_text(text)


def message(page: Page, text: str):  # type: ignore[no-untyped-def] # a locator
    return page.locator(".msg", has_text=text)


def write(page: Page, text: str) -> None:
    page.locator("[data-text]").click()
    page.keyboard.insert_text(text)


def until(holds: Callable[[], bool], timeout_s: float = 20.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end_s, "the server never saw it"
        time.sleep(0.05)


def test_a_complaint_in_a_group_is_moved_private_edited_and_deleted(
    sign_in: SignIn, world: World, connected: Callable[[SignIn], None]
) -> None:
    connected(sign_in)
    world.say(f"@{BOT_NAME} my bag is gone again", chat=GROUP, by=MARTA, entities=MENTION)
    world.say("Mine too, always", chat=GROUP, by=OTRO)
    page = sign_in("Ana")
    open_case(page, "my bag is gone again")
    expect(page.locator("[data-region=timeline]")).to_contain_text("Mine too, always")
    expect(page.locator("[data-rows] .row")).to_have_count(1)
    expect(page.locator("[data-who-reads]")).to_contain_text("PUBLIC")

    # In public, with the way to private, in one act.
    write(page, "So sorry, Marta. Please come here:")
    expect(page.locator("[data-send-private]")).to_have_text("Reply in public + private link")
    page.keyboard.press("Control+Shift+Enter")
    until(lambda: len(world.said_by_bot(-1005)) == 1)
    answer = world.said_by_bot(-1005)[0]
    found = re.fullmatch(rf"So sorry, Marta\. Please come here:\nhttps://t\.me/{BOT_NAME}\?start=(\S+)", answer)
    assert found is not None
    assert world.bots(-1005)[0]["message"]["reply_parameters"]["message_id"] >= 1
    expect(message(page, "So sorry, Marta.").locator('.delivery[data-state="sent"]')).to_have_count(1, timeout=15_000)

    # Somebody else who presses it comes nowhere near her case; she goes on with it.
    number = page.url.split("/cases/")[1].split("?")[0]
    world.say(f"/start {found[1]}", chat={**PRIVATE, "id": 43, "first_name": "Otro"}, by=OTRO, entities=START)
    expect(page.locator("[data-rows] .row")).to_have_count(2, timeout=20_000)
    world.say(f"/start {found[1]}", chat=PRIVATE, by=MARTA, entities=START)
    world.say("It is blue, booking AB12CD", chat=PRIVATE, by=MARTA)
    heard_id = world.last_id()
    expect(message(page, "It is blue, booking AB12CD")).to_be_visible(timeout=20_000)
    assert page.url.split("/cases/")[1].split("?")[0] == number
    expect(page.locator("[data-rows] .row")).to_have_count(2)

    # In private.
    page.locator('[data-modes] [data-mode="private"]').click()
    expect(page.locator("[data-who-reads]")).to_contain_text("only Marta Ruiz")
    write(page, "Found, it is in Lima.")
    page.keyboard.press("Control+Enter")
    until(lambda: world.said_by_bot(42) == ["Found, it is in Lima."])
    ours = message(page, "Found, it is in Lima.")
    expect(ours.locator('.delivery[data-state="sent"]')).to_have_count(1, timeout=15_000)

    # She edits.
    edited = {"message_id": heard_id, "from": MARTA, "chat": PRIVATE, "date": int(time.time())}
    world.tell(edited_message={**edited, "edit_date": int(time.time()), "text": "It is green, booking AB12CD"})
    expect(message(page, "It is green, booking AB12CD")).to_contain_text("what it said before the edit", timeout=20_000)

    # We delete ours.
    page.locator("[data-text]").blur()
    ours.locator('[data-do="delete-ours"]').click()
    expect(page.locator(".msg.ours.is-gone")).to_contain_text("We deleted this message.", timeout=20_000)
    until(lambda: world.said_by_bot(42) == [])


def test_what_a_customer_deletes_in_a_business_chat_is_gone_here(
    sign_in: SignIn, world: World, connected: Callable[[SignIn], None]
) -> None:
    connected(sign_in)
    eva = {"id": 77, "is_bot": False, "first_name": "Eva"}
    chat = {"id": 77, "type": "private", "first_name": "Eva"}
    told = {"message_id": 900, "from": eva, "chat": chat, "date": int(time.time()), "business_connection_id": "BC1"}
    world.tell(business_message={**told, "text": "My passport is zanahoria"})
    page = sign_in("Ana")
    open_case(page, "My passport is zanahoria")
    write(page, "Thank you, Eva.")
    page.keyboard.press("Control+Enter")
    until(lambda: world.said_by_bot(77) == ["Thank you, Eva."])
    assert world.bots(77)[0]["message"]["business_connection_id"] == "BC1"
    world.tell(deleted_business_messages={"business_connection_id": "BC1", "chat": chat, "message_ids": [900]})
    expect(page.locator(".msg.is-gone")).to_contain_text("The author deleted this message.", timeout=20_000)
    expect(page.locator("body")).not_to_contain_text("zanahoria")
