"""A spike fires once and within its window, is followed while it goes on, goes quiet, and may fire again; counts are right however words arrive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest
from django.db.models import Sum
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from careline.conftest import Air, make_case, make_channel, make_identity, make_thread, say
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.intake.housekeeping import purge_workspace
from careline.kit import clock, ids
from careline.people.models import Person
from careline.threads.editing import apply_deletion, apply_edit
from careline.threads.models import Message
from careline.triage.judging import LeaseLost, Triage, keep
from careline.triage.models import Bucket, Judgement, Spike, Topic
from careline.triage.protocol import Judged, Verdict
from careline.triage.spikes.counts import Unit
from careline.triage.tests.scripted import ScriptedChild
from careline.triage.watching.counting import bucket_of
from careline.triage.watching.histories import Histories, span_of
from careline.workspaces.models import Workspace
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db
ES = Verdict("language", "es", 0.99)
ANGRY = Verdict("sentiment", "negative", 0.9, number=-0.8)
TIMES = ExitStack()
WORDS = ("maleta", "vuelo", "puerta", "azafata", "cola", "comida", "asiento", "reserva", "retraso", "tarifa")


@pytest.fixture(autouse=True)
def _own_times() -> Iterator[None]:
    """Every test begins now."""
    yield
    TIMES.close()


def later(**by: int) -> None:
    TIMES.enter_context(clock.travel(timedelta(**by)))


class Watch:
    """A worker that judges and watches, and customers who say things through it."""

    def __init__(self, air: Air) -> None:
        self.air = air
        self.child = ScriptedChild({"uelga": (ES, ANGRY), " ": (ES,)})
        self.triage = Triage(self.child)
        self.triage._holds_lease = lambda: True  # type: ignore[method-assign] # alone
        self.said = 0

    def say(self, text: str, *, author: int | None = None) -> Message:
        self.said += 1
        person = Person.objects.create(workspace_id=self.air.workspace.id, name=f"P{self.said}")
        identity = make_identity(person, f"p-{author if author is not None else self.said}-{ids.new_id()}")
        case = make_case(self.air.channel, identity, text)
        return Message.objects.get(case_id=case.id)

    def burst(self, count: int, text: str = "Huelga: {} y {}") -> None:
        for number in range(count):
            self.say(text.format(WORDS[number % 10], WORDS[number // 10 % 10]))
        self.judge()

    def judge(self) -> None:
        while self.triage.round():
            pass

    def minutes(self, count: int) -> None:
        """Time goes by, and every minute a look."""
        for _ in range(count):
            later(minutes=1)
            self.judge()


def usual(air: Air, *, weeks: int = 5, every: int = 6, units: Iterable[tuple[str, str, str]] = ()) -> None:
    """One message in so many buckets of earlier weeks, for the channel in Spanish and for the brand."""
    keys = [*units] or [
        (f"channel:{air.channel.id}", "", "es"),
        (f"brand:{air.channel.brand_id}", "", ""),
    ]
    begin = bucket_of(clock.now() - timedelta(weeks=weeks))
    Bucket.objects.bulk_create(
        Bucket(workspace_id=air.workspace.id, place=place, topic=topic, language=language, began_at=at, count=1)
        for place, topic, language in keys
        for at in (begin + timedelta(minutes=5 * number) for number in range(0, weeks * 2016, every))
    )


@pytest.fixture
def watch(air: Air) -> Watch:
    usual(air)
    return Watch(air)


def told(kind: str) -> list[dict[str, object]]:
    return list(Event.objects.filter(kind=kind).order_by("n").values_list("facts", flat=True))


def of_channel() -> Spike:
    return Spike.objects.filter(place__startswith="channel:").latest("id")


def test_a_burst_fires_once_with_its_figures_its_cause_and_examples(watch: Watch, air: Air) -> None:
    watch.burst(12)
    spike = of_channel()
    assert (spike.state, spike.rule, spike.language, spike.window_s) == ("open", "unit", "es", 900)
    assert (spike.count, spike.authors, spike.negative_share) == (12, 12, 1.0)
    assert spike.expected < 1.5 and spike.p < 1e-4 and (spike.basis, spike.samples) == ("weeks", 4)
    assert 1 <= spike.severity <= 10 and len(spike.examples) == 3
    assert "huelga" in " ".join(cause[0] for cause in spike.causes)
    assert {"spike": str(spike.id), "severity": spike.severity} in told("spike.fired")
    assert Spike.objects.filter(place__startswith="brand:").count() == 1
    assert len(told("spike.fired")) == 2


def test_ordinary_words_fire_nothing(watch: Watch) -> None:
    watch.burst(4)
    assert not Spike.objects.exists()


def test_it_fires_within_the_window_and_not_before_enough_was_said(watch: Watch) -> None:
    for _ in range(8):
        watch.burst(1)
        watch.minutes(1)
    spike = of_channel()
    first = Message.objects.order_by("received_at")[0].received_at
    assert spike.first_at - first <= timedelta(minutes=15)


def test_while_it_goes_on_its_row_is_followed_and_nothing_fires_anew(watch: Watch) -> None:
    watch.burst(12)
    fired = of_channel()
    for _ in range(3):
        watch.minutes(4)
        watch.burst(12)
    spike = of_channel()
    assert spike.id == fired.id and spike.count > fired.count and spike.last_at > fired.last_at
    assert spike.severity >= fired.severity and len(told("spike.fired")) == 2


def test_it_is_quiet_after_an_hour_without_it_and_may_fire_again(watch: Watch) -> None:
    watch.burst(12)
    first = of_channel()
    watch.minutes(75)
    first.refresh_from_db()
    assert first.state == "open"
    later(minutes=50)
    watch.minutes(2)
    first.refresh_from_db()
    assert first.state == "quiet" and first.ended_at is not None
    assert {"spike": str(first.id), "severity": first.severity, "what": "quiet"} in told("spike.changed")
    watch.burst(12)
    second = of_channel()
    assert second.id != first.id and second.state == "open"


def test_after_a_restart_nothing_fires_twice_and_what_goes_on_is_followed(watch: Watch, air: Air) -> None:
    watch.burst(12)
    fired = of_channel()
    again = Watch(air)
    again.said = 100
    again.minutes(1)
    again.burst(8)
    again.minutes(1)
    assert len(told("spike.fired")) == 2
    assert of_channel().id == fired.id and of_channel().count == 20


def test_what_was_kept_before_a_crash_is_judged_by_the_next_worker(watch: Watch, air: Air) -> None:
    watch.triage._watcher.look = lambda news, fences: None  # type: ignore[method-assign] # it dies before it looks
    watch.burst(12)
    assert not Spike.objects.exists()
    Watch(air).judge()
    assert Spike.objects.count() == 2


def test_a_worker_that_lost_its_lease_fires_nothing(watch: Watch) -> None:
    watch.triage._watcher.look = lambda news, fences: None  # type: ignore[method-assign] # not yet
    watch.burst(12)
    del watch.triage._watcher.look
    watch.triage._watcher.look([watch.air.workspace.id], {"triage": 99})
    assert not Spike.objects.exists() and not told("spike.fired")


def test_a_topic_that_is_new_says_nothing_of_the_time_before_it(watch: Watch, air: Air) -> None:
    topic = Topic.objects.create(workspace_id=air.workspace.id, name="Strike")
    watch.child.script = {"uelga": (ES, ANGRY, Verdict("topic", str(topic.id), 0.9))}
    watch.burst(12)
    assert not Spike.objects.filter(topic=str(topic.id)).exists()
    assert Spike.objects.filter(place__startswith="brand:").exists()


def test_what_goes_on_for_days_becomes_the_usual(watch: Watch, air: Air) -> None:
    now = bucket_of(clock.now())
    place = f"channel:{air.channel.id}"
    row = Spike.objects.create(
        workspace_id=air.workspace.id, key=f"unit:{place}||es", rule="unit", place=place, language="es", window_s=900,
        first_at=now - timedelta(days=14), last_at=now,
    )  # fmt: skip
    Bucket.objects.filter(place=place, began_at__gte=now - timedelta(hours=2)).delete()
    Bucket.objects.bulk_create(
        Bucket(
            workspace_id=air.workspace.id, place=place, language="es", began_at=now - timedelta(minutes=5 * n), count=6
        )
        for n in range(1, 25)
    )
    histories = Histories(air.workspace.id)
    unit = Unit("", place, "es")
    histories.bring([unit], now)
    _began, counts = histories.of(unit, now, span_of(row))
    assert set(counts[-24:]) == {6} and counts[-14 * 288 + 10] == -1


def test_copies_by_five_authors_in_half_an_hour_fire_where_nothing_is_known(air: Air) -> None:
    watch = Watch(air)
    watch.burst(6, "This song about my broken guitar says it all, listen to it")
    spike = Spike.objects.get()
    kept = set(Judgement.objects.values_list("cluster_id", flat=True))
    assert (spike.rule, spike.count, spike.expected, spike.cluster_id) == ("cold_cluster", 6, 0.0, kept.pop())
    assert not kept
    again = Watch(air)
    again.said = 50
    again.burst(3, "This song about my broken guitar says it all, listen to it!")
    again.minutes(1)
    assert set(Judgement.objects.values_list("cluster_id", flat=True)) == {spike.cluster_id}
    spike.refresh_from_db()
    assert spike.count == 9 and len(told("spike.fired")) == 1


def test_copies_that_make_a_units_spike_are_told_there_alone(watch: Watch) -> None:
    watch.burst(12, "La huelga me deja en tierra otra vez, gracias por nada")
    assert set(Spike.objects.values_list("rule", flat=True)) == {"unit"}
    assert of_channel().cluster_id is not None


def test_practice_is_counted_and_told_apart(air: Air) -> None:
    air.channel.is_simulated = True
    air.channel.save()
    usual(air, units=[(f"practice:{air.channel.brand_id}", "", ""), (f"channel:{air.channel.id}", "", "es")])
    Watch(air).burst(12)
    assert Spike.objects.count() == 2 and set(Spike.objects.values_list("is_simulated", flat=True)) == {True}
    assert not Bucket.objects.filter(place__startswith="brand:").exists()


def test_the_words_of_a_cause_go_when_words_go_and_come_back_without_them(watch: Watch) -> None:
    watch.burst(12)
    spike = of_channel()
    assert any(cause[0].startswith("word:") for cause in spike.causes)
    with unit_of_work() as work:
        apply_deletion(work, Message.objects.get(id=spike.examples[0]), at=clock.now())
    gone = spike.examples[0]
    spike.refresh_from_db()
    assert not any(cause[0].startswith("word:") for cause in spike.causes)
    watch.minutes(1)
    spike.refresh_from_db()
    assert gone not in spike.examples and any(cause[3] <= 11 for cause in spike.causes)


def test_events_hold_no_words(watch: Watch) -> None:
    watch.burst(12)
    assert all(set(facts) <= {"spike", "severity", "what"} for facts in [*told("spike.fired"), *told("spike.changed")])


def test_nothing_is_judged_by_another_workspaces_history(watch: Watch, air: Air, cleo: Viewer) -> None:
    Bucket.objects.update(workspace_id=cleo.workspace_id)
    watch.burst(12)
    assert not Spike.objects.filter(rule="unit").exists()


class TestCounts(TestCase):
    """Counts are those of the messages, whatever the batches and however often they come again."""

    @settings(max_examples=25, deadline=None)
    @given(
        said=st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=12),
        batches=st.lists(st.lists(st.integers(0, 11), max_size=8), max_size=8),
    )
    def test_counts_equal_messages(self, said: list[tuple[int, bool]], batches: list[list[int]]) -> None:
        workspace = Workspace.objects.create(slug=f"w{ids.new_id()}", name="W")
        channel = make_channel(workspace, None)
        identity = make_identity(Person.objects.create(workspace_id=workspace.id), f"k{ids.new_id()}")
        thread = make_thread(channel)
        messages = [say(thread, identity, "no") for _ in said]
        begin = bucket_of(clock.now())
        for message, (minutes, _) in zip(messages, said, strict=True):
            message.received_at = begin + timedelta(minutes=minutes)
            message.save(update_fields=["received_at"])
        verdicts = [(ANGRY,) if angry else () for _, angry in said]
        for batch in [*batches, list(range(len(said)))]:
            chosen = [number for number in dict.fromkeys(batch) if number < len(said)]
            found = {messages[one].id: (Judged(messages[one].id, verdicts[one]), "s") for one in chosen}
            keep(workspace.id, [messages[one] for one in chosen], found, 1, {})
        expected: dict[datetime, tuple[int, int]] = {}
        for minutes, angry in said:
            at = bucket_of(begin + timedelta(minutes=minutes))
            count, negative = expected.get(at, (0, 0))
            expected[at] = (count + 1, negative + angry)
        kept = Bucket.objects.filter(workspace_id=workspace.id)
        for place in (f"channel:{channel.id}", f"brand:{channel.brand_id}"):
            rows = kept.filter(place=place).values_list("began_at", "count", "negative")
            assert {at: (count, negative) for at, count, negative in rows} == expected


def test_an_edit_judged_again_and_what_machines_or_history_said_counts_nothing_more(air: Air) -> None:
    watch = Watch(air)
    message = watch.say("Otra huelga")
    Message.objects.filter(id=watch.say("old words").id).update(is_history=True)
    Message.objects.filter(id=watch.say("out of office").id).update(automatic="auto-reply")
    watch.judge()
    with unit_of_work() as work:
        message.refresh_from_db()
        apply_edit(work, message, text="Otra huelga más", at=clock.now())
    watch.judge()
    assert Bucket.objects.filter(place=f"channel:{air.channel.id}").aggregate(all=Sum("count"))["all"] == 1


def test_counts_are_kept_with_the_verdicts_or_not_at_all(air: Air) -> None:
    message = Watch(air).say("Otra huelga")
    with pytest.raises(LeaseLost):
        keep(air.workspace.id, [message], {message.id: (Judged(message.id, (ES,)), "s")}, 1, {"triage": 99})
    assert not Bucket.objects.exists()


def test_counts_older_than_nine_weeks_are_purged(air: Air) -> None:
    usual(air, weeks=10, every=288)
    purge_workspace(air.workspace)
    oldest = Bucket.objects.order_by("began_at")[0].began_at
    assert clock.now() - oldest < timedelta(weeks=9)
