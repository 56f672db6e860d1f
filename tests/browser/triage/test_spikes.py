"""A burst fires while a lead looks on: the line above the inbox says so by itself, opens, leads to the cases, and is dismissed and taken back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.inbox.conftest import House, Shop, SignIn

pytestmark = pytest.mark.browser
# Five weeks in which somebody said something every half hour.
HISTORY = """
import django; django.setup()
from datetime import timedelta
from careline.channels.models import Channel
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.triage.models import Bucket
from careline.triage.watching.counting import bucket_of
with unit_of_work():
    for channel in Channel.objects.filter(name="Shop"):
        begin = bucket_of(clock.now() - timedelta(weeks=5))
        units = [(f"brand:{channel.brand_id}", "")] + [(f"channel:{channel.id}", language) for language in ("en", "es")]
        Bucket.objects.bulk_create(
            Bucket(workspace_id=channel.workspace_id, place=place, language=language, began_at=begin + timedelta(minutes=30 * n), count=1)
            for place, language in units
            for n in range(5 * 7 * 48)
        )
"""
SAID = (
    "The strike left us at the gate, nobody from the crew came",
    "Is it true that the cabin crew strike cancels tomorrow's flights?",
    "Stuck in Lisbon because of the strike, where do I get a hotel?",
    "Your crew strike ruins our holiday and there is no one to ask",
    "Flight cancelled by the strike, I want my money back today",
    "What are you doing for those the strike left behind in Porto?",
    "Three hours in a queue after the strike was announced, shame",
    "My mother is alone at the airport since the strike began",
    "No hotel, no food, no answer: that is the strike with you",
    "The strike again! Please tell me who rebooks our tickets",
)


def _width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def _picture(page: Page, name: str) -> None:
    """Kept where somebody wants to look: CARELINE_PICTURES names a folder."""
    if folder := os.environ.get("CARELINE_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def test_a_spike_shows_itself_above_the_inbox_and_is_dismissed_and_taken_back(
    house: House, sign_in: SignIn, shop: Shop
) -> None:
    house.server.run(code=HISTORY)
    page = sign_in("Ben", "/w/air/inbox?view=all")
    bar = page.locator('[data-spikes="banner"] [data-spike-bar]')
    expect(bar).to_have_count(0)
    for number, text in enumerate(SAID):
        shop.say(
            text, thread=f"strike-{number}", customer=f"striker-{number}", name=f"Sam {number}", visibility="public"
        )
    expect(bar).to_be_visible(timeout=60_000)
    expect(bar).to_contain_text("messages in 15 min, usually")
    bar.locator("summary").click()
    expect(bar.locator(".spike-examples a").first).to_be_visible()
    _picture(page, "banner-open")
    bar.locator("summary").click()
    _picture(page, "banner")
    page.goto(f"{house.server.address}/w/air/spikes")
    card = page.locator(".spike.is-open").first
    expect(card).to_contain_text("strike")
    card.locator(".spike-why summary").click()
    _picture(page, "page")
    before = page.locator(".spike.is-open").count()
    card.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".spike.is-dismissed")).to_have_count(1)
    expect(page.locator(".spike.is-dismissed")).to_contain_text("Dismissed by Ben")
    _picture(page, "dismissed")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".spike.is-open")).to_have_count(before)


def test_on_a_phone_and_in_the_dark_nothing_is_cut_off(sign_in: SignIn) -> None:
    page = sign_in("Ben", "/w/air/inbox?view=all", viewport={"width": 360, "height": 740}, color_scheme="dark")
    bar = page.locator('[data-spikes="banner"] [data-spike-bar]')
    expect(bar).to_be_visible()
    _picture(page, "phone")
    bar.locator("summary").click()
    _picture(page, "phone-open")
    assert _width(page) <= 360
    page.goto(page.url.split("/inbox")[0] + "/spikes")
    expect(page.locator(".spike").first).to_be_visible()
    _picture(page, "phone-page")
    assert _width(page) <= 360


def test_an_agent_is_shown_none(sign_in: SignIn) -> None:
    page = sign_in("Ana")
    expect(page.locator("[data-spikes]")).to_have_count(0)
