"""A complaint on a site: it appears, is edited, is answered on its page and noted, is deleted, and closed: through the screens, from a real web server."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from playwright.sync_api import Page, expect

from careline.channels.feed.tests.server import FeedServer
from tests.browser.inbox.conftest import House, SignIn
from tests.browser.inbox.test_keyboard import pick

pytestmark = pytest.mark.browser
PAGE = '<html><head><title>Quejas</title><link rel="alternate" type="application/atom+xml" href="/quejas.atom"></head><body>Mi maleta</body></html>'


@cache
def at() -> str:
    """When the complaint was written: as the story begins, whatever ran before. What is older than the channel would be history."""
    return (datetime.now(UTC) + timedelta(minutes=1)).isoformat()


def feed(*inside: str) -> str:
    return (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0" xml:lang="es">'
        f"<title>Quejas de viajes</title><id>tag:quejas.example,2026:all</id>{''.join(inside)}</feed>"
    )


def complaint(site: FeedServer, text: str, key: str = "1", author: str = "Marta Ruiz") -> str:
    return (
        f"<entry><id>tag:quejas.example,2026:{key}</id><title>Mi maleta</title><updated>{at()}</updated>"
        f'<author><name>{author}</name></author><link href="{site.address}/quejas/{key}.html"/>'
        f'<content type="html">&lt;p&gt;{text}&lt;/p&gt;&lt;script&gt;document.title = "owned"&lt;/script&gt;</content></entry>'
    )


def connect_by_hand(sign_in: SignIn, site: FeedServer) -> None:
    """Olga pastes a page that is not there, reads why, and pastes the right one."""
    page = sign_in("Olga")
    page.goto(re.sub(r"/w/air/.*", "/w/air/channels/new/feed", page.url))
    page.get_by_label("Name", exact=True).fill("Complaint sites")
    page.get_by_label("Team").select_option(label="Care")
    page.get_by_label("Feeds or pages").fill(f"{site.address}/nothing.html")
    page.get_by_role("button", name="Check and connect").click()
    expect(page.locator(".say.late").last).to_contain_text("There is nothing at one of the addresses", timeout=20_000)
    page.get_by_label("Feeds or pages").fill(f"{site.address}/index.html")
    more = page.get_by_label("Only what names")
    if not more.is_visible():
        page.get_by_text("more settings").click()
    more.fill("Aurora")
    every = page.get_by_label("Ask every (minutes)")
    every.fill("0")
    page.get_by_role("button", name="Check and connect").click()
    page.wait_for_url(re.compile(r"/channels/\d+"))
    expect(page.locator("main")).to_contain_text("Complaint sites")
    page.get_by_role("link", name="Change").click()
    expect(page.get_by_label("Feeds or pages")).to_have_value(f"{site.address}/quejas.atom")


def message(page: Page, text: str):  # type: ignore[no-untyped-def] # a locator
    return page.locator(".msg", has_text=text)


def test_a_complaint_is_read_edited_answered_on_its_page_deleted_and_closed(
    site: FeedServer, house: House, sign_in: SignIn
) -> None:
    site.write("index.html", PAGE)
    site.write("quejas/1.html", PAGE)
    site.write("quejas.atom", feed())
    connect_by_hand(sign_in, site)

    ana = sign_in("Ana")
    site.write(
        "quejas.atom", feed(complaint(site, "Otra aerolínea", "0", "Otro"), complaint(site, "Aurora perdió mi maleta"))
    )
    row = ana.locator("[data-rows] .row", has_text="Aurora perdió mi maleta")
    expect(row).to_have_count(1, timeout=20_000)
    row.locator(".row-open").click()
    expect(message(ana, "Aurora perdió mi maleta")).to_contain_text("Marta Ruiz")
    expect(ana.locator("[data-rows] .row", has_text="Otra aerolínea")).to_have_count(0)

    expect(ana.locator("[data-mode=public]")).to_be_hidden()
    expect(ana.locator("[data-who-reads]")).to_contain_text("Only read here. Answer on the page itself")
    with ana.context.expect_page() as opened:
        ana.locator("[data-who-reads] a").click()
    assert opened.value.url == f"{site.address}/quejas/1.html"
    opened.value.close()
    assert ana.title() != "owned"

    edited = feed(complaint(site, "Aurora perdió mi maleta, y nadie me llama"))
    site.write("quejas.atom", edited)
    expect(message(ana, "y nadie me llama")).to_contain_text("edited", timeout=20_000)

    ana.locator("[data-text]").click()
    ana.keyboard.insert_text("Answered on the page itself.")
    ana.locator("[data-send]").click()
    expect(ana.locator("[data-region=timeline]")).to_contain_text("Answered on the page itself.")

    site.write("quejas.atom", feed(f'<at:deleted-entry ref="tag:quejas.example,2026:1" when="{at()}"/>'))
    expect(ana.locator(".msg.is-gone")).to_contain_text("The author deleted this message.", timeout=20_000)
    expect(ana.locator("body")).not_to_contain_text("nadie me llama")
    expect(ana.locator("[data-region=timeline]")).to_contain_text("Answered on the page itself.")

    ana.locator("[data-timeline-scroll]").focus()
    ana.keyboard.press("e")
    pick(ana, "No answer needed")
    expect(ana.locator("[data-rows] .row")).to_have_count(0)
