"""Invariants 1, 2, 5 and 6 under `kill -9`: nothing lost, nothing doubled, order kept. CARELINE_KILLS sets the number (bin/ci 100, bin/chaos 1,000)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crash.crashing_run import crash_run
from tests.figures import tell
from tests.servers.postgres import Cluster

KILLS = int(os.environ.get("CARELINE_KILLS", "16"))
pytestmark = pytest.mark.crash


def _assert_nothing_lost_nothing_doubled(folder: Path, database_url: str = "") -> None:
    run = crash_run(folder, kills=KILLS, database_url=database_url)
    tell(f"{'PostgreSQL' if database_url else 'SQLite'}: kills {run.kills} {run.verdict}")
    verdict = run.verdict
    assert verdict is not None
    if KILLS >= 100:
        assert run.kills["digest"] >= 20 and run.kills["send"] >= 20
    assert verdict.heard > KILLS
    assert (verdict.lost, verdict.doubled, verdict.disordered_threads, verdict.dead) == (0, 0, 0, [])
    assert (verdict.unsent, verdict.sent_twice, verdict.sent_disordered_threads) == (0, 0, 0)
    assert verdict.gapless


def test_a_killed_process_loses_nothing_and_doubles_nothing_on_sqlite(tmp_path: Path) -> None:
    _assert_nothing_lost_nothing_doubled(tmp_path)


@pytest.mark.postgres
def test_a_killed_process_loses_nothing_and_doubles_nothing_on_postgresql(tmp_path: Path) -> None:
    cluster = Cluster().start()
    try:
        _assert_nothing_lost_nothing_doubled(tmp_path, cluster.database())
    finally:
        cluster.stop()
