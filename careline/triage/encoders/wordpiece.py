"""Cuts English text into the word pieces MiniLM was trained on (uncased BERT). Checked against the `tokenizers` library by its tests' fixtures."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

_VOCABULARY: Final = Path(__file__).parent / "vocabulary" / "vocab.txt"
_LONGEST_WORD: Final = 100
_CACHED_WORDS: Final = 50_000
# Ranges written without spaces: each character is a word (BERT's basic tokenizer).
_IDEOGRAPHS: Final = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class WordPiece:
    """Text to ids: `[CLS] pieces [SEP]`, cut at `longest` ids."""

    def __init__(self, path: Path = _VOCABULARY, *, longest: int = 128) -> None:
        lines = path.read_text(encoding="utf-8").split("\n")
        self._ids = {piece: number for number, piece in enumerate(lines) if piece}
        self._longest = longest
        self._cls, self._sep, self._unknown = (self._ids[name] for name in ("[CLS]", "[SEP]", "[UNK]"))
        self._cut = lru_cache(maxsize=_CACHED_WORDS)(self._pieces)

    def ids(self, text: str) -> list[int]:
        """The ids of a text; never fewer than two."""
        found = [self._cls]
        for word in _words(text):
            found.extend(self._cut(word))
            if len(found) >= self._longest:
                break
        return [*found[: self._longest - 1], self._sep]

    def _pieces(self, word: str) -> Sequence[int]:
        """Longest match from the left; a word that cannot be cut wholly is unknown."""
        if len(word) > _LONGEST_WORD:
            return (self._unknown,)
        found: list[int] = []
        start = 0
        while start < len(word):
            end = len(word)
            while end > start:
                piece = ("##" if start else "") + word[start:end]
                if piece in self._ids:
                    break
                end -= 1
            if end == start:
                return (self._unknown,)
            found.append(self._ids[piece])
            start = end
        return tuple(found)


def _words(text: str) -> Iterator[str]:
    for run in _spaced(text).split():
        word = ""
        for char in _without_accents(run.lower()):
            if _is_punctuation(char):
                if word:
                    yield word
                yield char
                word = ""
            else:
                word += char
        if word:
            yield word


def _spaced(text: str) -> str:
    return "".join(_clean(char) for char in text)


@lru_cache(maxsize=_CACHED_WORDS)
def _clean(char: str) -> str:
    """Spaces for white space, nothing for controls, room around ideographs."""
    code = ord(char)
    if char in "\t\n\r" or unicodedata.category(char) == "Zs":
        return " "
    if code in {0, 0xFFFD} or unicodedata.category(char)[0] == "C":
        return ""
    return f" {char} " if any(first <= code <= last for first, last in _IDEOGRAPHS) else char


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    return "".join(char for char in unicodedata.normalize("NFD", word) if unicodedata.category(char) != "Mn")


@lru_cache(maxsize=_CACHED_WORDS)
def _is_punctuation(char: str) -> bool:
    """ASCII symbols count as punctuation too."""
    code = ord(char)
    is_symbol = 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126
    return is_symbol or unicodedata.category(char).startswith("P")
