"""Where only the customer can begin in private, the public answer carries the way, until they have come."""

from __future__ import annotations

import msgspec
import pytest

from careline.cases.actions.replying import write_reply
from careline.cases.queries.opening import open_case
from careline.channels import registry
from careline.channels.base import ChannelView
from careline.channels.capabilities import Capabilities
from careline.conftest import DM, POST, TestNetwork, make_case, make_thread
from careline.errors import InputRefused, NotFound
from careline.threads.models import Thread

pytestmark = pytest.mark.django_db


class LinkedNetwork(TestNetwork):
    capabilities = Capabilities(proof="A", surfaces=(msgspec.structs.replace(POST, private_way="link"), DM))

    def private_link(self, channel: ChannelView, thread_id: int) -> str:
        return f"https://example.org/{channel.id}/{thread_id}"


@pytest.fixture(autouse=True)
def linked():
    registry.add_for_tests(LinkedNetwork())
    yield
    registry.add_for_tests(TestNetwork())


def test_a_public_thread_offers_a_link_and_no_private_answer(air, marta_case):
    [public] = open_case(air.ana, marta_case.number).threads
    assert (public.is_public, public.private_link) == (True, f"https://example.org/{air.channel.id}/{public.id}")


def test_a_private_answer_before_the_customer_came_is_refused_and_begins_nothing(air, marta_case):
    [public] = open_case(air.ana, marta_case.number).threads
    with pytest.raises(InputRefused) as refused:
        write_reply(air.ana, marta_case.number, thread_id=public.id, text="En privado", mode="private")
    assert refused.value.code == "customer_must_begin"
    assert not Thread.objects.filter(is_public=False).exists()


def test_who_has_come_before_is_written_to_and_needs_no_link(air, marta_case):
    known = make_thread(air.channel, DM)
    make_case(air.channel, air.marta_identity, "an older talk", surface=DM, thread=known)
    public, private = open_case(air.ana, marta_case.number).threads
    assert (public.private_link, private.is_public, private.opens_from) == ("", False, "post")
    sent = write_reply(air.ana, marta_case.number, thread_id=private.id, text="En privado", mode="private")
    assert sent.thread_id == known.id


def test_another_workspace_sees_no_link(air, cleo, marta_case):
    with pytest.raises(NotFound):
        open_case(cleo, marta_case.number)
