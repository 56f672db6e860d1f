"""Act 3, the agents clear: two agents in turn, each in their language, and a lead who closes praise in one stroke and watches. Screens only."""

from __future__ import annotations

import re
from collections import Counter

from playwright.sync_api import expect

from tests.acceptance.cast import AGENTS, CAST, Customer, of, returning
from tests.acceptance.house import House
from tests.acceptance.working import Worker
from tests.browser.inbox.test_keyboard import pick
from tests.browser.inbox.test_whole_desk import PNG

CHANNELS = {"mail": "Service mailbox", "chat": "Chat", "post": "@norte", "comment": "@norte", "dm": "@norte"}
LANGUAGES = {"es": {"es": "español", "en": "inglés"}, "en": {"es": "Spanish", "en": "English"}}


def workers(house: House) -> dict[str, Worker]:
    """Everybody at the desk."""
    return {name: Worker(house, seat) for name, seat in house.seats.items()}


# ---- the lead


def lead_sees_everybody(lead: Worker) -> None:
    """All that was said stands on the lead's page, by channel; real and simulated counted apart."""
    simulated = sum(one.is_simulated for one in CAST)
    lead.open_view("all")
    expect(lead.page.locator('[data-count="all"] b')).to_have_text(str(len(CAST)), timeout=60_000)
    lead.page.goto(f"{lead.house.desk}/lead")
    for channel, number in Counter(CHANNELS[one.way] for one in CAST).items():
        row = lead.page.get_by_role("row", name=re.compile(re.escape(channel)))
        expect(row.locator("td").first).to_have_text(str(number))
    expect(lead.page.locator("[data-lead-cards] .figure").first).to_have_text(str(len(CAST) - simulated))
    expect(lead.page.locator("[data-lead-cards] .card").last).to_contain_text(f"and {simulated} simulated")
    lead.house.picture(lead.page, "lead-before")


def close_praise(lead: Worker) -> None:
    """Several comments in one stroke, taken back by one undo, and again."""
    praise = [one for one in of("comment") if one.task == "praise"]
    lead.open_view("all", channel="@norte · SIMULATED", public="everyone (public)")
    rows = lead.row(re.compile("|".join(one.code for one in praise)))
    expect(rows).to_have_count(len(praise))
    _close_rows(lead, [one.code for one in praise])
    expect(rows).to_have_count(0)
    lead.page.locator(".toast .act", has_text="Undo").click()
    expect(rows).to_have_count(len(praise))
    _close_rows(lead, [one.code for one in praise])
    expect(rows).to_have_count(0)


def _close_rows(lead: Worker, codes: list[str]) -> None:
    for code in codes:
        lead.row(code).locator("[data-pick]").check()
    lead.house.picture(lead.page, "lead-bulk")
    lead.page.locator('[data-do="bulk-close"]').click()
    pick(lead.page, "No answer needed")


# ---- the first round


def clear_first_words(house: House) -> None:
    """Both agents take what is nobody's in their language, then what was given to them, then what they had put off."""
    desk = workers(house)
    agents = [desk[name] for name in AGENTS.values()]
    for language, name in AGENTS.items():
        desk[name].open_view("unassigned", language=LANGUAGES[desk[name].seat.locale][language])
        house.picture(desk[name].page, f"unassigned-{language}")
    work_in_turn(agents, may_put_off=True)
    for view in ("mine", "snoozed"):
        for agent in agents:
            agent.open_view(view)
            work_in_turn([agent], may_put_off=False)


def work_in_turn(agents: list[Worker], *, may_put_off: bool) -> None:
    """One case each, as long as there is one: what one does happens on the other's open screen."""
    busy = list(agents)
    while busy:
        busy = [agent for agent in busy if agent.next_case()]
        for agent in busy:
            deal_first(agent, agent.customer(), may_put_off=may_put_off)


def deal_first(agent: Worker, customer: Customer, *, may_put_off: bool) -> None:
    """What is to be done about a customer's first words."""
    if customer.task == "spam":
        agent.page.keyboard.press("!")
    elif customer.task == "snooze" and may_put_off:
        agent.choose("s", agent.seat.words("In 20 minutes"))
    elif customer.answerer != agent.seat.name:
        hand_over(agent, customer)
    else:
        agent.take()
        answer_first(agent, customer)
        finish(agent, customer)


def hand_over(agent: Worker, customer: Customer) -> None:
    """To the colleague, and on to the next one."""
    agent.choose("a", customer.answerer)
    expect(agent.page.locator("[data-region=head] .meta")).to_contain_text(customer.answerer)
    agent.page.keyboard.press("j")


def answer_first(agent: Worker, customer: Customer) -> None:
    """The first answer, after or with whatever this case needs beside it."""
    if customer.is_public:
        see_public(agent)
    if customer.task == "note":
        write_note(agent, customer)
    elif customer.task == "file":
        attach(agent, customer)
    elif customer.task == "personal":
        be_stopped(agent)
    if customer.task == "snippet":
        insert_greeting(agent, customer)
    else:
        agent.write(customer.first_answer)
    agent.send(customer.first_words)
    agent.leave_composer()
    agent.house.picture_once(agent.page, f"{customer.task}-{customer.way}")
    if customer.task == "both_ways":
        answer_in_private(agent, customer)


def see_public(agent: Worker) -> None:
    """Who reads it stands above the text before a word is written."""
    expect(agent.page.locator("[data-composer]")).to_have_attribute("data-mode", "public")
    expect(agent.page.locator("[data-who-reads]")).to_contain_text(re.compile("PUBLIC|PÚBLIC"))
    expect(agent.page.locator("[data-who-reads]")).to_contain_text(
        "SIMULAD" if agent.seat.locale == "es" else "SIMULATED"
    )
    expect(agent.page.locator("[data-send]")).to_contain_text(agent.seat.words("Reply in public"))


def write_note(agent: Worker, customer: Customer) -> None:
    """For colleagues alone; then back to the answer."""
    agent.leave_composer()
    agent.page.keyboard.press("n")
    agent.write(f"{customer.code}: antes de contestar, mirar con almacén / ask the warehouse first")
    agent.send("ask the warehouse first", "note")
    agent.leave_composer()
    agent.page.keyboard.press("d")


def attach(agent: Worker, customer: Customer) -> None:
    """A picture goes with the answer."""
    agent.page.locator("[data-file]").set_input_files(
        {"name": f"plan-{customer.code}.png", "mimeType": "image/png", "buffer": PNG}
    )
    expect(agent.page.locator(".upload")).to_contain_text(customer.code)
    expect(agent.page.locator(".upload progress")).to_have_count(0)


def be_stopped(agent: Worker) -> None:
    """An address in a public answer asks before it goes; the agent thinks better of it."""
    agent.write("Escriba a marta@example.org / write to marta@example.org")
    agent.page.keyboard.press("Control+Enter")
    expect(agent.page.locator("[data-stopped]")).to_be_visible()
    agent.house.picture(agent.page, "stopped")
    agent.page.locator("[data-stopped] button").last.click()
    expect(agent.page.locator("[data-text]")).to_be_focused()
    agent.page.keyboard.press("Control+a")
    agent.page.keyboard.press("Delete")


def insert_greeting(agent: Worker, customer: Customer) -> None:
    """The snippet by its shortcut, in the customer's language, with both names filled in; then the rest."""
    agent.page.keyboard.type("/hola")
    expect(agent.page.locator("[data-snippets] .preview", has_text=customer.greeting)).to_be_visible()
    agent.page.keyboard.press("Enter")
    expect(agent.page.locator("[data-text]")).to_have_value(customer.greeting)
    agent.page.keyboard.insert_text(f" {customer.first_words}")


def answer_in_private(agent: Worker, customer: Customer) -> None:
    """The same customer, the same case, but nobody else reads it."""
    agent.page.keyboard.press("d")
    expect(agent.page.locator("[data-composer]")).to_have_attribute("data-mode", "private")
    expect(agent.page.locator("[data-who-reads]")).to_contain_text(customer.name)
    agent.answer(customer.private_words)


def finish(agent: Worker, customer: Customer) -> None:
    """Done, or waiting for the customer's word."""
    if customer.task == "wait":
        agent.choose("s", agent.seat.words("The customer"))
    else:
        agent.close(agent.seat.words("Heard, but not solved") if customer.task == "heard" else "")


# ---- the second round


def clear_second_words(house: House) -> None:
    """Who came back stands in the view of whoever answered them before."""
    desk = workers(house)
    agents = [desk[name] for name in AGENTS.values()]
    for agent in agents:
        back = [one for one in returning() if one.answerer == agent.seat.name and one.returns != "away"]
        agent.open_view("mine")
        expect(agent.page.locator('[data-count="mine"] b')).to_have_text(str(len(back)), timeout=60_000)
    house.picture(agents[0].page, "mine-second")
    busy = agents
    while busy:
        busy = [agent for agent in busy if agent.next_case()]
        for agent in busy:
            deal_second(agent, agent.customer())


def deal_second(agent: Worker, customer: Customer) -> None:
    """Thanks need no answer; a question gets one."""
    expect(agent.page.locator("[data-region=timeline]")).to_contain_text(customer.says_again)
    if customer.returns == "thanks":
        agent.page.locator("[data-timeline-scroll]").focus()
        agent.close(agent.seat.words("No answer needed"))
    else:
        agent.take()
        agent.answer(customer.second_answer)
        agent.close()
