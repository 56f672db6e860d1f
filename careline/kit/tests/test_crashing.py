"""Crash points: every named one exists, every existing one is named, and without the wish of a test they do nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import careline
from careline.kit import crashing

_PASSED = re.compile(r"""pass_point\(\s*["']([^"']+)["']""")


def _passed_points() -> set[str]:
    sources = (path for path in Path(careline.__file__).parent.rglob("*.py") if "/tests/" not in path.as_posix())
    return {point for path in sources for point in _PASSED.findall(path.read_text())}


def test_the_named_points_are_exactly_those_the_code_passes() -> None:
    assert _passed_points() == crashing.POINTS


def _pass(point: str, times: int, at: str) -> int:
    code = f"from careline.kit.crashing import pass_point\nfor _ in range({times}): pass_point({point!r})"
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "CARELINE_CRASH_AT": at}, check=False
    ).returncode


def test_a_process_dies_at_the_nth_pass_of_its_point_and_at_no_other() -> None:
    assert _pass("digest.before_commit", 3, "digest.before_commit:3") == -signal.SIGKILL
    assert _pass("digest.before_commit", 2, "digest.before_commit:3") == 0
    assert _pass("digest.after_commit", 9, "digest.before_commit:3") == 0


def test_without_a_wish_a_point_does_nothing() -> None:
    assert _pass("digest.before_commit", 100, "") == 0
