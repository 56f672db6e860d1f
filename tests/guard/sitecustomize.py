"""Python imports this by itself when this folder is on PYTHONPATH: the process watches itself, and says in its log what it caught."""

from __future__ import annotations

import sys

from tests.guard import watching


class _Said(list[str]):
    def append(self, line: str) -> None:
        print(f"INVARIANT 10 BROKEN: {line}", file=sys.stderr, flush=True)
        super().append(line)


watching.found = _Said()
watching.install()
