"""A customer on WhatsApp: answered with ticks, deleted; and after 24 hours an approved template is all that may be sent."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from careline.channels.meta.tests.graph import APP_ID, APP_SECRET, TOKEN
from careline.channels.meta.whatsapp.tests.cloud import NUMBER, WABA
from tests.browser.inbox.conftest import House, SignIn
from tests.networks.meta.conftest import connect, message, open_case, until, write
from tests.networks.meta.world import NumberWorld

pytestmark = pytest.mark.browser
MARTA, EVA, ROSA = "34600111222", "34600333444", "34600555666"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
FIELDS = {
    "Phone number ID": NUMBER,
    "WhatsApp Business Account ID": WABA,
    "Access token": TOKEN,
    "App ID": APP_ID,
    "App secret": APP_SECRET,
}


def says(world: NumberWorld, who: str, name: str, at: float, **content: Any) -> None:
    contact = {"profile": {"name": name}, "wa_id": who}
    told = {"from": who, "timestamp": str(int(at)), **content}
    world.value(WABA, NUMBER, contacts=[contact], messages=[told])


def status(world: NumberWorld, mid: str, state: str) -> None:
    told = {"id": mid, "status": state, "timestamp": str(int(time.time())), "recipient_id": MARTA}
    world.value(WABA, NUMBER, statuses=[told])


def test_a_customer_is_answered_in_private_with_ticks_and_takes_it_back(
    sign_in: SignIn, house: House, number_world: NumberWorld
) -> None:
    week_ago = (datetime.now(UTC) - timedelta(days=7)).strftime("%Y-%m-%dT00:00")
    connect(sign_in, number_world, "whatsapp", FIELDS, **{"Work on messages from": week_ago})
    assert number_world.hook, "Meta has knocked at our address and was answered"
    says(number_world, MARTA, "Marta Ruiz", time.time(), id="wamid.1", type="text", text={"body": "¿Mi maleta? 🧳"})
    page = sign_in("Ana")
    open_case(page, "¿Mi maleta? 🧳")
    expect(page.locator("[data-who-reads]")).to_contain_text("only Marta Ruiz")
    expect(page.locator(".window-line")).to_contain_text("open for answers for")
    write(page, "It is in Lima.")
    page.keyboard.press("Control+Enter")
    until(lambda: number_world.posted == ["It is in Lima."])
    ours = message(page, "It is in Lima.")
    expect(ours.locator('.delivery[data-state="sent"]')).to_have_count(1, timeout=20_000)
    mid = number_world.sent_ids[-1]
    for state in ("delivered", "read"):
        status(number_world, mid, state)
        expect(ours.locator(f'.delivery[data-state="{state}"]')).to_have_count(1, timeout=20_000)
    edit = {"original_message_id": "wamid.1", "message": {"type": "text", "text": {"body": "My bag, zanahoria"}}}
    says(number_world, MARTA, "Marta Ruiz", time.time(), id="wamid.2", type="edit", edit=edit)
    expect(message(page, "My bag, zanahoria")).to_contain_text("what it said before the edit", timeout=20_000)
    revoke = {"original_message_id": "wamid.1"}
    says(number_world, MARTA, "Marta Ruiz", time.time(), id="wamid.3", type="revoke", revoke=revoke)
    expect(page.locator(".msg.is-gone")).to_contain_text("The author deleted this message.", timeout=20_000)
    expect(page.locator("[data-region=timeline]")).not_to_contain_text("zanahoria")


def test_after_24_hours_only_an_approved_template_may_be_sent(
    sign_in: SignIn, house: House, number_world: NumberWorld
) -> None:
    until(lambda: any(path == f"{WABA}/message_templates" for _, path, _ in number_world.requests))
    before = time.time() - 25 * 3600
    says(number_world, EVA, "Eva Gil", before, id="wamid.7", type="text", text={"body": "I am still waiting"})
    page = sign_in("Ana")
    open_case(page, "I am still waiting")
    write(page, "half a word")
    expect(page.locator("[data-warning]")).to_contain_text("approved template")
    expect(page.locator("[data-send]")).to_be_disabled()
    page.locator("[data-template]").click()
    page.locator("dialog [role=option]", has_text="bag_found").first.click()
    sheet = page.locator("dialog.sheet")
    expect(sheet.locator(".template-words")).to_contain_text("Hello {{1}}, your bag {{2}} is here.")
    sheet.locator('[name="1"]').fill("Eva")
    sheet.locator('[name="2"]').fill("AB12CD")
    page.keyboard.press("Enter")
    expect(sheet).to_have_count(0)
    said = "Hello Eva, your bag AB12CD is here."
    until(lambda: number_world.posted[-1:] == [said])
    assert number_world.bodies[-1]["type"] == "template"
    expect(message(page, said).locator('.delivery[data-state="sent"]')).to_have_count(1, timeout=20_000)
    expect(page.locator("[data-text]")).to_have_value("half a word")


def test_a_template_that_begins_with_a_picture_asks_for_it_and_sends_it(
    sign_in: SignIn, house: House, number_world: NumberWorld
) -> None:
    before = time.time() - 25 * 3600
    says(number_world, ROSA, "Rosa Vidal", before, id="wamid.9", type="text", text={"body": "Which bag is it?"})
    page = sign_in("Ana")
    open_case(page, "Which bag is it?")
    write(page, "half a word")
    expect(page.locator("[data-warning]")).to_contain_text("approved template")
    page.locator("[data-template]").click()
    page.locator("dialog [role=option]", has_text="with_a_picture").first.click()
    sheet = page.locator("dialog.sheet")
    sheet.locator('[name="1"]').fill("Rosa")
    picture = sheet.get_by_label("Picture at the top")
    assert picture.get_attribute("accept") == "image/jpeg,image/png"
    picture.set_input_files({"name": "notes.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 words"})
    sheet.get_by_role("button", name="Send template").click()
    expect(sheet.locator(".problem")).to_contain_text("Files of this kind cannot be sent here.")
    picture.set_input_files({"name": "label.png", "mimeType": "image/png", "buffer": PNG})
    sheet.get_by_role("button", name="Send template").click()
    expect(sheet).to_have_count(0)
    until(lambda: number_world.posted[-1:] == ["Hola Rosa, mira"])
    heading, words = number_world.bodies[-1]["template"]["components"]
    assert heading["parameters"] == [{"type": "image", "image": {"id": "4490709327384033"}}]
    assert words["parameters"] == [{"type": "text", "text": "Rosa"}]
    assert number_world.uploaded["4490709327384033"] == PNG
    expect(message(page, "Hola Rosa, mira").locator('.delivery[data-state="sent"]')).to_have_count(1, timeout=20_000)
