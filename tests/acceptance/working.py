"""How somebody works at the inbox: opening, taking, writing, sending, closing, by keyboard; each step waits for what the screen shows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests.acceptance.cast import Customer, by_code
from tests.acceptance.house import House, Seat
from tests.browser.inbox.test_keyboard import pick

# Which case stands on screen after `before`; "nothing" when none does and none is listed.
_STANDS = """before => {
    const number = document.querySelector('[data-region=head] .meta')?.innerText.match(/\\d+/)?.[0] ?? '';
    const hasRows = document.querySelector('[data-rows] .row:not(.is-leaving)');
    return number && number !== before ? number : !number && !hasRows ? 'nothing' : false;
}"""


@dataclass
class Worker:
    """A seat and the case that was open last."""

    house: House
    seat: Seat
    number: str = ""

    @property
    def page(self) -> Page:
        return self.seat.page

    # ---- the list

    def open_view(self, view: str, **narrowed: str) -> None:
        """A view of the inbox, narrowed with the filter form: field name to what it offers."""
        self.page.goto(f"{self.house.desk}/inbox?view={view}")
        if narrowed:
            self.page.locator("[data-do=filters]").click()
            for name, words in narrowed.items():
                choice = self.page.locator(f"[data-filters] select[name={name}]")
                expect(choice.locator("option", has_text=words)).to_be_attached()
                choice.select_option(label=words)
            self.page.locator("[data-filters] button").click()
            self.page.locator(".filters-on").wait_for()
        self.page.locator('[data-live][data-state="live"]').wait_for()
        self.number = ""

    def next_case(self) -> bool:
        """Wait for the case that follows; False when nothing is left. The first one is opened by `j`."""
        if not self.number and self.page.locator("[data-rows] .row").count():
            self.page.keyboard.press("j")
        try:
            stands = self.page.wait_for_function(_STANDS, arg=self.number, timeout=15_000).json_value()
        except TimeoutError:
            self.house.picture(self.page, f"stuck-{self.seat.name}")
            raise
        self.number = "" if stands == "nothing" else str(stands)
        return bool(self.number)

    def find(self, customer: Customer) -> None:
        """Ctrl+K and a word of theirs lead to a customer's case."""
        self.page.goto(f"{self.house.desk}/inbox?view=all")
        self.page.locator('[data-live][data-state="live"]').wait_for()
        self.page.keyboard.press("Control+k")
        self.page.keyboard.type(customer.code)
        expect(self.page.locator("dialog[open] .option").first).to_contain_text(customer.name)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("[data-region=timeline]")).to_contain_text(customer.code)

    def row(self, text: str | re.Pattern[str]) -> Locator:
        """A row of the list by what it shows."""
        return self.page.locator("[data-rows] .row", has_text=text)

    # ---- the open case

    def customer(self) -> Customer:
        """Whose case is on screen: read from what they wrote."""
        said = self.page.locator("[data-region=timeline] .msg.theirs", has_text=re.compile(r"NT\d{4}")).first
        found = re.search(r"NT\d{4}", said.inner_text())
        assert found is not None
        return by_code(found.group())

    def take(self) -> None:
        """Enter: mine, and the cursor stands in the composer."""
        self.page.keyboard.press("Enter")
        expect(self.page.locator("[data-region=head] .meta")).to_contain_text(self.seat.words("yours"))
        expect(self.page.locator("[data-text]")).to_be_focused()

    def write(self, text: str) -> None:
        """Words into the composer, all at once as from a clipboard."""
        self.page.locator("[data-text]").focus()
        self.page.keyboard.insert_text(text)

    def send(self, text: str, kind: str = "ours") -> None:
        """Ctrl+Enter; what was sent stands in the timeline, and the button is idle again."""
        self.page.keyboard.press("Control+Enter")
        self.page.locator(f"[data-region=timeline] .msg.{kind}", has_text=text).wait_for()
        self.page.locator("[data-send]:not([aria-busy])").wait_for()

    def answer(self, text: str) -> None:
        """Write, send, and see it stand there."""
        self.write(text)
        self.send(text)
        self.leave_composer()

    def leave_composer(self) -> None:
        """Back to the keys."""
        self.page.keyboard.press("Escape")
        expect(self.page.locator("[data-text]")).not_to_be_focused()

    def close(self, outcome: str = "") -> None:
        """`e`; an outcome is chosen from the list that Shift, or an unanswered case, brings."""
        self.page.keyboard.press("Shift+E" if outcome else "e")
        if outcome:
            pick(self.page, outcome)

    def choose(self, key: str, words: str) -> None:
        """A key that opens a list, and what is chosen there."""
        self.page.keyboard.press(key)
        pick(self.page, words)
