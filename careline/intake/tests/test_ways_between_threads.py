"""A private link joins only its reader's own case; a reply joins the thread of what it answers; a thread keeps its words under a new key."""

from __future__ import annotations

import pytest

from careline.cases.models import Case
from careline.channels.base import Moved
from careline.intake import digest
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.threads.models import Message, Thread

pytestmark = pytest.mark.django_db


def case_of(said):
    return Message.objects.get(platform_id=said.platform_id).case_id


def thread_of(said):
    return Message.objects.get(platform_id=said.platform_id).thread


def test_who_follows_the_link_from_their_own_case_goes_on_with_it_in_a_private_thread(mouth):
    public = mouth.say("My bag is gone")
    arrived = mouth.say("/start", surface="dm", thread="d1", continues=thread_of(public).id)
    assert case_of(arrived) == case_of(public)
    assert not thread_of(arrived).is_public
    assert thread_of(arrived).key == "d1"
    later = mouth.say("It is blue", surface="dm", thread="d1")
    assert case_of(later) == case_of(public)
    assert Case.objects.count() == 1


def test_a_stranger_who_follows_it_sees_and_joins_nothing(mouth):
    public = mouth.say("My bag is gone")
    stranger = mouth.say("/start", surface="dm", thread="d2", author="otro", continues=thread_of(public).id)
    assert case_of(stranger) != case_of(public)
    assert thread_of(stranger).bound_case_id == case_of(stranger)
    assert thread_of(stranger).id != thread_of(public).id


def test_a_private_thread_of_an_older_case_turns_to_the_one_the_link_came_from(mouth):
    old = mouth.say("An old question", surface="dm", thread="d1")
    public = mouth.say("My bag is gone")
    arrived = mouth.say("/start", surface="dm", thread="d1", continues=thread_of(public).id)
    assert case_of(arrived) == case_of(public) != case_of(old)


def test_a_link_into_another_workspace_leads_nowhere(mouth, cleo):
    foreign = Thread.objects.create(
        workspace_id=cleo.workspace_id, channel_id=1, key="t9", surface="post", is_public=True
    )
    arrived = mouth.say("/start", surface="dm", thread="d1", continues=foreign.id)
    assert thread_of(arrived).workspace_id == mouth.channel.workspace_id
    assert Case.objects.filter(workspace_id=cleo.workspace_id).count() == 0


@pytest.mark.parametrize("together", [False, True])
def test_a_reply_joins_the_thread_of_what_it_answers(mouth, together):
    first = mouth.prepare("Under the post", thread="post-1")
    second = mouth.prepare("Me too", thread="chat", author="otro", reply_to=first.platform_id, joins_reply=True)
    third = mouth.prepare("And me", thread="chat", author="eva", reply_to=second.platform_id, joins_reply=True)
    for one in (first, second, third):
        mouth.happen(one, order="chat")
        if not together:
            digest.digest_pending()
    digest.digest_pending()
    assert {thread_of(one).key for one in (first, second, third)} == {"post-1"}


def test_a_reply_to_what_is_not_here_stands_in_its_own_thread(mouth):
    said = mouth.say("What he says", thread="chat", reply_to="unknown", joins_reply=True)
    assert thread_of(said).key == "chat"


def test_a_public_reply_never_joins_a_private_thread(mouth):
    private = mouth.say("Between us", surface="dm", thread="d1")
    public = mouth.say("Told all", thread="chat", reply_to=private.platform_id, joins_reply=True)
    assert thread_of(public).key == "chat"


@pytest.mark.parametrize("heard_before", [False, True])
def test_a_thread_keeps_its_words_and_its_case_under_a_new_key(mouth, heard_before):
    before = mouth.say("In the small group", thread="g1")
    if heard_before:
        early = mouth.say("In the large one, told first", thread="g2", author="otro")
        Delivery.objects.create(
            workspace_id=mouth.channel.workspace_id,
            channel_id=mouth.channel.id,
            thread_id=thread_of(early).id,
            message=Message.objects.get(platform_id=early.platform_id),
            idempotency_key="waiting",
        )
    for _ in range(2):
        mouth.happen(Moved("g1", "g2", clock.now()))
        digest.digest_pending()
    after = mouth.say("In the large group", thread="g2")
    assert case_of(after) == case_of(before)
    assert [one.key for one in Thread.objects.filter(is_public=True)] == ["g2"]
    assert all(one.thread_id == thread_of(after).id for one in Delivery.objects.all())


def test_a_move_of_what_nobody_heard_does_nothing(mouth):
    mouth.happen(Moved("g7", "g8", clock.now()))
    assert digest.digest_pending() == 1
    assert not Thread.objects.exists()
