"""The figures of docs/triage.md: every table fitted as `careline triage fit` does, judged on rows held out. No test rows are read.

python benchmarks/triage_heads.py [--data ../shared/data] [TASK ...]     all tasks: some 25 minutes of one core
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
os.environ.setdefault("CARELINE_DATA", tempfile.mkdtemp())
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from careline.triage.commanding import choose_reading
from careline.triage.heads import Head, Row
from careline.triage.heads.rows import draw_shots, labelled
from careline.triage.heads.scoring import auroc, measure
from careline.triage.heads.shipped import known_heads
from careline.triage.language import guess_language

FULL = {
    "airline_us": ("airline_us/train.csv", "label"),
    "airline_us_reason": ("airline_us/train.csv", "reason"),
    "airline_es": ("airline_es/train.csv", "label"),
    "complaint": ("complaints/train.csv", "complaint"),
    "for_us": ("complaints/train_for_us.csv", "label"),
    "umsab": ("umsab_xlmt/train.csv", "label"),
    "offensive": ("tweeteval_offensive/train.csv", "label"),
    "crisis": ("crisislex_t26/train.csv", "informativeness"),
    "banking77": ("banking77/train.csv", "category"),
    "clinc150": ("clinc150/train.csv", "intent"),
}
SEEDS = (42, 43, 44)
MOST_TESTED = 3000


def read(path: Path, column: str) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return labelled([Row(row["text"], row[column]) for row in csv.DictReader(file)])


def fit(rows: list[Row], *, light: bool = False, seed: int = 42) -> tuple[Head, float]:
    started = time.process_time()
    reading = "light" if light else choose_reading(rows)
    head = Head.fit(rows, reading=reading, seed=seed, known=known_heads())
    return head, time.process_time() - started


def say(task: str, accuracy: float, f1: float, rest: str) -> None:
    print(f"{task:28} accuracy {accuracy:.4f}  macro-F1 {f1:.4f}  {rest}", flush=True)


def whole(data: Path, task: str) -> None:
    for light in (False, True):
        head, took_s = fit(read(data / FULL[task][0], FULL[task][1]), light=light)
        card = head.card
        say(
            task,
            card.accuracy,
            card.macro_f1,
            f"{card.reading}, {card.rows} rows, {card.folds} folds, fit {took_s:.0f} CPU-s",
        )


def drawn(data: Path, task: str, *, shots: int | None = None, rows_drawn: int = 0, light: bool = False) -> None:
    """Fit on what is drawn with seeds 42-44, judge on rows of train that were not."""
    rows = read(data / FULL[task][0], FULL[task][1])
    found, times = [], []
    for seed in SEEDS:
        order = np.random.default_rng(seed).permutation(len(rows))
        chosen = draw_shots(rows, shots=shots, seed=seed) if shots else [rows[number] for number in order[:rows_drawn]]
        held = set(chosen)
        rest = [rows[number] for number in order if rows[number] not in held][:MOST_TESTED]
        head, took_s = fit(chosen, light=light, seed=seed)
        said = [guess.label for guess in head.judge([row.text for row in rest])]
        figures = measure([row.label for row in rest], said)
        found.append((figures.accuracy, figures.macro_f1))
        times.append(took_s)
    name = f"{task} {shots} shots" if shots else f"{task} {rows_drawn} rows"
    accuracy, f1 = np.mean(found, axis=0)
    say(
        name,
        accuracy,
        f1,
        f"{head.card.reading}, spread {np.std(found, axis=0)[0]:.4f}, fit {np.mean(times):.0f} CPU-s",
    )


def outside(data: Path, shots: int) -> None:
    """CLINC150: known intents of val against out-of-scope texts."""
    folder = data / "clinc150"
    strange = [row.text for name in ("oos_train.csv", "oos_val.csv") for row in read(folder / name, "intent")]
    inside = read(folder / "val.csv", "intent")
    found = []
    for seed in SEEDS:
        head, _ = fit(draw_shots(read(folder / "train.csv", "intent"), shots=shots, seed=seed), seed=seed)
        sure, doubted = head.judge([row.text for row in inside]), head.judge(strange)
        right = np.mean([guess.label == row.label for guess, row in zip(sure, inside, strict=True)])
        familiar = [np.array([guess.familiar for guess in guesses]) for guesses in (sure, doubted)]
        caught = np.mean(familiar[1] < np.quantile(familiar[0], 0.1))
        found.append((right, auroc(familiar[0], familiar[1]), caught))
    right, area, caught = np.mean(found, axis=0)
    print(
        f"{f'clinc150 {shots} shots, val':28} accuracy {right:.4f}  out-of-scope AUROC {area:.4f}  caught at 10 % given up {caught:.3f}",
        flush=True,
    )


def language(data: Path) -> None:
    """Short posts of the airline tables, eight candidates; and the 26 languages of lingua's test data."""
    among = ("ar", "de", "en", "es", "fr", "hi", "it", "pt")
    posts = [
        (row.text, code)
        for name, code in (("airline_us", "en"), ("airline_es", "es"))
        for row in read(data / name / "train.csv", "label")
    ]
    short = [(text, code) for text, code in posts if 10 <= len(text) <= 40]
    for name, codes in (("all", ()), ("8 candidates", among), ("en, es", ("en", "es"))):
        right = np.mean([guess_language(text, codes) == code for text, code in short])
        print(f"{'language, posts 10-40':28} accuracy {right:.4f}  {name}, {len(short)} posts", flush=True)
    with (data / "lid_lingua" / "dev.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    every = tuple(sorted({row["lang"] for row in rows}))
    for kind in ("single-words", "word-pairs", "sentences"):
        own = [row for row in rows if row["kind"] == kind]
        for name, codes in (("all", ()), ("26 candidates", every)):
            right = np.mean([guess_language(row["text"], codes) == row["lang"] for row in own])
            print(f"{f'language, {kind}':28} accuracy {right:.4f}  {name}, {len(own)} texts", flush=True)


def speed(data: Path) -> None:
    """Of the live engine's heads: a refit with known vectors, and judging with everything included."""
    from careline.triage import encoders
    from careline.triage.heads.shipped import shipped_heads
    from careline.triage.normalising import normalise

    rows = read(data / "airline_us/train.csv", "label")[:2000]
    vectors = encoders.use().encode([normalise(row.text) for row in rows])
    for count in (200, 2000):
        started = time.process_time()
        head = Head.fit(rows[:count], vectors=vectors[:count], known=known_heads())
        print(
            f"{f'refit light, {count} rows':28} {time.process_time() - started:.2f} CPU-s, {len(head.to_bytes()) / 1024:.0f} KiB",
            flush=True,
        )
    texts = [row.text for row in read(data / "airline_us/train.csv", "label")[2000:4000]]
    started = time.process_time()
    for start in range(0, len(texts), 64):
        some = texts[start : start + 64]
        known = encoders.use().encode([normalise(text) for text in some])
        for head in shipped_heads().values():
            for text, guess in zip(some, head.judge(some, vectors=known), strict=True):
                head.why(text, 3, label=guess.label)
    print(
        f"{'USE, 3 heads and why':28} {len(texts) / (time.process_time() - started):.0f} messages per CPU-second",
        flush=True,
    )


def tasks(data: Path) -> dict[str, object]:
    found: dict[str, object] = {"language": lambda: language(data), "speed": lambda: speed(data)}
    for task in FULL:
        found[task] = lambda task=task: whole(data, task)
    for light in (True, False):
        name = f"local100_{'light' if light else 'full'}"
        found[name] = lambda light=light: drawn(data, "airline_us", rows_drawn=100, light=light)
    for shots in (5, 10, 20):
        for task in ("banking77", "clinc150"):
            found[f"{task}_{shots}"] = lambda task=task, shots=shots: drawn(data, task, shots=shots)
        found[f"outside_{shots}"] = lambda shots=shots: outside(data, shots)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("tasks", nargs="*")
    given = parser.parse_args()
    every = tasks(given.data)
    for task in given.tasks or every:
        every[task]()


if __name__ == "__main__":
    main()
