"""Careline weighs a post as X's own twitter-text does, on the server and in the browser; SMS the same on both."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from careline.channels.x.weighing import weight
from careline.kit import counting

pytestmark = pytest.mark.node
FOLDER: Final = Path(__file__).parent
ROOT: Final = FOLDER.parents[2]
COUNTING: Final = ROOT / "careline" / "screens" / "static" / "js" / "counting.js"
NODE: Final = Path(sys.executable).with_name("node")
WRITTEN: Final = (
    "", "hola", "english text 日本語 😷 https://example.com", "cafe\u0301", "👨‍👩‍👧‍👦", "🙋🏽👨‍🎤", "🇪🇸", "1️⃣", "© ©️ ™ ™️", "😀\ufe0f",
    "http://twitter.com/これは日本語です。example.com中国語", "日本example.com", "foo_bar.example.com/x", "foo_example.com", "@example.com",
    "a.b.co.uk/path(1)?q=1.", "https://t.co/abcdefghij", "https://t.co/abcdefghij/more", "http://t.co/" + "a" * 41, "x.com", "foo.invalidtld",
    "http://foo.invalidtld", "test@example.com", "http://a_b.c-d.com:8080/x?y=z#k", "www.ñandú.es", "https://пример.рф/путь", "line\r\nline\rline",
    "—–…“quote”", "한국어 텍스트", "z" * 300, "See example.com.Thanks", "http://user:pw@example.com", "-example.com", "foo.com/(a(b)c)d",
    "ét.co/abc", "xn--80ak6aa92e.com", "https://EXAMPLE.COM/A", "http://example.com/@user/x", "#example.com", "☎️☎ ❤️❤ ‼️", "👩🏾‍🚀",
    "https://x.com/messages/compose?recipient_id=1&text=Ref.+ab-cd%3A+",
)  # fmt: skip
PIECES: Final = (
    "https://", "http://", "example", "foo", "日本", "ñ", "é", "е", "com", "co", "es", "io", "jp", ".", ".", ".", "/", "/path", "?a=b", "&c", "#d",
    "@", "-", "_", " ", " ", "\n", "😀", "👍🏽", "👨‍👩‍👧", "(", ")", "!", "，", "。", "t.co/abc", "xn--p1ai", "рф", ":80", ":", "a", "0", "'", "\ufe0f", "…", "€",
)  # fmt: skip
JOINER: Final = "\u200d"


def missing() -> str:
    """Why X's own counting cannot be asked, with the way to get it; empty when it can."""
    if not NODE.exists():
        return "X's own counting is left out: bin/setup dev"
    where = FOLDER / "node_modules" / "twitter-text"
    return "" if where.exists() else f"X's own counting is left out: npm ci --ignore-scripts --prefix {FOLDER}"


def texts(seed: int, number: int) -> list[str]:
    """Written by hand, then by chance."""
    chance = random.Random(seed)
    return [*WRITTEN, *("".join(chance.choices(PIECES, k=chance.randint(1, 14))) for _ in range(number))]


def told_by_node(given: list[str]) -> list[list[int]]:
    """For each text: X's weight, then the browser's weight, septets and messages."""
    assert not missing(), missing()
    run = subprocess.run(
        [str(NODE), str(FOLDER / "counting.mjs"), str(FOLDER), str(COUNTING)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[list[int]] = json.loads(run.stdout)
    return found


def test_server_and_browser_weigh_as_x_does() -> None:
    given = texts(20261122, 4000)
    wrong = [
        (text, weight(text), told[:2])
        for text, told in zip(given, told_by_node(given), strict=True)
        if not weight(text) == told[0] == told[1]
    ]
    assert wrong == []


def test_the_browser_counts_sms_as_the_server_does() -> None:
    given = [*texts(23038, 1500), *("a€" * number for number in range(150)), *("😀a" * number for number in range(80))]
    for text, told in zip(given, told_by_node(given), strict=True):
        assert told[2:] == [counting.measure(text, "sms_septets"), counting.measure(text, "sms_segments")], text


def test_a_row_of_emoji_that_unicode_11_did_not_know_weighs_two_here() -> None:
    """The one known difference: X's page says that joiners add nothing, its library counts what it does not know piece by piece."""
    (told,) = told_by_node([f"👍🏽{JOINER}😀"])
    assert (weight(f"👍🏽{JOINER}😀"), told[1], told[0]) == (2, 2, 5)


def test_both_halves_know_the_same_names() -> None:
    server = (ROOT / "careline" / "channels" / "x" / "top_level_domains.txt").read_text("utf-8").split()
    script = (COUNTING.parent / "top_level_domains.js").read_text("utf-8")
    assert script.split("`")[1].split() == server
