"""Cuts a text into folded words that remember where they stood in it; knows no rule."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

import regex
from msgspec import Struct

# In order: addresses of pages, handles (both opaque), words with their accents, inner apostrophes and invisible joiners, single
# symbols such as emoji, ends of sentences. Every alternative is decided by its first characters, so the cut is linear.
_PIECE: Final = regex.compile(
    r"(?P<opaque>https?://\S++|@[\p{L}\p{N}_.]++)"
    r"|(?P<word>[\p{L}\p{N}][\p{L}\p{N}\p{M}\p{Cf}'’ʼ]*+)"
    r"|(?P<symbol>\p{So})"
    r"|(?P<end>[!?…;\n]|\.(?![\p{L}\p{N}]))"
)
_STRETCHED: Final = regex.compile(r"(\p{L})\1{2,}+")
OPAQUE: Final = "@"


class Word(Struct, frozen=True):
    """A folded word, the code points of the original it came from (end exclusive), and the number of its sentence."""

    folded: str
    start: int
    end: int
    sentence: int


@lru_cache(maxsize=20_000)
def fold_word(word: str) -> str:
    """Lower case, without accents, apostrophes and joiners; a letter written three times or more counts once ("nooo")."""
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", word.casefold()) if c.isalnum() or unicodedata.category(c) == "So"
    )
    return _STRETCHED.sub(r"\1", plain)


def cut_words(text: str) -> list[Word]:
    """The words of a text in order. Handles and page addresses become one opaque word that no pattern matches."""
    words: list[Word] = []
    sentence = 0
    for piece in _PIECE.finditer(text):
        if piece.lastgroup == "end":
            sentence += 1
            continue
        folded = OPAQUE if piece.lastgroup == "opaque" else fold_word(piece.group())
        words.append(Word(folded, piece.start(), piece.end(), sentence))
    return words
