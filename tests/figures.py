"""Figures a run leaves for whoever reads its log: a line each in the file CARELINE_FIGURES names, else on the screen."""

from __future__ import annotations

import os
from pathlib import Path


def tell(line: str) -> None:
    """Add one line; processes may add to one file at once, for a short line is written whole."""
    path = os.environ.get("CARELINE_FIGURES")
    if not path:
        print(line)
        return
    with Path(path).open("a") as figures:
        figures.write(f"   {line}\n")
