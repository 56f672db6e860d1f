"""How often Python looks for garbage in circles, set for a process that runs for weeks and holds thousands of open streams."""

from __future__ import annotations

import gc
from typing import Final

# Python's own are 700, 10 and 10. With 5,000 open screens one full look stopped everything for half a second, in the middle of telling
# them (measured 2026-11-22), and the digest spent a twelfth of its time on looks that found nothing.
THRESHOLDS: Final = (10_000, 20, 50)


def settle() -> None:
    """Call once everything is loaded: what is there now stays to the end, and is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
