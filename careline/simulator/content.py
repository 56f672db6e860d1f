"""What customers say: openings, follow-ups, thanks and complaints of an airline's day, in Spanish and English,
chosen by a seeded chance."""

from __future__ import annotations

import random
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

import msgspec

from careline.simulator.records import Persona

STORIES: Final = Path(__file__).parent / "stories"
Language = Literal["es", "en"]


class Topic(msgspec.Struct, frozen=True):
    """One thing customers write about in one language. `answers` are what a good agent says: first, then last."""

    slug: str
    tag: str
    team: str
    kind: Literal["complaint", "question", "request", "compliment"]
    opens: tuple[str, ...]
    follow_ups: tuple[str, ...]
    answers: tuple[str, str]


class Cast(msgspec.Struct, frozen=True):
    """Who speaks, and what is said on any topic."""

    thanks: dict[Language, tuple[str, ...]]
    unhappy: dict[Language, tuple[str, ...]]
    bystanders: dict[Language, tuple[str, ...]]
    own_posts: dict[Language, tuple[str, ...]]
    comments: dict[Language, tuple[str, ...]]
    spam: dict[Language, tuple[str, ...]]
    private_hints: dict[Language, str]
    notes: tuple[str, ...]
    cities: tuple[str, ...]
    people: tuple[tuple[str, str, Language], ...]
    first_names: dict[Language, tuple[str, ...]]
    last_names: dict[Language, tuple[str, ...]]


@lru_cache(maxsize=2)
def topics(language: Language) -> tuple[Topic, ...]:
    """All topics of a language, in the same order in each."""
    return msgspec.json.decode((STORIES / f"topics.{language}.json").read_bytes(), type=tuple[Topic, ...])


@lru_cache(maxsize=1)
def cast() -> Cast:
    """The people and their small talk."""
    return msgspec.json.decode((STORIES / "cast.json").read_bytes(), type=Cast)


def persona(number: int) -> tuple[Persona, Language]:
    """One of the invented customers, by number: first the cast, then people of whom no two share a name."""
    people = cast().people
    if number < len(people):
        name, handle, language = people[number]
        return Persona(f"u_{handle}", f"@{handle}", name), language
    language = "es" if number % 2 else "en"
    firsts, lasts = cast().first_names[language], cast().last_names[language]
    # The two lengths have no common divisor, so pairs repeat only after their product.
    turn, place = divmod((number - len(people)) // 2, len(firsts) * len(lasts))
    first, last = firsts[place % len(firsts)], lasts[place % len(lasts)]
    handle = _plain(f"{first}{last}") + (str(turn + 1) if turn else "")
    return Persona(f"u_{handle}", f"@{handle}", f"{first} {last}"), language


def _plain(name: str) -> str:
    """Lower case without accents, as handles are."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()


def language_of(name: str) -> Language:
    """The language of a customer of ours, known by name; Spanish for a stranger."""
    for known, _, language in cast().people:
        if known == name:
            return language
    return "en" if name.partition(" ")[0] in cast().first_names["en"] else "es"


class Speech:
    """Chooses words: seeded, so that the same demo says the same things."""

    def __init__(self, seed: int = 0) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def topic(self, language: Language) -> Topic:
        return self._chance.choice(topics(language))

    def pick(self, choices: tuple[str, ...]) -> str:
        return self._chance.choice(choices)

    def fill(self, template: str, *, name: str = "", agent: str = "") -> str:
        """Put a flight, city, booking, name and agent where the words ask for them."""
        first_name = name.split(" ", maxsplit=1)[0]
        return template.format(
            flight=f"AUR {self._chance.randint(100, 899)}",
            city=self._chance.choice(cast().cities),
            booking=self.booking(),
            number=self._chance.randint(1000, 9999),
            name=first_name,
            agent=agent,
        )

    def booking(self) -> str:
        """A booking reference: six letters and digits that cannot be misread."""
        return "".join(self._chance.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=6))
