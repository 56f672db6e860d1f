"""Near-duplicates: copies with small edits meet, short and different texts do not, and every process agrees."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careline.triage.duplicates import Clusters, is_near, jaccard, signature

ORIGINAL = "@aurora mi vuelo AU204 lleva cuatro horas de retraso y nadie nos dice nada en la puerta B12"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "copy",
    [
        ORIGINAL,
        ORIGINAL.upper(),
        "RT @marta: " + ORIGINAL,
        ORIGINAL + " https://t.co/abc123",
        ORIGINAL.replace("cuatro", "4"),
        ORIGINAL.replace("nadie nos", "nadie"),
        ORIGINAL.replace("retraso", "retrsao"),
        ORIGINAL.replace(" ", "\u00a0").replace("á", "a") + " 😡😡",
        ORIGINAL.replace("@aurora", "@other"),
        ORIGINAL.replace("a", "а"),  # Cyrillic
    ],
)
def test_an_edited_copy_is_near(copy: str) -> None:
    assert is_near(ORIGINAL, copy)
    assert set(signature(ORIGINAL)) & set(signature(copy))


@pytest.mark.parametrize(
    "other",
    [
        "@aurora mi maleta no ha llegado y nadie contesta al teléfono desde el martes",
        "@aurora ¿puedo llevar un patinete eléctrico como equipaje de mano en el vuelo a Lisboa?",
        "@aurora gracias, el vuelo AU204 ha sido estupendo",
        "",
    ],
)
def test_another_text_on_the_same_matter_is_not_near(other: str) -> None:
    assert not is_near(ORIGINAL, other)


def test_short_texts_are_near_only_when_equal() -> None:
    assert not is_near("thank you", "thank you so")
    assert not set(signature("thanks a lot")) & set(signature("thanks a lott"))
    assert is_near("Thank you!!", "@aurora thank you")
    assert signature("Thank you!!") == signature("thank YOU")
    assert not is_near("gracias", "gracias por la respuesta tan rápida")


def test_texts_without_words_are_near_only_when_equal() -> None:
    assert is_near("😡😡", "😡😡")
    assert not is_near("😡😡", "😡")
    assert signature("  ") == ()
    assert not is_near("", "")


def test_languages_without_spaces_are_compared_too() -> None:
    assert is_near(
        "飛行機が四時間も遅れているのに誰も説明してくれません。", "飛行機が四時間も遅れているのに誰も説明してくれない。"
    )
    assert not is_near(
        "飛行機が四時間も遅れているのに誰も説明してくれません。", "荷物がまだ届いていないので住所を変更したいです。"
    )


def test_the_signature_is_the_same_in_every_process() -> None:
    code = f"from careline.triage.duplicates import signature; print(signature({ORIGINAL!r}))"
    for seed in ("1", "2"):
        known = os.environ | {"PYTHONHASHSEED": seed}
        told = subprocess.run([sys.executable, "-c", code], env=known, capture_output=True, text=True, check=True)
        assert told.stdout.strip() == str(signature(ORIGINAL))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    assert jaccard(one, other) == jaccard(other, one)
    assert 0 <= jaccard(one, other) <= 1
    assert len(signature(one)) in {0, 16} and all(0 <= band < 2**63 for band in signature(one))
    assert is_near(one, one) or not signature(one)


def test_a_cluster_begins_with_the_second_and_keeps_the_first_ones_id() -> None:
    clusters = Clusters()
    assert clusters.add(7, "marta", ORIGINAL, NOON) is None
    assert clusters.add(8, "ben", "something else altogether happened here", NOON) is None
    assert clusters.add(9, "luis", f"RT @marta {ORIGINAL}", NOON) == 7
    assert clusters.add(10, "marta", ORIGINAL + "!!", NOON + timedelta(minutes=40)) == 7
    found = clusters.cluster(7)
    assert found is not None
    assert [member.id for member in found.members] == [7, 9, 10]
    assert found.authors_since(NOON) == 2
    assert found.authors_since(NOON + timedelta(minutes=1)) == 1
    assert [one.id for one in clusters.clusters()] == [7]


def test_the_same_id_twice_counts_once() -> None:
    clusters = Clusters()
    clusters.add(7, "marta", ORIGINAL, NOON)
    assert clusters.add(7, "marta", ORIGINAL, NOON) is None
    clusters.add(8, "luis", ORIGINAL, NOON)
    assert clusters.add(8, "luis", ORIGINAL, NOON) == 7
    assert len(clusters) == 2


def test_old_texts_leave_and_are_not_found_again() -> None:
    clusters = Clusters(window=timedelta(hours=1))
    clusters.add(1, "marta", ORIGINAL, NOON)
    clusters.add(2, "luis", ORIGINAL, NOON + timedelta(minutes=30))
    later = NOON + timedelta(minutes=80)
    assert clusters.add(3, "ana", ORIGINAL, later) == 1
    assert [member.id for member in clusters.cluster(1).members] == [2, 3]
    assert clusters.add(4, "eva", ORIGINAL, later + timedelta(hours=3)) is None
    assert clusters.cluster(1) is None
    assert len(clusters) == 1


def test_it_holds_no_more_than_it_is_told() -> None:
    clusters = Clusters(most=50)
    for number in range(500):
        clusters.add(number, "marta", f"{ORIGINAL} {number % 9}", NOON)
    assert len(clusters) == 50
    (only,) = clusters.clusters()
    assert only.id == 0 and len(only.members) == 50
    assert len(clusters._by_band) <= 50 * 16


def test_a_meme_of_thousands_stays_one_cluster_and_quick() -> None:
    clusters = Clusters()
    of = {
        clusters.add(number, f"a{number}", f"Our fleets on fleek today, our fleet {number % 5}", NOON)
        for number in range(2000)
    }
    assert of == {None, 0}
