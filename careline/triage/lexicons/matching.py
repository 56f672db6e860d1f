"""Finds what the rules of one or several languages propose in a text, and where; what a proposal leads to is decided elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec import Struct

from careline.triage.lexicons.folding import Word, cut_words
from careline.triage.lexicons.patterns import LONGEST_STEM, NUMBER, Phrase, is_word, parse_phrase
from careline.triage.lexicons.rules import Context, DataFile, Rule, read_data_file
from careline.triage.protocol import Span

FOLDER: Final = Path(__file__).parent
# A rule that has found this many places has said enough; of cancelled ones, and of what cancels, the first MOST_TRIES count.
MOST_SPANS: Final = 8
MOST_TRIES: Final = 64
# How many words before a match a context of scope `before` may end: "I am not really going to | sue".
BEFORE_WORDS: Final = 3


class Found(Struct, frozen=True):
    """What one rule proposes. `spans` are code points of the text as given; `value` as in the verdict of the name `risk`."""

    rule: str
    risk: str
    value: str
    confidence: float
    spans: tuple[Span, ...]


class Match(Struct, frozen=True):
    """Words `start` to `end` (exclusive) of the cut text."""

    start: int
    end: int


# Who asked for a phrase: ("rule" | "unless" | "context", name).
Owner = tuple[str, str]
Matches = dict[Owner, list[Match]]


class Lexicon(Struct, frozen=True):
    """One language's rules, ready. Its time grows with the length of the text, never faster."""

    language: str
    version: str
    rules: tuple[Rule, ...]
    contexts: dict[str, Context]
    phrases: tuple[tuple[Owner, Phrase], ...]
    by_word: dict[str, tuple[int, ...]]
    numbers: frozenset[str]

    @staticmethod
    @lru_cache(maxsize=16)
    def load(language: str) -> Lexicon:
        """The lexicon of an ISO 639-1 code. Raises FileNotFoundError where there is none, ValueError for a faulty file."""
        return make_lexicon(read_data_file((FOLDER / f"{language}.json").read_bytes()))

    def find(self, text: str) -> list[Found]:
        """What the rules propose, in the order of the file."""
        words = cut_words(text)
        matches = self._match_all(words)
        return [found for rule in self.rules if (found := self._judge(rule, words, matches))]

    def _match_all(self, words: Sequence[Word]) -> Matches:
        matches: Matches = defaultdict(list)
        vocabulary = frozenset(word.folded for word in words)
        starting = {folded: self._possible(folded, vocabulary) for folded in vocabulary}
        for at, word in enumerate(words):
            for owner, phrase in starting[word.folded]:
                found = matches[owner]
                if len(found) < MOST_TRIES and (end := phrase.match_at(words, at)) > at:
                    found.append(Match(at, end))
        return matches

    def _possible(self, folded: str, vocabulary: frozenset[str]) -> list[tuple[Owner, Phrase]]:
        """The phrases that begin with this word and may stand in a text of these words."""
        phrases = (self.phrases[index] for index in self._starting_with(folded))
        return [(owner, phrase) for owner, phrase in phrases if phrase.can_stand_in(vocabulary)]

    def _starting_with(self, folded: str) -> Iterator[int]:
        yield from self.by_word.get(folded, ())
        for length in range(1, min(len(folded), LONGEST_STEM) + 1):
            yield from self.by_word.get(folded[:length] + "*", ())
        if is_word(NUMBER, folded, self.numbers):
            yield from self.by_word.get(NUMBER, ())

    def _judge(self, rule: Rule, words: Sequence[Word], matches: Matches) -> Found | None:
        if rule.most_words and len(words) > rule.most_words:
            return None
        taken = matches.get(("rule", rule.name), ())
        kept = [match for match in taken if not self._is_cancelled(match, rule, words, matches)][:MOST_SPANS]
        if not kept:
            return None
        risk, _, value = rule.risk.partition(":")
        spans = (Span(words[m.start].start, words[m.end - 1].end, rule.name) for m in kept)
        return Found(f"{self.language}.{rule.name}", risk, value or risk, rule.confidence, tuple(dict.fromkeys(spans)))

    def _is_cancelled(self, match: Match, rule: Rule, words: Sequence[Word], matches: Matches) -> bool:
        if any(other.start < match.end and match.start < other.end for other in matches.get(("unless", rule.name), ())):
            return True
        return any(
            _stands_in(self.contexts[name].scope, other, match, words)
            for name in rule.yields_to
            for other in matches.get(("context", name), ())
        )


def _stands_in(scope: str, context: Match, match: Match, words: Sequence[Word]) -> bool:
    """Whether a context's match is where its scope says, seen from a rule's match."""
    if scope == "text":
        return True
    is_same_sentence = words[context.end - 1].sentence == words[match.start].sentence
    if scope == "sentence":
        return is_same_sentence
    return is_same_sentence and match.start - BEFORE_WORDS <= context.end <= match.end


def find_risks(text: str, languages: Sequence[str] = ()) -> list[Found]:
    """What the lexicons of these languages propose; of all languages there are, when none of these has one.

    Spans are code points of `text`. Pure, raises nothing for strange text, and takes time in proportion to its length.
    """
    known = available_languages()
    asked = [code for code in dict.fromkeys(languages) if code in known] or list(known)
    return [found for code in asked for found in Lexicon.load(code).find(text)]


@lru_cache(maxsize=1)
def available_languages() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def make_lexicon(data: DataFile) -> Lexicon:
    """A lexicon from a data file. Raises ValueError, naming the phrase, when one cannot be read."""
    phrases = tuple((owner, parse_phrase(source, data.lists)) for owner, source in _owned_phrases(data))
    by_word: dict[str, list[int]] = defaultdict(list)
    for index, (_, phrase) in enumerate(phrases):
        for word in phrase.first_words:
            by_word[word].append(index)
    index_of = {word: tuple(indices) for word, indices in by_word.items()}
    numbers = phrases[0][1].numbers if phrases else frozenset[str]()
    return Lexicon(data.language, data.version, data.rules, data.contexts, phrases, index_of, numbers)


def _owned_phrases(data: DataFile) -> Iterable[tuple[Owner, str]]:
    for rule in data.rules:
        yield from ((("rule", rule.name), source) for source in rule.patterns)
        yield from ((("unless", rule.name), source) for source in rule.unless)
    for name, context in data.contexts.items():
        yield from ((("context", name), source) for source in context.patterns)
