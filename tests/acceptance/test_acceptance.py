"""Two agents and a lead clear 60 mails, 20 chats and 40 simulated posts, in Spanish and English, through screens only; the counts are exact."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.acceptance import counting
from tests.acceptance.cast import BYSTANDER, CAST, CHATS, CHATS_IN_A_BROWSER, MAILS, SIMULATED, of, spoken_by
from tests.acceptance.clearing import workers
from tests.acceptance.house import WORKSPACE, House
from tests.acceptance.opening import (
    FIRST_PASSWORD,
    FORGETFUL,
    SECOND_PASSWORD,
    join_by_form,
    mailbox_of,
    set_password,
    sign_in,
)
from tests.acceptance.speaking import Street, read, words_of

pytestmark = [pytest.mark.browser, pytest.mark.mail]


def test_colleagues_came_by_mail_and_one_reset_a_password(opened: House) -> None:
    wanted = {name: 3 if name == FORGETFUL else 1 for name in opened.seats}
    mails = {name: [read(raw) for raw in opened.mail.mails(mailbox_of(name), wanted[name])] for name in wanted}
    joining = "Join Aerolínea Norte on Careline"
    assert {name: [str(one["Subject"]).strip() for one in found] for name, found in mails.items()} == {
        "Ben": [joining],
        "Ana": [joining],
        "Inés": [joining, "[Careline] Elige una nueva contraseña de Careline", "[Careline] Contraseña restablecida"],
    }
    for seat in opened.seats.values():
        assert seat.page.url.startswith(opened.desk)


def test_as_many_spoke_as_were_asked_for(cleared: Street) -> None:
    assert (spoken_by("mail"), len(of("chat")), spoken_by("post", "comment", "dm")) == (MAILS, CHATS, SIMULATED)
    assert (len(cleared.visits), len(cleared.chatters)) == (CHATS_IN_A_BROWSER, CHATS - CHATS_IN_A_BROWSER)
    ledger = cleared.house.platform.simulator.ledger
    assert len(ledger.messages(origin="customer")) == SIMULATED
    counting.wait_until(lambda: ledger.unacked() == 0)  # receipts of the last answers are on their way for a moment
    assert ledger.unacked() == 0


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_mailbox_holds_exactly_its_answers_each_below_the_letter_it_answers(
    cleared: Street, language: str
) -> None:
    for customer in (one for one in of("mail") if one.language == language):
        mails = counting.mailbox(cleared, customer)
        assert [words_of(mail).splitlines()[0] for mail in mails] == customer.answers, customer
        assert [str(mail["In-Reply-To"]) for mail in mails] == counting.letters_answered(customer)
        assert all(str(mail["Subject"]) == f"Re: {customer.code}" for mail in mails)
        assert [counting.files_of(mail) for mail in mails[:1]] in ([], [counting.files_expected(customer)])


def test_the_platforms_ledger_holds_exactly_our_answers_each_below_whom_it_answers(cleared: Street) -> None:
    assert counting.words_on_the_platform(cleared) == counting.expected_words(cleared)
    expected = {text: one.code for one in of("post", "comment") for text in one.answers}
    assert counting.answered_to(cleared) == expected


def test_every_chat_reads_as_it_was_spoken(cleared: Street) -> None:
    for customer in of("chat"):
        wanted = counting.conversation(customer)
        if customer.code in cleared.chatters:
            assert cleared.chatters[customer.code].transcript() == wanted, customer
        else:
            visit = cleared.visits[customer.code]
            expect(visit.chat.locator(".message .bubble")).to_have_text([text for _, text in wanted])
            expect(visit.chat.locator(".message:not(.own)")).to_have_count(len(customer.answers))
            assert visit.complaints == []


def test_nobody_waits_on_the_leads_page(cleared: Street) -> None:
    counting.expect_nothing_waits(workers(cleared.house)["Ben"])


def test_the_export_has_one_row_a_case_with_its_channel_agent_and_outcome(cleared: Street, tmp_path: Path) -> None:
    rows = counting.exported(workers(cleared.house)["Ben"], tmp_path)
    assert sorted(int(row["number"]) for row in rows) == list(range(1, len(CAST) + 1))
    assert {(row["state"], row["unanswered"], row["waiting_since"]) for row in rows} == {("done", "0", "")}
    assert counting.rows_found(rows) == counting.rows_expected()


def test_every_view_of_everybody_is_empty(cleared: Street) -> None:
    for worker in workers(cleared.house).values():
        counting.expect_empty_views(worker)


def test_an_absence_notice_stands_in_its_case_and_a_bystander_in_the_fold(cleared: Street) -> None:
    lead = workers(cleared.house)["Ben"]
    away = next(one for one in CAST if one.returns == "away")
    lead.find(away)
    expect(lead.page.locator("[data-region=timeline] .machine")).to_have_text("automatic reply")
    expect(lead.page.locator("[data-region=timeline]")).to_contain_text(away.says_again)
    lead.find(of("post")[0])
    expect(lead.page.locator(".fold")).to_contain_text(BYSTANDER)


def test_the_log_names_no_error_and_none_of_their_words(cleared: Street) -> None:
    log = cleared.house.careline.log()
    assert '"level": "error"' not in log and "Traceback" not in log
    assert not [one for one in CAST if one.code in log or one.name in log or one.mailbox in log]


def test_an_invitation_and_a_reset_by_command_while_the_desk_is_open(cleared: Street) -> None:
    house, address = cleared.house, mailbox_of("Leo")
    invited = house.careline.run("user", "invite", WORKSPACE, address, "--role", "trainee").split()[-1]
    page = house.browsers.open(invited.removeprefix(house.browsers.address), signed_in=False)
    join_by_form(page, "Leo", FIRST_PASSWORD, "en")
    reset = house.careline.run("user", "reset", address).split()[-1]
    other = house.browsers.open(reset.removeprefix(house.browsers.address), signed_in=False)
    set_password(other, SECOND_PASSWORD)
    sign_in(house, other, "Leo", SECOND_PASSWORD)
    other.wait_for_url("**/inbox")
    page.reload()
    expect(page.locator("input[name=login]")).to_be_visible()
