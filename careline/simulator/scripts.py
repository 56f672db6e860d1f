"""The stories with lines of their own: who speaks, what they say first, and what they answer in public and in
private."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Final, Literal

import msgspec
from PIL import Image, ImageDraw

from careline.simulator.content import STORIES, Language, Speech
from careline.simulator.ledger import Ledger
from careline.simulator.records import FileRef, Persona

Picture = Literal["", "passport", "guitar"]


class Line(msgspec.Struct, frozen=True):
    """Something said `after_s` seconds after what caused it."""

    place: Literal["public", "private"]
    text: str
    after_s: float = 0.0
    picture: Picture = ""


class Script(msgspec.Struct, frozen=True):
    """One person's story. The n-th answer in public (or private) brings the n-th entry; after the last, silence.

    `views` are (seconds, people who have seen it); `bystanders` are (seconds, words of somebody else).
    """

    slug: str
    person: Persona
    language: Language
    opening: tuple[Line, ...]
    on_public: tuple[tuple[Line, ...], ...]
    on_private: tuple[tuple[Line, ...], ...]
    views: tuple[tuple[float, int], ...] = ()
    bystanders: tuple[tuple[float, str], ...] = ()


class StrikeWords(msgspec.Struct, frozen=True):
    """A complaint about the strike is one of each: who, what, and what they ask."""

    who: tuple[str, ...]
    what: tuple[str, ...]
    ask: tuple[str, ...]


@lru_cache(maxsize=1)
def scripts() -> dict[str, Script]:
    """All scripts by slug."""
    found = msgspec.json.decode((STORIES / "scripts.json").read_bytes(), type=tuple[Script, ...])
    return {script.slug: script for script in found}


@lru_cache(maxsize=1)
def _strike_words() -> dict[Language, StrikeWords]:
    return msgspec.json.decode((STORIES / "strike.json").read_bytes(), type=dict[Language, StrikeWords])


def strike_words(speech: Speech, language: Language) -> str:
    """One of some hundreds of ways to say that the strike has stranded somebody."""
    words = _strike_words()[language]
    picked = f"{speech.pick(words.who)} {speech.pick(words.what)}. {speech.pick(words.ask)}"
    return speech.fill(picked)


_SIZE: Final = (640, 420)
_PASSPORT: Final = ("SPECIMEN", "PASAPORTE", "RIOS MARTIN", "ELENA MARIA", "P<XXRIOS<MARTIN<<ELENA<MARIA<<<<<")
_GUITAR: Final = ("", "AURORA BROKE", "MY GUITAR", "three verses and a chorus")
_PICTURES: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "passport": ("pasaporte.png", "A passport lying open", _PASSPORT),
    "guitar": ("guitar.png", "A guitar with a broken neck", _GUITAR),
}


def draw_picture(ledger: Ledger, picture: Picture) -> tuple[FileRef, ...]:
    """A picture made on the spot, kept as a file of the platform; nothing for no picture."""
    if not picture:
        return ()
    name, alt, lines = _PICTURES[picture]
    image = Image.new("RGB", _SIZE, "#e8e2d6")
    pen = ImageDraw.Draw(image)
    pen.rectangle((20, 20, 620, 400), outline="#7a2f2f", width=6)
    pen.rectangle((48, 90, 208, 300), fill="#b9b0a0")
    for number, line in enumerate(lines):
        pen.text((240, 90 + 48 * number), line, fill="#3a3631", font_size=24)
    content = io.BytesIO()
    image.save(content, "PNG")
    file_id = f"f_{picture}"
    if ledger.file(file_id) is None:
        ledger.add_file(file_id, name, "image/png", content.getvalue())
    return (FileRef(file_id, name, alt),)
