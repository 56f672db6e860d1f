"""`python -m benchmarks.triage_detectors personal|duplicates|spikes`: the figures of the detectors, measured here and now."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections import Counter
from pathlib import Path

from careline.triage.personal import DEFAULT_REGIONS, find_personal, mask
from careline.triage.protocol import Span

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


if __name__ == "__main__":
    {"personal": personal}[sys.argv[1]]()
