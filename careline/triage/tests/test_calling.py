"""The child process: real, killed, hung and closed. A question is answered or refused in time; the next one finds another child."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from careline.triage import calling
from careline.triage.calling import Child, ChildFailed
from careline.triage.protocol import Asked

ECHO = """
import sys
from careline.triage.framing import read_question, write_frame, Judge, Verdicts, Trouble
from careline.triage.protocol import Judged
while (question := read_question(sys.stdin.buffer)) is not None:
    texts = [one.text for one in question.batch] if isinstance(question, Judge) else []
    if "die" in texts: sys.exit(3)
    if "hang" in texts: import time; time.sleep(60)
    if "fault" in texts: write_frame(sys.stdout.buffer, Trouble("ValueError")); continue
    write_frame(sys.stdout.buffer, Verdicts(tuple(Judged(one.id, ()) for one in question.batch), "echo"))
"""


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child([sys.executable, "-c", ECHO])
    yield made
    made.close()


def test_it_starts_when_first_asked_and_answers_in_order(child: Child) -> None:
    assert child.starts == 0
    judged, engine = child.judge([Asked(2, "b"), Asked(1, "a")])
    assert ([one.id for one in judged], engine, child.starts) == ([2, 1], "echo", 1)


def test_a_child_that_died_is_said_and_the_next_question_finds_another(child: Child) -> None:
    with pytest.raises(ChildFailed, match="could not answer"):
        child.judge([Asked(1, "die")])
    assert child.judge([Asked(1, "a")])[1] == "echo" and child.starts == 2


def test_a_child_that_was_killed_between_two_questions_is_begun_anew(child: Child) -> None:
    child.judge([Asked(1, "a")])
    assert child._process is not None
    os.kill(child._process.pid, signal.SIGKILL)
    child._process.wait()
    assert child.judge([Asked(1, "a")])[1] == "echo" and child.starts == 2


def test_a_child_that_hangs_is_ended_at_its_limit(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    child.judge([Asked(1, "a")])
    monkeypatch.setattr(calling, "JUDGE_TIMEOUT_S", 0.3)
    with pytest.raises(ChildFailed):
        child.judge([Asked(1, "hang")])
    monkeypatch.setattr(calling, "JUDGE_TIMEOUT_S", 30.0)
    assert child.judge([Asked(1, "a")])[1] == "echo"


def test_a_fault_of_one_question_costs_that_question_only(child: Child) -> None:
    with pytest.raises(ChildFailed) as failed:
        child.judge([Asked(1, "fault")])
    assert failed.value.code == "trouble_ValueError"
    assert child.judge([Asked(1, "a")])[1] == "echo" and child.starts == 1


def test_closing_ends_a_question_under_way_and_every_later_one(child: Child) -> None:
    child.judge([Asked(1, "a")])
    failures: list[str] = []

    def ask() -> None:
        try:
            child.judge([Asked(1, "hang")])
        except ChildFailed as failed:
            failures.append(failed.code)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.2)
    child.close()
    asking.join(timeout=10)
    assert failures == ["closed"]
    with pytest.raises(ChildFailed, match="could not answer"):
        child.judge([Asked(1, "a")])


def test_the_child_is_told_nothing_of_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARELINE_SECRET_KEY", "never")
    monkeypatch.setenv("CARELINE_DATABASE_URL", "postgresql://never")
    script = ECHO.replace('"echo"', "repr(sorted(__import__('os').environ))")
    made = Child([sys.executable, "-c", script])
    _, environment = made.judge([Asked(1, "a")])
    made.close()
    assert "CARELINE" not in environment and "DJANGO" not in environment


def test_the_real_one_judges() -> None:
    made = Child()
    try:
        [judged], engine = made.judge([Asked(1, "Where is my suitcase?")])
        assert engine.startswith("embedded") and {"kind", "language"} <= {one.name for one in judged.verdicts}
    finally:
        made.close()
