"""Act 4, counting: what customers hold in their hands, by their own mailboxes, the platform's ledger and the chats; and what the screens say at the end."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

from playwright.sync_api import expect

from tests.acceptance.cast import CAST, Customer, of
from tests.acceptance.clearing import CHANNELS
from tests.acceptance.opening import ACCOUNT
from tests.acceptance.speaking import Street, message_id, read
from tests.acceptance.working import Worker

ARRIVES_WITHIN_S = 90.0
Row = tuple[str, str, str, str, str]


def wait_until(wanted: Callable[[], bool]) -> None:
    """Look outside again and again; the caller's own assertion says what is missing."""
    end_s = time.monotonic() + ARRIVES_WITHIN_S
    while not wanted() and time.monotonic() < end_s:
        time.sleep(0.1)


# ---- mailboxes


def mailbox(street: Street, customer: Customer) -> list[EmailMessage]:
    """Everything in a customer's mailbox, oldest first, waited for."""
    raw = street.house.mail.mails(customer.mailbox, len(customer.answers), within_s=ARRIVES_WITHIN_S)
    return [read(one) for one in raw]


def letters_answered(customer: Customer) -> list[str]:
    """The ids of their own letters that each answer must name, in order."""
    return [message_id(customer, number + 1) for number in range(len(customer.answers))]


def files_of(mail: EmailMessage) -> list[str]:
    """Names of what is attached."""
    return [str(part.get_filename()) for part in mail.iter_attachments()]


def files_expected(customer: Customer) -> list[str]:
    """Only the first answer of some carries a picture."""
    return [f"plan-{customer.code}.png"] if customer.task == "file" else []


# ---- the platform


def words_on_the_platform(street: Street) -> Counter[tuple[str, str]]:
    """(thread, text) of all that came through the platform's API, by its own ledger."""
    ledger = street.house.platform.simulator.ledger
    wait_until(lambda: len(ledger.messages(origin="api")) >= expected_words(street).total())
    return Counter((row.thread, row.text) for row in ledger.messages(origin="api"))


def expected_words(street: Street) -> Counter[tuple[str, str]]:
    """Answers where each customer spoke, and one private word."""
    found: Counter[tuple[str, str]] = Counter()
    for customer in of("post", "comment", "dm"):
        found.update((street.threads[customer.code], text) for text in customer.answers)
        if customer.task == "both_ways":
            found[(f"dm_{ACCOUNT}_{customer.code}", customer.private_words)] += 1
    return found


def answered_to(street: Street) -> dict[str, str]:
    """For each public answer by the ledger: its text, and whose words it stands below."""
    ledger = street.house.platform.simulator.ledger
    authors = {row.id: row.author_id for row in ledger.messages()}
    public = {street.threads[one.code] for one in of("post", "comment")}
    return {row.text: authors[row.reply_to] for row in ledger.messages(origin="api") if row.thread in public}


# ---- chats


def conversation(customer: Customer) -> list[tuple[bool, str]]:
    """(is ours, text) as a chat must read from top to bottom."""
    said = [customer.says, *([customer.says_again] if customer.returns else [])]
    spoken = [(False, text) for text in said]
    answers = [(True, text) for text in customer.answers]
    return [one for pair in zip(spoken, answers, strict=False) for one in pair] + spoken[len(answers) :]


# ---- screens


def expect_nothing_waits(lead: Worker) -> None:
    """Every figure of the lead's page is zero."""
    lead.page.goto(f"{lead.house.desk}/lead")
    cards = lead.page.locator("[data-lead-cards] .figure")
    expect(cards).to_have_text(["0", "–", "0", "0", "0"])
    figures = lead.page.locator("td.number").all_inner_texts()
    assert len(figures) >= 3 * (len(lead.house.seats) + len(set(CHANNELS.values())))
    assert set(figures) == {"0"}
    lead.house.picture(lead.page, "lead-after")


def exported(lead: Worker, folder: Path) -> list[dict[str, str]]:
    """The lead's CSV, read as a spreadsheet would: an apostrophe before `@` only says that it is no formula."""
    lead.page.goto(f"{lead.house.desk}/lead")
    with lead.page.expect_download() as coming:
        lead.page.locator("a[download]").click()
    coming.value.save_as(folder / "cases.csv")
    with (folder / "cases.csv").open(encoding="utf-8-sig", newline="") as lines:
        return [{name: value.removeprefix("'") for name, value in row.items()} for row in csv.DictReader(lines)]


def rows_found(rows: list[dict[str, str]]) -> Counter[Row]:
    """Channel, agent, language, outcome and number of messages of each case."""
    return Counter((row["channel"], row["assignee"], row["language"], row["outcome"], row["messages"]) for row in rows)


def rows_expected() -> Counter[Row]:
    """The same, from what was agreed on before anybody spoke."""
    return Counter((CHANNELS[one.way], one.answerer, one.language, one.outcome, str(_messages(one))) for one in CAST)


def _messages(customer: Customer) -> int:
    spoken = 1 + bool(customer.returns)
    return spoken + len(customer.answers) + (customer.task == "both_ways")


def expect_empty_views(worker: Worker) -> None:
    """Nothing is left in any view that should empty."""
    views = ("mine", "team", "unassigned", "waiting", "snoozed")
    for view in (*views, "all") if worker.seat.name == "Ben" else views:
        worker.open_view(view)
        expect(worker.page.locator("[data-list-empty]")).to_be_visible()
        expect(worker.page.locator("[data-rows] .row")).to_have_count(0)
        expect(worker.page.locator(f'[data-count="{view}"] b')).to_have_text("0")
    worker.house.picture(worker.page, f"empty-{worker.seat.name}")
