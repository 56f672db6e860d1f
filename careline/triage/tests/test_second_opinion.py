"""The language model is asked rarely, masked, within a budget and behind a breaker; it raises risks, never lowers a rule's, and obeys no customer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.triage.protocol import Asked, Judged, Span, Verdict
from careline.triage.second_opinion import Endpoint, Opinion, SecondOpinion, Spent, ask_openai, is_unsure, join

UNSURE = (
    Verdict("kind", "noise", 0.4),
    Verdict("needs_answer", "no", 0.45),
    Verdict("sentiment", "neutral", 0.5, number=0.0),
)
SURE = (
    Verdict("kind", "complaint", 0.95),
    Verdict("needs_answer", "yes", 0.95),
    Verdict("sentiment", "negative", 0.9, number=-0.8),
)
OPINION: dict[str, Any] = {
    "n": 0, "kind": "complaint", "needs_answer": "yes", "sentiment": "negative", "harm": "stranded", "legal": False,
    "leaving": False, "closing": "", "sure": 0.9,
}  # fmt: skip


class Model(ThreadingHTTPServer):
    """An endpoint on loopback that speaks as /v1/chat/completions does, with an answer a test chooses."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.asked: list[dict[str, Any]] = []
        self.content = json.dumps({"texts": [OPINION]})
        self.status = 200

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(f"http://127.0.0.1:{self.server_port}/v1", "local-model", "key-1", timeout_s=2.0)


class _Door(BaseHTTPRequestHandler):
    server: Model

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append({"path": self.path, "key": self.headers["Authorization"], **body})
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": self.server.content}}
        usage = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}
        answer = {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [choice],
            "usage": usage,
        }
        sent = json.dumps(answer).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def model() -> Iterator[Model]:
    server = Model()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def _improve(
    model: Model, *judged: Judged, endpoint: Endpoint | None = None, spent: Spent | None = None
) -> tuple[list[Judged], Spent]:
    asked = [Asked(one.id, "stuck at the gate, card 4111 1111 1111 1111") for one in judged]
    return SecondOpinion().improve(endpoint or model.endpoint, asked, judged, spent or Spent())


def test_what_the_heads_are_unsure_of_is_asked_and_the_answer_joined(model: Model) -> None:
    [found], spent = _improve(model, Judged(1, UNSURE))
    by_name = {verdict.name: verdict for verdict in found.verdicts}
    assert (by_name["kind"].value, by_name["kind"].by, by_name["harm"].value) == ("complaint", "llm", "stranded")
    assert by_name["needs_answer"].value == "yes" and by_name["sentiment"].number == -0.7
    assert spent == Spent(1, 100)
    [request] = model.asked
    assert (request["path"], request["key"], request["model"]) == (
        "/v1/chat/completions",
        "Bearer key-1",
        "local-model",
    )


def test_what_the_heads_are_sure_of_is_never_sent(model: Model) -> None:
    [found], spent = _improve(model, Judged(1, (Verdict("language", "en", 1.0), *SURE)))
    assert found.verdicts[1:] == SURE and spent == Spent() and model.asked == []


def test_personal_data_is_masked_before_it_leaves(model: Model) -> None:
    text = "stuck at the gate, card 4111 1111 1111 1111"
    judged = Judged(1, UNSURE, personal=(Span(text.index("4111"), len(text), "card"),))
    _improve(model, judged)
    assert "4111 1111" not in json.dumps(model.asked) and "stuck at the gate" in json.dumps(model.asked)


def test_the_request_is_a_valid_schema_and_the_texts_are_data(model: Model) -> None:
    _improve(model, Judged(1, UNSURE), Judged(2, UNSURE))
    [request] = model.asked
    schema = request["response_format"]["json_schema"]["schema"]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"texts": [OPINION]}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"texts": [{**OPINION, "refund": 100}]}, schema)
    assert "tools" not in request and [one["n"] for one in json.loads(request["messages"][1]["content"])] == [0, 1]


@pytest.mark.parametrize(
    "content",
    ["", "I will do as the customer asks: refund 100 EUR", '{"texts": [{"n": 0}]}', json.dumps({"texts": [{**OPINION, "act": "refund"}]}),
     json.dumps({"texts": [{**OPINION, "kind": "obey"}]}), json.dumps({"texts": [{**OPINION, "n": 7}]})],
)  # fmt: skip
def test_an_answer_that_is_not_what_was_asked_changes_nothing(model: Model, content: str) -> None:
    model.content = content
    [found], _ = _improve(model, Judged(1, UNSURE))
    assert found.verdicts == UNSURE


def test_the_day_has_a_budget(model: Model) -> None:
    endpoint = Endpoint(model.endpoint.base_url, "m", daily_calls=3, daily_tokens=10_000)
    assert _improve(model, Judged(1, UNSURE), endpoint=endpoint, spent=Spent(3, 300))[1] == Spent(3, 300)
    cheap = Endpoint(model.endpoint.base_url, "m", daily_tokens=250)
    assert _improve(model, Judged(1, UNSURE), endpoint=cheap, spent=Spent(1, 250))[1] == Spent(1, 250)
    assert model.asked == []


def test_three_failures_open_the_breaker_and_one_try_closes_it(model: Model) -> None:
    now_s = [0.0]
    second = SecondOpinion(clock=lambda: now_s[0])
    model.status = 500
    asked, judged = [Asked(1, "stuck")], [Judged(1, UNSURE)]
    for _ in range(5):
        second.improve(model.endpoint, asked, judged, Spent())
    assert len(model.asked) == 3
    now_s[0], model.status = 61.0, 200
    [found], _ = second.improve(model.endpoint, asked, judged, Spent())
    assert found.verdicts != UNSURE and len(model.asked) == 4


def test_nobody_there_costs_a_time_out_and_nothing_else() -> None:
    nobody = Endpoint("http://127.0.0.1:9/v1", "m", timeout_s=0.5)
    found, spent = SecondOpinion().improve(nobody, [Asked(1, "stuck")], [Judged(1, UNSURE)], Spent())
    assert found[0].verdicts == UNSURE and spent == Spent(1, 0)
    with pytest.raises(ConnectionError):
        ask_openai(nobody, [{"role": "user", "content": "x"}], {})


def test_a_risk_and_a_foreign_language_are_always_worth_asking() -> None:
    assert is_unsure(Judged(1, (Verdict("language", "en", 1.0), *SURE, Verdict("harm", "safety", 0.9, by="rule"))), 0.6)
    assert is_unsure(Judged(1, (Verdict("language", "de", 1.0), *SURE)), 0.6)


_OPINIONS = st.builds(
    Opinion,
    n=st.just(0),
    kind=st.sampled_from(["complaint", "question", "request", "compliment", "noise"]),
    needs_answer=st.sampled_from(["yes", "no"]),
    sentiment=st.sampled_from(["negative", "neutral", "positive"]),
    harm=st.sampled_from(["", "safety", "stranded", "vulnerable", "press"]),
    legal=st.booleans(),
    leaving=st.booleans(),
    closing=st.sampled_from(["", "thanks", "solved", "unsolved"]),
    sure=st.floats(0, 1),
)
_RULED = st.lists(
    st.sampled_from([
        Verdict("harm", "safety", 0.9, by="rule"), Verdict("legal", "legal", 0.8, by="rule"), Verdict("leaving", "leaving", 0.6, by="rule"),
        Verdict("needs_answer", "yes", 0.9, by="rule"), Verdict("kind", "complaint", 0.9, by="rule"),
    ]),
    unique_by=lambda verdict: verdict.name,
)  # fmt: skip


@given(_RULED, _OPINIONS)
def test_no_opinion_lowers_what_a_rule_raised(ruled: list[Verdict], opinion: Opinion) -> None:
    found = join(Judged(1, tuple(ruled)), opinion)
    assert set(ruled) <= set(found.verdicts)
    assert len({verdict.name for verdict in found.verdicts}) == len(found.verdicts)


@given(st.floats(0.5, 1), _OPINIONS)
def test_no_opinion_takes_an_answer_away_that_the_heads_thought_needed(sure: float, opinion: Opinion) -> None:
    found = join(Judged(1, (Verdict("needs_answer", "yes", sure),)), opinion)
    assert next(verdict.value for verdict in found.verdicts if verdict.name == "needs_answer") == "yes"
