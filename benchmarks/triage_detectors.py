"""`python -m benchmarks.triage_detectors personal|duplicates|spikes`: the figures of the detectors, measured here and now."""

from __future__ import annotations

import csv
import json
import random
import sys
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

from careline.triage import duplicates as duplicate
from careline.triage.personal import DEFAULT_REGIONS, find_personal, mask
from careline.triage.protocol import Span
from careline.triage.tests.test_spikes_simulation import FINE, World, simulate

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_KINDS = {
    "CREDIT_CARD": "card", "IBAN_CODE": "iban", "EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "US_SSN": "ssn", "IP_ADDRESS": "ip",
}  # fmt: skip


def personal() -> None:
    """Precision and recall per kind on the synthetic set, what is found in real posts, speed, and the worst cases."""
    documents = json.loads((DATA / "pii_presidio_synth" / "train.json").read_text())
    hit, said, true = Counter[str](), Counter[str](), Counter[str]()
    for document in documents:
        gold = {
            (one["start_position"], one["end_position"]): _KINDS.get(one["entity_type"], "")
            for one in document["spans"]
        }
        found = find_personal(document["full_text"])
        said.update(span.what for span in found)
        true.update(filter(None, gold.values()))
        overlap = [
            what
            for (start, end), what in gold.items()
            if what and any(span.start < end and start < span.end and span.what == what for span in found)
        ]
        hit.update(overlap)
        _tell(document["full_text"], gold, found)
    print(f"{'kind':12} {'gold':>5} {'found':>6} {'P':>6} {'R':>6}")
    for kind in [*dict.fromkeys(_KINDS.values()), *sorted(set(said) - set(_KINDS.values()))]:
        p, r = hit[kind] / max(1, said[kind]), hit[kind] / max(1, true[kind])
        print(f"{kind:12} {true[kind]:5} {said[kind]:6} {p:6.3f} {r:6.3f}")
    texts = [row["text"] for row in csv.DictReader((DATA / "airline_us" / "train.csv").open())]
    before = time.process_time()
    kinds = Counter[str]()
    shown = []
    for text in texts:
        found = find_personal(text)
        kinds.update(span.what for span in found)
        shown += [(span.what, text[span.start : span.end], text) for span in found]
    spent = time.process_time() - before
    print(
        f"\n{len(texts):,} airline posts, {len(DEFAULT_REGIONS)} regions: {len(texts) / spent:,.0f} a CPU-second; found {dict(kinds)}"
    )
    if "--show" in sys.argv:
        print(*shown, sep="\n")
    _worst()


def _tell(text: str, gold: dict[tuple[int, int], str], found: list[Span]) -> None:
    """With --show: each miss and each surplus."""
    if "--show" not in sys.argv:
        return
    for (start, end), what in gold.items():
        if what and not any(span.start < end and start < span.end and span.what == what for span in found):
            print("missed ", what, "|", text[max(0, start - 40) : end + 20].replace("\n", " "))
    for span in found:
        if not any(span.start < end and start < span.end and span.what == what for (start, end), what in gold.items()):
            print(
                "surplus",
                span.what,
                "|",
                text[span.start : span.end],
                "|",
                text[max(0, span.start - 40) : span.end + 20].replace("\n", " "),
            )


_WORST = {
    "1": "1", "1 ": "1 ", "12 ": "12 ", "@": "@", "a@": "a@", "a.": "a.", "4111 ": "4111 ", "600123123 ": "600123123 ", "tel 4 ": "tel 4 ", ":a": ":a",
    "<": "<", "A1": "A1", "GB82": "GB82 ", "a": "a@ ", "(1)": "(1)", "[": "[", "•": "•", "pnr ": "pnr ", "1.": "1.", "zero width": "1\u200b", "code is ": "code is ", "http": "http",
}  # fmt: skip


def _worst() -> None:
    print("\n1 MB of one thing again and again, CPU-seconds (500 KB in brackets; linear is half)")
    for name, unit in _WORST.items():
        spent = []
        for size in (500_000, 1_000_000):
            text = unit * (size // len(unit))
            before = time.process_time()
            find_personal(text)
            spent.append(time.process_time() - before)
        print(f"  {name!r:14} {spent[1]:6.2f} ({spent[0]:.2f})")
    text = "the quick brown fox jumps over the lazy dog " * 20
    before = time.process_time()
    for _ in range(2000):
        find_personal(text)
    print(
        f"nothing to find, {len(text)} characters: {(time.process_time() - before) / 2000 * 1e6:.1f} µs; mask of nothing {mask('a', [])!r}"
    )


_ORIGINALS, _COPIES, _SEED = 8000, 1435, 42


def duplicates() -> None:
    """Recall and precision by pairs for several thresholds, on airline posts with edited copies; then clusters, and speed."""
    texts, gold = edited_copies()
    before = time.process_time()
    signatures = [duplicate.signature(text) for text in texts]
    signing = time.process_time() - before
    buckets = defaultdict(list)
    for number, bands in enumerate(signatures):
        for band in bands:
            buckets[band].append(number)
    before = time.process_time()
    pairs = {pair for members in buckets.values() for pair in combinations(sorted(set(members)), 2)}
    scored = {pair: duplicate.jaccard(texts[pair[0]], texts[pair[1]]) for pair in pairs}
    spent = signing + time.process_time() - before
    print(
        f"{len(texts):,} posts, {len(gold):,} gold pairs, {len(pairs):,} candidate pairs; {len(texts) / spent:,.0f} a CPU-second with the exact check, {len(texts) / signing:,.0f} signatures"
    )
    print(
        "threshold  P strict  P memes true  R      (memes: both say 'on fleek', or untouched posts that share eight words in a row)"
    )
    for threshold in (0.5, 0.55, 0.56, 0.57, 0.58, 0.6, 0.62, 0.64, 0.66, 0.68, 0.7, 0.75, 0.8):
        said = {pair for pair, score in scored.items() if score >= threshold}
        right = len(said & gold)
        memes = sum(1 for one, other in said - gold if _is_meme(texts, one, other))
        print(f"{threshold:9.2f} {right / len(said):9.3f} {(right + memes) / len(said):13.3f} {right / len(gold):6.3f}")
    _clusters(texts, gold)


def edited_copies() -> tuple[list[str], set[tuple[int, int]]]:
    """Different posts, then copies of some (several of a few) with words dropped or put in, typos, RT and links; gold are pairs of one origin."""
    chance = random.Random(_SEED)
    rows = list(dict.fromkeys(row["text"] for row in csv.DictReader((DATA / "airline_us" / "train.csv").open())))
    chance.shuffle(rows)
    texts = rows[:_ORIGINALS]
    words = [word for text in texts[:500] for word in text.split()]
    long_enough = [number for number, text in enumerate(texts) if len(text.split()) >= 6]
    families = defaultdict(list)
    while len(texts) < _ORIGINALS + _COPIES:
        origin = chance.choice(long_enough)
        for _ in range(min(chance.choice((1, 1, 1, 2, 4)), _ORIGINALS + _COPIES - len(texts))):
            families[origin].append(len(texts))
            texts.append(_edited(texts[origin], words, chance))
    return texts, {pair for origin, copies in families.items() for pair in combinations([origin, *copies], 2)}


def _edited(text: str, words: list[str], chance: random.Random) -> str:
    """One to three edits."""
    parts = text.split()
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(parts))
        match chance.randrange(5):
            case 0 if len(parts) > 5:
                del parts[at]
            case 1:
                parts.insert(at, chance.choice(words))
            case 2:
                letter = chance.randrange(len(parts[at]))
                parts[at] = parts[at][:letter] + chance.choice("abcdefghijklmnopqrstuvwxyz") + parts[at][letter + 1 :]
            case 3:
                parts.insert(0, f"RT @user{chance.randrange(99)}:")
            case _:
                parts.append(f"http://t.co/{chance.randrange(10**9):x}")
    return " ".join(parts)


def _is_meme(texts: list[str], one: int, other: int) -> bool:
    """Not made here, but copied by people: the airline whose fleet was on fleek, and chain posts."""
    if all("on fleek" in duplicate.normalise(texts[number]) for number in (one, other)):
        return True
    return other < _ORIGINALS and _run(texts[one], texts[other])


def _run(one: str, other: str, size: int = 8) -> bool:
    left, right = (duplicate.normalise(text).split() for text in (one, other))
    runs = {tuple(left[at : at + size]) for at in range(max(1, len(left) - size + 1))}
    return any(tuple(right[at : at + size]) in runs for at in range(max(1, len(right) - size + 1)))


def _clusters(texts: list[str], gold: set[tuple[int, int]]) -> None:
    """The same posts a second apart through the window in memory."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    clusters = duplicate.Clusters()
    before = time.process_time()
    for number, text in enumerate(texts):
        clusters.add(number, str(number), text, start + timedelta(seconds=number))
    spent = time.process_time() - before
    of = {member.id: cluster.id for cluster in clusters.clusters() for member in cluster.members}
    together = sum(1 for one, other in gold if one in of and of.get(one) == of.get(other))
    print(
        f"Clusters: {together / len(gold):.3f} of gold pairs together, {len(set(of.values())):,} clusters; {len(texts) / spent:,.0f} texts a CPU-second"
    )
    before = time.process_time()
    meme = duplicate.Clusters()
    for number in range(20_000):
        meme.add(number, str(number), f"Our fleets on fleek, our fleet is on fleek today {number % 7}", start)
    print(
        f"one meme 20,000 times: {20_000 / (time.process_time() - before):,.0f} a CPU-second, {len(list(meme.clusters()))} cluster"
    )


_WORLDS = {
    "10/h x3, fine": World(10, 3, **FINE), "10/h x5, fine": World(10, 5, **FINE), "2/h x5, fine": World(2, 5, **FINE), "2/h x10, fine": World(2, 10, **FINE),
    "60/h x3, fine": World(60, 3, **FINE), "60/h x5, fine": World(60, 5, **FINE),
    "10/h x3": World(10, 3), "10/h x5": World(10, 5), "10/h x5, any hour": World(10, 5, hours=(0, 24)), "10/h x10, nights": World(10, 10, hours=(0, 5)),
    "2/h x5": World(2, 5), "2/h x10": World(2, 10), "2/h x30, nights": World(2, 30, hours=(0, 5)), "60/h x3": World(60, 3), "60/h x5": World(60, 5),
    "200/h x2": World(200, 2), "10/h x5, +-58 %": World(10, 5, hour_shape=3), "10/h x5, 2nd week": World(10, 5, days=14, judged_from=7),
    "10/h x5, 1st week": World(10, 5, days=7, judged_from=1), "10/h quiet": World(10, 1), "60/h quiet": World(60, 1), "2/h quiet": World(2, 1),
}  # fmt: skip


def spikes() -> None:
    """`spikes [repeats] [part of a row's name]`: the table of reference/triage.md 3g: three-hour bursts on every other day, windows of 15 and 60 minutes, judged every minute."""
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    print(
        f"{repeats} repeats a row; delay in minutes of those found\n{'world':20} bursts recall  median  p90  false alarms/week"
    )
    judged, spent = 0, time.process_time()
    part = sys.argv[3] if len(sys.argv) > 3 else ""
    for name, world in ((name, world) for name, world in _WORLDS.items() if part in name):
        results = [simulate(world, seed) for seed in range(repeats)]
        delays = sorted(delay for result in results for delay in result.delays)
        bursts, weeks = sum(result.bursts for result in results), sum(result.weeks for result in results)
        judged += int(weeks * 7 * 24 * 60)
        middle, late = (delays[len(delays) // 2], delays[len(delays) * 9 // 10]) if delays else (0.0, 0.0)
        alarms = sum(result.false_alarms for result in results) / weeks
        print(
            f"{name:20} {bursts:6} {len(delays) / max(1, bursts):6.2f} {middle:7.0f} {late:4.0f} {alarms:12.2f}",
            flush=True,
        )
    print(f"{(time.process_time() - spent) / judged * 1e6:.0f} µs of CPU a minute judged, with the simulation")


if __name__ == "__main__":
    {"personal": personal, "duplicates": duplicates, "spikes": spikes}[sys.argv[1]]()
