"""What an encoder promises, and the bounded cache in front of one. No model is loaded here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from threading import Lock
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
_MOST_CACHED: Final = 50_000


class Encoder(Protocol):
    """Turns texts into vectors. The same text gives the same vector, whatever stands beside it in the batch (within rounding)."""

    name: str
    version: str
    size: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row of `size` float32 for each text, in order, each part of length 1."""
        ...


class CachedEncoder:
    """Keeps the newest vectors by the text's digest, as float16: 1 KB for 512 numbers. Safe to use from several threads."""

    def __init__(self, encoder: Encoder, *, most: int = _MOST_CACHED) -> None:
        self.name, self.version, self.size = encoder.name, encoder.version, encoder.size
        self._encoder = encoder
        self._most = most
        self._kept: OrderedDict[bytes, npt.NDArray[np.float16]] = OrderedDict()
        self._lock = Lock()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """As the encoder's, rounded to float16 whether it came from the cache or not, so that both are the same."""
        keys = [blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        found = self._known(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            fresh = self._encoder.encode(list(missing.values())).astype(np.float16)
            found.update(zip(missing, fresh, strict=True))
            self._keep(missing, fresh)
        rows = np.empty((len(keys), self.size), dtype=np.float32)
        for number, key in enumerate(keys):
            rows[number] = found[key]
        return rows

    def _known(self, keys: Sequence[bytes]) -> dict[bytes, npt.NDArray[np.float16]]:
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
        return found

    def _keep(self, keys: Sequence[bytes] | dict[bytes, str], fresh: npt.NDArray[np.float16]) -> None:
        with self._lock:
            self._kept.update((key, row.copy()) for key, row in zip(keys, fresh, strict=True))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
