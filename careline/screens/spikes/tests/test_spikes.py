"""The banner and the page of spikes: what, how much against the usual, since when, about what, who stands for it; dismissing, and its way back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation

from careline.cases.models import Case
from careline.cases.queries.spiking import SpikeView, list_spikes, open_spikes
from careline.conftest import Air, make_case
from careline.errors import Forbidden, NotFound
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.screens.conftest import Desk
from careline.screens.spikes.wording import words
from careline.threads.editing import apply_deletion
from careline.threads.models import Message
from careline.triage.actions.dismissing import dismiss_spike, restore_spike
from careline.triage.models import Judgement, Spike, Topic
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db
BANNER = {"X-Fragment": "banner"}


def make_spike(air: Air, **columns: object) -> Spike:
    """A spike of Spanish posts about delays on @air."""
    known = {
        "workspace_id": air.workspace.id,
        "key": f"unit:{Spike.objects.count()}",
        "rule": "unit",
        "place": f"channel:{air.channel.id}",
        "language": "es",
        "window_s": 900,
        "count": 42,
        "expected": 2.31,
        "ratio": 18.2,
        "p": 1e-9,
        "authors": 40,
        "negative_share": 0.9,
        "severity": 8,
        "parts": [["ratio", 2.5, 2.5], ["p", 0.6, 1.5]],
        "basis": "weeks",
        "samples": 4,
        "causes": [["word:huelga", 3.1, 9.0, 39, 0.2], ["cluster:7", 2.0, 8.0, 12, 0.0]],
    }
    return Spike.objects.create(**{**known, **columns})


@pytest.fixture
def spike(air: Air, marta_case: Case) -> Spike:
    topic = Topic.objects.create(workspace_id=air.workspace.id, name="Delays")
    message = Message.objects.get(case_id=marta_case.id)
    return make_spike(air, topic=str(topic.id), examples=[message.id])


def test_the_banner_says_what_how_much_since_when_about_what_and_leads_to_the_cases(air: Air, spike: Spike) -> None:
    banner = Desk(air.ben).get("spikes", **BANNER).content.decode()
    assert "Delays · @air · Spanish" in banner and "42 messages in 15 min, usually 2.3" in banner
    assert "huelga" in banner and "Where are my miles?" in banner and "/w/air/cases/1" in banner
    assert f"view=all&amp;topic={spike.topic}&amp;channel={air.channel.id}&amp;language=es" in banner
    assert 'class="severity loud"' in banner and "<html" not in banner and "cluster" not in banner


def test_the_banner_is_empty_when_nothing_goes_on(air: Air) -> None:
    make_spike(air, state="quiet", ended_at=clock.now())
    make_spike(air, state="dismissed")
    assert Desk(air.ben).get("spikes", **BANNER).content.strip() == b""


def test_the_worst_stands_first_customers_before_practice(air: Air) -> None:
    make_spike(air, severity=4)
    worst = make_spike(air, severity=9)
    make_spike(air, severity=9, place=f"brand:{air.channel.brand_id}", topic="", language="")
    make_spike(air, severity=10, is_simulated=True)
    banner = Desk(air.ben).get("spikes", **BANNER).content.decode()
    assert f'data-spike-bar="{worst.id}"' in banner and "and 3 more" in banner


def test_the_page_tells_how_each_was_judged_and_what_became_of_it(air: Air, spike: Spike) -> None:
    make_spike(air, state="quiet", ended_at=clock.now(), place=f"brand:{air.channel.brand_id}", topic="", language="")
    page = Desk(air.ben).page("spikes")
    assert "18 times the usual, which is taken from the same weekday and hour of 4 earlier weeks." in page
    assert "less than once in 1,000,000,000 times" in page and "Air as a whole" in page
    assert "Going on" in page and "Over; last seen" in page and page.count('class="spike loud') == 2


def test_the_page_says_so_when_nothing_was_ever_out_of_the_usual(air: Air) -> None:
    assert "Nothing out of the usual" in Desk(air.ben).page("spikes")


def test_copies_are_told_by_their_number(air: Air, spike: Spike, marta_case: Case) -> None:
    message = Message.objects.get(case_id=marta_case.id)
    Judgement.objects.create(message=message, workspace_id=air.workspace.id, cluster_id=message.id)
    other = Message.objects.get(case_id=make_case(air.channel, air.marta_identity).id)
    Judgement.objects.create(message=other, workspace_id=air.workspace.id, cluster_id=message.id)
    make_spike(air, rule="cold_cluster", place="", language="", cluster_id=message.id, expected=0, basis="")
    page = Desk(air.ben).page("spikes")
    assert "The same words by many people" in page and "2 alike" in page and "never said before" in page


def test_an_example_without_words_is_not_shown(air: Air, spike: Spike) -> None:
    with unit_of_work() as work:
        apply_deletion(work, Message.objects.get(id=spike.examples[0]), at=clock.now())
    (view,) = open_spikes(air.ben)
    assert view.examples == () and view.causes == ()


def test_earlier_ones_are_listed_by_page(air: Air) -> None:
    for _ in range(21):
        make_spike(air, state="quiet", ended_at=clock.now())
    first = list_spikes(air.ben)
    assert len(first.earlier) == 20 and len(list_spikes(air.ben, first.older).earlier) == 1
    assert list_spikes(air.ben, first.older).older == 0


def test_the_page_costs_ten_statements_however_many(
    air: Air, spike: Spike, django_assert_max_num_queries: object
) -> None:
    for _ in range(5):
        make_spike(air, examples=spike.examples, topic=spike.topic, judged_by_id=air.ben.agent_id, cluster_id=7)
    with django_assert_max_num_queries(10):  # type: ignore[operator] # pytest-django's fixture
        list_spikes(air.ben)


def test_dismissing_is_recorded_told_and_taken_back(air: Air, spike: Spike) -> None:
    desk = Desk(air.ben)
    assert desk.do(f"spikes/{spike.id}/dismissal")["words"] == "Dismissed"
    spike.refresh_from_db()
    assert (spike.state, spike.judged_by_id) == ("dismissed", air.ben.agent_id) and spike.judged_at is not None
    assert "Dismissed by Ben" in desk.page("spikes")
    desk.do(f"spikes/{spike.id}/dismissal", method="DELETE")
    spike.refresh_from_db()
    assert (spike.state, spike.judged_by_id, spike.judged_at) == ("open", None, None)
    told = Event.objects.filter(kind="spike.changed").order_by("n").values_list("facts__what", "agent_id")
    assert list(told) == [("dismissed", air.ben.agent_id), ("restored", air.ben.agent_id)]


def test_dismissing_twice_says_nothing_twice(air: Air, spike: Spike) -> None:
    dismiss_spike(air.ben, spike.id)
    dismiss_spike(air.owner, spike.id)
    spike.refresh_from_db()
    assert spike.judged_by_id == air.ben.agent_id and Event.objects.filter(kind="spike.changed").count() == 1


def test_one_that_ended_is_restored_as_ended(air: Air) -> None:
    spike = make_spike(air, state="dismissed", ended_at=clock.now() - timedelta(hours=1))
    restore_spike(air.ben, spike.id)
    spike.refresh_from_db()
    assert spike.state == "quiet"


@pytest.mark.parametrize(
    ("who", "sees", "dismisses"),
    [("owner", 200, 200), ("ben", 200, 200), ("iris", 200, 403), ("ana", 403, 403), ("tom", 403, 403), ("carl", 403, 403)],
)  # fmt: skip
def test_leads_see_and_dismiss_analysts_see(air: Air, spike: Spike, who: str, sees: int, dismisses: int) -> None:
    desk = Desk(air.agents[who])
    assert desk.get("spikes").status_code == sees and desk.get("spikes", **BANNER).status_code == sees
    assert desk.ask("POST", f"spikes/{spike.id}/dismissal").status_code == dismisses
    assert ('data-spikes="banner"' in desk.page("inbox")) is (sees == 200)
    if who == "iris":
        assert "dismiss-spike" not in desk.page("spikes")


def test_another_workspace_sees_and_dismisses_nothing(air: Air, cleo: Viewer, spike: Spike) -> None:
    assert open_spikes(cleo) == () and list_spikes(cleo).earlier == ()
    assert Desk(cleo).ask("POST", f"spikes/{spike.id}/dismissal").status_code == 404
    assert Desk(cleo, "air").get("spikes").status_code in {403, 404}
    with pytest.raises(NotFound):
        restore_spike(cleo, spike.id)
    with pytest.raises(Forbidden):
        dismiss_spike(air.ana, spike.id)
    spike.refresh_from_db()
    assert spike.state == "open"


def test_it_is_said_in_spanish(air: Air, spike: Spike) -> None:
    (view,) = open_spikes(air.ben)
    with translation.override("es"):
        assert words.usual(view) == "lo normal: 2,3" and words.count(view) == "42 mensajes en 15 min"


@pytest.mark.parametrize(
    ("columns", "query"),
    [
        ({"topic": "", "language": ""}, "view=all&channel={channel}"),
        ({"topic": "999"}, ""),
        ({"place": "channel:1", "topic": ""}, ""),
        ({"place": "brand:{brand}", "topic": "", "language": ""}, "view=all"),
        ({"rule": "cold_cluster", "place": "", "topic": "", "language": ""}, ""),
    ],
)
def test_these_cases_are_offered_only_where_a_filter_says_them(air: Air, columns: dict[str, str], query: str) -> None:
    known = {"channel": air.channel.id, "brand": air.channel.brand_id}
    make_spike(air, **{name: value.format(**known) for name, value in columns.items()})
    view: SpikeView = open_spikes(air.ben)[0]
    assert words.cases_query(view) == query.format(**known)
