"""The one clock can be moved by tests and never gives a naive time; places of errors never quote their message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from careline.kit import clock
from careline.kit.places import place_of


def test_travel_moves_every_reading_and_comes_back_whatever_happens() -> None:
    before = clock.now()
    with pytest.raises(RuntimeError), clock.travel(timedelta(days=2)):
        assert timedelta(days=2) <= clock.now() - before < timedelta(days=2, minutes=1)
        assert clock.epoch_s() - before.timestamp() >= 2 * 86_400
        with clock.travel(timedelta(days=-3)):
            assert clock.now() < before
        raise RuntimeError
    assert clock.now() - before < timedelta(minutes=1)


def test_a_time_without_a_zone_is_refused_and_others_become_utc() -> None:
    assert clock.parse_iso("2026-11-22T12:00:00+01:00") == datetime(2026, 11, 22, 11, tzinfo=UTC)
    assert clock.parse_iso("2026-11-22T12:00:00Z").tzinfo is UTC
    for text in ("2026-11-22T12:00:00", "tomorrow", ""):
        with pytest.raises(ValueError):
            clock.parse_iso(text)
    assert clock.from_epoch(0) == datetime(1970, 1, 1, tzinfo=UTC)


def test_the_place_of_an_error_names_file_and_line_but_not_its_words() -> None:
    try:
        raise ValueError("my card is 4111 1111 1111 1111")
    except ValueError as error:
        place = place_of(error)
    assert place.startswith("ValueError at ") and "test_clock_and_places.py:" in place and "4111" not in place
    assert place_of(KeyError("4111")) == "KeyError"
