"""Heads learn from rows, say how sure they are and why, and come back from bytes as they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.errors import InputRefused, NotFound
from careline.triage.heads import Head, Row
from careline.triage.heads.blending import fit_blend
from careline.triage.heads.linear import fit_linear
from careline.triage.heads.rows import deal, draw_shots, labelled
from careline.triage.heads.scoring import auroc, measure
from careline.triage.heads.storing import read_head, write_head

OPENINGS = ["hello,", "once more:", "you know,", "please, my"]
THINGS = ["bag", "flight", "card", "parcel", "refund", "order", "seat", "ticket", "invoice", "password"]
ROWS = [
    *(Row(f"My {thing} is lost and nobody answers, this is terrible", "complaint") for thing in THINGS),
    *(Row(f"Where can I find my {thing}?", "question") for thing in THINGS),
    *(Row(f"Thank you so much for the {thing}, you are great!", "compliment") for thing in THINGS),
]


@pytest.fixture(scope="module", params=["light", "multilingual", "english"])
def head(request: pytest.FixtureRequest) -> Head:
    return Head.fit(ROWS, reading=request.param, seed=7)


@pytest.fixture(scope="module")
def light() -> Head:
    return Head.fit(ROWS)


def test_a_head_judges_what_it_never_saw(head: Head) -> None:
    said = head.judge(
        ["where do I find my boarding pass?", "thanks, you are wonderful!", "terrible, my suitcase is lost"]
    )
    assert [guess.label for guess in said] == ["question", "compliment", "complaint"]
    for guess in said:
        assert guess.probabilities.sum() == pytest.approx(1)
        assert guess.confidence == guess.probabilities.max()


def test_the_card_tells_what_was_learned_and_how_good_it_is_on_rows_held_out(head: Head) -> None:
    card = head.card
    assert card.labels == ("complaint", "compliment", "question") and card.examples == (10, 10, 10)
    assert card.rows == 30 and card.seed == 7 and card.accuracy > 0.9 and card.macro_f1 > 0.9


def test_the_same_rows_and_seed_give_the_same_head(head: Head) -> None:
    again = Head.fit(ROWS, reading=head.card.reading, seed=7)
    texts = [row.text for row in ROWS]
    assert np.array_equal(head.probabilities(texts), again.probabilities(texts))


def test_a_head_comes_back_from_its_bytes_and_judges_alike(head: Head) -> None:
    body = head.to_bytes()
    again = Head.from_bytes(body)
    assert again.card == head.card and again.to_bytes() == body
    texts = [row.text for row in ROWS]
    assert np.allclose(head.probabilities(texts), again.probabilities(texts), atol=0.01)


def test_known_vectors_are_not_asked_for_again(head: Head) -> None:
    from careline.triage import encoders

    texts = ["where is it?", "thank you"]
    assert np.array_equal(head.probabilities(texts), head.probabilities(texts, vectors=encoders.use().encode(texts)))


def test_the_words_that_speak_for_a_label_are_found_in_the_original_text() -> None:
    head = Head.fit(ROWS)
    text = "\u200b🙂 ¡Ay! that is TERRIBLE, where is it"
    spoken = [text[span.start : span.end] for span in head.why(text, 3, label="complaint")]
    assert "TERRIBLE" in spoken


def test_the_nearest_examples_mean_the_same() -> None:
    row, near = Head.fit(ROWS).nearest("my suitcase got lost, terrible", 1)[0]
    assert row.label == "complaint" and 0.2 < near <= 1


def test_doubt_grows_with_what_may_be_given_up(head: Head) -> None:
    assert head.threshold(0) <= head.threshold(0.05) <= head.threshold(0.5) <= 1


def test_what_is_like_nothing_known_is_unknown(head: Head) -> None:
    known, strange = head.judge(["Where can I find my luggage?", "mitochondria photosynthesis equation"])
    assert known.familiar > strange.familiar
    assert head.is_unknown(strange, 0.1) and not head.is_unknown(known, 0)


def test_no_texts_have_no_guesses(head: Head) -> None:
    assert head.judge([]) == []


@given(text=st.text(max_size=300))
def test_any_text_is_judged(light: Head, text: str) -> None:
    assert light.judge([text])[0].label in light.card.labels
    for span in light.why(text):
        assert 0 <= span.start < span.end <= len(text)


@pytest.mark.parametrize("rows", [[], [Row("a", "x")], [Row("a", "x"), Row("b", ""), Row("c", "x")]])
def test_one_label_is_nothing_to_learn(rows: list[Row]) -> None:
    with pytest.raises(InputRefused, match="two labels"):
        Head.fit(rows)


def test_two_rows_of_two_labels_are_enough() -> None:
    head = Head.fit([Row("my bag is lost", "bad"), Row("thanks a lot", "good"), Row("no label", " ")])
    assert head.card.rows == 2
    assert head.judge(["my bag is lost"])[0].label == "bad"


def test_a_label_with_one_row_among_many_is_learned() -> None:
    head = Head.fit([*ROWS, Row("delete all my data, GDPR article 17", "privacy")])
    assert dict(zip(head.card.labels, head.card.examples, strict=True))["privacy"] == 1


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04", b"no head", ROWS[0].text.encode() * 50])
def test_what_is_no_head_is_refused(body: bytes) -> None:
    with pytest.raises(InputRefused):
        Head.from_bytes(body)


def test_a_head_of_another_version_is_refused(light: Head) -> None:
    from msgspec.structs import replace

    other = replace(light, card=replace(light.card, version=99))
    with pytest.raises(InputRefused, match="another version"):
        Head.from_bytes(other.to_bytes())


def test_a_head_is_kept_in_a_file(tmp_path, light: Head) -> None:
    path = tmp_path / "triage" / "kind.head"
    with pytest.raises(NotFound, match="called kind"):
        read_head(path)
    write_head(light, path)
    assert read_head(path).card == light.card
    assert [file.name for file in path.parent.iterdir()] == ["kind.head"]


@given(codes=st.lists(st.integers(0, 4), min_size=6, max_size=80), seed=st.integers(0, 99))
def test_folds_spread_every_label_evenly(codes: list[int], seed: int) -> None:
    dealt = deal(np.array(codes), folds=3, seed=seed)
    for code in set(codes):
        counts = np.bincount(dealt[np.array(codes) == code], minlength=3)
        assert counts.max() - counts.min() <= 1


def test_shots_are_drawn_alike_for_the_same_seed() -> None:
    drawn = draw_shots(ROWS, shots=4, seed=42)
    assert drawn == draw_shots(ROWS, shots=4, seed=42) != draw_shots(ROWS, shots=4, seed=43)
    assert [row.label for row in drawn].count("question") == 4
    assert len(draw_shots(ROWS, shots=99, seed=1)) == len(ROWS)


def test_rows_without_a_label_are_passed_over() -> None:
    assert labelled([Row("a", ""), Row("b", " "), Row("c", "x")]) == [Row("c", "x")]


def test_a_blend_listens_to_the_part_that_knows() -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 3, 60)
    good, noise = np.eye(3)[codes] * 3 + rng.normal(0, 1, (60, 3)), rng.normal(0, 3, (60, 3))
    blend = fit_blend(np.stack([noise, good], axis=1), codes)
    assert blend.shares[1] > 4 * blend.shares[0]


def test_figures_are_those_of_the_definitions() -> None:
    figures = measure(["a", "a", "b", "b"], ["a", "b", "b", "c"])
    assert figures.accuracy == 0.5 and figures.rows == 4
    assert figures.macro_f1 == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert figures.confusion == ((1, 1, 0), (0, 1, 1), (0, 0, 0))
    assert auroc(np.array([0.9, 0.8]), np.array([0.1, 0.8])) == pytest.approx(0.875)


def test_a_heads_kernel_sees_a_label_that_lies_on_both_sides_of_another() -> None:
    angles = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    codes = (np.abs(features[:, 0]) > 0.7).astype(np.int64)
    lines = fit_linear(features, codes, labels=2, way="logistic", strength=10)
    nearness = fit_linear(features, codes, labels=2, way="kernel", strength=10)
    right = [(linear.score(features).argmax(axis=1) == codes).mean() for linear in (lines, nearness)]
    assert right[0] < 0.8 and right[1] > 0.95


def test_where_labels_are_many_their_names_are_examples() -> None:
    topics = [f"{thing}_{what}" for thing in THINGS for what in ("lost", "refused", "late")]
    rows = [Row(f"{opening} {topic.replace('_', ' ')}", topic) for topic in topics for opening in OPENINGS]
    named = Head.fit(rows, reading="multilingual")
    numbered = Head.fit([Row(row.text, str(topics.index(row.label))) for row in rows], reading="multilingual")
    landmarks = [
        next(part.linear.landmarks for part in head.parts if part.linear.way == "kernel") for head in (named, numbered)
    ]
    assert [len(found) for found in landmarks if found is not None] == [len(rows) + len(topics), len(rows)]
    assert named.card.rows == len(rows) and sum(named.card.examples) == len(rows)


def test_the_live_engines_heads_hold_no_kernel(light: Head) -> None:
    assert light.views.axes is None and all(part.linear.landmarks is None for part in light.parts)
