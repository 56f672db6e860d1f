"""Our SQLite backend under many threads: one writer at a time and in turn, nothing locked after a failure, reading never waits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.servers.installations import fresh
from tests.servers.processes import ROOT


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the scenarios said, each in the same process, one after the other."""
    code = (ROOT / "tests" / "operations" / "sqlite_scenarios.py").read_text()
    said = json.loads(fresh(tmp_path_factory.mktemp("sqlite")).run(code=code))
    assert isinstance(said, dict)
    return said


def test_every_connection_is_durable_and_checks_foreign_keys(found: dict[str, Any]) -> None:
    assert found["pragmas"] == [["wal", 2, 1], ["wal", 2, 1]]


def test_a_session_save_during_load_is_quick(found: dict[str, Any]) -> None:
    rounds, writers, slow_ms = found["sessions"]
    assert rounds > 200 and writers == 4
    assert slow_ms < 250


def test_writers_in_many_threads_lose_no_write_and_never_meet_a_locked_database(found: dict[str, Any]) -> None:
    assert found["writers"] == [360, []]


def test_no_way_to_fail_leaves_a_lock_behind(found: dict[str, Any]) -> None:
    assert found["failures"] == {
        "twice": ["IntegrityError", True],
        "in_a_transaction": ["IntegrityError", True],
        "at_commit": ["IntegrityError", True],
        "connection_lost": ["", True],
        "inside": False,
        "after": [True, ["Care"]],
    }


def test_reading_waits_for_no_writer(found: dict[str, Any]) -> None:
    assert found["reading"] == [0, False, 1]
