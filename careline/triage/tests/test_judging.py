"""Words are judged after the digest, once in effect; a slow, broken or poisoned child delays verdicts and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from careline.cases.models import Case
from careline.channels.access import seal_secrets
from careline.conftest import Air, make_case
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.threads.editing import apply_deletion, apply_edit
from careline.threads.models import Message
from careline.triage.judging import LeaseLost, Triage, judge_pending, keep
from careline.triage.models import FittedHead, Judgement, TriageCursor, TriageSettings
from careline.triage.protocol import Judged, Verdict
from careline.triage.second_opinion import Endpoint, SecondOpinion
from careline.triage.tests.scripted import ScriptedChild
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db


def hear(air: Air, text: str, automatic: str = "") -> tuple[Case, Message]:
    """A case of Marta's with one message, told to the log as the digest does."""
    case = make_case(air.channel, air.marta_identity, text)
    message = Message.objects.get(case_id=case.id)
    Message.objects.filter(id=message.id).update(automatic=automatic)
    return case, message


COMPLAINT = (Verdict("kind", "complaint", 0.9), Verdict("sentiment", "negative", 0.8, number=-0.7))


def test_what_a_customer_wrote_is_judged_and_kept_with_the_engine_that_judged(air: Air) -> None:
    case, message = hear(air, "Where is my bag?")
    judge_pending(ScriptedChild({"bag": COMPLAINT}))
    kept = Judgement.objects.get(message=message)
    assert (kept.verdicts[0]["value"], kept.engine, kept.workspace_id) == ("complaint", "scripted-1", air.workspace.id)
    assert Event.objects.filter(kind="message.judged", message_id=message.id, case_id=case.id).count() == 1


def test_nothing_is_judged_twice_and_the_place_in_the_log_is_kept_with_the_verdicts(air: Air) -> None:
    hear(air, "Where is my bag?")
    child = ScriptedChild()
    judge_pending(child)
    judge_pending(child)
    assert [len(batch) for batch in child.batches] == [1]
    newest = Event.objects.filter(workspace_id=air.workspace.id).order_by("-n").values_list("n", flat=True)[0]
    assert TriageCursor.objects.get(workspace_id=air.workspace.id).n <= newest


def test_an_edit_is_judged_again_in_its_new_words(air: Air) -> None:
    _, message = hear(air, "Where is my bag?")
    child = ScriptedChild({"found": (Verdict("kind", "compliment", 0.9),)})
    judge_pending(child)
    with unit_of_work() as work:
        message.refresh_from_db()
        apply_edit(work, message, text="You found my bag!", at=clock.now())
    judge_pending(child)
    kept = Judgement.objects.get(message=message)
    assert (kept.verdicts[0]["value"], kept.message_version) == ("compliment", message.version)


def test_verdicts_and_vectors_go_with_the_words(air: Air) -> None:
    _, message = hear(air, "Where is my bag?")
    judge_pending(ScriptedChild({"bag": COMPLAINT}))
    with unit_of_work() as work:
        message.refresh_from_db()
        apply_deletion(work, message, at=clock.now())
    assert not Judgement.objects.exists()


def test_words_deleted_while_they_were_judged_are_not_kept(air: Air) -> None:
    _, message = hear(air, "Where is my bag?")
    with unit_of_work() as work:
        apply_deletion(work, message, at=clock.now())
    keep(air.workspace.id, [message], {message.id: (Judged(message.id, COMPLAINT), "scripted-1")}, 1, {})
    assert not Judgement.objects.exists()


def test_one_text_the_child_cannot_bear_stands_alone_and_the_others_are_judged(air: Air) -> None:
    for number in range(5):
        hear(air, "POISON" if number == 2 else f"bag {number}")
    judge_pending(ScriptedChild({"bag": COMPLAINT}))
    kept = dict(Judgement.objects.values_list("message__text", "engine"))
    assert kept.pop("POISON") == "failed"
    assert set(kept.values()) == {"scripted-1"} and len(kept) == 4


def test_a_child_that_cannot_start_judges_nothing_and_loses_nothing(air: Air) -> None:
    hear(air, "Where is my bag?")
    child = ScriptedChild({"bag": COMPLAINT})
    child.is_broken = True
    triage = Triage(child)
    with pytest.raises(Exception, match="could not answer"):
        triage.round()
    assert not Judgement.objects.exists()
    child.is_broken = False
    judge_pending(child)
    assert Judgement.objects.count() == 1


def test_what_we_wrote_and_what_machines_wrote_is_not_judged(air: Air) -> None:
    hear(air, "Out of office", automatic="auto-reply")
    child = ScriptedChild()
    judge_pending(child)
    assert child.batches == []


def test_a_workspace_may_switch_triage_off(air: Air) -> None:
    TriageSettings.objects.create(workspace_id=air.workspace.id, is_on=False)
    hear(air, "Where is my bag?")
    child = ScriptedChild()
    judge_pending(child)
    assert child.batches == []


def test_a_workspaces_own_heads_are_brought_once_a_version_and_never_to_another(air: Air, cleo: Viewer) -> None:
    FittedHead.objects.create(workspace_id=air.workspace.id, name="kind", version=3, state="active", body=b"own")
    FittedHead.objects.create(workspace_id=cleo.workspace_id, name="kind", version=1, state="active", body=b"theirs")
    child = ScriptedChild()
    triage = Triage(child)
    for number in range(2):
        hear(air, f"bag {number}")
        triage.round()
    assert child.learnt == [(air.workspace.id, "kind", b"own")]
    FittedHead.objects.filter(workspace_id=air.workspace.id).update(state="earlier")
    hear(air, "bag 3")
    triage.round()
    assert child.learnt[1:] == [(air.workspace.id, "kind", b"")]


def test_another_worker_that_took_over_lets_nothing_be_kept_twice(air: Air) -> None:
    _, message = hear(air, "Where is my bag?")
    with pytest.raises(LeaseLost):
        keep(air.workspace.id, [message], {message.id: (Judged(message.id, COMPLAINT), "s")}, 1, {"triage": 99})
    assert not Judgement.objects.exists()


def test_a_case_made_elsewhere_is_not_touched(air: Air, cleo: Viewer) -> None:
    case, message = hear(air, "Where is my bag?")
    keep(cleo.workspace_id, [message], {message.id: (Judged(message.id, COMPLAINT), "s")}, 1, {})
    case.refresh_from_db()
    assert case.kind == "" and not Judgement.objects.exists()


def test_a_workspaces_language_model_is_asked_and_its_day_is_counted(air: Air) -> None:
    content = (
        '{"texts": [{"n": 0, "kind": "complaint", "needs_answer": "yes", "sentiment": "negative", "harm": "stranded",'
        ' "legal": false, "leaving": false, "closing": "", "sure": 0.9}]}'
    )
    asked: list[Endpoint] = []

    def ask(endpoint: Endpoint, messages: list[dict[str, str]], schema: dict[str, Any]) -> tuple[str, int]:
        asked.append(endpoint)
        return content, 120

    TriageSettings.objects.create(
        workspace_id=air.workspace.id,
        llm={"base_url": "http://127.0.0.1:1/v1", "model": "m"},
        llm_secret=seal_secrets({"api_key": "k"}),
    )
    case, message = hear(air, "stuck at the gate")
    triage = Triage(ScriptedChild({"stuck": (Verdict("kind", "noise", 0.4),)}), SecondOpinion(ask))
    triage.round()
    case.refresh_from_db()
    assert (case.kind, case.signs["harm"]["by"], asked[0].api_key) == ("complaint", "llm", "k")
    assert Judgement.objects.get(message=message).engine == "scripted-1+m:p1"
    spent = TriageSettings.objects.get(workspace_id=air.workspace.id).llm["spent"]
    assert (spent["calls"], spent["tokens"]) == (1, 120)
