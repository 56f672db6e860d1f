"""Dead letters are kept, shown without their words, revealed only with a trace, and replayed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.conftest import Air
from careline.errors import Forbidden, InputRefused, NotFound
from careline.events.models import Event
from careline.intake.deadletters import DeadRange, check_range, count_dead, list_dead, replay, reveal
from careline.intake.models import JournalRow
from careline.kit import clock
from careline.workspaces.models import Audit
from careline.workspaces.sight import Viewer


def bury(air: Air, key: str, *, ago: timedelta = timedelta(0), **columns: object) -> JournalRow:
    words: dict[str, object] = {
        "state": JournalRow.DEAD,
        "attempts": 3,
        "reason": "foreign_payload",
        "detail": "$.kind",
        "raw": b'{"text": "my card is 4111"}',
    }
    return JournalRow.objects.create(
        workspace_id=air.workspace.id,
        channel_id=air.channel.id,
        event_key=key,
        order_key="t",
        partition=1,
        received_at=clock.now() - ago,
        **{**words, **columns},
    )


def states() -> dict[str, int]:
    return dict(JournalRow.objects.values_list("event_key", "state"))


def test_the_list_names_reason_and_size_but_not_the_words(air: Air) -> None:
    bury(air, "a")
    bury(air, "b", state=JournalRow.DONE)
    (letter,) = list_dead(air.workspace.id, air.channel.id)
    assert (letter.reason, letter.detail, letter.size_bytes) == ("foreign_payload", "$.kind", 27)
    assert "4111" not in repr(letter)
    assert count_dead(air.workspace.id) == {air.channel.id: 1}


def test_one_replayed_letter_is_new_again_from_its_first_attempt(air: Air) -> None:
    chosen, other = bury(air, "a"), bury(air, "b")
    assert replay(air.owner, [chosen.id]) == 1
    row = JournalRow.objects.get(id=chosen.id)
    assert (row.state, row.attempts, row.reason) == (JournalRow.NEW, 0, "")
    assert JournalRow.objects.get(id=other.id).state == JournalRow.DEAD
    said = Audit.objects.get(verb="dead_letters_replayed")
    assert said.facts["count"] == 1 and said.agent_id == air.owner.agent_id
    assert Event.objects.filter(kind="channel.changed", facts={"what": "replayed"}).count() == 1


def test_a_range_replays_what_was_received_within_it(air: Air) -> None:
    bury(air, "old", ago=timedelta(hours=5))
    bury(air, "mid", ago=timedelta(hours=3))
    bury(air, "new", ago=timedelta(hours=1))
    bury(air, "other", ago=timedelta(hours=3), reason="crashed")
    now = clock.now()
    first, last = now - timedelta(hours=4), now - timedelta(hours=2)
    assert replay(air.owner, DeadRange(air.channel.id, first, last, "foreign_payload")) == 1
    assert {key for key, state in states().items() if state == JournalRow.NEW} == {"mid"}
    assert replay(air.owner, DeadRange(air.channel.id)) == 3


def test_purged_letters_stay_where_they_are(air: Air) -> None:
    gone = bury(air, "a", purged_at=clock.now(), raw=b"")
    with pytest.raises(NotFound):
        replay(air.owner, [gone.id])
    with pytest.raises(NotFound):
        reveal(air.owner, gone.id)


def test_every_look_at_the_raw_bytes_is_audited(air: Air) -> None:
    letter = bury(air, "a")
    assert reveal(air.owner, letter.id) == b'{"text": "my card is 4111"}'
    row = Audit.objects.get(verb="dead_letter_revealed")
    assert row.subject == f"journal:{letter.id}" and "4111" not in str(row.facts)


def test_cleo_neither_sees_nor_replays_nor_reveals(air: Air, cleo: Viewer) -> None:
    letter = bury(air, "a")
    assert list_dead(cleo.workspace_id, air.channel.id) == [] and count_dead(cleo.workspace_id) == {}
    for act in (
        lambda: replay(cleo, [letter.id]),
        lambda: replay(cleo, DeadRange(air.channel.id)),
        lambda: reveal(cleo, letter.id),
        lambda: check_range(cleo, air.channel.id, None, None),
    ):
        with pytest.raises(NotFound):
            act()
    assert states() == {"a": JournalRow.DEAD} and not Audit.objects.exists()


def test_leads_see_the_list_but_neither_replay_nor_reveal(air: Air) -> None:
    letter = bury(air, "a")
    for act in (lambda: replay(air.ben, [letter.id]), lambda: reveal(air.ben, letter.id)):
        with pytest.raises(Forbidden):
            act()


def test_a_range_that_ends_before_it_begins_is_refused(air: Air) -> None:
    with pytest.raises(InputRefused) as refused:
        check_range(air.owner, air.channel.id, clock.now(), clock.now() - timedelta(hours=1))
    assert refused.value.field == "last_at"
