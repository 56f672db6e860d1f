"""The small language of the rules' phrases: read from text, matched at a word. No regular expression, no backtracking.

A phrase is words with blanks between them, compared folded. Each may be
    lawyer          this word
    abogad*         any word that begins so
    sue|take_action one of these; an underscore joins the words of one choice
    {family}        one of the file's list of that name; its items may have several words
    (my)            a part that may be missing; also ({family}) and (a|b)
    #               a number, in digits ("3", "40k") or one of the file's number words
    @               a handle or the address of a page
    [3]   [3+]      up to three words of any kind, within the sentence; with + also across its end
    ^   $           the beginning and the end of the whole text
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from careline.triage.lexicons.folding import OPAQUE, Word, fold_word

WIDEST_GAP: Final = 12
MOST_PARTS: Final = 16
LONGEST_STEM: Final = 16
NUMBER: Final = "#"
_ANYWHERE: Final = -1

# One item of a choice: the words it consists of; a word may end in a star.
Item = tuple[str, ...]
# Where a match may go on: the next word's index, and the sentence it must belong to.
State = tuple[int, int]


class Part(Struct, frozen=True):
    """A piece of a phrase: a choice of items, or a gap of up to `gap` words, or an end of the text."""

    items: tuple[Item, ...] = ()
    is_optional: bool = False
    gap: int = 0
    crosses: bool = False
    is_end: bool = False


class Phrase(Struct, frozen=True):
    """A phrase ready to be matched. `source` is how it was written."""

    source: str
    parts: tuple[Part, ...]
    from_start: bool
    numbers: frozenset[str]
    needed: tuple[frozenset[str], ...]

    @property
    def first_words(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item[0] for item in self.parts[0].items))

    def can_stand_in(self, vocabulary: frozenset[str]) -> bool:
        """Whether a text of these words may hold it: each part that must be there and is spelt out has a word among them."""
        return all(not needed.isdisjoint(vocabulary) for needed in self.needed)

    def match_at(self, words: Sequence[Word], at: int) -> int:
        """The index after the shortest match that begins with word `at`, or -1.

        Keeps the set of places reached, so its cost is bounded by the parts and their gaps, whatever the text.
        """
        if self.from_start and at:
            return -1
        states: set[State] = {(at, _ANYWHERE)}
        for part in self.parts:
            states = self._step(part, words, states)
            if not states:
                return -1
        return min(place for place, _ in states)

    def _step(self, part: Part, words: Sequence[Word], states: set[State]) -> set[State]:
        if part.is_end:
            return {state for state in states if state[0] == len(words)}
        if part.gap:
            return {reached for state in states for reached in _skip(part, words, state)}
        reached = {after for state in states for item in part.items if (after := self._read(item, words, state))}
        return reached | states if part.is_optional else reached

    def _read(self, item: Item, words: Sequence[Word], state: State) -> State | None:
        place, sentence = state
        for wanted in item:
            if place >= len(words):
                return None
            word = words[place]
            if sentence not in (_ANYWHERE, word.sentence) or not is_word(wanted, word.folded, self.numbers):
                return None
            place, sentence = place + 1, word.sentence
        return place, sentence


def is_word(wanted: str, folded: str, numbers: frozenset[str]) -> bool:
    if wanted == NUMBER:
        return folded.rstrip("km").isdigit() or folded in numbers
    return folded.startswith(wanted[:-1]) if wanted[-1] == "*" else folded == wanted


def _skip(part: Part, words: Sequence[Word], state: State) -> list[State]:
    place, sentence = state
    ends = [place]
    for index in range(place, min(place + part.gap, len(words))):
        if not part.crosses and words[index].sentence != sentence:
            break
        ends.append(index + 1)
    return [(end, _ANYWHERE if part.crosses else sentence) for end in ends]


def parse_phrase(source: str, lists: Mapping[str, Sequence[str]]) -> Phrase:
    """Read a phrase. Raises ValueError, naming it, when it cannot be matched as written."""
    pieces = source.split()
    from_start = pieces[:1] == ["^"]
    pieces = pieces[1:] if from_start else pieces
    try:
        parts = tuple(_parse_part(written, lists) for written in pieces)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{source!r}: {error}") from None
    if not parts or len(parts) > MOST_PARTS:
        raise ValueError(f"{source!r}: between 1 and {MOST_PARTS} parts")
    if not parts[0].items or parts[0].is_optional:
        raise ValueError(f"{source!r}: begins with something that is not a word")
    if parts[-1].gap or parts[-1].is_optional:
        raise ValueError(f"{source!r}: ends with something that may be missing, which says nothing")
    if any(part.is_end for part in parts[:-1]):
        raise ValueError(f"{source!r}: $ stands at the end")
    numbers = frozenset(map(fold_word, lists.get("numbers", ())))
    return Phrase(source, parts, from_start, numbers, tuple(filter(None, map(_spell_out, parts))))


def _spell_out(part: Part) -> frozenset[str]:
    """The words one of which must be in the text; none where the part may be missing or is not spelt out."""
    firsts = frozenset(item[0] for item in part.items)
    is_open = part.is_optional or any(word == NUMBER or word.endswith("*") for word in firsts)
    return frozenset() if is_open else firsts


def _parse_part(written: str, lists: Mapping[str, Sequence[str]]) -> Part:
    if written == "$":
        return Part(is_end=True)
    if written[0] == "[":
        return _parse_gap(written)
    if written[0] == "(" and written[-1] == ")":
        return Part(_parse_items(written[1:-1], lists), is_optional=True)
    return Part(_parse_items(written, lists))


def _parse_gap(written: str) -> Part:
    inner = written[1:-1]
    gap = int(inner.removesuffix("+"))
    if written[-1] != "]" or not 1 <= gap <= WIDEST_GAP:
        raise ValueError(f"a gap is [1] to [{WIDEST_GAP}]")
    return Part(gap=gap, crosses=inner.endswith("+"))


def _parse_items(written: str, lists: Mapping[str, Sequence[str]]) -> tuple[Item, ...]:
    choices: list[str] = []
    for choice in written.split("|"):
        choices.extend(lists[choice[1:-1]] if choice[:1] == "{" and choice[-1:] == "}" else [choice])
    return tuple(tuple(map(_parse_word, choice.replace("_", " ").split())) for choice in choices)


def _parse_word(written: str) -> str:
    if written in (NUMBER, OPAQUE):
        return written
    stem = written.removesuffix("*")
    folded = fold_word(stem)
    if not folded or any(c in "[](){}|^$*#" for c in stem):
        raise ValueError(f"{written!r} is not a word")
    if written.endswith("*") and len(folded) > LONGEST_STEM:
        raise ValueError(f"{written!r} is longer than {LONGEST_STEM} letters before the star")
    return folded + "*" if written.endswith("*") else folded
