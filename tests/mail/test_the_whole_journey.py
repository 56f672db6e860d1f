"""A customer's mail, from their program to the agent's screen and back: real Postfix, Dovecot, Careline and Chromium."""

from __future__ import annotations

import email
import email.policy
import io
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from tests.mail.desk import OWNER, OWNER_PASSWORD, SUPPORT, desk_with_mailbox
from tests.servers.mail import MailServers
from tests.servers.processes import Careline

pytestmark = [pytest.mark.mail, pytest.mark.browser]
MARTA = "marta@cust.test"


@pytest.fixture
def careline(tmp_path: Path, mail_servers: MailServers) -> Iterator[Careline]:
    desk = desk_with_mailbox(tmp_path, mail_servers)
    try:
        yield desk.start().wait_ready()
    finally:
        desk.kill()


@pytest.fixture
def screen(careline: Careline) -> Iterator[Page]:
    """The owner's inbox, signed in and live."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(careline.address + "/")
        page.fill("input[name=login]", OWNER)
        page.fill("input[name=password]", OWNER_PASSWORD)
        page.click("button[type=submit]")
        page.goto(careline.address + "/w/air/inbox?view=all")
        expect(page.locator("[data-live][data-state=live]")).to_be_visible(timeout=15_000)
        yield page
        browser.close()


def photo() -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (60, 40), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


def first_mail() -> EmailMessage:
    """Marta's letter with the photo of her bag."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = (
        f"Marta Ruiz <{MARTA}>",
        SUPPORT,
        "Maleta rota",
        "<bag-1@cust.test>",
    )
    mail.set_content("Hola, mi maleta llegó rota. Adjunto una foto.\n")
    mail.add_attachment(photo(), maintype="image", subtype="png", filename="maleta.png")
    return mail


def _wait_for_idle(careline: Careline, servers: MailServers) -> None:
    """The mailbox is being listened to: a mail sent now comes by IDLE, not by the first look."""
    time.sleep(3.0)
    assert careline.is_ready() and servers.imap_port


def test_a_mail_reaches_the_screen_within_three_seconds_and_the_answer_threads_in_the_customers_mailbox(
    careline: Careline, screen: Page, mail_servers: MailServers
) -> None:
    _wait_for_idle(careline, mail_servers)
    begin = time.monotonic()
    mail_servers.post(first_mail(), MARTA, SUPPORT)
    row = screen.locator("li.row", has_text="Marta Ruiz")
    expect(row).to_be_visible(timeout=10_000)
    assert time.monotonic() - begin < 3.0

    row.locator("a.row-open").click()
    expect(screen.locator("article", has_text="mi maleta llegó rota")).to_be_visible()
    picture = screen.locator("article img").first
    expect(picture).to_be_visible()
    assert (
        picture.evaluate(
            "image => image.complete ? image.naturalWidth : new Promise(done => image.onload = () => done(image.naturalWidth))"
        )
        == 60
    )

    screen.locator("textarea").first.click()
    screen.keyboard.type("Marta, lo siento mucho. Le enviamos una nueva.")
    screen.keyboard.press("Control+Enter")
    [answer] = [
        email.message_from_bytes(one, policy=email.policy.default) for one in mail_servers.mails(MARTA, within_s=20)
    ]
    assert answer["In-Reply-To"] == "<bag-1@cust.test>" and "<bag-1@cust.test>" in answer["References"]
    assert (
        answer["Subject"] == "Re: Maleta rota" and "Le enviamos una nueva" in answer.get_body(("plain",)).get_content()
    )  # type: ignore[union-attr]

    thanks = EmailMessage()
    thanks["From"], thanks["To"], thanks["Subject"], thanks["Message-ID"] = (
        f"Marta Ruiz <{MARTA}>",
        str(answer["Reply-To"] or answer["From"]),
        "Re: Maleta rota",
        "<bag-2@cust.test>",
    )
    thanks["In-Reply-To"], thanks["References"] = answer["Message-ID"], f"<bag-1@cust.test> {answer['Message-ID']}"
    thanks.set_content("Gracias, qué rapidez.\n")
    recipient = email.utils.parseaddr(str(thanks["To"]))[1]
    mail_servers.post(thanks, MARTA, recipient)
    expect(screen.locator("article", has_text="Gracias, qué rapidez")).to_be_visible(timeout=10_000)
    assert screen.locator("li.row", has_text="Marta Ruiz").count() == 1
