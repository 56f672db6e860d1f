"""A complaint in a public room, moved private, edited and deleted: through the screens, with a real homeserver."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.inbox.conftest import House, SignIn
from tests.networks.matrix.world import PASSWORD, Person, World, until

pytestmark = pytest.mark.browser


def connect(page: Page, world: World) -> None:
    """With an address that is no homeserver, with a wrong password, and with the right one."""
    page.goto(re.sub(r"/w/air/.*", "/w/air/channels/new/matrix", page.url))
    page.get_by_label("Name", exact=True).fill("Aurora on Matrix")
    page.get_by_label("Team").select_option(label="Care")
    page.get_by_label(re.compile("undo|taken back", re.I)).fill("0")
    _try(page, "http://127.0.0.1:9", PASSWORD)
    expect(page.locator(".say.late").last).to_contain_text("could not be reached", timeout=20_000)
    _try(page, world.address, "a-wrong-password")
    expect(page.locator(".say.late").last).to_contain_text("refuses the user name or password", timeout=20_000)
    _try(page, world.address, PASSWORD)
    page.wait_for_url(re.compile(r"/channels/\d+"))
    expect(page.locator("main")).to_contain_text("@aurora:people.test")


def _try(page: Page, homeserver: str, password: str) -> None:
    page.get_by_label("Homeserver").fill(homeserver)
    if not page.get_by_label("User name").is_visible():
        page.get_by_text("more settings").click()
    page.get_by_label("User name").fill("aurora")
    page.get_by_label("Password").fill(password)
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


def test_a_complaint_in_a_public_room_is_moved_private_edited_and_deleted(
    sign_in: SignIn, world: World, house: House
) -> None:
    brand, marta, otro = world.join("aurora"), world.join("marta"), world.join("otro")
    connect(sign_in("Olga"), world)
    room = marta.open_room(brand, otro, name="Travellers", public=True)
    otro.join(room)
    until(lambda: brand.id in marta.people_in(room))
    complaint = marta.name(room, brand, "third time without my bag, passport zanahoria")
    otro.say(room, "Mine too, always")
    page = sign_in("Ana")
    open_case(page, "third time without my bag")
    expect(page.locator("[data-region=timeline]")).to_contain_text("Mine too, always")
    expect(page.locator("[data-rows] .row")).to_have_count(1)
    expect(page.locator("[data-who-reads]")).to_contain_text("PUBLIC")

    # In public, and the way to private in one act.
    write(page, "Sorry Marta, we write to you in private.")
    page.locator("[data-send-private]").click()
    until(lambda: marta.texts(room, brand) == ["Sorry Marta, we write to you in private."])
    (answer,) = [one for one in marta.messages(room) if one["sender"] == brand.id]
    assert answer["content"]["m.relates_to"] == {"m.in_reply_to": {"event_id": complaint}}
    expect(page.locator("[data-who-reads]")).to_contain_text("only Marta")
    write(page, "What is your booking?")
    page.keyboard.press("Control+Enter")
    until(marta.invitations)
    (private,) = marta.invitations()
    marta.join(private)
    until(lambda: marta.texts(private, brand) == ["What is your booking?"])
    assert marta.people_in(private) == {brand.id, marta.id}
    number = page.url.split("/cases/")[1].split("?")[0]
    booking = marta.say(private, "It is AB12CD")
    expect(message(page, "It is AB12CD")).to_be_visible(timeout=20_000)
    assert page.url.split("/cases/")[1].split("?")[0] == number
    expect(page.locator("[data-rows] .row")).to_have_count(1)

    # She sees that somebody writes.
    write(page, "Found, it is in Lima.")
    until(lambda: brand.id in marta.typists(private))
    page.keyboard.press("Control+Enter")
    until(lambda: marta.texts(private, brand)[1:] == ["Found, it is in Lima."])

    # She reads ours, and edits hers.
    ours = message(page, "What is your booking?")
    expect(ours.locator('.delivery[data-state="sent"]')).to_have_count(1, timeout=15_000)
    asked = next(one for one in marta.messages(private) if one["sender"] == brand.id)
    marta.read(private, asked["event_id"])
    expect(ours.locator('.delivery[data-state="read"]')).to_have_count(1, timeout=20_000)
    marta.edit(private, booking, "It is XY34ZT")
    expect(message(page, "It is XY34ZT")).to_contain_text("what it said before the edit", timeout=20_000)

    # We correct ours; she sees it corrected.
    page.locator("[data-text]").blur()
    ours.locator('[data-do="edit-ours"]').click()
    page.locator("#edit-text").fill("What is your booking, please?")
    page.locator("dialog .button.first").click()
    expect(message(page, "What is your booking, please?")).to_contain_text("edited", timeout=20_000)
    until(lambda: [one["content"].get("m.new_content", {}).get("body") for one in marta.messages(private)][-1])
    assert marta.messages(private)[-1]["content"]["m.relates_to"]["event_id"] == asked["event_id"]

    # Encrypted words are said to be, not lost.
    secret = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgAEn", "session_id": "s", "device_id": "d"}
    marta.send(private, {**secret, "sender_key": "k"}, kind="m.room.encrypted")
    expect(message(page, "Encrypted: it cannot be read here")).to_be_visible(timeout=20_000)

    # Ours is deleted there; hers, deleted there, are gone here.
    page.locator("[data-text]").blur()
    message(page, "Sorry Marta, we write to you").locator('[data-do="delete-ours"]').click()
    expect(page.locator(".msg.ours.is-gone")).to_contain_text("We deleted this message.", timeout=20_000)
    until(lambda: marta.texts(room, brand) == [])
    marta.redact(room, complaint)
    gone = page.locator(".msg.is-gone", has_text="The author deleted this message.")
    expect(gone).to_have_count(1, timeout=20_000)
    expect(page.locator("body")).not_to_contain_text("zanahoria")


def test_a_file_in_private_is_shown_and_thanked_for_with_a_reaction(
    sign_in: SignIn, world: World, house: House
) -> None:
    lola = world.join("lola")
    brand_id = "@aurora:people.test"
    room = lola.call(
        "POST",
        "/_matrix/client/v3/createRoom",
        {"is_direct": True, "preset": "trusted_private_chat", "invite": [brand_id]},
    )
    room_id = str(room["room_id"])
    until(lambda: brand_id in lola.people_in(room_id))
    text = lola.say(room_id, "Here is my boarding card")
    address = lola.upload(b"%PDF-1.4 a boarding card", "application/pdf")
    lola.send(room_id, {"msgtype": "m.file", "body": "card.pdf", "url": address})
    page = sign_in("Ana")
    open_case(page, "Here is my boarding card")
    expect(page.locator("[data-region=timeline]")).to_contain_text("card.pdf", timeout=20_000)
    page.locator("[data-text]").blur()
    message(page, "Here is my boarding card").locator('[data-do="react"]').click()
    page.locator("dialog [role=option]", has_text="👍").click()
    until(lambda: _reactions(lola, room_id, text))


def test_what_was_said_while_careline_was_away_is_all_here_once(sign_in: SignIn, world: World, house: House) -> None:
    eva, brand_id = world.join("eva"), "@aurora:people.test"
    room = eva.open_room(Person(world, brand_id, ""))
    until(lambda: brand_id in eva.people_in(room))
    eva.say(room, "Are you there?")
    page = sign_in("Ana")
    open_case(page, "Are you there?")
    house.server.kill()
    for number in range(45):
        eva.say(room, f"missed {number:02}")
    house.server.start().wait_ready()
    missed = page.locator(".msg.theirs", has_text=re.compile(r"missed \d\d"))
    page.reload()
    expect(missed).to_have_count(45, timeout=30_000)
    assert [one.strip()[-9:] for one in missed.locator(".bubble").all_inner_texts()] == [
        f"missed {number:02}" for number in range(45)
    ]


def _reactions(lola: Person, room: str, event_id: str) -> list[str]:
    found = lola.call("GET", f"/_matrix/client/v1/rooms/{room}/relations/{event_id}/m.annotation")["chunk"]
    return [one["content"]["m.relates_to"]["key"] for one in found]
