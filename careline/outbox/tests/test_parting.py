"""A text of several posts: cut where it was said, sent in order, each exactly once, whatever breaks in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.channels import registry
from careline.channels.base import Sent
from careline.channels.capabilities import Capabilities, Outbound, TextRule, Threading
from careline.conftest import POST, Air, TestNetwork, make_thread
from careline.errors import ChannelError, Conflict
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.outbox import actions, settling
from careline.outbox.claiming import Claim, claim_due
from careline.outbox.loading import load_outgoing
from careline.outbox.models import Delivery
from careline.outbox.parting import cuts_of
from careline.threads.models import Message, MessageAlias, Thread

RULE = TextRule(max_length=20, unit="graphemes", on_overflow="multi_post")
TEXT = "Erste Zeile hier. Zweite Zeile dort. Dritte am Ende."


@pytest.fixture(params=["lookup", "never_retry", "safe_retry"])
def rule(request: pytest.FixtureRequest) -> Iterator[str]:
    """A platform with short posts that hang below each other, under each rule for unknown outcomes."""
    network = TestNetwork()
    post = msgspec.structs.replace(POST, text=RULE, threading=Threading("tree"))
    network.capabilities = Capabilities(
        proof="A",
        surfaces=(post, *TestNetwork.capabilities.surfaces[1:]),
        outbound=Outbound(unknown_outcome=request.param),
    )
    registry.add_for_tests(network)
    yield request.param
    registry.add_for_tests(TestNetwork())


def _queue(air: Air, text: str, parts: list[str]) -> list[Delivery]:
    thread = Thread.objects.filter(channel_id=air.channel.id).first() or make_thread(air.channel)
    message = Message.objects.create(
        workspace_id=air.workspace.id,
        thread=thread,
        channel_id=air.channel.id,
        direction="outbound",
        surface="post",
        is_public=True,
        text=text,
        reply_to="root",
        at=clock.now(),
    )
    return [
        Delivery.objects.create(
            workspace_id=air.workspace.id,
            channel_id=air.channel.id,
            thread_id=thread.id,
            message=message,
            idempotency_key=f"{message.id}-{number}",
            part=number,
            parts=len(parts),
            text_start=start,
            text_end=end,
        )
        for number, (start, end) in enumerate(cuts_of(text, parts), start=1)
    ]


@pytest.fixture
def posts(air: Air, rule: str) -> list[Delivery]:
    """Three posts of one answer, ready to go."""
    parts = RULE.parts(TEXT)
    assert len(parts) == 3
    return _queue(air, TEXT, parts)


def one() -> Claim:
    [claim] = claim_due()
    return claim


def states(posts: list[Delivery]) -> list[str]:
    return [Delivery.objects.get(id=post.id).state for post in posts]


@given(st.text(max_size=200), st.integers(2, 30))
def test_the_cuts_give_every_part_back(text: str, limit: int) -> None:
    whole = text.strip()
    parts = TextRule(max_length=limit, unit="graphemes", max_bytes=limit * 4, on_overflow="multi_post").parts(whole)
    assert [whole[start:end] for start, end in cuts_of(whole, parts)] == parts
    assert "".join("".join(parts).split()) == "".join(whole.split())


@pytest.mark.django_db
def test_parts_go_one_by_one_each_below_the_one_before(posts: list[Delivery]) -> None:
    sent: list[tuple[str, str]] = []
    for number in (1, 2, 3):
        claim = one()
        outgoing = load_outgoing(claim.delivery_id, claim.attempt)
        sent.append((outgoing.text, outgoing.reply_to))
        assert claim_due() == [], "nothing overtakes a part on the wire"
        settling.settle_sent(claim, Sent(f"p-{number}"))
    assert [text for text, _ in sent] == RULE.parts(TEXT)
    assert [reply_to for _, reply_to in sent] == ["root", "p-1", "p-2"]
    assert states(posts) == ["sent"] * 3
    message = Message.objects.get(id=posts[0].message_id)
    assert message.platform_id == "p-1"
    assert set(MessageAlias.objects.values_list("platform_id", "message_id")) == {
        ("p-2", message.id),
        ("p-3", message.id),
    }


@pytest.mark.django_db
def test_a_part_that_failed_for_good_stops_the_rest_and_all_go_again_in_order(air: Air, posts: list[Delivery]) -> None:
    settling.settle_sent(one(), Sent("p-1"))
    settling.settle_error(one(), ChannelError("refused", permanent=True), max_tries=8, unknown_rule="never_retry")
    assert states(posts) == ["sent", "failed", "failed"]
    assert Delivery.objects.get(id=posts[2].id).error_code == "earlier_part_failed"
    later = _queue(air, "another answer", ["another answer"])
    assert one().delivery_id == later[0].id, "the thread goes on"
    Delivery.objects.filter(id=later[0].id).update(state="sent")
    with unit_of_work() as work:
        actions.retry(work, actions.access_delivery(air.workspace.id, posts[2].id))
    assert states(posts) == ["sent", "queued", "queued"]
    assert one().delivery_id == posts[1].id


@pytest.mark.django_db
def test_an_unknown_part_holds_the_rest_until_it_is_known(posts: list[Delivery], rule: str) -> None:
    settling.settle_sent(one(), Sent("p-1"))
    claim = one()
    settling.settle_error(claim, ChannelError("cut", outcome_unknown=True), max_tries=8, unknown_rule=rule)
    with clock.travel(timedelta(hours=1)):
        if rule == "safe_retry":
            assert one().delivery_id == posts[1].id, "the same part, under the same key"
            return
        assert claim_due() == []
        settling.settle_found(posts[1].id, Sent("p-2"))
        assert one().delivery_id == posts[2].id


@pytest.mark.django_db
def test_a_sender_that_died_with_a_part_on_the_wire_doubles_nothing(posts: list[Delivery], rule: str) -> None:
    settling.settle_sent(one(), Sent("p-1"))
    one()
    settling.settle_abandoned(posts[1].id, safe_retry=rule == "safe_retry")
    expected = "queued" if rule == "safe_retry" else "unknown"
    assert states(posts) == ["sent", expected, "queued"]
    due = [claim.delivery_id for claim in claim_due()]
    assert due == ([posts[1].id] if rule == "safe_retry" else [])


@pytest.mark.django_db
def test_all_posts_are_taken_back_together_or_none(air: Air, posts: list[Delivery]) -> None:
    with unit_of_work() as work:
        actions.cancel(work, actions.access_delivery(air.workspace.id, posts[0].id))
    assert states(posts) == ["cancelled"] * 3
    assert claim_due() == []


@pytest.mark.django_db
def test_once_the_first_post_left_none_is_taken_back(air: Air, posts: list[Delivery]) -> None:
    settling.settle_sent(one(), Sent("p-1"))
    with pytest.raises(Conflict), unit_of_work() as work:
        actions.cancel(work, actions.access_delivery(air.workspace.id, posts[2].id))
    assert states(posts) == ["sent", "queued", "queued"]


@pytest.mark.django_db
def test_files_go_with_the_first_post_only(posts: list[Delivery]) -> None:
    from careline.threads.models import Attachment

    Attachment.objects.create(workspace_id=posts[0].workspace_id, message_id=posts[0].message_id, name="a.pdf")
    files: list[Any] = [load_outgoing(post.id, 1).files for post in posts]
    assert [len(one) for one in files] == [1, 0, 0]
