"""A comment under a post, answered in private once, unsent by its author in private: through the screens, with a double of the platform."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import expect

from careline.channels.meta.instagram.tests.account import ACCOUNT, MARTA, MEDIA, NAMELESS
from careline.channels.meta.tests.graph import APP_SECRET, TOKEN
from tests.browser.inbox.conftest import House, SignIn
from tests.networks.meta.conftest import connect, message, open_case, until, write
from tests.networks.meta.world import AccountWorld

pytestmark = pytest.mark.browser
FIELDS = {"Access token": TOKEN, "Instagram app secret": APP_SECRET, "Verify token": "a-word-of-ours-0123456789"}


def talk(world: AccountWorld, *, who: str = MARTA, **event: Any) -> None:
    now_ms = int(time.time() * 1000)
    told = {"sender": {"id": who}, "recipient": {"id": ACCOUNT}, "timestamp": now_ms, **event}
    world.tell("instagram", id=ACCOUNT, time=now_ms, messaging=[told])


def test_a_comment_is_moved_private_and_what_is_unsent_is_gone(
    sign_in: SignIn, house: House, account_world: AccountWorld
) -> None:
    page = connect(sign_in, account_world, "instagram", FIELDS)
    account_world.enter(page.get_by_label("The platform posts to").input_value(), FIELDS["Verify token"])
    value = {
        "id": "17900000000000001",
        "from": {"id": MARTA, "username": "marta.r"},
        "text": "¿Y mi maleta? 🧳",
        "media": {"id": MEDIA, "media_product_type": "FEED"},
    }
    account_world.tell("instagram", id=ACCOUNT, time=int(time.time()), field="comments", value=value)
    page = sign_in("Ana")
    open_case(page, "¿Y mi maleta? 🧳")
    expect(page.locator("[data-who-reads]")).to_contain_text("PUBLIC")
    write(page, "So sorry, we write to you.")
    page.locator("[data-send-private]").click()
    until(lambda: len(account_world.posted) == 1)
    readers = page.locator("[data-who-reads]")
    expect(readers).to_contain_text("open until")
    expect(readers).to_contain_text("0 of 1 answers used")
    write(page, "What is your booking?")
    page.keyboard.press("Control+Enter")
    until(lambda: account_world.posted[-1:] == ["What is your booking?"])
    assert account_world.bodies[-1][1]["recipient"] == {"comment_id": "17900000000000001"}
    number = page.url.split("/cases/")[1].split("?")[0]
    talk(account_world, message={"mid": "aWdf1", "text": "My passport is zanahoria"})
    expect(message(page, "My passport is zanahoria")).to_be_visible(timeout=20_000)
    assert page.url.split("/cases/")[1].split("?")[0] == number
    talk(account_world, message={"mid": "aWdf1", "is_deleted": True})
    expect(page.locator(".msg.is-gone")).to_contain_text("The author deleted this message.", timeout=20_000)
    expect(page.locator("body")).not_to_contain_text("zanahoria")
    talk(account_world, who=NAMELESS, message={"mid": "aWdf2", "text": "Who am I to you?"})
    open_case(page, "Who am I to you?")
    expect(page.locator("[data-rows] .row", has_text="Who am I to you?")).to_contain_text("@marta.r", timeout=20_000)
    expect(message(page, "Who am I to you?")).to_contain_text("@marta.r", timeout=20_000)
    assert len(account_world.asked_names) == 1
