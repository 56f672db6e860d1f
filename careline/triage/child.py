"""The child process: judges what it is asked on its standard input until that ends. No database, no network, no settings. `python -m careline.triage.child`."""

from __future__ import annotations

import os
import signal
import sys
from typing import BinaryIO

from careline.triage.embedded import EmbeddedEngine
from careline.triage.framing import (
    Answer,
    Encode,
    Encoded,
    Fit,
    Judge,
    Learn,
    Learnt,
    Question,
    Trouble,
    Verdicts,
    read_question,
    write_frame,
)


def main() -> None:
    """Answer until the worker closes the pipe. Whatever a library prints goes to standard error, never among the frames."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, out, EmbeddedEngine())


def serve(source: BinaryIO, out: BinaryIO, engine: EmbeddedEngine) -> None:
    """Question by question, in order."""
    while (question := read_question(source)) is not None:
        write_frame(out, answer(engine, question))


def answer(engine: EmbeddedEngine, question: Question) -> Answer:
    """What the engine says; a fault of one question is told by its kind and costs only that question."""
    try:
        if isinstance(question, Judge):
            return Verdicts(tuple(engine.judge(question.batch)), engine.version)
        if isinstance(question, Learn):
            engine.learn(question.workspace_id, question.name, question.body)
            return Learnt()
        if isinstance(question, Encode):
            return Encoded(tuple(engine.encode(question.texts)))
        return _fit(engine, question)
    except Exception as error:  # the child's worker loop: its texts are customers', so only the kind is told
        return Trouble(type(error).__name__)


def _fit(engine: EmbeddedEngine, question: Fit) -> Answer:
    return engine.fit(question.name, question.rows, question.before, question.own_rows)


if __name__ == "__main__":
    main()
