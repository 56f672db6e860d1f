"""Where an error came from, for logs and dead letters: type, file and line. Never its message, which may quote a customer."""

from __future__ import annotations


def place_of(error: BaseException) -> str:
    """`ValueError at intake/steps/keep.py:41`."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:
        return type(error).__name__
    return f"{type(error).__name__} at {place.tb_frame.f_code.co_filename.rsplit('careline/', 1)[-1]}:{place.tb_lineno}"
