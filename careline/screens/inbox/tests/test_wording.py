"""What was done to a case is said in words, whatever it was."""

from __future__ import annotations

import re
from pathlib import Path

import careline.cases
from careline.cases.rows import ActView
from careline.kit import clock
from careline.screens.inbox import wording

_SAVED = re.compile(r"""\.save\(\s*"(\w+)"(?!, undoable=False)""")
_MERGED = re.compile(r'merge_changes\(\w+, \w+, "(\w+)"')


def kept_acts() -> set[str]:
    """Every act the actions on cases write down, by their source."""
    sources = [path.read_text() for path in Path(careline.cases.__file__).parent.glob("**/*.py")]
    merged = {verb for source in sources for verb in _MERGED.findall(source)}
    return (
        {verb for source in sources for verb in _SAVED.findall(source)} | merged | {f"{verb}_here" for verb in merged}
    )


def test_every_act_has_words() -> None:
    acts = kept_acts()
    assert {"taken", "closed", "waiting", "merged_here", "split"} <= acts
    raw = {verb for verb in acts if _words(verb) == f"Ana: {verb.replace('_', ' ')}"}
    assert raw == set()


def _words(verb: str) -> str:
    return wording.act_words(ActView(1, verb, 1, "Ana", "", clock.now(), False, {}))
