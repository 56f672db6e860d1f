"""Letters from the agent's side: beginning one, changing subject, To and CC of an answer, forwarding with files, and seeing every recipient before it leaves."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.mail.test_the_whole_journey import careline, first_mail, screen
from tests.servers.mail import MailServers
from tests.servers.processes import Careline

pytestmark = [pytest.mark.mail, pytest.mark.browser]
__all__ = ["careline", "screen"]
EVA, BAGS, LOST, FORWARDED = "eva@cust.test", "bags@cust.test", "lost@cust.test", "forwarded@cust.test"
PABLO = "pablo@cust.test"


def letters(servers: MailServers, address: str) -> list[EmailMessage]:
    """What lies in a mailbox, waiting for the first."""
    return [email.message_from_bytes(one, policy=email.policy.default) for one in servers.mails(address, within_s=20)]


@pytest.fixture
def opened(screen: Page, mail_servers: MailServers) -> Iterator[Page]:
    """Marta's letter with a photo, open."""
    mail = first_mail()
    mail.replace_header("From", f"Pablo Ruiz <{PABLO}>")
    mail_servers.post(mail, PABLO, "service@support.test")
    row = screen.locator("li.row", has_text="Pablo Ruiz")
    expect(row).to_be_visible(timeout=15_000)
    row.locator("a.row-open").click()
    expect(screen.locator("article", has_text="mi maleta llegó rota")).to_be_visible()
    yield screen


def test_an_agent_begins_a_letter_sees_its_recipients_and_the_answer_is_the_same_case(
    screen: Page, mail_servers: MailServers
) -> None:
    screen.keyboard.press("c")
    sheet = screen.locator("dialog.sheet")
    sheet.locator("[name=to]").fill("not an address")
    sheet.locator("[name=subject]").fill("Su reembolso")
    sheet.locator("[name=text]").fill("Hola Eva, su reembolso está en camino.")
    screen.keyboard.press("Control+Enter")
    expect(sheet.locator(".problem")).not_to_be_empty()
    expect(sheet.locator("[name=text]")).to_have_value("Hola Eva, su reembolso está en camino.")
    sheet.locator("[name=to]").fill(EVA)
    sheet.locator("[name=copied]").fill(BAGS)
    screen.keyboard.press("Control+Enter")
    expect(screen.locator("article.ours", has_text="su reembolso está en camino")).to_be_visible(timeout=10_000)
    [received] = letters(mail_servers, EVA)
    assert (received["Subject"], received["To"], received["Cc"]) == ("Su reembolso", EVA, BAGS)
    assert len(letters(mail_servers, BAGS)) == 1


def test_subject_to_and_cc_of_an_answer_are_shown_and_can_be_changed(opened: Page, mail_servers: MailServers) -> None:
    opened.locator("[data-text]").click()
    expect(opened.locator("[data-to]")).to_be_visible()
    expect(opened.locator("[data-to]")).to_have_value(PABLO)
    expect(opened.locator("[data-subject]")).to_have_value("Re: Maleta rota")
    opened.locator("[data-subject]").fill("Su maleta: expediente 7")
    opened.locator("[data-copied]").fill(LOST)
    opened.locator("[data-text]").fill("Lo pasamos a equipajes.")
    opened.locator("[data-text]").press("Control+Enter")
    for address in (PABLO, LOST):
        [received] = letters(mail_servers, address)
        assert (received["Subject"], received["To"], received["Cc"]) == ("Re: Su maleta: expediente 7", PABLO, LOST)
    expect(opened.locator("article.ours").last).to_contain_text(LOST)


def test_a_letter_is_forwarded_with_its_words_and_its_photo(
    opened: Page, mail_servers: MailServers, tmp_path: Path, careline: Careline
) -> None:
    opened.locator("article [data-do=forward]").first.click()
    sheet = opened.locator("dialog.sheet")
    expect(sheet.locator("[name=subject]")).to_have_value("Fwd: Maleta rota")
    assert "> Hola, mi maleta llegó rota" in sheet.locator("[name=text]").input_value()
    expect(sheet.locator("label.check")).to_contain_text("maleta.png")
    sheet.locator("[name=to]").fill(FORWARDED)
    opened.keyboard.press("Control+Enter")
    [received] = letters(mail_servers, FORWARDED)
    assert received["Subject"] == "Fwd: Maleta rota"
    assert [part.get_filename() for part in received.iter_attachments()] == ["maleta.png"]
    assert "mi maleta llegó rota" in received.get_body(("plain",)).get_content()  # type: ignore[union-attr]
