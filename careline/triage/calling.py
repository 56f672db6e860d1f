"""The worker's end of the child process: started when first asked, watched, ended when it hangs, begun again when it died."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from typing import BinaryIO, Final

from careline.errors import CarelineError
from careline.triage.framing import (
    Answer,
    Encode,
    Encoded,
    Fit,
    Fitted,
    Judge,
    Learn,
    Question,
    Trouble,
    Verdicts,
    read_answer,
    write_frame,
)
from careline.triage.protocol import Asked, Judged

START_TIMEOUT_S: Final = 60.0
JUDGE_TIMEOUT_S: Final = 30.0
FIT_TIMEOUT_S: Final = 60.0
# What of the environment a process needs that must know nothing of the installation.
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT", "LD_LIBRARY_PATH")
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


class ChildFailed(CarelineError):
    """The child died, hung or could not answer: the question may be asked again, in smaller parts."""

    def __init__(self, code: str) -> None:
        super().__init__(code, "The triage process could not answer.", status=503)


class Child:
    """One child process. Safe to call from several threads: one question at a time."""

    def __init__(self, command: Sequence[str] = (sys.executable, "-m", "careline.triage.child")) -> None:
        self._command = list(command)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self._is_closed = False

    def judge(self, batch: Iterable[Asked]) -> tuple[list[Judged], str]:
        """The judgements in order, and the engine's version. Raises ChildFailed."""
        found = self._ask(Judge(tuple(batch)), JUDGE_TIMEOUT_S)
        if not isinstance(found, Verdicts):
            raise ChildFailed("unexpected_answer")
        return list(found.judged), found.engine

    def learn(self, workspace_id: int, name: str, body: bytes) -> None:
        """Give the child a workspace's head, or take it away with an empty body. Raises ChildFailed."""
        self._ask(Learn(workspace_id, name, body), JUDGE_TIMEOUT_S)

    def fit(self, name: str, rows: Iterable[tuple[str, str]], before: bytes = b"", own_rows: int = 0) -> Fitted:
        """Fit a head, as framing.Fit says. Raises ChildFailed."""
        found = self._ask(Fit(name, tuple(rows), before, own_rows), FIT_TIMEOUT_S)
        if not isinstance(found, Fitted):
            raise ChildFailed("unexpected_answer")
        return found

    def encode(self, texts: Iterable[str]) -> list[bytes]:
        """The vectors of texts, float16, in order. Raises ChildFailed."""
        found = self._ask(Encode(tuple(texts)), JUDGE_TIMEOUT_S)
        if not isinstance(found, Encoded):
            raise ChildFailed("unexpected_answer")
        return list(found.vectors)

    def close(self) -> None:
        """End the child for good, also in the middle of a question: whoever waits for it hears that it is closed."""
        self._is_closed = True
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._end()

    def _ask(self, question: Question, timeout_s: float) -> Answer:
        with self._lock:
            if self._is_closed:
                raise ChildFailed("closed")
            fresh = self._process is None or self._process.poll() is not None
            try:
                process = self._start() if fresh else self._process
                assert process is not None and process.stdin is not None and process.stdout is not None
                write_frame(process.stdin, question)  # type: ignore[arg-type] # a pipe opened as bytes
                found = self._read(process, timeout_s + (START_TIMEOUT_S if fresh else 0.0))
            except OSError as error:
                self._end()
                raise ChildFailed("closed" if self._is_closed else "child_gone") from error
        if isinstance(found, Trouble):
            raise ChildFailed(f"trouble_{found.code}")
        return found

    def _start(self) -> subprocess.Popen[bytes]:
        self._end()
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**kept, **_ONE_THREAD}
        )
        self.starts += 1
        return self._process

    def _read(self, process: subprocess.Popen[bytes], timeout_s: float) -> Answer:
        assert process.stdout is not None
        found = read_answer(_Deadline(process.stdout, time.monotonic() + timeout_s))  # type: ignore[arg-type] # it reads
        if found is None:
            self._end()
            raise ChildFailed("closed" if self._is_closed else "child_gone")
        return found

    def _end(self) -> None:
        if self._process is None:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue
        self._process.kill()
        self._process.wait()
        self._process = None


class _Deadline:
    """A pipe read until a moment: nothing after it, so that a child that hangs reads like one that died."""

    def __init__(self, pipe: BinaryIO | object, until_s: float) -> None:
        self._fd = pipe.fileno()  # type: ignore[union-attr] # Popen's pipes have one
        self._until_s = until_s

    def read(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0:
            ready, _, _ = select.select([self._fd], [], [], max(0.0, self._until_s - time.monotonic()))
            part = os.read(self._fd, min(size, 1 << 20)) if ready else b""
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
