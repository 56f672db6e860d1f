"""A complaint in public, answered there with the way to private, edited and deleted: through the screens, with an X held to its own description."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from careline.channels.x.tests import x_api
from tests.browser.inbox.conftest import House, SignIn
from tests.networks.x.world import MARTA, OTRO, World, until

pytestmark = pytest.mark.browser
EVA = "4444444444444444444"


@pytest.fixture(scope="module")
def connected(world: World, house: House) -> Callable[[SignIn], None]:
    """Connects the account through the guided page, once."""
    done: list[bool] = []

    def connect(sign_in: SignIn) -> None:
        if not done:
            connect_by_hand(sign_in("Olga"), world)
            done.append(True)

    return connect


def connect_by_hand(page: Page, world: World) -> None:
    """With a consumer secret that is not the app's, so that X's knock is not answered; then with the right one."""
    page.goto(re.sub(r"/w/air/.*", "/w/air/channels/new/x", page.url))
    page.get_by_label("Client ID").fill(x_api.CLIENT_ID)
    page.get_by_label("Name", exact=True).fill("Aurora on X")
    page.get_by_label("Team").select_option(label="Care")
    page.get_by_label(re.compile("undo|taken back", re.I)).fill("0")
    _fill_secrets(page, world, bearer="wrong")
    page.get_by_role("button", name="Check and connect").click()
    expect(page.locator(".say.late").last).to_contain_text("token of the app", timeout=20_000)
    world.api.complaints.clear()  # a wrong bearer token is no bearer token to the judge
    _fill_secrets(page, world, bearer=x_api.BEARER)
    page.get_by_role("button", name="Check and connect").click()
    page.wait_for_url(re.compile(r"/channels/\d+"))
    expect(page.locator("main")).to_contain_text("@AuroraAir")
    expect(page.locator("main")).to_contain_text("$0.20 with a link")
    assert [one["valid"] for one in world.api.webhooks] == [True]


def _fill_secrets(page: Page, world: World, *, bearer: str) -> None:
    page.get_by_label("Client secret").fill(x_api.CLIENT_SECRET)
    page.get_by_label("Access token of the account").fill("an-ended-token")
    page.get_by_label("Refresh token of the account").fill(world.api.refresh)
    page.get_by_label("Bearer token of the app").fill(bearer)
    page.get_by_label("Consumer secret").fill(x_api.CONSUMER_SECRET)
    more = page.get_by_label("API address")
    if not more.is_visible():
        page.get_by_text("more settings").click()
    more.fill(world.address)
    page.get_by_label("Ask for what was missed every (seconds)").fill("1")


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


def test_a_complaint_in_public_is_moved_private_edited_and_deleted(
    sign_in: SignIn, world: World, connected: Callable[[SignIn], None]
) -> None:
    connected(sign_in)
    said = world.says(MARTA, "@AuroraAir my bag is gone again, passport zanahoria")
    page = sign_in("Ana")
    open_case(page, "my bag is gone again")
    expect(page.locator("[data-who-reads]")).to_contain_text("PUBLIC")

    # Weighed as X weighs: an address is 23, a Chinese character and an emoji are 2.
    write(page, "語🧳 https://aurora.com/a/very/long/address/of/a/form")
    expect(page.locator("[data-length]")).to_have_text("28 / 280 · $0.20")
    page.locator("[data-text]").fill("")

    # In public, with X's own way to private, in one act.
    write(page, "So sorry, Marta. Please come here:")
    expect(page.locator("[data-send-private]")).to_have_text("Reply in public + private link")
    page.keyboard.press("Control+Shift+Enter")
    until(lambda: len(world.answers()) == 1)
    answer = world.answers()[0]
    assert answer["referenced_tweets"] == [{"type": "replied_to", "id": said}]
    words, _, link = answer["text"].partition("\n")
    assert words == "So sorry, Marta. Please come here:"
    reference = parse_qs(urlsplit(link).query)["text"][0]
    expect(message(page, "So sorry, Marta.").locator('.delivery[data-state="sent"]')).to_have_count(1, timeout=15_000)

    # Somebody else who follows it comes nowhere near her case; she goes on with it.
    number = page.url.split("/cases/")[1].split("?")[0]
    world.writes(OTRO, f"{reference}let me see")
    expect(page.locator("[data-rows] .row")).to_have_count(2, timeout=20_000)
    world.writes(MARTA, f"{reference}It is blue, booking AB12CD")
    expect(message(page, "It is blue, booking AB12CD")).to_be_visible(timeout=20_000)
    expect(page.locator("body")).not_to_contain_text("Ref.")
    assert page.url.split("/cases/")[1].split("?")[0] == number
    expect(page.locator("[data-rows] .row")).to_have_count(2)

    # In private.
    page.locator('[data-modes] [data-mode="private"]').click()
    expect(page.locator("[data-who-reads]")).to_contain_text("only Marta Ruiz")
    write(page, "Found, it is in Lima.")
    page.keyboard.press("Control+Enter")
    until(lambda: world.messages_to(MARTA) == ["Found, it is in Lima."])
    assert world.messages_to(OTRO) == []

    # She edits, under a new id, and deletes it: X tells nobody of that.
    changed = world.edits(said, "@AuroraAir my bag is gone again, passport berenjena")
    expect(message(page, "passport berenjena")).to_contain_text("what it said before the edit", timeout=20_000)
    world.deletes(changed)
    expect(page.locator(".msg.is-gone")).to_contain_text("The author deleted this message.", timeout=60_000)
    expect(page.locator("body")).not_to_contain_text("zanahoria")
    expect(page.locator("body")).not_to_contain_text("berenjena")

    # We delete ours.
    page.locator("[data-text]").blur()
    message(page, "So sorry, Marta.").locator('[data-do="delete-ours"]').click()
    expect(page.locator(".msg.ours.is-gone")).to_contain_text("We deleted this message.", timeout=20_000)
    until(lambda: answer["id"] in world.api.deleted)


def test_who_answers_without_naming_us_cannot_be_answered_in_public(
    sign_in: SignIn, world: World, connected: Callable[[SignIn], None]
) -> None:
    connected(sign_in)
    ours = world.posts_elsewhere("Boarding is open")
    under = {
        "conversation_id": ours,
        "in_reply_to_user_id": x_api.US,
        "referenced_tweets": [{"type": "replied_to", "id": ours}],
    }
    heard = world.says(EVA, "And my gate?", **under)
    page = sign_in("Ana")
    open_case(page, "And my gate?")
    expect(page.locator("[data-region=timeline]")).to_contain_text("Boarding is open")
    expect(page.locator("[data-warning]")).to_contain_text("only to words that name or quote this account")
    expect(page.locator("[data-send]")).to_be_disabled()

    # Below our own post it can be hidden, and shown again.
    message(page, "And my gate?").locator('[data-do="hide"]').click()
    until(lambda: heard in world.api.hidden)

    # Now they name us.
    world.says(EVA, "@AuroraAir which gate?", **under)
    expect(message(page, "which gate?")).to_be_visible(timeout=20_000)
    expect(page.locator("[data-warning]")).not_to_contain_text("only to words", timeout=20_000)
    write(page, "Gate 12.")
    page.keyboard.press("Control+Enter")
    until(lambda: "Gate 12." in world.api.posted)
