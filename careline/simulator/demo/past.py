"""The week behind Aurora Air: waves of customers, what agents answered, and how each case stands now."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, TypeVar

import msgspec

from careline.cases.actions.assigning import assign_team, take_case
from careline.cases.actions.blocking import block_case
from careline.cases.actions.bulk import move_many, tag_many
from careline.cases.actions.closing import close_case
from careline.cases.actions.noting import write_note
from careline.cases.actions.replying import Then
from careline.cases.actions.snoozing import snooze_case, wait_for
from careline.cases.models import Case
from careline.simulator.content import Language, Speech, Topic, cast, persona
from careline.simulator.demo import letters
from careline.simulator.demo.telling import Telling, at_moment
from careline.simulator.records import Persona

Fate = Literal["solved", "heard", "thanked", "asked_back", "customer", "department", "snoozed", "taken", "new", "spam"]
Place = Literal["post", "dm", "comment", "mail", "chat", "phone"]

# Hours before now, and how many customers come in that wave.
OLD_WAVES: Final[tuple[tuple[float, int], ...]] = (
    (163, 17), (157, 16), (141, 17), (133, 16), (117, 17), (109, 16), (93, 17), (85, 16), (69, 17), (61, 16), (46,
    18), (38, 17), (26, 18), (21, 16),
)  # fmt: skip
NEW_WAVES: Final[tuple[tuple[float, int], ...]] = ((5.0, 14), (3.2, 14), (1.6, 14), (0.55, 16), (0.12, 14))
OLD_FATES: Final[tuple[tuple[Fate, int], ...]] = (
    ("solved", 38),
    ("thanked", 20),
    ("asked_back", 12),
    ("heard", 5),
    ("customer", 12),
    ("department", 6),
    ("snoozed", 6),
    ("spam", 2),
)
NEW_FATES: Final[tuple[tuple[Fate, int], ...]] = (
    ("solved", 22), ("asked_back", 10), ("customer", 14), ("department", 8), ("taken", 14), ("new", 32),
)  # fmt: skip
PLACES: Final[tuple[tuple[Place, int], ...]] = (
    ("post", 46), ("dm", 30), ("comment", 8), ("mail", 8), ("chat", 4), ("phone", 4),
)  # fmt: skip
ANSWERING: Final = ("Luis", "Hanna", "Ana", "Ben")
# What is still open is never Ana's: her list is short, and Marta stands on top of it.
OPEN_FATES: Final = frozenset({"new", "taken", "department", "asked_back"})
MAIL_DOMAINS: Final = {"es": "correo.example", "en": "post.example"}
WINDOW: Final = timedelta(minutes=15)


_T = TypeVar("_T")


class Customer(msgspec.Struct, frozen=True):
    """Somebody of a wave, with what they say, where, and what became of it."""

    person: Persona
    language: Language
    topic: Topic
    place: Place
    fate: Fate
    agent: str
    opened_at: datetime
    account: str
    platform_id: str = ""


class Past:
    """Fills the week. `numbers` are personas: each customer of a wave is another one."""

    def __init__(self, telling: Telling, now: datetime, *, seed: int = 7) -> None:
        self._telling = telling
        self._now = now
        self._speech = Speech(seed)
        self._chance = random.Random(seed)  # noqa: S311 - the same week for everyone
        self._next_person = 0
        self._own_threads: list[str] = []

    def tell(self) -> None:
        """The whole week, oldest first."""
        for waves, fates in ((OLD_WAVES, OLD_FATES), (NEW_WAVES, NEW_FATES)):
            for hours, count in waves:
                self._wave(self._now - timedelta(hours=hours), count, fates)

    def _wave(self, at: datetime, count: int, fates: Sequence[tuple[Fate, int]]) -> None:
        is_over = self._now - at > timedelta(hours=1)
        customers = [self._customer(at, fates, is_last=not is_over) for _ in range(count)]
        with at_moment(at):
            said = [self._open(one) for one in customers]
            self._telling.hear()
        cases = self._telling.cases_of([one.platform_id for one in said])
        told = [(one, cases[one.platform_id]) for one in said if one.platform_id in cases]
        if is_over:
            self._work(told, at)
        else:
            self._begin(told, min(at + timedelta(minutes=4), self._now - timedelta(seconds=20)))

    def _customer(self, at: datetime, fates: Sequence[tuple[Fate, int]], *, is_last: bool) -> Customer:
        person, language = persona(self._next_person)
        self._next_person += 1
        topic = self._speech.topic(language)
        place = self._one_of(PLACES)
        fate = self._one_of(fates)
        if topic.kind == "compliment":
            place, fate = "post", fate if fate in {"new", "taken"} else "solved"
        account = "aurora" if place == "comment" or self._chance.random() < 0.8 else "aurora_help"
        agent = self._agent(topic, account if place in {"post", "dm", "comment"} else "", fate)
        span_s = WINDOW.total_seconds() / (4 if is_last else 1)
        opened_at = at - timedelta(seconds=self._chance.uniform(5, span_s))
        return Customer(person, language, topic, place, fate, agent, opened_at, account)

    def _agent(self, topic: Topic, account: str, fate: Fate) -> str:
        """Who will answer: Dora takes bags, Ana sees only what comes to @aurora and keeps nothing open."""
        if topic.team == "Baggage":
            return "Dora"
        agent = self._chance.choice(ANSWERING)
        return "Luis" if agent == "Ana" and (account != "aurora" or fate in OPEN_FATES) else agent

    def _one_of(self, choices: Sequence[tuple[_T, int]]) -> _T:
        return self._chance.choices([one for one, _ in choices], [weight for _, weight in choices])[0]

    # ---- what customers say

    def _open(self, one: Customer) -> Customer:
        platform, at = self._telling.platform, one.opened_at.timestamp()
        openings = cast().spam[one.language] if one.fate == "spam" else one.topic.opens
        text = self._speech.fill(self._speech.pick(openings), name=one.person.name)
        platform.join(one.person)
        account = one.account
        match one.place:
            case "post":
                views = int(10 ** self._chance.uniform(1.3, 3.7))
                row = platform.post(account, one.person.id, f"@{account} {text}", views=views, at=at)
                self._bystand(one, row.thread, at)
                return msgspec.structs.replace(one, platform_id=row.id)
            case "dm":
                return msgspec.structs.replace(one, platform_id=platform.dm(account, one.person.id, text, at=at).id)
            case "comment":
                comment = self._speech.fill(self._speech.pick(cast().comments[one.language]))
                row = platform.reply(self._own_thread(one), one.person.id, comment, at=at)
                return msgspec.structs.replace(one, platform_id=row.id)
        return self._open_elsewhere(one, text)

    def _bystand(self, one: Customer, thread: str, at: float) -> None:
        """Now and then somebody else has a word to say."""
        if self._chance.random() < 0.18:
            other, language = persona(self._next_person + 17)
            self._telling.platform.join(other)
            text = self._speech.pick(cast().bystanders[language])
            self._telling.platform.reply(thread, other.id, text, at=at + self._chance.uniform(3, 60))

    def _own_thread(self, one: Customer) -> str:
        """A post of the brand that people comment under; a new one now and then."""
        if not self._own_threads or self._chance.random() < 0.2:
            text = self._speech.pick(cast().own_posts[one.language])
            at = (one.opened_at - timedelta(hours=1)).timestamp()
            self._own_threads.append(self._telling.platform.own_post("aurora", text, views=2400, at=at).thread)
        return self._own_threads[-1]

    def _open_elsewhere(self, one: Customer, text: str) -> Customer:
        """Mail, chat and phone, where these networks are installed; else a direct message."""
        channels = self._telling.desk.channels
        key = {
            "mail": next((k for k, c in channels.items() if c.network == "email"), ""),
            "chat": "site",
            "phone": "desk",
        }[one.place]
        if key not in channels:
            row = self._telling.platform.dm("aurora", one.person.id, text, at=one.opened_at.timestamp())
            return msgspec.structs.replace(one, platform_id=row.id)
        view = self._telling.view(key)
        if one.place == "mail":
            address = f"{one.person.handle.removeprefix('@')}@{MAIL_DOMAINS[one.language]}"
            part = letters.mail_part(view, one.person, address, text[:50].rsplit(" ", 1)[0], text, one.opened_at)
        elif one.place == "chat":
            part = letters.chat_part(view, one.person, text, one.opened_at)
        else:
            phone = f"+3460{self._chance.randint(1000000, 9999999)}"
            part = letters.note_part(view, one.person, text, one.opened_at, phone=phone, by="Luis")
        self._telling.bring(key, part)
        return msgspec.structs.replace(one, platform_id=self._telling.normalised(key, part).platform_id)

    # ---- what agents do

    def _work(self, told: list[tuple[Customer, Case]], at: datetime) -> None:
        """A wave that is over: first answers, follow-ups, last answers, thanks."""
        self._sort(told, at)
        for one, case in told:
            self._first(one, case, at + timedelta(minutes=self._chance.uniform(1, 16)))
        self._telling.settle()
        later = at + timedelta(minutes=30)
        self._come_back([one for one, _ in told if one.fate in {"asked_back", "thanked"}], later)
        for one, case in told:
            self._last(one, case, later + timedelta(minutes=self._chance.uniform(2, 12)))
        self._telling.settle()

    def _sort(self, told: list[tuple[Customer, Case]], at: datetime) -> None:
        """Ben moves bags to their team and tags what can be told at a glance, many at a stroke."""
        ben = self._telling.desk.agents["Ben"]
        by_tag: dict[str, list[int]] = defaultdict(list)
        for one, case in told:
            if one.fate != "spam" and self._chance.random() < 0.6:
                by_tag[one.topic.tag].append(case.number)
        bags = [case.number for one, case in told if one.agent == "Dora"]
        with at_moment(at + timedelta(seconds=40)):
            if bags:
                move_many(ben, bags, self._telling.desk.teams["Baggage"])
            for tag, numbers in by_tag.items():
                tag_many(ben, numbers, add=[tag])

    def _first(self, one: Customer, case: Case, at: datetime) -> None:
        viewer = self._telling.desk.agents[one.agent]
        if one.fate in {"new", "spam"}:
            return
        if one.place == "phone":
            self._close_call(one, case, at)
            return
        if one.fate == "taken":
            with at_moment(at):
                take_case(viewer, case.number)
            return
        text = self._speech.fill(one.topic.answers[0], name=one.person.name, agent=one.agent)
        then: Then = "done" if one.fate == "solved" else "waiting" if one.fate == "customer" else "stay"
        self._telling.answer(case, one.agent, text, at, then=then)

    def _close_call(self, one: Customer, case: Case, at: datetime) -> None:
        """A call cannot be answered here: what was done stands in a note."""
        viewer = self._telling.desk.agents[one.agent]
        with at_moment(at):
            write_note(viewer, case.number, text=self._speech.pick(cast().notes))
            close_case(viewer, case.number, "solved" if one.fate != "heard" else "heard")

    def _come_back(self, customers: list[Customer], at: datetime) -> None:
        """Follow-ups and thanks, as far as the customer can be heard again."""
        with at_moment(at):
            for one in customers:
                words = cast().thanks[one.language] if one.fate == "thanked" else one.topic.follow_ups
                text = self._speech.fill(self._speech.pick(words), name=one.person.name, agent=one.agent)
                self._say_again(one, text, at - timedelta(minutes=self._chance.uniform(1, 12)))
            self._telling.hear()

    def _say_again(self, one: Customer, text: str, at: datetime) -> None:
        message = self._telling.platform.ledger.message(one.platform_id)
        if message is not None:
            self._telling.platform.reply(message.thread, one.person.id, text, at=at.timestamp())

    def _last(self, one: Customer, case: Case, at: datetime) -> None:
        viewer = self._telling.desk.agents[one.agent]
        with at_moment(at):
            if one.place == "phone":
                return
            if one.fate in {"thanked", "heard"}:
                close_case(viewer, case.number, "solved" if one.fate == "thanked" else "heard")
            elif one.fate == "department":
                wait_for(viewer, case.number, "department", why="Waiting for the station")
            elif one.fate == "snoozed":
                snooze_case(viewer, case.number, self._now + timedelta(hours=self._chance.uniform(2, 60)))
            elif one.fate == "spam":
                block_case(self._telling.desk.agents["Ben"], case.number)
        if one.fate == "asked_back":
            text = self._speech.fill(one.topic.answers[1], name=one.person.name, agent=one.agent)
            self._telling.answer(case, one.agent, text, at, then="done")

    def _begin(self, told: list[tuple[Customer, Case]], at: datetime) -> None:
        """The wave of now: some are taken or moved to their team, most still wait."""
        for number, (one, case) in enumerate(told):
            with at_moment(at):
                if one.fate == "taken" and one.agent != "Dora":
                    take_case(self._telling.desk.agents[one.agent], case.number)
                elif one.topic.team != "Social" and number % 2:
                    assign_team(self._telling.desk.agents["Ben"], case.number, self._telling.desk.teams[one.topic.team])
