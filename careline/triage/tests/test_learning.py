"""Corrections become heads: when there are enough, outside any transaction, once, never a worse one, and back in one click."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from careline.conftest import Air
from careline.errors import Conflict, Forbidden, NotFound
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.threads.editing import apply_deletion
from careline.threads.models import Message
from careline.triage.actions.exemplifying import add_examples, judge_catch
from careline.triage.actions.going_back import go_back
from careline.triage.actions.naming import draft_topic, retire_topic, use_topic
from careline.triage.judging import judge_pending
from careline.triage.learning import EVERY, learn, learn_due
from careline.triage.lessons import NO_TOPIC, lesson_of
from careline.triage.models import Correction, FittedHead, TopicExample, TriageSettings
from careline.triage.standing import head_lines
from careline.triage.tests.learning import LearningChild, correct, judged, no_time, vector_at, wait
from careline.workspaces.models import Audit
from careline.workspaces.sight import Viewer

__all__ = ["no_time"]
pytestmark = pytest.mark.django_db
FIVE = ["delay one", "delay two", "delay three", "delay four", "delay five"]


def heads(name: str = "kind") -> list[tuple[int, str]]:
    return list(FittedHead.objects.filter(name=name).order_by("version").values_list("version", "state"))


def settle(child: LearningChild) -> None:
    """Let everything be learned that is due now."""
    for _ in range(10):
        wait(timedelta(seconds=6))
        if not learn_due(child, clock.now()):
            return


def test_ten_corrections_with_two_labels_make_the_first_head(air: Air) -> None:
    child = LearningChild()
    correct(air, 9)
    settle(child)
    assert heads() == []
    correct(air, 1)
    settle(child)
    assert heads() == [(1, "active")]
    row = FittedHead.objects.get()
    assert (row.own_rows, row.body, row.card["accuracy"]) == (10, b"body-1", 0.8)
    assert Event.objects.get(kind="triage.learned").facts == {"name": "kind", "version": 1, "state": "active"}


def test_ten_corrections_that_all_say_the_same_teach_nothing(air: Air) -> None:
    child = LearningChild()
    correct(air, 12, values=["complaint"])
    settle(child)
    assert heads() == []


def test_five_more_make_the_next_and_four_do_not(air: Air) -> None:
    child = LearningChild()
    correct(air, 10)
    settle(child)
    correct(air, 4)
    wait(EVERY)
    settle(child)
    assert heads() == [(1, "active")]
    correct(air, 1)
    settle(child)
    assert heads() == [(1, "earlier"), (2, "active")]
    assert child.fits[1][2] == b"body-1"


def test_a_head_is_fitted_at_most_once_a_minute(air: Air) -> None:
    child = LearningChild()
    correct(air, 10)
    settle(child)
    correct(air, 5)
    wait(timedelta(seconds=20))
    assert not learn_due(child, clock.now())
    wait(EVERY)
    assert learn_due(child, clock.now())


def test_a_worse_head_is_kept_to_be_seen_and_not_used(air: Air) -> None:
    child = LearningChild()
    correct(air, 10)
    settle(child)
    child.accuracy, child.accuracy_before = 0.7, 0.9
    correct(air, 5)
    wait(EVERY)
    settle(child)
    assert heads() == [(1, "active"), (2, "refused")]
    refused = FittedHead.objects.get(version=2)
    assert (refused.why, refused.accuracy_before) == ("below_active", 0.9)
    assert Event.objects.filter(kind="triage.learned", facts__state="refused").exists()
    settle(child)
    assert len(child.fits) == 2


def test_a_head_that_is_as_good_on_rows_held_out_is_used_though_the_old_one_knows_its_rows_by_heart(air: Air) -> None:
    child = LearningChild()
    correct(air, 10)
    settle(child)
    child.accuracy, child.accuracy_before = 0.79, 1.0
    correct(air, 5)
    wait(EVERY)
    settle(child)
    assert heads()[-1] == (2, "active")


def test_a_first_head_below_what_the_shipped_one_got_right_is_refused(air: Air) -> None:
    child = LearningChild()
    child.accuracy, child.accuracy_before, child.accuracy_own = 0.9, 0.8, 0.7
    correct(air, 10)
    settle(child)
    assert heads() == [(1, "refused")] and FittedHead.objects.get().why == "below_shipped"


def test_a_word_taken_back_and_words_that_are_gone_teach_nothing(air: Air) -> None:
    said = correct(air, 12)
    Correction.objects.filter(id=said[0].id).update(undone_at=clock.now())
    with unit_of_work() as work:
        apply_deletion(work, Message.objects.get(id=said[1].message_id), at=clock.now())
    assert lesson_of(air.workspace.id, "kind", clock.now()).own_rows == 10


def test_the_newest_word_on_a_message_counts(air: Air) -> None:
    first = correct(air, 1, values=["question"])[0]
    Correction.objects.create(
        workspace_id=air.workspace.id, message=first.message, verdict="kind", was="", value="request", agent_id=1
    )
    assert lesson_of(air.workspace.id, "kind", clock.now()).rows[0] == (first.message.text, "request")


def test_personal_data_is_masked_before_anything_learns_from_it(air: Air) -> None:
    correct(air, 1, text="card 4111 1111 1111 1111 of marta@example.com")
    text = lesson_of(air.workspace.id, "kind", clock.now()).rows[0][0]
    assert "4111 1111" not in text and "marta@" not in text and "1111" in text


def test_seeds_stand_beside_few_own_rows_and_no_row_stands_twice(air: Air) -> None:
    correct(air, 10)
    lesson = lesson_of(air.workspace.id, "kind", clock.now())
    assert lesson.own_rows == 10 and 40 <= len(lesson.rows) <= 80
    assert lesson.labels == {"complaint", "question", "request", "compliment", "noise"}
    assert len({text for text, _label in lesson.rows}) == len(lesson.rows)


def test_one_workspaces_corrections_teach_no_other(air: Air, cleo: Viewer) -> None:
    correct(air, 10)
    assert lesson_of(cleo.workspace_id, "kind", clock.now()).own_rows == 0
    settle(LearningChild())
    assert set(FittedHead.objects.values_list("workspace_id", flat=True)) == {air.workspace.id}


def test_nothing_is_learned_while_triage_is_off(air: Air) -> None:
    TriageSettings.objects.create(workspace_id=air.workspace.id, is_on=False)
    correct(air, 10)
    settle(LearningChild())
    assert heads() == []


def test_a_child_that_fails_costs_a_minute_and_nothing_else(air: Air) -> None:
    child = LearningChild()
    correct(air, 10)
    child.is_broken = True
    settle(child)
    child.is_broken = False
    settle(child)
    assert heads() == []
    wait(EVERY)
    settle(child)
    assert heads() == [(1, "active")]


def test_no_lock_is_held_and_no_transaction_open_while_fitting(air: Air) -> None:
    child = LearningChild()
    seen: list[bool] = []
    child.during_fit = [
        lambda: seen.append(all(getattr(block, "_from_testcase", False) for block in connection.atomic_blocks))
    ]
    correct(air, 10)
    settle(child)
    assert seen == [True]


def test_who_went_back_while_a_head_was_fitted_is_not_overruled(air: Air) -> None:
    child = LearningChild()
    correct(air, 10)
    settle(child)
    correct(air, 5)
    child.during_fit = [lambda: go_back(air.ben, "kind", 0)]
    wait(EVERY)
    settle(child)
    assert heads() == [(1, "earlier")]


def test_two_workers_make_one_version(air: Air) -> None:
    child, other = LearningChild(), LearningChild()
    correct(air, 10)
    child.during_fit = [lambda: learn_due(other, clock.now())]
    settle(child)
    assert heads() == [(1, "active")] and len(other.fits) == 1


def test_looking_costs_few_statements(air: Air) -> None:
    child = LearningChild()
    correct(air, 10)
    settle(child)
    wait(timedelta(seconds=6))
    with CaptureQueriesContext(
        connection,
    ) as found:
        learn_due(child, clock.now())
    assert len(found) <= 7


# ---- going back


def test_back_to_an_earlier_version_in_one_click_and_forward_again(air: Air) -> None:
    child = LearningChild()
    correct(air, 10)
    settle(child)
    correct(air, 5)
    wait(EVERY)
    settle(child)
    go_back(air.ben, "kind", 1)
    assert heads() == [(1, "active"), (2, "earlier")]
    go_back(air.ben, "kind", 2)
    go_back(air.ben, "kind", 0)
    assert heads() == [(1, "earlier"), (2, "earlier")]
    assert Audit.objects.filter(verb="head_gone_back", subject="head:kind").count() == 3


def test_after_going_back_nothing_is_fitted_until_there_are_five_new_corrections(air: Air) -> None:
    child = LearningChild()
    correct(air, 10)
    settle(child)
    correct(air, 4)
    go_back(air.ben, "kind", 0)
    correct(air, 4)
    wait(EVERY)
    settle(child)
    assert heads() == [(1, "earlier")]
    assert next((line.since, line.missing) for line in head_lines(air.workspace.id) if line.name == "kind") == (4, 1)
    correct(air, 1)
    settle(child)
    assert heads() == [(1, "earlier"), (2, "active")]


def test_nobody_goes_back_elsewhere_or_without_the_right_or_to_what_is_not_there(air: Air, cleo: Viewer) -> None:
    child = LearningChild()
    correct(air, 10)
    settle(child)
    with pytest.raises(NotFound):
        go_back(cleo, "kind", 1)
    with pytest.raises(Forbidden):
        go_back(air.ana, "kind", 0)
    with pytest.raises(NotFound):
        go_back(air.ben, "kind", 7)
    with pytest.raises(NotFound):
        go_back(air.ben, "mood", 0)
    with pytest.raises(Conflict):
        go_back(air.ben, "kind", 1)
    FittedHead.objects.create(workspace_id=air.workspace.id, name="kind", version=2, state="refused")
    with pytest.raises(Conflict):
        go_back(air.ben, "kind", 2)
    assert heads() == [(1, "active"), (2, "refused")]


# ---- topics


def test_a_topic_put_to_use_is_learned_at_once_with_what_is_far_from_it(air: Air) -> None:
    child = LearningChild()
    for number in range(60):
        judged(air, f"other {number}", vector_at(f"other{number}"))
    topic = draft_topic(air.ben, name="Delays", texts=FIVE)
    settle(child)
    assert heads("topic") == [] and TopicExample.objects.filter(vector=b"").count() == 0
    use_topic(air.ben, topic)
    settle(child)
    name, rows, _before = child.fits[0]
    assert name == "topic" and {label for _text, label in rows} == {str(topic), NO_TOPIC}
    assert [label for _text, label in rows].count(str(topic)) == 5
    assert heads("topic") == [(1, "active")]
    add_examples(air.ben, topic, texts=["delay six"])
    settle(child)
    assert heads("topic")[-1] == (2, "active")


def test_the_last_topic_retired_leaves_no_head_that_says_it(air: Air) -> None:
    child = LearningChild()
    for number in range(60):
        judged(air, f"other {number}", vector_at(f"other{number}"))
    topic = draft_topic(air.ben, name="Delays", texts=FIVE)
    use_topic(air.ben, topic)
    settle(child)
    wait(timedelta(seconds=1))
    retire_topic(air.ben, topic)
    settle(child)
    assert heads("topic") == [(1, "earlier")]


def test_a_correction_outweighs_an_example_and_a_thumb_down_teaches_what_is_of_no_topic(air: Air) -> None:
    delays, bags = (draft_topic(air.ben, name=name, texts=FIVE) for name in ("Delays", "Bags"))
    TopicExample.objects.filter(topic_id=bags).update(text="bag")
    for topic in (delays, bags):
        use_topic(air.ben, topic)
    said = correct(air, 3, verdict="topic", values=[str(bags)])
    loud = judged(air, "you are loud", vector_at("loud"))
    judge_catch(air.ben, delays, loud.id, is_of_topic=False)
    judge_catch(air.ben, delays, said[0].message_id, is_of_topic=True)
    rows = dict(lesson_of(air.workspace.id, "topic", clock.now()).rows)
    assert rows["you are loud"] == NO_TOPIC and rows[said[0].message.text] == str(bags)


def test_new_topics_are_learned_though_more_labels_are_harder(air: Air) -> None:
    child = LearningChild()
    for name in ("Delays", "Bags"):
        use_topic(air.ben, draft_topic(air.ben, name=name, texts=[f"{name} {text}" for text in FIVE]))
    settle(child)
    child.accuracy, child.accuracy_before = 0.6, 0.9
    wait(timedelta(seconds=1))
    use_topic(air.ben, draft_topic(air.ben, name="Miles", texts=[f"miles {text}" for text in FIVE]))
    settle(child)
    assert heads("topic")[-1] == (2, "active")


def test_a_text_nobody_can_read_stops_no_other(air: Air) -> None:
    child = LearningChild()
    topic = draft_topic(air.ben, name="Delays", texts=["POISON", *FIVE])
    settle(child)
    assert TopicExample.objects.filter(topic_id=topic, vector=b"\0").count() == 1
    assert TopicExample.objects.filter(topic_id=topic, vector=b"").count() == 0


def test_the_worker_learns_between_batches(air: Air) -> None:
    correct(air, 10)
    judge_pending(LearningChild())
    assert heads() == [(1, "active")]


def test_a_head_forgets_words_that_are_gone_and_is_fitted_anew_without_them(air: Air) -> None:
    child = LearningChild()
    said = correct(air, 12)
    settle(child)
    with unit_of_work() as work:
        apply_deletion(work, Message.objects.get(id=said[1].message_id), at=clock.now())
    first = FittedHead.objects.get()
    assert (first.state, first.why, bytes(first.body), first.message_ids) == ("refused", "words_gone", b"", [])
    wait(EVERY)
    settle(child)
    assert heads() == [(1, "refused"), (2, "active")]
    assert len(FittedHead.objects.get(version=2).message_ids) == 11
    with pytest.raises(Conflict):
        go_back(air.ben, "kind", 1)


def test_words_that_go_while_a_head_is_fitted_are_in_no_head(air: Air) -> None:
    child = LearningChild()
    said = correct(air, 12)

    def go() -> None:
        child.during_fit = []
        with unit_of_work() as work:
            apply_deletion(work, Message.objects.get(id=said[1].message_id), at=clock.now())

    child.during_fit = [go]
    settle(child)
    assert heads() == []
    wait(EVERY)
    settle(child)
    assert heads() == [(1, "active")]


def test_a_topics_head_forgets_too_and_other_workspaces_heads_stay(air: Air, cleo: Viewer) -> None:
    child = LearningChild()
    near = [judged(air, f"other {number}", vector_at(f"other{number}")) for number in range(60)]
    topic = draft_topic(air.ben, name="Delays", texts=FIVE, message_ids=[near[0].id])
    use_topic(air.ben, topic)
    FittedHead.objects.create(workspace_id=cleo.workspace_id, name="topic", version=1, state="active", message_ids=[1])
    settle(child)
    wait(timedelta(seconds=1))
    with unit_of_work() as work:
        apply_deletion(work, Message.objects.get(id=near[0].id), at=clock.now())
    settle(child)
    own = FittedHead.objects.filter(workspace_id=air.workspace.id, name="topic").order_by("version")
    assert [(one.version, one.state) for one in own] == [(1, "refused"), (2, "active")]
    assert near[0].text not in dict(child.fits[-1][1])
    assert FittedHead.objects.get(workspace_id=cleo.workspace_id).state == "active"


def test_only_a_due_head_is_fitted_by_name(air: Air) -> None:
    from careline.triage.learning import Due

    assert not learn(LearningChild(), Due(air.workspace.id, "topic"), clock.now())
