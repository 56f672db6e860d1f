"""Near-duplicates: texts that are the same but for small edits, links and mentions. Alike in meaning only is not near here."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Final, NamedTuple

import regex
from msgspec import Struct
from rensa import RMinHash

from careline.triage.personal.folding import fold

# Stored bands are comparable within one version; it changes with the normalisation, the seed or rensa's ALGORITHM_VERSION (2).
SIGNATURE_VERSION: Final = 1
NEAR: Final = 0.58  # Jaccard of 4-grams; `python -m benchmarks.triage_detectors duplicates` shows the choice
_SEED: Final = 20150222
_BANDS, _ROWS = 16, 4
_GRAM: Final = 4
_FEWEST_WORDS: Final = 4
_MOST_CHARS: Final = 4000  # longer texts are compared by their beginning
# A meme fills a band with thousands: its oldest and newest are enough to find it by.
_OLDEST_TRIED, _NEWEST_TRIED = 8, 16
_TRIED: Final = 24
_NOISE: Final = regex.compile(r"https?://\S+|www\.\S+|(?<!\w)@[\w.@-]+|(?<!\w)(?:rt|mt|via)(?=\s+@)", regex.IGNORECASE)
_NO_WORD: Final = regex.compile(r"[^\p{L}\p{N}]+")


def signature(text: str) -> tuple[int, ...]:
    """16 hashes (0 to 2^63-1), the same in every process; near texts share at least one almost always. Empty when nothing can be compared."""
    grams = _grams(text)
    if not grams:
        return ()
    sketch = RMinHash(num_perm=_BANDS * _ROWS, seed=_SEED)
    sketch.update(grams)
    digest = sketch.digest()
    return tuple(_band(band, digest[band * _ROWS : (band + 1) * _ROWS]) for band in range(_BANDS))


def _band(number: int, rows: list[int]) -> int:
    packed = number.to_bytes(1, "big") + b"".join(row.to_bytes(4, "big") for row in rows)
    return int.from_bytes(blake2b(packed, digest_size=8).digest(), "big") >> 1


def jaccard(one: str, other: str) -> float:
    """Shared 4-grams of all 4-grams, 0 to 1, of the texts without links, mentions and signs."""
    left, right = _grams(one), _grams(other)
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared) if shared else 0.0


def is_near(one: str, other: str) -> bool:
    """The exact check behind a shared band. Texts of fewer than four words are near only when equal."""
    return jaccard(one, other) >= NEAR


@lru_cache(maxsize=4096)
def _grams(text: str) -> frozenset[str]:
    plain = normalise(text)
    if plain.count(" ") + 1 < _FEWEST_WORDS and not _is_unspaced(plain):
        whole = plain or " ".join(text.lower().split())
        return frozenset({f"={whole}"}) if whole else frozenset()
    return frozenset(plain[at : at + _GRAM] for at in range(len(plain) - _GRAM + 1))


def _is_unspaced(plain: str) -> bool:
    """Chinese, Japanese and Thai write no spaces: length stands for words."""
    return (
        len(plain) >= _FEWEST_WORDS * 4
        and regex.search(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]", plain) is not None
    )


def normalise(text: str) -> str:
    """Lower case words and numbers only, one space between; what differs between a post and its copies is gone."""
    bare = _NOISE.sub(" ", text[:_MOST_CHARS])
    return _NO_WORD.sub(" ", fold(bare).text.lower()).strip()


def _some(waiting: deque[int] | None) -> Iterator[int]:
    """The oldest and the newest of a band."""
    if waiting is None:
        return
    yield from islice(waiting, _OLDEST_TRIED)
    yield from islice(reversed(waiting), min(_NEWEST_TRIED, max(0, len(waiting) - _OLDEST_TRIED)))


class Member(NamedTuple):
    """One text in the window."""

    id: int
    author: str
    text: str
    at: datetime


class Cluster(Struct, frozen=True):
    """Texts near each other within the window, oldest first; `id` is its first member's, also after that one has left."""

    id: int
    members: tuple[Member, ...]

    def authors_since(self, since: datetime) -> int:
        """Distinct authors at or after a time."""
        return len({member.author for member in self.members if member.at >= since})


class Clusters:
    """The near-duplicates of one workspace's last hours, in memory: at most `most` texts, none older than `window` before the newest.

    The same texts in the same order give the same clusters in every process. It is not thread-safe.
    """

    def __init__(self, window: timedelta = timedelta(hours=24), most: int = 20_000) -> None:
        self._window = window
        self._most = most
        self._members: OrderedDict[int, Member] = OrderedDict()
        self._bands: dict[int, tuple[int, ...]] = {}
        self._by_band: defaultdict[int, deque[int]] = defaultdict(deque)
        self._cluster_of: dict[int, int] = {}
        self._clusters: defaultdict[int, list[int]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._members)

    def add(self, id: int, author: str, text: str, at: datetime) -> int | None:
        """The cluster it now belongs to, None while it is alone. `at` should not go backwards; an id already here stays as it is."""
        if id in self._members:
            return self._cluster_of.get(id)
        self._forget(at)
        bands = signature(text)
        near = self._nearest(bands, text)
        self._members[id] = Member(id, author, text[:_MOST_CHARS], at)
        self._bands[id] = bands
        for band in bands:
            self._by_band[band].append(id)
        return None if near is None else self._join(id, near)

    def cluster(self, id: int) -> Cluster | None:
        """What is left of a cluster within the window."""
        members = self._clusters.get(id)
        return Cluster(id, tuple(self._members[one] for one in members)) if members else None

    def clusters(self) -> Iterator[Cluster]:
        """All of them, oldest first."""
        for id in sorted(self._clusters, key=lambda id: (self._members[self._clusters[id][0]].at, id)):
            yield Cluster(id, tuple(self._members[one] for one in self._clusters[id]))

    def _nearest(self, bands: tuple[int, ...], text: str) -> int | None:
        """The nearest of those sharing most bands, the older on a tie."""
        shared: defaultdict[int, int] = defaultdict(int)
        for band in bands:
            for id in _some(self._by_band.get(band)):
                shared[id] += 1
        tried = sorted(shared, key=lambda id: (-shared[id], id))[:_TRIED]
        best = max(((jaccard(text, self._members[id].text), -id) for id in tried), default=(0.0, 0))
        return -best[1] if best[0] >= NEAR else None

    def _join(self, id: int, near: int) -> int:
        if near not in self._cluster_of:
            self._cluster_of[near] = near
            self._clusters[near].append(near)
        cluster = self._cluster_of[id] = self._cluster_of[near]
        self._clusters[cluster].append(id)
        return cluster

    def _forget(self, now: datetime) -> None:
        """Whatever is too old or too much, oldest first."""
        while self._members:
            oldest = next(iter(self._members.values()))
            if len(self._members) < self._most and oldest.at >= now - self._window:
                return
            self._drop(oldest.id)

    def _drop(self, id: int) -> None:
        del self._members[id]
        for band in self._bands.pop(id):
            waiting = self._by_band[band]
            waiting.remove(id)
            if not waiting:
                del self._by_band[band]
        cluster = self._cluster_of.pop(id, None)
        if cluster is not None:
            self._clusters[cluster].remove(id)
            if not self._clusters[cluster]:
                del self._clusters[cluster]
