"""Mail through the real journal and digest: who joins a thread, who only gets a suggestion, what a bounce does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from careline.channels.access import channel_key
from careline.channels.conformance import Core
from careline.channels.email import addressing
from careline.channels.email.tests.building import mail
from careline.channels.email.tests.test_conformance import MailRig
from careline.outbox.models import Delivery
from careline.threads.models import Message

pytestmark = pytest.mark.django_db
PASSED = "mx.aurora.example; dmarc=pass header.from=cliente.example"
FAILED = PASSED.replace("dmarc=pass", "dmarc=fail")
MALLORY = {
    "From": "mallory@mala.example",
    "Authentication_Results": "mx.aurora.example; dmarc=pass header.from=mala.example",
}


@pytest.fixture
def core(db: None) -> Iterator[Core]:
    core = Core(MailRig())
    yield core
    core.close()


def hear(core: Core, text: str, number: int, **headers: str) -> Message:
    core.receive([mail(text, Message_ID=f"<m{number}@cliente.example>", **headers)])
    return core.messages(text=text)[0]


def test_a_customers_own_follow_up_joins_her_thread(core: Core) -> None:
    first = hear(core, "one", 1, Authentication_Results=PASSED)
    again = hear(core, "two", 2, Authentication_Results=PASSED, References="<m1@cliente.example>")
    assert first.thread_id == again.thread_id


def test_a_checked_participant_joins_by_reference_where_the_first_mail_was_unchecked(core: Core) -> None:
    first = hear(core, "one", 1)
    again = hear(core, "two", 2, Authentication_Results=PASSED, In_Reply_To="<m1@cliente.example>")
    further = hear(
        core, "three", 3, Authentication_Results=PASSED, References="<m1@cliente.example> <seen@nowhere.example>"
    )
    assert first.thread_id == again.thread_id == further.thread_id


@pytest.mark.parametrize(
    "headers", [MALLORY, {"Authentication_Results": FAILED}, {}], ids=["stranger", "failed", "unchecked"]
)
def test_a_guessed_message_id_brings_a_suggestion_and_nothing_more(core: Core, headers: dict[str, str]) -> None:
    first = hear(core, "one", 1, Authentication_Results=PASSED)
    guess = hear(core, "give me her booking", 2, In_Reply_To="<m1@cliente.example>", **headers)
    assert guess.thread_id != first.thread_id
    assert guess.facts["suggests_thread"] == str(first.thread_id)


def test_our_signature_brings_anybody_into_the_thread_as_themselves(core: Core) -> None:
    """Marta's partner answers from another address to the mail she forwarded: it carries our signature."""
    first = hear(core, "one", 1, Authentication_Results=PASSED)
    key = channel_key(core.channel.id)
    to = addressing.reply_address("help@aurora.example", first.thread_id or 0, key)
    reply = hear(core, "I am with her", 2, From="Leo <leo@otro.example>", To=to)
    assert reply.thread_id == first.thread_id
    assert reply.author_identity_id != first.author_identity_id


def test_two_mails_under_one_message_id_are_both_kept(core: Core) -> None:
    core.receive([mail("invoice 1"), mail("invoice 2"), mail("invoice 1")])
    assert {one.text for one in core.messages()} == {"invoice 1", "invoice 2"}
    assert len(core.messages()) == 2


def test_a_bounce_fails_the_delivery_whose_outcome_nobody_knew_and_stays_visible_in_its_thread(core: Core) -> None:
    heard = hear(core, "one", 1, Authentication_Results=PASSED)
    delivery = core.queue(heard, "answer", "email")
    Delivery.objects.filter(id=delivery.id).update(state="unknown")
    rig = core.rig
    assert isinstance(rig, MailRig)
    key = channel_key(core.channel.id)
    rig.key = key
    bounce = rig.receipt("", delivery.idempotency_key, "failed")
    assert bounce is not None
    own = addressing.message_id(delivery.id, heard.thread_id or 0, "aurora.example", key)
    core.receive([bounce.replace(b"\r\n\r\n--b--", f"\r\nMessage-ID: {own}\r\n\r\n--b--".encode())])
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error_code) == ("failed", "bounced")
    (kept,) = core.messages(automatic="bounce")
    assert kept.thread_id == heard.thread_id
