"""A conversation we begin: nameless on the wire, named by the platform, one with what was heard under that name."""

from __future__ import annotations

import pytest

from careline.cases.actions.replying import write_reply
from careline.cases.models import Case
from careline.channels.base import Sent
from careline.conftest import DM, make_case, make_thread, say
from careline.outbox.claiming import Claim
from careline.outbox.loading import load_outgoing
from careline.outbox.models import Attempt, Delivery
from careline.outbox.settling import settle_sent
from careline.threads.models import Message, Thread

pytestmark = pytest.mark.django_db


def _sent_in_private(air, thread_key):
    case = make_case(air.channel, air.marta_identity)
    public = Message.objects.get(case_id=case.id).thread
    message = write_reply(air.ana, case.number, thread_id=public.id, text="Le escribo", mode="private")
    delivery = message.deliveries.get()
    assert load_outgoing(delivery.id, 1).thread_key == ""
    assert load_outgoing(delivery.id, 1).recipient == "marta-1"
    Delivery.objects.filter(id=delivery.id).update(state="sending", tries=1)
    attempt = Attempt.objects.create(workspace_id=case.workspace_id, delivery=delivery, number=1, owner="here")
    settle_sent(Claim(delivery.id, attempt.id, 1, air.channel.id), Sent("p-99", thread_key=thread_key))
    return case, message


def test_the_platforms_name_of_a_thread_we_began_is_taken_over(air):
    case, message = _sent_in_private(air, "dm_marta")
    thread = Message.objects.get(id=message.id).thread
    assert (thread.key, thread.bound_case_id) == ("dm_marta", case.id)
    assert load_outgoing(message.deliveries.get().id, 2).thread_key == "dm_marta"


def test_a_thread_heard_under_that_name_before_is_the_same_one(air):
    heard = make_thread(air.channel, DM, key="dm_marta")
    stranger_word = say(heard, air.marta_identity, "hello?")
    Message.objects.filter(id=stranger_word.id).update(author_identity=None)
    case, message = _sent_in_private(air, "dm_marta")
    assert Message.objects.get(id=message.id).thread_id == heard.id
    assert Delivery.objects.get(message=message).thread_id == heard.id
    assert Thread.objects.get(id=heard.id).bound_case_id == case.id
    assert not Thread.objects.filter(key__startswith="new:").exists()
    assert Case.objects.get(id=case.id).message_count == 2
