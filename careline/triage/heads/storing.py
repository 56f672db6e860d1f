"""Heads as bytes and files: numbers in .npz without pickles, the card in JSON beside them. What is read is checked, never run."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from careline.errors import InputRefused, NotFound
from careline.triage.heads.blending import Blend
from careline.triage.heads.examples import Examples
from careline.triage.heads.features import Centre, Words
from careline.triage.heads.head import VERSION, Card, Head, Part
from careline.triage.heads.linear import Linear, Way
from careline.triage.heads.rows import Row
from careline.triage.heads.views import Known, View, Views

Arrays = dict[str, npt.NDArray[Any]]


class _PartShape(msgspec.Struct):
    views: tuple[View, ...]
    way: Way


class _Shape(msgspec.Struct):
    """What of a head is not an array."""

    card: Card
    parts: list[_PartShape]
    centres: dict[str, int]
    known: list[int]
    examples: tuple[Row, ...]


def to_bytes(head: Head) -> bytes:
    """The same head gives the same bytes. Weights are float16: predictions move in the fourth digit."""
    arrays: Arrays = {
        "columns": head.views.words.columns,
        "idf": _half(head.views.words.weights),
        "doubt": head.doubt,
        "strange": head.strange,
    }
    arrays["examples"] = _half(head.examples.vectors)
    for name, centre in head.views.centres.items():
        arrays[f"centre/{name}"] = _half(centre.middle)
    if head.views.axes is not None:
        arrays["axes"] = _half(head.views.axes)
    for number, part in enumerate(head.parts):
        _put_linear(arrays, f"part/{number}", part.linear)
    for number, known in enumerate(head.views.known):
        arrays[f"known/{number}/centre"] = _half(known.centre.middle)
        for inner, linear in enumerate(known.linears):
            _put_linear(arrays, f"known/{number}/{inner}", linear)
    for field in Blend.__struct_fields__:
        arrays[f"blend/{field}"] = getattr(head.blend, field)
    shape = _Shape(
        card=head.card,
        parts=[_PartShape(part.views, part.linear.way) for part in head.parts],
        centres={name: centre.blocks for name, centre in head.views.centres.items()},
        known=[len(known.linears) for known in head.views.known],
        examples=head.examples.rows,
    )
    arrays["shape"] = np.frombuffer(msgspec.json.encode(shape), dtype=np.uint8)
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    return out.getvalue()


def from_bytes(content: bytes) -> Head:
    """Raises InputRefused for what is no head, or one of another version."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        shape = msgspec.json.decode(arrays["shape"].tobytes(), type=_Shape)
        if shape.card.version == VERSION:
            return _build(shape, arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
        raise InputRefused(
            "head_unreadable", "This file is not a head. Fit it again with `careline triage fit`."
        ) from error
    raise InputRefused(
        "head_version", "This head is of another version of Careline. Fit it again with `careline triage fit`."
    )


def write_head(head: Head, path: Path) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(to_bytes(head))
    os.replace(fresh, path)


def read_head(path: Path) -> Head:
    """Raises NotFound when there is none."""
    if not path.is_file():
        raise NotFound("head_not_found", f"There is no head called {path.stem}. Fit it with `careline triage fit`.")
    return from_bytes(path.read_bytes())


def _build(shape: _Shape, arrays: Arrays) -> Head:
    words = Words(arrays["columns"], _single(arrays["idf"]))
    centres = {name: Centre(_single(arrays[f"centre/{name}"]), blocks) for name, blocks in shape.centres.items()}
    known = tuple(
        Known(
            Centre(_single(arrays[f"known/{number}/centre"]), 1),
            tuple(_linear(arrays, f"known/{number}/{inner}", "logistic") for inner in range(linears)),
        )
        for number, linears in enumerate(shape.known)
    )
    parts = tuple(
        Part(part.views, _linear(arrays, f"part/{number}", part.way)) for number, part in enumerate(shape.parts)
    )
    blend = Blend(**{field: arrays[f"blend/{field}"] for field in Blend.__struct_fields__})
    examples = Examples(shape.examples, _single(arrays["examples"]))
    axes = _single(arrays["axes"]) if "axes" in arrays else None
    return Head(
        shape.card, Views(words, centres, known, axes), parts, blend, arrays["doubt"], arrays["strange"], examples
    )


def _put_linear(arrays: Arrays, name: str, linear: Linear) -> None:
    arrays[f"{name}/weights"], arrays[f"{name}/bias"] = _half(linear.weights), linear.bias
    if linear.landmarks is not None:
        # A sum over all landmarks: rounded weights would add up.
        arrays[f"{name}/weights"], arrays[f"{name}/landmarks"] = linear.weights, _half(linear.landmarks)


def _linear(arrays: Arrays, name: str, way: Way) -> Linear:
    landmarks = arrays.get(f"{name}/landmarks")
    return Linear(
        _single(arrays[f"{name}/weights"]),
        arrays[f"{name}/bias"],
        way,
        None if landmarks is None else _single(landmarks),
    )


def _half(numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    return numbers.astype(np.float16)


def _single(numbers: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return numbers.astype(np.float32)
