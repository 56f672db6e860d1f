"""Customers at a human pace: somebody new every ten to twenty seconds, and whoever is answered answers back."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import structlog

from careline.simulator.content import Language, Speech, cast, language_of, persona
from careline.simulator.mailroom import answer_by_mail
from careline.simulator.platform import Platform, Refused
from careline.simulator.records import MailRow, MessageRow, Persona, ThreadRow
from careline.simulator.scripts import Line, Script, draw_picture, scripts, strike_words

TICK_S: Final = 0.25
FIRST_NEW_PERSON: Final = 1000
MOST_ANSWERS: Final = 3
STRIKE_COUNT: Final = 1284
STRIKE_LASTS_S: Final = 3600.0
_log = structlog.get_logger()


class Traffic:
    """One thread beside the platform. Stories can be begun by name while it runs."""

    def __init__(self, platform: Platform, *, pace_s: tuple[float, float] = (9.0, 19.0), seed: int = 11) -> None:
        self._platform = platform
        self._pace_s = pace_s
        self._chance = random.Random(seed)  # noqa: S311 - believable, not secret
        self._speech = Speech(seed)
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._answered: Counter[tuple[str, str]] = Counter()
        self._languages: dict[str, Language] = {}
        self._roots: dict[str, str] = {}
        # A later start on the same ledger brings other people.
        self._next_person = FIRST_NEW_PERSON + len(platform.ledger.people())
        self._last_seq = max((one.seq for one in platform.ledger.messages(origin="api")), default=0)
        self._last_mail = max((one.seq for one in platform.ledger.mails()), default=0)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="customers", daemon=True)
        for script in scripts().values():
            self._languages[script.person.id] = script.language

    def start(self) -> None:
        """Begin speaking, the private story first and the public one a little later."""
        self.later(self._chance.uniform(4, 8), self._somebody_new)
        self.later(40, lambda: self.begin("four_messages"))
        self.later(150, lambda: self.begin("song"))
        self._thread.start()

    def listen_only(self) -> None:
        """Nobody new speaks, but whoever is answered answers."""
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def later(self, after_s: float, act: Callable[[], object]) -> None:
        """Do something then. From any thread."""
        with self._lock:
            heapq.heappush(self._due, (time.monotonic() + after_s, next(self._order), act))

    # ---- stories

    def begin(self, slug: str) -> None:
        """Play a story: four_messages, song, or strike. Raises KeyError for another name."""
        if slug == "strike":
            self._strike()
            return
        script = scripts()[slug]
        self._platform.join(script.person)
        for line in script.opening:
            self._open(script, line)

    def _open(self, script: Script, line: Line) -> None:
        files = draw_picture(self._platform.ledger, line.picture)
        if line.place == "private":
            self._platform.dm("aurora", script.person.id, line.text, files=files)
            return
        thread = self._platform.post("aurora", script.person.id, line.text, views=120, files=files).thread
        self._roots[script.person.id] = thread
        for after_s, views in script.views:
            self.later(after_s, lambda views=views: self._platform.count_views(thread, views))  # type: ignore[misc] # bound default
        for after_s, text in script.bystanders:
            self.later(after_s, lambda text=text: self._bystand(thread, text))  # type: ignore[misc] # bound default

    def _bystand(self, thread: str, text: str) -> None:
        other, language = self._person()
        self._languages[other.id] = language
        self._platform.reply(thread, other.id, text)

    def _strike(self) -> None:
        """1,284 messages within the hour: most in the first quarter, in two languages, public and private."""
        for _ in range(STRIKE_COUNT):
            self.later(STRIKE_LASTS_S * self._chance.betavariate(1.2, 3.0), self._stranded)

    def _stranded(self) -> None:
        person, language = self._person()
        text = strike_words(self._speech, language)
        if self._chance.random() < 0.55:
            self._platform.post("aurora", person.id, f"@aurora {text}", views=int(10 ** self._chance.uniform(1, 3)))
        else:
            self._platform.dm(self._chance.choice(("aurora", "aurora_help")), person.id, text)

    # ---- the loop

    def _run(self) -> None:
        while not self._stopping.wait(TICK_S):
            try:
                self._hear_answers()
                self._read_mails()
                self._do_due()
            except Refused as refused:
                _log.debug("simulated_customer_refused", reason=refused.error)

    def _do_due(self) -> None:
        while True:
            with self._lock:
                if not self._due or self._due[0][0] > time.monotonic():
                    return
                act = heapq.heappop(self._due)[2]
            act()

    def _somebody_new(self) -> None:
        self.later(self._chance.uniform(*self._pace_s), self._somebody_new)
        person, language = self._person()
        self._languages[person.id] = language
        topic = self._speech.topic(language)
        text = self._speech.fill(self._speech.pick(topic.opens), name=person.name)
        draw = self._chance.random()
        if draw < 0.5:
            row = self._platform.post("aurora", person.id, f"@aurora {text}", views=self._chance.randint(20, 900))
            self._linger(row)
        elif draw < 0.85:
            self._platform.dm(self._chance.choice(("aurora", "aurora_help")), person.id, text)
        else:
            self._comment(person, language)

    def _linger(self, row: MessageRow) -> None:
        """What may still happen to a public post: somebody joins in, it is read more, its author mends or removes
        it."""
        draw = self._chance.random()
        if draw < 0.2:
            _, language = self._person()
            self.later(
                self._chance.uniform(5, 25),
                lambda: self._bystand(row.thread, self._speech.pick(cast().bystanders[language])),
            )
        elif draw < 0.35:
            self.later(
                self._chance.uniform(20, 60),
                lambda: self._platform.count_views(row.thread, self._chance.randint(1000, 9000)),
            )
        elif draw < 0.42:
            self.later(
                self._chance.uniform(10, 30),
                lambda: self._platform.edit(row.id, f"{row.text} (edit: {self._speech.booking()})"),
            )
        elif draw < 0.45:
            self.later(self._chance.uniform(20, 40), lambda: self._platform.delete(row.id))

    def _comment(self, person: Persona, language: Language) -> None:
        """Under the newest post of the brand, or a new one."""
        ours = self._platform.ledger.newest_threads(("comment",), 1)
        if not ours or self._chance.random() < 0.3:
            self._platform.own_post("aurora", self._speech.pick(cast().own_posts[language]), views=1800)
            ours = self._platform.ledger.newest_threads(("comment",), 1)
        self._platform.reply(ours[0].id, person.id, self._speech.pick(cast().comments[language]))

    def _person(self) -> tuple[Persona, Language]:
        person, language = persona(self._next_person)
        self._next_person += 1
        self._platform.join(person)
        return person, language

    # ---- answering

    def _hear_answers(self) -> None:
        for row in self._platform.ledger.messages(origin="api", after=self._last_seq):
            self._last_seq = row.seq
            thread = self._platform.ledger.thread(row.thread)
            if thread is not None and row.deleted_at is None:
                self._react(thread, row)

    def _read_mails(self) -> None:
        """Most who get a mail write back, some seconds later."""
        for row in self._platform.ledger.mails(after=self._last_mail):
            self._last_mail = row.seq
            if row.is_ours and self._chance.random() < 0.8:
                language: Language = "es" if row.recipient.endswith("correo.example") else "en"
                words = self._speech.fill(self._speech.pick(cast().thanks[language]), agent=_signer(row.text))
                self.later(self._chance.uniform(8, 16), lambda row=row, words=words: self._write_back(row, words))  # type: ignore[misc] # bound defaults

    def _write_back(self, row: MailRow, words: str) -> None:
        answer_by_mail(self._platform, row.seq, words)

    def _react(self, thread: ThreadRow, row: MessageRow) -> None:
        person_id = self._listener(thread, row)
        place = "private" if thread.place == "dm" else "public"
        count = self._answered[(person_id, place)]
        self._answered[(person_id, place)] += 1
        script = next((one for one in scripts().values() if one.person.id == person_id), None)
        if script is not None:
            lines = script.on_private if place == "private" else script.on_public
            for line in lines[count] if count < len(lines) else ():
                self._speak_later(script, line, thread)
        elif person_id and count < MOST_ANSWERS:
            self._answer_back(thread, person_id, row)

    def _listener(self, thread: ThreadRow, row: MessageRow) -> str:
        """Whom an answer of the brand is for."""
        target = self._platform.ledger.message(row.reply_to) if row.reply_to else None
        if target is not None and target.author_id != thread.account:
            return target.author_id
        return thread.author_id if thread.author_id != thread.account else ""

    def _speak_later(self, script: Script, line: Line, thread: ThreadRow) -> None:
        if line.place == "private":
            dm = self._platform.dm_thread(thread.account, script.person.id)
            self.later(line.after_s * 0.4, lambda: self._platform.show_typing(dm.id, script.person.id))
        self.later(line.after_s, lambda: self._speak(script, line, thread))

    def _speak(self, script: Script, line: Line, thread: ThreadRow) -> None:
        files = draw_picture(self._platform.ledger, line.picture)
        person_id = script.person.id
        if line.place == "private":
            self._platform.dm(thread.account, person_id, line.text, files=files)
            return
        public = thread.id if thread.place != "dm" else self._public_thread(thread.account, person_id)
        if public:
            self._platform.reply(public, person_id, line.text, files=files)

    def _public_thread(self, account: str, person_id: str) -> str:
        recent = self._platform.ledger.newest_threads(("post",), 500)
        return next((one.id for one in recent if one.author_id == person_id and one.account == account), "")

    def _answer_back(self, thread: ThreadRow, person_id: str, row: MessageRow) -> None:
        """Thanks, a further question, or something less kind; sometimes only a heart, sometimes nothing."""
        language = self._languages.get(person_id) or self._guess(thread, person_id)
        draw, after_s = self._chance.random(), self._chance.uniform(5, 13)
        if draw > 0.85:
            self.later(after_s, lambda: self._platform.react(row.id, person_id, "❤️"))
            return
        choices = (
            cast().thanks[language]
            if draw < 0.5
            else cast().unhappy[language]
            if draw < 0.62
            else self._questions(language)
        )
        words = self._speech.fill(self._speech.pick(choices), agent=_signer(row.text))
        if thread.place == "dm":
            self.later(after_s * 0.5, lambda: self._platform.show_typing(thread.id, person_id))
        self.later(after_s, lambda: self._platform.reply(thread.id, person_id, words, reply_to=row.id))

    def _questions(self, language: Language) -> tuple[str, ...]:
        return self._speech.topic(language).follow_ups

    def _guess(self, thread: ThreadRow, person_id: str) -> Language:
        """The language of somebody who spoke before this start: the cast knows it by name."""
        person = self._platform.ledger.person(person_id)
        return language_of(person.name) if person else "es"


def _signer(text: str) -> str:
    """The first name behind the last ^ of an answer, for thanking."""
    name = text.rpartition("^")[2].strip()
    return name if name.isalpha() and len(name) < 20 else ""
