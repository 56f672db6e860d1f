"""Personal data is hidden in views and kept out of search, lists and exports, until somebody says why they need it."""

from __future__ import annotations

import pytest

from careline.cases.actions.revealing import reveal_message
from careline.cases.models import Case
from careline.cases.queries.listing import list_page
from careline.cases.queries.opening import open_case
from careline.cases.queries.person_timeline import person_timeline
from careline.cases.rows import ListFilters
from careline.conftest import Air, make_case
from careline.errors import Forbidden, InputRefused, NotFound
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.people.following import followers
from careline.threads.editing import apply_edit
from careline.threads.models import Message
from careline.threads.personal import find_places
from careline.triage.models import TriageSettings
from careline.workspaces.models import Audit
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db
CARD = "4111 1111 1111 1111"
WORDS = f"You charged {CARD} twice, call me on +34 612 345 678"


@pytest.fixture
def case(air: Air) -> Case:
    made = make_case(air.channel, air.marta_identity, "Hello")
    with unit_of_work() as work:
        apply_edit(work, Message.objects.get(case_id=made.id), text=WORDS, at=clock.now())
    return made


def _shown(air: Air, case: Case) -> str:
    [message] = open_case(air.ana, case.number).messages
    return message.text


def test_a_card_is_masked_in_the_case_and_says_what_is_hidden(air: Air, case: Case) -> None:
    [message] = open_case(air.ana, case.number).messages
    assert CARD not in message.text and "1111" in message.text and "612 345 678" in message.text
    assert message.hidden == ("card",)


def test_a_workspace_may_hide_more(air: Air, case: Case) -> None:
    TriageSettings.objects.create(workspace_id=air.workspace.id, masked=["card", "phone"])
    assert "612" not in _shown(air, case)


def test_it_is_not_found_by_searching_and_not_in_lists(air: Air, case: Case) -> None:
    assert not list_page(air.ben, ListFilters(view="all", query="4111")).rows
    assert list_page(air.ben, ListFilters(view="all", query="charged")).rows
    case.refresh_from_db()
    assert "4111" not in case.last_text
    lines, _ = person_timeline(air.ben, air.marta.id)
    assert all(CARD not in line.text for line in lines)


def test_it_is_not_in_a_persons_export(air: Air, case: Case) -> None:
    for follower in followers():
        _, messages = follower.exported(air.workspace.id, air.marta.id)
        assert all(CARD not in one.text for one in messages)


def test_who_says_why_sees_it_and_stands_in_the_log(air: Air, case: Case) -> None:
    message = Message.objects.get(case_id=case.id)
    assert reveal_message(air.ana, case.number, message.id, "solve").text == WORDS
    row = Audit.objects.get(verb="personal_revealed")
    assert (row.agent_id, row.subject) == (air.ana.agent_id, f"message:{message.id}")
    assert row.facts == {"case": case.number, "reason": "solve", "kinds": "card"}


def test_without_a_reason_a_right_or_the_case_nobody_sees_it(air: Air, case: Case, cleo: Viewer) -> None:
    message_id = Message.objects.get(case_id=case.id).id
    with pytest.raises(InputRefused):
        reveal_message(air.ana, case.number, message_id, "")
    with pytest.raises(Forbidden):
        reveal_message(air.iris, case.number, message_id, "solve")
    with pytest.raises(NotFound):
        reveal_message(cleo, case.number, message_id, "solve")
    assert not Audit.objects.filter(verb="personal_revealed").exists()


def test_our_own_words_are_ours_and_stay_readable(air: Air, case: Case) -> None:
    assert find_places(WORDS)
    note = Message.objects.create(
        workspace_id=air.workspace.id, case_id=case.id, direction="note", text=WORDS, at=clock.now()
    )
    shown = next(one for one in open_case(air.ana, case.number).messages if one.id == note.id)
    assert shown.text == WORDS
