"""Acts on messages through the outbox: written down before the wire, in order, shown when done, repeated only where harmless."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from careline.channels import registry
from careline.channels.base import Moderated
from careline.channels.capabilities import Capabilities, DeleteRule, Limit, Moderation, Outbound, ReactionRule
from careline.clocks import leases
from careline.clocks.models import Lease
from careline.conftest import DM, Air, TestNetwork, make_thread
from careline.errors import ChannelError
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.kit import clock, ids
from careline.outbox import moderating
from careline.outbox.models import Delivery, ModerationAttempt
from careline.outbox.models import Moderation as Act
from careline.outbox.moderating import ModerationClaim, claim_due_moderations, load_act
from careline.threads.models import Message, Revision, Tombstone
from careline.workspaces.models import Installation

pytestmark = pytest.mark.django_db
Declare = Callable[..., None]


@pytest.fixture
def declare() -> Iterator[Declare]:
    """Let the test network's surfaces be moderated."""

    def change(*, repeatable: bool = True, **outbound: Any) -> None:
        network = TestNetwork()
        surfaces = tuple(
            msgspec.structs.replace(
                one,
                moderation=Moderation(hide=True, like=True, repeatable=repeatable),
                reactions=ReactionRule(outbound=True),
                delete=DeleteRule(out=True),
            )
            for one in TestNetwork.capabilities.surfaces
        )
        network.capabilities = Capabilities(proof="A", surfaces=surfaces, outbound=Outbound(**outbound))
        registry.add_for_tests(network)

    change()
    yield change
    registry.add_for_tests(TestNetwork())


@pytest.fixture
def message(air: Air, declare: Declare) -> Message:
    return _message(air)


def _message(air: Air, **columns: Any) -> Message:
    thread = make_thread(air.channel, DM, key=f"t-{ids.new_id()}")
    values = {"direction": "inbound", "text": "words", "platform_id": f"p-{ids.new_id()}", **columns}
    return Message.objects.create(
        workspace_id=air.workspace.id, thread=thread, channel_id=air.channel.id, surface="dm", at=clock.now(), **values
    )


def queue(message: Message, verb: Any, **more: Any) -> Act:
    with unit_of_work() as work:
        platform_id = more.pop("platform_id", message.platform_id or "")
        wanted = moderating.WantedAct(verb, platform_id, more.pop("emoji", ""), more.pop("text", ""))
        return moderating.queue_moderation(work, message, wanted, agent_id=7, case_id=9, **more)


def done(message: Message, verb: Any, *, mark: str = "", **more: Any) -> Act:
    row = queue(message, verb, **more)
    [claim] = claim_due_moderations()
    moderating.settle_moderated(claim, Moderated(mark=mark))
    row.refresh_from_db()
    return row


def fail(row: Act, **facts: Any) -> ModerationClaim:
    [claim] = claim_due_moderations()
    moderating.settle_moderation_error(claim, ChannelError("trouble", **facts))
    row.refresh_from_db()
    return claim


def test_the_attempt_is_written_down_before_anything_is_done(message: Message) -> None:
    row = queue(message, "hide")
    [claim] = claim_due_moderations()
    attempt = ModerationAttempt.objects.get()
    assert (attempt.moderation_id, attempt.number, attempt.owner, attempt.ended_at) == (row.id, 1, leases.OWNER, None)
    row.refresh_from_db()
    assert (row.state, row.tries, claim.attempt) == ("sending", 1, 1)
    message.refresh_from_db()
    assert message.hidden_at is None, "shown only when the platform said so"
    assert claim_due_moderations() == []


@pytest.mark.parametrize(
    ("verb", "inverse", "column"), [("hide", "unhide", "hidden_at"), ("like", "unlike", "liked_at")]
)
def test_what_the_platform_did_is_shown_and_its_inverse_takes_it_away(
    message: Message, verb: str, inverse: str, column: str
) -> None:
    version = message.version
    done(message, verb)
    message.refresh_from_db()
    assert getattr(message, column) is not None
    assert message.version > version
    done(message, inverse)
    message.refresh_from_db()
    assert getattr(message, column) is None


def test_our_reaction_stands_beside_the_customers_and_goes_alone(air: Air, message: Message) -> None:
    message.reactions = {"marta-1": "❤️"}
    message.save(update_fields=["reactions"])
    done(message, "react", emoji="🙏")
    message.refresh_from_db()
    assert message.reactions == {"marta-1": "❤️", air.channel.account_key: "🙏"}
    done(message, "unreact", emoji="🙏")
    message.refresh_from_db()
    assert message.reactions == {"marta-1": "❤️"}


def test_the_act_that_undoes_gets_the_platforms_name_of_what_it_undoes(message: Message) -> None:
    done(message, "like", mark="at://like/7")
    queue(message, "unlike")
    [claim] = claim_due_moderations()
    act = load_act(claim)
    assert (act.verb, act.mark, act.platform_id, act.surface) == ("unlike", "at://like/7", message.platform_id, "dm")


def test_a_deletion_of_ours_leaves_a_tombstone_and_no_words(air: Air, declare: Declare) -> None:
    ours = _message(air, direction="outbound", text="a wrong promise")
    Revision.objects.create(message=ours, text="an earlier promise")
    done(ours, "delete")
    ours.refresh_from_db()
    assert (ours.text, ours.deleted_at is not None) == ("", True)
    assert not Revision.objects.exists()
    assert Tombstone.objects.get().platform_id == ours.platform_id


def test_a_message_of_several_posts_loses_its_words_with_its_last_post(air: Air, declare: Declare) -> None:
    ours = _message(air, direction="outbound", text="one two")
    for platform_id in ("p-2", "p-1"):
        queue(ours, "delete", platform_id=platform_id)
    [first] = claim_due_moderations()
    moderating.settle_moderated(first, Moderated())
    ours.refresh_from_db()
    assert ours.text == "one two"
    [second] = claim_due_moderations()
    moderating.settle_moderated(second, Moderated())
    ours.refresh_from_db()
    assert ours.text == ""
    assert set(Tombstone.objects.values_list("platform_id", flat=True)) == {"p-1", "p-2"}


def test_acts_on_one_message_go_in_order_and_on_others_beside_it(air: Air, message: Message) -> None:
    first, second = queue(message, "hide"), queue(message, "unhide")
    other = queue(_message(air), "hide")
    assert {one.moderation_id for one in claim_due_moderations()} == {first.id, other.id}
    assert claim_due_moderations() == []
    Act.objects.filter(id=first.id).update(state="done")
    assert [one.moderation_id for one in claim_due_moderations()] == [second.id]


def test_a_held_deletion_waits_and_is_taken_back_in_time(air: Air, declare: Declare) -> None:
    row = queue(_message(air, direction="outbound"), "delete", undo_s=8)
    assert (row.state, claim_due_moderations()) == ("held", [])
    with unit_of_work() as work:
        assert moderating.cancel_moderation(work, row)
    with clock.travel(timedelta(seconds=9)):
        assert claim_due_moderations() == []


def test_an_unknown_outcome_is_repeated_where_that_is_harmless(message: Message) -> None:
    row = queue(message, "hide")
    fail(row, outcome_unknown=True)
    assert (row.state, row.not_before > clock.now()) == ("queued", True)
    with clock.travel(timedelta(minutes=1)):
        [claim] = claim_due_moderations()
        assert (claim.moderation_id, claim.attempt) == (row.id, 2)


def test_an_unknown_outcome_waits_for_a_person_where_it_is_not(air: Air, message: Message, declare: Declare) -> None:
    declare(repeatable=False)
    row = queue(message, "like")
    fail(row, outcome_unknown=True)
    assert row.state == "unknown"
    with clock.travel(timedelta(hours=1)):
        assert claim_due_moderations() == []
    with unit_of_work() as work:
        moderating.resolve_moderation(work, row)
    message.refresh_from_db()
    assert message.liked_at is not None


def test_a_final_refusal_fails_and_is_not_repeated(message: Message) -> None:
    row = queue(message, "hide")
    fail(row, permanent=True)
    assert (row.state, row.error_code) == ("failed", "trouble")
    with clock.travel(timedelta(hours=1)):
        assert claim_due_moderations() == []
    with unit_of_work() as work:
        moderating.retry_moderation(work, row)
    assert len(claim_due_moderations()) == 1


def test_a_rate_limit_holds_the_whole_channel_back(air: Air, message: Message) -> None:
    row = queue(message, "hide")
    fail(row, retry_after_s=30.0)
    assert row.state == "queued"
    queue(_message(air), "hide")
    assert claim_due_moderations() == []
    with clock.travel(timedelta(seconds=31)):
        assert len(claim_due_moderations()) == 2


def test_a_lost_token_stops_the_channel_and_keeps_the_act(air: Air, message: Message) -> None:
    row = queue(message, "hide")
    fail(row, unauthorised=True)
    air.channel.refresh_from_db()
    assert (air.channel.state, row.state) == ("unauthorised", "queued")
    assert claim_due_moderations() == []


def test_acts_count_against_the_accounts_limit(air: Air, message: Message, declare: Declare) -> None:
    declare(limits=(Limit("account", 1, 60.0),))
    queue(message, "hide")
    queue(_message(air), "hide")
    assert len(claim_due_moderations()) == 1
    assert claim_due_moderations() == []
    with clock.travel(timedelta(seconds=61)):
        assert len(claim_due_moderations()) == 1


def test_a_held_installation_does_nothing(message: Message) -> None:
    queue(message, "hide")
    Installation.objects.update_or_create(id=1, defaults={"is_held": True})
    assert claim_due_moderations() == []


@pytest.mark.parametrize(("repeatable", "state"), [(True, "queued"), (False, "unknown")])
def test_what_a_dead_sender_left_is_repeated_only_where_that_is_harmless(
    message: Message, declare: Declare, repeatable: bool, state: str
) -> None:
    declare(repeatable=repeatable)
    row = queue(message, "hide")
    claim_due_moderations()
    ModerationAttempt.objects.update(owner="dead")
    Lease.objects.all().delete()
    for attempt in moderating.abandoned_moderations():
        moderating.settle_abandoned_moderation(attempt)
    row.refresh_from_db()
    assert row.state == state
    assert ModerationAttempt.objects.get().outcome == "abandoned"


def test_every_step_is_told_without_words(message: Message) -> None:
    done(message, "react", emoji="🙏")
    told = Event.objects.filter(kind="message.moderated").order_by("n")
    assert [one.facts["state"] for one in told] == ["queued", "sending", "done"]
    assert all(one.message_id == message.id and one.case_id == 9 for one in told)
    assert "🙏" not in str([one.facts for one in told])
    assert not Delivery.objects.exists()
