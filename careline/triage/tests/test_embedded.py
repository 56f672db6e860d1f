"""The embedded engine: every text gets its entry, strange ones too; rules raise what heads miss; a workspace's own head judges it alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careline.triage.embedded import EmbeddedEngine
from careline.triage.framing import Judge, Verdicts
from careline.triage.heads.storing import from_bytes
from careline.triage.lessons import seed_rows
from careline.triage.protocol import HARMS, KINDS, Asked, Judged, Verdict


@pytest.fixture(scope="module")
def engine() -> EmbeddedEngine:
    return EmbeddedEngine()


def _verdicts(judged: Judged) -> dict[str, Verdict]:
    return {verdict.name: verdict for verdict in judged.verdicts}


def _judge(engine: EmbeddedEngine, text: str, workspace_id: int = 1) -> dict[str, Verdict]:
    return _verdicts(engine.judge([Asked(7, text, workspace_id=workspace_id)])[0])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "Stuck at the airport since last night with my baby and nobody helps",
            {"kind": "complaint", "harm": "stranded", "needs_answer": "yes", "language": "en"},
        ),
        (
            "Gracias Ana, ya está solucionado, eres un encanto",
            {"kind": "compliment", "closing": "solved", "sentiment": "positive", "language": "es"},
        ),
        ("¿A qué hora abre el mostrador mañana?", {"kind": "question", "needs_answer": "yes"}),
        ("RT and follow to win a free phone!!! #giveaway", {"kind": "noise", "needs_answer": "no"}),
        ("Os he llamado tres veces y nadie contesta, mi abogado os va a denunciar", {"failed_elsewhere": "phone", "legal": "legal"}),
    ],
)  # fmt: skip
def test_a_message_is_understood_on_arrival(engine: EmbeddedEngine, text: str, wanted: dict[str, str]) -> None:
    found = _judge(engine, text)
    assert {name: found[name].value for name in wanted} == wanted


def test_why_names_words_of_the_text_and_labelled_examples(engine: EmbeddedEngine) -> None:
    text = "Terrible service, my suitcase arrived broken and nobody replies"
    kind = _judge(engine, text)["kind"]
    assert kind.words and all(0 <= span.start < span.end <= len(text) for span in kind.words)
    assert all(example.label in KINDS and 0 <= example.nearness <= 1.001 for example in kind.examples)


def test_the_mood_is_a_number_between_minus_one_and_one(engine: EmbeddedEngine) -> None:
    worst = _judge(engine, "You are the worst airline ever, I hate you")["sentiment"].number
    best = _judge(engine, "Thank you so much, wonderful crew!")["sentiment"].number
    assert worst is not None and best is not None and -1 <= worst < 0 < best <= 1


@pytest.mark.parametrize("text", ["there is a fire on board", "hay un incendio en el avión"])
def test_what_may_hurt_needs_an_answer_and_is_no_noise_whatever_the_heads_say(
    engine: EmbeddedEngine, text: str
) -> None:
    found = _judge(engine, text)
    assert found["harm"].value in HARMS
    assert found["needs_answer"].value == "yes" and found["kind"].value != "noise"


def test_personal_data_stands_where_it_is_and_its_words_are_not_in_the_answer(engine: EmbeddedEngine) -> None:
    text = "My card is 4111 1111 1111 1111, thanks"
    [judged] = engine.judge([Asked(1, text)])
    [span] = judged.personal
    assert (text[span.start : span.end], span.what) == ("4111 1111 1111 1111", "card")


def test_the_same_text_gives_the_same_verdicts_alone_and_in_company(engine: EmbeddedEngine) -> None:
    text = "Where is my refund?"
    [alone] = engine.judge([Asked(1, text)])
    company = engine.judge([Asked(2, "hola, buenas tardes"), Asked(1, text), Asked(3, "thanks!")])[1]
    assert [(one.name, one.value) for one in alone.verdicts] == [(one.name, one.value) for one in company.verdicts]
    assert alone.signature == company.signature
    assert np.abs(_vector(alone) - _vector(company)).max() < 0.01


def _vector(judged: Judged) -> np.ndarray:
    return np.frombuffer(judged.vector, dtype="<f2").astype(np.float32)


def test_a_workspaces_own_head_judges_it_and_nobody_else(engine: EmbeddedEngine) -> None:
    text = "Where is my suitcase?"
    before = _judge(engine, text, workspace_id=5)["kind"].value
    other = "request" if before != "request" else "complaint"
    rows = [(f"Where is my {thing}?", other) for thing in ("suitcase", "bag", "luggage", "trunk", "case", "parcel")]
    rows += [(f"Hello {name}", "noise") for name in ("Ann", "Bob", "Cat", "Dan", "Eve", "Fay")]
    fitted = engine.fit("kind", rows)
    engine.learn(5, "kind", fitted.body)
    assert _judge(engine, text, workspace_id=5)["kind"].value == other
    assert _judge(engine, text, workspace_id=6)["kind"].value == before
    engine.learn(5, "kind", b"")
    assert _judge(engine, text, workspace_id=5)["kind"].value == before


def test_a_first_head_is_compared_with_the_shipped_one_on_what_people_here_said(engine: EmbeddedEngine) -> None:
    said = [
        (f"You lost my bag on flight {number} and nobody answers, terrible service.", "complaint")
        for number in range(6)
    ]
    said += [(f"Thank you so much, crew of flight {number}!", "compliment") for number in range(6)]
    lent = seed_rows("kind", ["en"], 60)
    agreed = engine.fit("kind", [*said, *lent], own_rows=len(said))
    assert agreed.accuracy_before == 1.0 and agreed.accuracy_own == 1.0
    mixed = [(text, "noise" if number % 2 else label) for number, (text, label) in enumerate(said)]
    torn = engine.fit("kind", [*mixed, *lent], own_rows=len(mixed))
    assert torn.accuracy_own is not None and torn.accuracy_own < 0.75
    assert engine.fit("kind", [*said[:4], *lent], own_rows=4).accuracy_own is None


def test_a_fitted_head_says_how_good_it_is_and_keeps_no_sentence(engine: EmbeddedEngine) -> None:
    rows = [(f"my private words {number} about delay", "1") for number in range(8)]
    rows += [(f"other secret words {number} about food", "2") for number in range(8)]
    fitted = engine.fit("topic", rows)
    assert fitted.card["rows"] == 16 and 0 <= float(str(fitted.card["accuracy"])) <= 1
    assert not from_bytes(fitted.body).examples.rows
    assert b"private" not in fitted.body and b"secret" not in fitted.body


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=5))
def test_strange_text_raises_nothing_and_keeps_its_place(texts: list[str]) -> None:
    engine = _strange()
    judged = engine.judge([Asked(number, text) for number, text in enumerate(texts)])
    assert [one.id for one in judged] == list(range(len(texts)))
    for one, text in zip(judged, texts, strict=True):
        spans = [*one.personal, *(span for verdict in one.verdicts for span in verdict.words)]
        assert all(0 <= span.start <= span.end <= len(text) for span in spans)
        assert all(0 <= verdict.confidence <= 1 for verdict in one.verdicts)


_engines: list[EmbeddedEngine] = []


def _strange() -> EmbeddedEngine:
    if not _engines:
        _engines.append(EmbeddedEngine())
    return _engines[0]


def test_the_question_and_the_answer_survive_the_wire(engine: EmbeddedEngine) -> None:
    import io

    from careline.triage.framing import read_answer, read_question, write_frame

    asked = Judge((Asked(9_007_199_254_740_993, "héllo 👋"),))
    pipe = io.BytesIO()
    write_frame(pipe, asked)
    write_frame(pipe, Verdicts(tuple(engine.judge(asked.batch)), engine.version))
    pipe.seek(0)
    assert read_question(pipe) == asked
    found = read_answer(pipe)
    assert isinstance(found, Verdicts) and found.judged[0].id == 9_007_199_254_740_993
    assert read_question(pipe) is None
