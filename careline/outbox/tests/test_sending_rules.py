"""When a delivery may leave, in which order, how fast, and what each outcome makes of it. Invariant 5: outbound is never doubled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from careline.channels import registry
from careline.channels.base import Sent
from careline.channels.capabilities import Capabilities, Limit, Outbound, Threading
from careline.channels.models import Channel
from careline.clocks import leases
from careline.clocks.models import Lease
from careline.conftest import DM, Air, TestNetwork, make_thread
from careline.errors import ChannelError
from careline.events.models import Event
from careline.kit import clock, ids
from careline.outbox import claiming, settling
from careline.outbox.claiming import Claim, claim_due
from careline.outbox.models import Attempt, Bucket, Delivery
from careline.outbox.sending import Sender
from careline.threads.models import Message, MessageAlias, Thread
from careline.workspaces.models import Installation

pytestmark = pytest.mark.django_db


def queue(air: Air, thread: Thread, text: str = "hello", **columns: Any) -> Delivery:
    """A delivery that is due."""
    message = Message.objects.create(
        workspace_id=air.workspace.id,
        thread=thread,
        channel_id=air.channel.id,
        direction="outbound",
        surface=thread.surface,
        text=text,
        at=clock.now(),
    )
    return Delivery.objects.create(
        workspace_id=air.workspace.id,
        channel_id=air.channel.id,
        thread_id=thread.id,
        message=message,
        recipient="marta-1",
        idempotency_key=f"key-{ids.new_id()}",
        **columns,
    )


@pytest.fixture
def thread(air: Air) -> Thread:
    return make_thread(air.channel, DM, last_inbound_at=clock.now())


@pytest.fixture
def outbound() -> Iterator[Any]:
    """Give the test network other sending rules."""
    plain = TestNetwork.capabilities

    def change(**rules: Any) -> None:
        network = TestNetwork()
        network.capabilities = Capabilities(proof="A", surfaces=plain.surfaces, outbound=Outbound(**rules))
        registry.add_for_tests(network)

    yield change
    registry.add_for_tests(TestNetwork())


def test_the_attempt_is_written_down_before_anything_is_sent(air: Air, thread: Thread) -> None:
    delivery = queue(air, thread)
    [claim] = claim_due()
    attempt = Attempt.objects.get()
    assert (claim.delivery_id, claim.attempt_id, attempt.number, attempt.owner) == (
        delivery.id,
        attempt.id,
        1,
        leases.OWNER,
    )
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("sending", 1)


def test_a_claimed_delivery_is_not_claimed_again(air: Air, thread: Thread) -> None:
    queue(air, thread)
    assert len(claim_due()) == 1
    assert claim_due() == []


def test_a_thread_is_answered_in_the_order_it_was_written(air: Air, thread: Thread) -> None:
    first, second = queue(air, thread, "first"), queue(air, thread, "second")
    [claim] = claim_due()
    assert claim.delivery_id == first.id
    assert claim_due() == []
    settling.settle_sent(claim, Sent("p-1"))
    assert [one.delivery_id for one in claim_due()] == [second.id]


def test_an_earlier_answer_that_backs_off_holds_the_later_one(air: Air, thread: Thread) -> None:
    queue(air, thread, "first", not_before=clock.now() + timedelta(seconds=30))
    queue(air, thread, "second")
    assert claim_due() == []


def test_an_unknown_outcome_holds_its_thread_where_the_platform_can_be_asked(
    air: Air, thread: Thread, outbound: Any
) -> None:
    outbound(unknown_outcome="lookup")
    queue(air, thread, "first", state="unknown")
    later = queue(air, thread, "second")
    assert claim_due() == []
    outbound(unknown_outcome="never_retry")
    assert [one.delivery_id for one in claim_due()] == [later.id]


def test_nothing_leaves_before_its_undo_time(air: Air, thread: Thread) -> None:
    delivery = queue(air, thread, state="held", not_before=clock.now() + timedelta(seconds=8))
    assert claim_due() == []
    with clock.travel(timedelta(seconds=9)):
        assert [one.delivery_id for one in claim_due()] == [delivery.id]


@pytest.mark.parametrize(
    "columns", [{"held_at": "now"}, {"state": "unauthorised"}, {"state": "off"}, {"open_until": "soon"}]
)
def test_a_channel_that_may_not_send_keeps_its_deliveries(air: Air, thread: Thread, columns: dict[str, Any]) -> None:
    moments = {"now": clock.now(), "soon": clock.now() + timedelta(minutes=1)}
    Channel.objects.filter(id=air.channel.id).update(
        **{name: moments.get(value, value) for name, value in columns.items()}
    )
    delivery = queue(air, thread)
    assert claim_due() == []
    delivery.refresh_from_db()
    assert delivery.state == "queued"


def test_a_held_installation_sends_nothing(air: Air, thread: Thread) -> None:
    Installation.objects.update_or_create(id=1, defaults={"is_held": True})
    queue(air, thread)
    assert claim_due() == []


def test_a_window_that_closed_meanwhile_fails_the_delivery_before_the_wire(air: Air, outbound: Any) -> None:
    surfaces = TestNetwork.capabilities.surfaces
    import msgspec

    one_window = msgspec.structs.replace(DM, windows=DM.windows[:1])
    network = TestNetwork()
    network.capabilities = Capabilities(proof="A", surfaces=(surfaces[0], one_window))
    registry.add_for_tests(network)
    delivery = queue(air, make_thread(air.channel, DM, last_inbound_at=clock.now() - timedelta(hours=25)))
    assert claim_due() == []
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error_code, Attempt.objects.count()) == ("failed", "window_closed", 0)


def test_an_approved_template_goes_out_when_its_window_has_closed(air: Air, outbound: Any) -> None:
    import msgspec

    window = msgspec.structs.replace(DM.windows[0], after="template")
    network = TestNetwork()
    one = msgspec.structs.replace(DM, windows=(window,))
    network.capabilities = Capabilities(proof="A", surfaces=(TestNetwork.capabilities.surfaces[0], one))
    registry.add_for_tests(network)
    plain = queue(air, make_thread(air.channel, DM, last_inbound_at=clock.now() - timedelta(hours=25)))
    approved = queue(air, make_thread(air.channel, DM, last_inbound_at=clock.now() - timedelta(hours=25)))
    use = {"key": "k", "name": "found", "language": "en", "parameters": [], "values": []}
    Delivery.objects.filter(id=approved.id).update(facts={"template": use})
    assert [claim.delivery_id for claim in claim_due()] == [approved.id]
    plain.refresh_from_db()
    assert (plain.state, plain.error_code) == ("failed", "window_needs_template")


def test_a_token_bucket_lets_no_more_through_than_the_platform_allows(air: Air, outbound: Any) -> None:
    outbound(limits=(Limit("account", 2, 10.0),))
    for _ in range(4):
        queue(air, make_thread(air.channel, DM, last_inbound_at=clock.now()))
    assert len(claim_due()) == 2
    with clock.travel(timedelta(seconds=5.5)):
        assert len(claim_due()) == 1
    assert Bucket.objects.count() == 1


def test_a_limit_of_some_surfaces_holds_no_others_back(air: Air, outbound: Any) -> None:
    outbound(limits=(Limit("account", 1, 60.0, surfaces=("post",)), Limit("account", 3, 60.0, surfaces=("dm",))))
    for _ in range(3):
        queue(air, make_thread(air.channel, DM, last_inbound_at=clock.now()))
    assert len(claim_due()) == 3
    queue(air, make_thread(air.channel, DM, last_inbound_at=clock.now()))
    assert claim_due() == []
    assert Bucket.objects.count() == 1


def test_sent_is_shown_only_when_the_platform_said_so(air: Air, thread: Thread) -> None:
    delivery = queue(air, thread)
    [claim] = claim_due()
    assert not Event.objects.filter(kind="delivery.changed", facts={"state": "sent"}).exists()
    settling.settle_sent(claim, Sent("p-1", aliases=("p-1b",)))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.message.platform_id) == ("sent", "p-1")
    assert MessageAlias.objects.get().platform_id == "p-1b"
    assert Attempt.objects.get().outcome == "sent"


def test_the_echo_that_came_first_is_folded_into_our_message(air: Air, thread: Thread) -> None:
    delivery = queue(air, thread)
    [claim] = claim_due()
    Message.objects.create(
        workspace_id=air.workspace.id,
        thread=thread,
        channel_id=air.channel.id,
        direction="outbound",
        platform_id="p-1",
        is_echo=True,
        text="hello",
        at=clock.now(),
    )
    settling.settle_sent(claim, Sent("p-1"))
    assert list(Message.objects.filter(thread=thread).values_list("id", "platform_id")) == [
        (delivery.message_id, "p-1")
    ]


def _fail(
    air: Air, thread: Thread, error: ChannelError, *, unknown_rule: str = "never_retry", max_tries: int = 3
) -> Delivery:
    delivery = queue(air, thread)
    [claim] = claim_due()
    settling.settle_error(claim, error, max_tries=max_tries, unknown_rule=unknown_rule)
    delivery.refresh_from_db()
    return delivery


def test_invariant_5_an_unknown_outcome_is_never_repeated_by_itself(air: Air, thread: Thread) -> None:
    delivery = _fail(air, thread, ChannelError("connection_cut", outcome_unknown=True))
    assert delivery.state == "unknown"
    with clock.travel(timedelta(hours=2)):
        assert claim_due() == []


def test_an_unknown_outcome_is_repeated_where_repeating_is_harmless(air: Air, thread: Thread) -> None:
    delivery = _fail(air, thread, ChannelError("connection_cut", outcome_unknown=True), unknown_rule="safe_retry")
    assert delivery.state == "queued" and delivery.not_before > clock.now()


def test_a_look_up_settles_an_unknown_outcome_both_ways(air: Air, thread: Thread) -> None:
    there = _fail(air, thread, ChannelError("connection_cut", outcome_unknown=True), unknown_rule="lookup")
    settling.settle_found(there.id, Sent("p-7"))
    there.refresh_from_db()
    gone = _fail(
        air,
        make_thread(air.channel, DM, last_inbound_at=clock.now()),
        ChannelError("connection_cut", outcome_unknown=True),
        unknown_rule="lookup",
    )
    settling.settle_found(gone.id, None)
    gone.refresh_from_db()
    assert (there.state, gone.state) == ("sent", "queued")


def test_a_permanent_refusal_fails_at_once_and_says_why(air: Air, thread: Thread) -> None:
    delivery = _fail(air, thread, ChannelError("recipient_gone", "The account was deleted.", permanent=True))
    assert (delivery.state, delivery.error_code, delivery.error_detail) == (
        "failed",
        "recipient_gone",
        "The account was deleted.",
    )


def test_a_passing_failure_backs_off_and_gives_up_after_its_tries(air: Air, thread: Thread) -> None:
    delivery = _fail(air, thread, ChannelError("away"), max_tries=2)
    assert delivery.state == "queued" and timedelta(0) < delivery.not_before - clock.now() < timedelta(seconds=10)
    with clock.travel(timedelta(seconds=20)):
        [claim] = claim_due()
        settling.settle_error(claim, ChannelError("away"), max_tries=2, unknown_rule="never_retry")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("failed", 2)


def test_the_platforms_retry_after_is_obeyed_by_the_whole_channel(air: Air, thread: Thread) -> None:
    _fail(air, thread, ChannelError("rate_limited", retry_after_s=120))
    queue(air, make_thread(air.channel, DM, last_inbound_at=clock.now()))
    with clock.travel(timedelta(seconds=100)):
        assert claim_due() == []
    with clock.travel(timedelta(seconds=125)):
        assert len(claim_due()) == 2


def test_a_revoked_token_keeps_the_delivery_and_marks_the_channel(air: Air, thread: Thread) -> None:
    delivery = _fail(air, thread, ChannelError("token_revoked", unauthorised=True))
    assert (delivery.state, Channel.objects.get(id=air.channel.id).state) == ("queued", "unauthorised")


def test_a_word_that_comes_after_the_echo_changes_nothing(air: Air, thread: Thread) -> None:
    delivery = queue(air, thread)
    [claim] = claim_due()
    settling.settle_sent(claim, Sent("p-1"))
    settling.settle_error(
        claim, ChannelError("connection_cut", outcome_unknown=True), max_tries=3, unknown_rule="never_retry"
    )
    delivery.refresh_from_db()
    assert delivery.state == "sent"


def test_what_a_dead_sender_left_on_the_wire_becomes_unknown_and_a_living_ones_stays(air: Air, thread: Thread) -> None:
    delivery = queue(air, thread)
    claim_due()
    Attempt.objects.update(owner="dead-process")
    Lease.objects.create(
        what=claiming.owner_lease("dead-process"),
        owner="dead-process",
        expires_at=clock.now() + timedelta(seconds=10),
        fence=1,
    )
    sender = Sender.__new__(Sender)
    sender._alone = False
    sender._recover()
    delivery.refresh_from_db()
    assert delivery.state == "sending"
    Lease.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    sender._recover()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error_code) == ("unknown", "sender_died")
    assert Attempt.objects.get().outcome == "abandoned"


@pytest.mark.parametrize(
    ("tries", "given", "low", "high"),
    [(1, None, 1.6, 2.4), (4, None, 12.8, 19.2), (30, None, 720, 1080), (3, 7.0, 7.0, 7.0)],
)
def test_backoff_doubles_with_jitter_unless_the_platform_says(
    tries: int, given: float | None, low: float, high: float
) -> None:
    assert low <= settling.backoff_s(tries, given) <= high


def test_settling_needs_its_delivery() -> None:
    with pytest.raises(Delivery.DoesNotExist):
        settling.settle_sent(Claim(1, 1, 1, 1), Sent("p"))


def test_a_letter_ends_with_its_writers_signature_and_a_direct_message_does_not(air: Air, thread: Thread) -> None:
    import msgspec

    from careline.conftest import TestNetwork as Plain
    from careline.outbox.loading import load_outgoing
    from careline.workspaces.models import Agent

    letter = msgspec.structs.replace(Plain.capabilities.surfaces[2], threading=Threading(model="email_refs"))
    network = Plain()
    network.capabilities = Capabilities(proof="A", surfaces=(*Plain.capabilities.surfaces[:2], letter))
    registry.add_for_tests(network)
    Agent.objects.filter(id=air.ana.agent_id).update(signature="Ana, Aurora Air")
    written = queue(air, make_thread(air.channel, letter), "Here it is.")
    Message.objects.update(author_agent_id=air.ana.agent_id)
    assert load_outgoing(written.id, 1).text == "Here it is.\n\n-- \nAna, Aurora Air"
    spoken = queue(air, thread, "Here it is.")
    Message.objects.update(author_agent_id=air.ana.agent_id)
    assert load_outgoing(spoken.id, 1).text == "Here it is."


def test_many_later_answers_never_crowd_out_the_first_of_their_thread(
    air: Air, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "CLAIM_LIMIT", 5)
    first = queue(air, thread, "first")
    for number in range(8):
        queue(air, thread, f"later {number}", not_before=clock.now() - timedelta(minutes=1))
    Delivery.objects.filter(id=first.id).update(not_before=clock.now() - timedelta(seconds=1))
    assert [one.delivery_id for one in claim_due(5)] == [first.id]
