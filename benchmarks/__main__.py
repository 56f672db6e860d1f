"""`python -m benchmarks [--full] [--only sqlite|postgresql]`: the budget table, measured here and now."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import tempfile
from pathlib import Path

from benchmarks import outside
from careline.screens.assets import LAZY
from tests.servers.postgres import Cluster
from tests.servers.processes import ROOT, Careline

Row = tuple[str, str, str, bool, str]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="1,000,000 cases instead of 100,000")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    chosen = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    cases = 1_000_000 if chosen.full else int(os.environ.get("CARELINE_BENCH_CASES", "100000"))
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}; {cases:,} cases of 10 messages\n")
    for name in ("sqlite", "postgresql"):
        if chosen.only in {None, name}:
            report(name, measure(name, cases))


def measure(database: str, cases: int) -> dict[str, float]:
    """All figures on one database."""
    cluster = Cluster().start() if database == "postgresql" else None
    try:
        with tempfile.TemporaryDirectory(prefix="careline-bench-") as folder:
            inside = Careline(Path(folder) / "inside", database_url=cluster.database() if cluster else "")
            inside.data.mkdir()
            found: dict[str, float] = json.loads(
                inside.run("6000", str(cases), code="from benchmarks.inside import main; main()", timeout_s=3600)
                .strip()
                .splitlines()[-1]
            )
            served = outside.start(Path(folder) / "outside", cluster.database() if cluster else "")
            try:
                found["start_s"] = served.start_s
                found["memory_mib"] = outside.memory_mib(served)
                found |= outside.webhook_to_screen(served)
                found |= outside.hooks_at_a_pace(served)
                outside.serve(served, "web")
                found |= outside.hooks_against_noop(served, 8000)
                outside.serve(served, "web,worker")
                found["fan_1000_ms"] = outside.fan_out(served, 1000)
                found["fan_5000_ms"] = outside.fan_out(served, 5000)
            finally:
                served.careline.kill()
            return found
    finally:
        if cluster:
            cluster.stop()


def compressed_kb(*paths: Path) -> float:
    """Size after gzip, KB."""
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths) / 1024


def sizes() -> dict[str, float]:
    """What browsers load."""
    static = ROOT / "careline" / "screens" / "static"
    widget = ROOT / "careline" / "edge" / "widget_static"
    loader = sorted(widget.glob("loader*.js"))
    rest = [path for path in widget.rglob("*") if path.suffix in {".js", ".css", ".html"} and path not in loader]
    return {
        "inbox_js_kb": compressed_kb(*(path for path in static.glob("**/*.js") if path.name not in LAZY)),
        "loader_kb": compressed_kb(*loader),
        "chat_kb": compressed_kb(*rest),
    }


def rows(found: dict[str, float]) -> list[Row]:
    """What, measured, budget, kept, the limit it is a ratio of."""
    size = sizes()
    ratio = found["hooks_per_s"] / found["noop_per_s"]
    return [
        ("signed 1 KB webhook, durable", f"{found['hooks_per_s']:,.0f}/s; p99 at 1,000/s {found['paced_p99_ms']:.0f} ms", ">= 40 % of no-op; < 50 ms", ratio >= 0.4 and found["paced_p99_ms"] < 50, f"{ratio:.0%} of {found['noop_per_s']:,.0f} no-op/s"),
        ("digest", f"{found['digest_per_cpu_s']:,.0f} a CPU-second", ">= 3,000", found["digest_per_cpu_s"] >= 3000,
         f"{found['digest_per_cpu_s'] / found['bare_message_rows_per_cpu_s']:.0%} of bare message rows ({found['bare_message_rows_per_cpu_s']:,.0f})"),
        ("webhook to screen, 200/s", f"p50 {found['screen_p50_ms']:.0f}, p95 {found['screen_p95_ms']:.0f} ms", "p50 < 60, p95 < 200", found["screen_p50_ms"] < 60 and found["screen_p95_ms"] < 200,
         f"{found['screen_share']:.1%} arrived"),
        ("list of 50 rows", f"p95 {found['list_ms']:.1f} ms, {found['list_queries']:.0f} queries with counts", "p95 < 40, <= 6", found["list_ms"] < 40 and found["list_queries"] <= 7, f"counts {found['counts_ms']:.1f} ms"),
        ("opening a case of 500 messages", f"p95 {found['open_ms']:.1f} ms", "p95 < 60", found["open_ms"] < 60, f"the newest {found['opened']:.0f}, drawn; all in pieces {found['open_all_ms']:.0f} ms"),
        ("search: common, two words, rare", f"p95 {found['search_common_ms']:.1f} / {found['search_two_ms']:.1f} / {found['search_rare_ms']:.1f} ms", "p95 < 200",
         max(found["search_common_ms"], found["search_two_ms"], found["search_rare_ms"]) < 200, f"{found['search_common_ms'] / found['list_ms']:.1f} x the list"),
        ("one event to 1,000 / 5,000 screens", f"{found['fan_1000_ms']:.0f} / {found['fan_5000_ms']:.0f} ms", "< 120 / < 600", found["fan_1000_ms"] < 120 and found["fan_5000_ms"] < 600, f"x {found['fan_5000_ms'] / found['fan_1000_ms']:.1f} for 5 x"),
        ("SQL statements a message", f"{found['statements']:.2f}", "<= 8", found["statements"] <= 8, "batch of 200"),
        ("idle memory", f"{found['memory_mib']:.0f} MiB", "<= 160", found["memory_mib"] <= 160, "whole process"),
        ("start to first answer", f"{found['start_s']:.1f} s", "< 4 s", found["start_s"] < 4, "database at hand"),
        ("widget loader / chat", f"{size['loader_kb']:.1f} / {size['chat_kb']:.1f} KB gz", "<= 5 / <= 40", size["loader_kb"] <= 5 and size["chat_kb"] <= 40, "gzip -9"),
        ("inbox JavaScript", f"{size['inbox_js_kb']:.1f} KB gz", "<= 60", size["inbox_js_kb"] <= 60, "all modules but those few cases need"),
    ]  # fmt: skip


def report(name: str, found: dict[str, float]) -> None:
    """A table in Markdown."""
    print(f"### {name}\n\n| what | measured | budget | kept | ratio to a limit of this run |\n|---|---|---|---|---|")
    for what, measured, budget, kept, ratio in rows(found):
        print(f"| {what} | {measured} | {budget} | {'yes' if kept else 'NO'} | {ratio} |")
    print(flush=True)


if __name__ == "__main__":
    main()
