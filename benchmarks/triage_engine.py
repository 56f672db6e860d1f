"""The embedded engine on its own: cold start, messages a CPU-second, one message alone, memory. `python -m benchmarks.triage_engine [CSV]`.

The table needs a column `text`; without one, our own seed messages are read. One thread. Rates are per CPU-second, so that they survive other work.
"""

from __future__ import annotations

import csv
import os
import resource
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
BATCH = 128
MOST = 4096
ALONE = 300


def main() -> None:
    """Print the table."""
    began_s, spent_s = time.monotonic(), time.process_time()
    from careline.triage.embedded import EmbeddedEngine
    from careline.triage.protocol import Asked

    engine = EmbeddedEngine()
    engine.judge([Asked(1, "Where is my suitcase?")])
    cold_s, cold_cpu_s = time.monotonic() - began_s, time.process_time() - spent_s
    texts = _texts()[:MOST]
    spent_s = time.process_time()
    for start in range(0, len(texts), BATCH):
        engine.judge([Asked(start + at, text) for at, text in enumerate(texts[start : start + BATCH])])
    rate = len(texts) / (time.process_time() - spent_s)
    alone = sorted(_alone_s(engine, f"{text} once more") for text in texts[:ALONE])
    print(f"cold start            {cold_s:.1f} s ({cold_cpu_s:.1f} s of processor)")
    print(f"batches of {BATCH}        {rate:,.0f} messages per CPU-second ({len(texts):,} texts)")
    print(
        f"one message alone     p50 {alone[len(alone) // 2] * 1000:.1f} ms, p95 {alone[int(len(alone) * 0.95)] * 1000:.1f} ms of processor"
    )
    print(f"memory of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB at most")


def _alone_s(engine: object, text: str) -> float:
    from careline.triage.embedded import EmbeddedEngine
    from careline.triage.protocol import Asked

    assert isinstance(engine, EmbeddedEngine)
    began_s = time.process_time()
    engine.judge([Asked(1, text)])
    return time.process_time() - began_s


def _texts() -> list[str]:
    if len(sys.argv) > 1:
        with Path(sys.argv[1]).open(newline="") as table:
            return [row["text"] for row in csv.DictReader(table)]
    from careline.triage.seeds.reading import LANGUAGES, read_seeds

    return [seed.text for language in LANGUAGES for seed in read_seeds(language)]


if __name__ == "__main__":
    main()
