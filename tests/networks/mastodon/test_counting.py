"""The composer counts a text as the server does, whatever it is made of."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from careline.channels.mastodon.lengths import measure

pytestmark = pytest.mark.node
FOLDER: Final = Path(__file__).parent
COUNTING: Final = FOLDER.parents[2] / "careline" / "screens" / "static" / "js" / "counting.js"
NODE: Final = Path(sys.executable).with_name("node")
WRITTEN: Final = (
    "a" * 476 + f" http://{'b' * 30}.com/example",
    "a" * 475 + f" @alice@{'b' * 30}.com",
    f"@alice@{'b' * 500}.com",
    "http://example.com/valid?" + "#foo?" * 1000,
    "https://es.wikipedia.org/wiki/Avión_(maleta_(roja))). Y https://münchen.example:80/ä?q=ñ#x!",
)
PIECES: Final = (
    "https://", "http://", "gemini://", "ejemplo", "foo", "日本", "ñ", "com", "es", ".", ".", ".", "/", "/ruta", "?a=b", "&c", "#d", "@", "@marta",
    "@lejos.example", "-", "_", " ", " ", "\n", "😀", "👍🏽", "👨‍👩‍👧", "(", ")", "!", "「", "xn--p1ai", ":80", ":", "a", "0", "'", '"', "…", "e\u0301",
)  # fmt: skip


def test_the_composer_counts_as_the_server_does() -> None:
    assert NODE.exists(), "Node.js is left out: bin/setup dev"
    chance = random.Random(20261122)
    texts = [*WRITTEN, *("".join(chance.choices(PIECES, k=chance.randint(1, 16))) for _ in range(20_000))]
    command = [str(NODE), "--no-warnings", str(FOLDER / "counting.mjs"), str(COUNTING)]
    run = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, timeout=60, check=True)
    counted: list[int] = json.loads(run.stdout)
    differing = [
        (text, measure(text), there) for text, there in zip(texts, counted, strict=True) if measure(text) != there
    ]
    assert differing == []
    assert sum(measure(text) != len(text) for text in texts) > 5_000
