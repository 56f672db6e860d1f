"""What a spike is about: words, clusters and topics used more than usual (log-odds with a prior), and the messages that stand for the rest."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import regex

from careline.triage.personal.folding import fold
from careline.triage.spikes.counts import Seen, Usage

_WORD: Final = regex.compile(
    r"https?://\S+|(?<!\w)@\w+|\p{L}[\p{L}\p{M}'’]*\p{L}{2}|\p{L}{0,3}\p{N}+\p{L}?|[\p{Han}\p{Hiragana}\p{Katakana}]{2,4}"
)
_PRIOR_MESSAGES: Final = 10.0  # how many usual messages the prior weighs
_LEAST_PRIOR: Final = 0.5  # of them with a term nobody used before: without it new words would be too unsure to be told
_SURE: Final = 1.96  # standard errors above usual
_FEWEST_AUTHORS: Final = 2
_SAMPLE: Final = 100  # messages compared with each other when examples are chosen


class Cause(NamedTuple):
    """A term (`word:`, `cluster:`, `topic:` before it), by how much at least it is over-represented (log-odds), how sure that is (standard
    errors), in how many messages it stands now, and in how many it usually would.
    """

    term: str
    surplus: float
    z: float
    messages: int
    usual: float


def terms_of(message: Seen) -> frozenset[str]:
    """Words, pairs of words, cluster and topic; each once, so that nobody counts by repeating."""
    words = [word for word in _WORD.findall(fold(message.text).text.lower()) if not word.startswith(("http", "@"))]
    terms = {f"word:{word}" for word in words} | {f"word:{one} {other}" for one, other in pairwise(words)}
    if message.topic:
        terms.add(f"topic:{message.topic}")
    if message.cluster is not None:
        terms.add(f"cluster:{message.cluster}")
    return frozenset(terms)


def count_usage(messages: Iterable[Seen]) -> Usage:
    """The usual, from ordinary messages."""
    counted, total = Counter[str](), 0
    for message in messages:
        counted.update(terms_of(message))
        total += 1
    return Usage(total, dict(counted))


def find_causes(messages: Sequence[Seen], usual: Usage, most: int) -> tuple[Cause, ...]:
    """The most over-represented first, by what is sure of it. Log-odds with an informative prior (Monroe, Colaresi and Quinn, "Fightin' Words", 2008), on
    messages instead of words; a term of one author alone is no cause; of terms in the same messages the one of the rarest words says it.
    """
    where: defaultdict[str, set[int]] = defaultdict(set)
    for number, message in enumerate(messages):
        for term in terms_of(message):
            where[term].add(number)
    told = [
        _cause(term, len(found), len(messages), usual)
        for term, found in where.items()
        if len({messages[number].author for number in found}) >= _FEWEST_AUTHORS
    ]
    kept: list[Cause] = []
    for cause in sorted(
        told, key=lambda cause: (-cause.surplus, -_newness(cause.term, usual), -len(cause.term), cause.term)
    ):
        if cause.surplus <= 0 or len(kept) == most:
            break
        if all(where[cause.term] != where[other.term] for other in kept):
            kept.append(cause)
    return tuple(kept)


def _newness(term: str, usual: Usage) -> float:
    """How rare the words of a term are, on average: 'crew strike' says more than 'flight to', which nobody wrote before either."""
    kind, _, words = term.partition(":")
    rare = [1 - usual.terms.get(f"{kind}:{word}", 0) / (usual.messages + 1) for word in words.split()]
    return round(sum(rare) / max(1, len(rare)), 3)


def _cause(term: str, count: int, messages: int, usual: Usage) -> Cause:
    before = usual.terms.get(term, 0)
    prior = max(_LEAST_PRIOR, _PRIOR_MESSAGES * before / max(1, usual.messages))
    now = _log_odds(count + prior, messages + _PRIOR_MESSAGES)
    then = _log_odds(before + prior, usual.messages + _PRIOR_MESSAGES)
    error = math.sqrt(1 / (count + prior) + 1 / (before + prior))
    surplus = now - then - _SURE * error
    return Cause(
        term,
        round(surplus, 2),
        round((now - then) / error, 2),
        count,
        round(before * messages / max(1, usual.messages), 1),
    )


def _log_odds(count: float, total: float) -> float:
    return math.log(count / max(total - count, 0.5))


def choose_examples(messages: Sequence[Seen], causes: Sequence[Cause], most: int) -> tuple[int, ...]:
    """Ids of the messages nearest to all others, of distinct authors and not all the same words; those that say the cause first."""
    sample = sorted(messages, key=lambda message: (message.at, message.id))[-_SAMPLE:]
    terms = {message.id: terms_of(message) for message in sample}
    named = {cause.term: cause.surplus for cause in causes}

    def central(message: Seen) -> tuple[float, int]:
        mine = terms[message.id]
        near = sum(_overlap(mine, terms[other.id]) for other in sample) / max(1, len(sample))
        said = sum(named.get(term, 0.0) for term in mine) / (sum(named.values()) or 1.0)
        return near + said, -message.id

    ranked = sorted(sample, key=central, reverse=True)
    different = _pick(ranked, terms, most)
    return tuple(message.id for message in different)


def _pick(ranked: Sequence[Seen], terms: Mapping[int, frozenset[str]], most: int) -> list[Seen]:
    """Distinct authors; a copy of one already chosen only when there is nothing else."""
    picked: list[Seen] = []
    for may_repeat in (False, True):
        for message in ranked:
            new = message.author not in {one.author for one in picked}
            copied = any(terms[message.id] == terms[one.id] for one in picked)
            if len(picked) < most and new and (may_repeat or not copied):
                picked.append(message)
    return picked


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0
