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
# The words of a hashtag: #NeverAgain, #nuncaMás, #EU261.
_HUMP: Final = regex.compile(r"\p{Lu}+(?![\p{Ll}\p{M}])|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}\p{Cf}'’ʼ]++|\p{N}++|\p{Lt}")
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
    """The words of a text in order; a hashtag in capitals and small letters is cut at its humps. Handles and page addresses
    become one opaque word that no word of a pattern matches.
    """
    words: list[Word] = []
    sentence = 0
    for piece in _PIECE.finditer(text):
        if piece.lastgroup == "end":
            sentence += 1
        elif piece.lastgroup == "opaque":
            words.append(Word(OPAQUE, piece.start(), piece.end(), sentence))
        else:
            words.extend(
                Word(fold_word(text[a:b]), a, b, sentence) for a, b in _find_humps(text, piece.start(), piece.end())
            )
    return words


def _find_humps(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Where the words of a piece stand: one, unless it is a hashtag written in humps."""
    is_hashtag = start > 0 and text[start - 1] == "#"
    humps = [found.span() for found in _HUMP.finditer(text, start, end)] if is_hashtag else []
    return humps if len(humps) > 1 else [(start, end)]
