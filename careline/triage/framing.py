"""What passes between the worker and its child process: frames of four bytes of length and msgpack, the questions and the answers in them."""

from __future__ import annotations

from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

from careline.triage.protocol import Asked, Judged

LONGEST_FRAME_BYTES: Final = 64 * 1024 * 1024
_LENGTH_BYTES: Final = 4


class Judge(Struct, frozen=True, tag=True):
    """Judge these texts."""

    batch: tuple[Asked, ...]


class Learn(Struct, frozen=True, tag=True):
    """Use this head of a workspace from now on; an empty body takes it away."""

    workspace_id: int
    name: str
    body: bytes


class Fit(Struct, frozen=True, tag=True):
    """Fit a head of this name from rows of (text, label), the workspace's own `own_rows` of them first; `before` is the head now active,
    to be compared on the same rows.
    """

    name: str
    rows: tuple[tuple[str, str], ...]
    before: bytes = b""
    own_rows: int = 0


class Encode(Struct, frozen=True, tag=True):
    """Read these texts into vectors."""

    texts: tuple[str, ...]


class Verdicts(Struct, frozen=True, tag=True):
    """Answers Judge: one entry for each text, in order."""

    judged: tuple[Judged, ...]
    engine: str


class Learnt(Struct, frozen=True, tag=True):
    """Answers Learn."""


class Fitted(Struct, frozen=True, tag=True):
    """Answers Fit: the head and its card. `accuracy_before` is the active head's on all rows. Where there is none yet, it is the shipped
    head's on the workspace's own rows, and `accuracy_own` that of the new one on the same rows while each was held out.
    """

    body: bytes
    card: dict[str, object]
    accuracy_before: float | None = None
    accuracy_own: float | None = None


class Encoded(Struct, frozen=True, tag=True):
    """Answers Encode: a vector for each text, in order, float16, little-endian."""

    vectors: tuple[bytes, ...]


class Trouble(Struct, frozen=True, tag=True):
    """The question could not be answered; `code` names the kind of error, never a word of a customer."""

    code: str


Question = Judge | Learn | Fit | Encode
Answer = Verdicts | Learnt | Fitted | Encoded | Trouble
_questions = msgspec.msgpack.Decoder(Question)
_answers = msgspec.msgpack.Decoder(Answer)
_encoder = msgspec.msgpack.Encoder()


def write_frame(out: BinaryIO, said: Question | Answer) -> None:
    """One frame, flushed."""
    body = _encoder.encode(said)
    out.write(len(body).to_bytes(_LENGTH_BYTES, "big") + body)
    out.flush()


def read_question(source: BinaryIO) -> Question | None:
    """The next question; None when the other side is gone."""
    body = _read_frame(source)
    return None if body is None else _questions.decode(body)


def read_answer(source: BinaryIO) -> Answer | None:
    """The next answer; None when the other side is gone."""
    body = _read_frame(source)
    return None if body is None else _answers.decode(body)


def _read_frame(source: BinaryIO) -> bytes | None:
    head = source.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    size = int.from_bytes(head, "big")
    if size > LONGEST_FRAME_BYTES:
        return None
    body = source.read(size)
    return body if len(body) == size else None
