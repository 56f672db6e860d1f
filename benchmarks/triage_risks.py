"""What the engine proposes as a risk: recall on oblique words nobody trained on, and how many banners everyday posts would get.

`python -m benchmarks.triage_risks [CSV ...]`: tables with a column `text`, read and never kept.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

from careline.triage.embedded import EmbeddedEngine
from careline.triage.protocol import RISKS, Asked, Judged
from careline.triage.seeds.reading import LANGUAGES, read_oblique

MOST = 3000


def main() -> None:
    """Print recall by language and risk, then the share of each table's posts with a banner."""
    engine = EmbeddedEngine()
    for language in LANGUAGES:
        seeds = read_oblique(language)
        judged = _judge(engine, [seed.text for seed in seeds])
        found: Counter[str] = Counter()
        wanted: Counter[str] = Counter()
        for seed, one in zip(seeds, judged, strict=True):
            for name in (name for name in RISKS if getattr(seed, name)):
                wanted[name] += 1
                found[name] += name in _risks(one)
        print(language, "oblique:", ", ".join(f"{name} {found[name]} of {number}" for name, number in wanted.items()))
    for path in sys.argv[1:]:
        with Path(path).open(newline="") as table:
            texts = [row["text"] for row in csv.DictReader(table)][:MOST]
        shown = Counter(name for one in _judge(engine, texts) for name in _risks(one))
        by_head = Counter(
            v.name for one in _judge(engine, texts) for v in one.verdicts if v.name in RISKS and v.by == "model"
        )
        print(
            path,
            len(texts),
            "posts:",
            {name: f"{number / len(texts):.2%}" for name, number in shown.items()},
            "of them by the head:",
            {name: f"{number / len(texts):.2%}" for name, number in by_head.items()},
        )


def _judge(engine: EmbeddedEngine, texts: list[str]) -> list[Judged]:
    return [
        one
        for at in range(0, len(texts), 128)
        for one in engine.judge([Asked(at, text) for text in texts[at : at + 128]])
    ]


def _risks(judged: Judged) -> set[str]:
    return {verdict.name for verdict in judged.verdicts if verdict.name in RISKS and verdict.confidence >= 0.5}


if __name__ == "__main__":
    main()
