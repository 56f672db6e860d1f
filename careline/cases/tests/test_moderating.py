"""What agents do to messages that stand: what is offered, who may, what is written down, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from careline.cases.actions.moderating import (
    moderate_message,
    resolve_moderation,
    retry_moderation,
    undo_moderation,
)
from careline.cases.models import Case
from careline.cases.queries.opening import open_case
from careline.cases.rows import MessageView
from careline.channels import registry
from careline.channels.base import Moderated
from careline.channels.capabilities import Capabilities, DeleteRule, EditRule, Moderation, ReactionRule
from careline.conftest import POST, Air, TestNetwork, make_case, make_identity, say
from careline.errors import ChannelError, Conflict, Forbidden, InputRefused, NotFound
from careline.events.models import Event
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.outbox import moderating
from careline.outbox.models import Delivery
from careline.outbox.models import Moderation as Act
from careline.people.actions.erasing import erase_person
from careline.people.models import Person
from careline.threads.models import Message
from careline.workspaces.models import Audit
from careline.workspaces.sight import Viewer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def moderated() -> Iterator[None]:
    """A platform on which posts can be hidden, liked, reacted to, and ours deleted; direct messages cannot."""
    network = TestNetwork()
    post = msgspec.structs.replace(
        POST,
        moderation=Moderation(hide=True, like=True, repeatable=True),
        reactions=ReactionRule(outbound=True, allowed=("👍", "🙏")),
        delete=DeleteRule(out=True, within_s=3600),
        edit=EditRule(out=True, within_s=1800),
    )
    rest = tuple(one for one in TestNetwork.capabilities.surfaces if one.name != "post")
    network.capabilities = Capabilities(proof="A", surfaces=(post, *rest))
    registry.add_for_tests(network)
    yield
    registry.add_for_tests(TestNetwork())


def only(viewer: Viewer, case: Case) -> MessageView:
    return open_case(viewer, case.number).messages[-1]


def heard(case: Case) -> Message:
    return Message.objects.get(case_id=case.id, direction="inbound")


def finish() -> None:
    """The platform does everything that is due."""
    while claims := moderating.claim_due_moderations():
        for claim in claims:
            moderating.settle_moderated(claim, Moderated())


def ours(air: Air, case: Case) -> Message:
    """An answer of ours that stands on the platform."""
    message = heard(case)
    return Message.objects.create(
        workspace_id=air.workspace.id,
        thread=message.thread,
        channel_id=air.channel.id,
        case_id=case.id,
        direction="outbound",
        surface="post",
        is_public=True,
        platform_id="ours-1",
        text="our words",
        at=message.at,
    )


def test_what_the_surface_declares_is_offered_and_turns_into_its_way_back(air: Air, marta_case: Case) -> None:
    assert only(air.ana, marta_case).abilities == ("like", "react", "hide")
    assert only(air.ana, marta_case).emojis == ("👍", "🙏")
    message = heard(marta_case)
    for verb in ("like", "hide"):
        moderate_message(air.ana, marta_case.number, message.id, verb)  # type: ignore[arg-type]
    moderate_message(air.ana, marta_case.number, message.id, "react", emoji="🙏")
    finish()
    shown = only(air.ana, marta_case)
    assert shown.abilities == ("unlike", "react", "unreact", "unhide")
    assert (shown.our_reaction, shown.reactions) == ("🙏", (("🙏", 1),))
    assert shown.hidden_at and shown.liked_at
    assert {(one.verb, one.state, one.agent_name) for one in shown.moderations} == {
        ("like", "done", "Ana"),
        ("hide", "done", "Ana"),
        ("react", "done", "Ana"),
    }


def test_a_bystanders_word_in_the_cases_public_thread_can_be_hidden(air: Air, marta_case: Case) -> None:
    otro = make_identity(Person.objects.create(workspace_id=air.workspace.id, name="Otro"), "otro-1")
    thread = heard(marta_case).thread
    assert thread is not None
    said = say(thread, otro, "Buy my pills")
    row = moderate_message(air.ana, marta_case.number, said.id, "hide")
    assert (row.message_id, row.case_id, row.platform_id) == (said.id, marta_case.id, said.platform_id)
    told = Event.objects.get(kind="message.moderated")
    assert (told.case_id, told.message_id, told.facts) == (marta_case.id, said.id, {"verb": "hide", "state": "queued"})


@pytest.mark.parametrize("verb", ["unhide", "unlike", "unreact", "delete"])
def test_what_is_not_so_cannot_be_undone_and_theirs_is_not_deleted(air: Air, marta_case: Case, verb: str) -> None:
    with pytest.raises(InputRefused) as refused:
        moderate_message(air.ana, marta_case.number, heard(marta_case).id, verb, emoji="👍")  # type: ignore[arg-type]
    assert refused.value.code == "act_not_possible"
    assert not Act.objects.exists()


@pytest.mark.parametrize("emoji", ["❤️", "<b>", "", "👍👍"])
def test_a_reaction_the_platform_does_not_know_is_refused(air: Air, marta_case: Case, emoji: str) -> None:
    with pytest.raises(InputRefused) as refused:
        moderate_message(air.ana, marta_case.number, heard(marta_case).id, "react", emoji=emoji)
    assert (refused.value.code, refused.value.field) == ("emoji_wrong", "emoji")


def test_a_network_that_declares_nothing_offers_nothing(air: Air, marta_case: Case) -> None:
    registry.add_for_tests(TestNetwork())
    assert only(air.ana, marta_case).abilities == ()
    with pytest.raises(InputRefused):
        moderate_message(air.ana, marta_case.number, heard(marta_case).id, "like")


def test_ours_is_deleted_after_a_moment(air: Air, marta_case: Case) -> None:
    message = ours(air, marta_case)
    row = moderate_message(air.ana, marta_case.number, message.id, "delete")
    assert row.state == "held"
    assert moderating.claim_due_moderations() == []
    with clock.travel(timedelta(seconds=10)):
        finish()
    message.refresh_from_db()
    assert (message.text, message.deleted_at is not None) == ("", True)


def test_ours_is_not_deleted_when_the_platform_no_longer_lets_us(air: Air, marta_case: Case) -> None:
    message = ours(air, marta_case)
    with clock.travel(timedelta(hours=2)):
        assert only(air.ana, marta_case).abilities == ()
        with pytest.raises(InputRefused):
            moderate_message(air.ana, marta_case.number, message.id, "delete")


def test_every_post_of_a_long_answer_is_deleted_or_none(air: Air, marta_case: Case) -> None:
    message = ours(air, marta_case)
    for part in (1, 2):
        Delivery.objects.create(
            workspace_id=air.workspace.id,
            channel_id=air.channel.id,
            thread_id=message.thread_id or 0,
            case_id=marta_case.id,
            message=message,
            state="sent",
            platform_id=f"post-{part}",
            part=part,
            parts=2,
            idempotency_key=f"k-{part}",
        )
    row = moderate_message(air.ana, marta_case.number, message.id, "delete")
    assert list(Act.objects.order_by("id").values_list("platform_id", flat=True)) == ["post-2", "post-1"]
    undo_moderation(air.ana, row.id)
    assert set(Act.objects.values_list("state", flat=True)) == {"cancelled"}


def test_undo_before_it_left_makes_it_never_happen(air: Air, marta_case: Case) -> None:
    row = moderate_message(air.ana, marta_case.number, heard(marta_case).id, "hide")
    assert undo_moderation(air.ana, row.id).state == "cancelled"
    assert moderating.claim_due_moderations() == []


def test_undo_afterwards_is_the_inverse_act(air: Air, marta_case: Case) -> None:
    row = moderate_message(air.ana, marta_case.number, heard(marta_case).id, "hide")
    finish()
    inverse = undo_moderation(air.ana, row.id)
    assert (inverse.verb, inverse.state) == ("unhide", "queued")
    finish()
    assert heard(marta_case).hidden_at is None


def test_a_deletion_on_its_way_cannot_be_brought_back(air: Air, marta_case: Case) -> None:
    row = moderate_message(air.ana, marta_case.number, ours(air, marta_case).id, "delete")
    Act.objects.filter(id=row.id).update(state="sending", tries=1)
    with pytest.raises(Conflict) as stopped:
        undo_moderation(air.ana, row.id)
    assert stopped.value.code == "already_deleted"


def test_a_failed_one_is_done_again_and_an_unknown_one_settled(air: Air, marta_case: Case) -> None:
    row = moderate_message(air.ana, marta_case.number, heard(marta_case).id, "hide")
    for act in (lambda: retry_moderation(air.ana, row.id), lambda: resolve_moderation(air.ana, row.id, was_done=True)):
        with pytest.raises(Conflict):
            act()
    Act.objects.filter(id=row.id).update(state="failed", tries=1)
    retry_moderation(air.ana, row.id)
    assert Act.objects.get().state == "queued"
    Act.objects.filter(id=row.id).update(state="unknown")
    resolve_moderation(air.ana, row.id, was_done=False)
    assert Act.objects.get().state == "queued"
    Act.objects.filter(id=row.id).update(state="unknown")
    resolve_moderation(air.ana, row.id, was_done=True)
    assert Act.objects.get().state == "done"
    assert heard(marta_case).hidden_at is not None


def test_what_the_public_cannot_read_any_more_is_audited(air: Air, marta_case: Case) -> None:
    message = heard(marta_case)
    row = moderate_message(air.ana, marta_case.number, message.id, "hide")
    moderate_message(air.ana, marta_case.number, message.id, "like")
    finish()
    undo_moderation(air.ana, row.id)
    kept = Audit.objects.filter(subject=f"message:{message.id}").order_by("id")
    assert [(one.verb, one.agent_id) for one in kept] == [
        ("message_hidden", air.ana.agent_id),
        ("message_shown", air.ana.agent_id),
    ]


def test_only_who_may_and_sees_the_case_does_it(air: Air, cleo: Viewer, marta_case: Case) -> None:
    message = heard(marta_case)
    with pytest.raises(Forbidden):
        moderate_message(air.tom, marta_case.number, message.id, "hide")
    for stranger in (cleo, air.dora):
        with pytest.raises(NotFound):
            moderate_message(stranger, marta_case.number, message.id, "hide")
    row = moderate_message(air.ana, marta_case.number, message.id, "hide")
    for stranger in (cleo, air.dora):
        for act in (undo_moderation, retry_moderation):
            with pytest.raises(NotFound):
                act(stranger, row.id)
        with pytest.raises(NotFound):
            resolve_moderation(stranger, row.id, was_done=True)
    assert Act.objects.get().state == "queued"


def test_another_cases_private_words_are_nobodys_to_act_on(air: Air, cleo: Viewer, marta_case: Case) -> None:
    other = make_case(air.channel, air.marta_identity)
    Message.objects.filter(case_id=other.id).update(is_public=False)
    with pytest.raises(NotFound):
        moderate_message(air.ana, marta_case.number, heard(other).id, "like")


def answered(air: Air, case: Case, **more: object) -> Message:
    """An answer of ours that went out from here."""
    message = ours(air, case)
    values = {"channel_id": air.channel.id, "thread_id": message.thread_id, "message": message, "state": "sent"}
    Delivery.objects.create(
        workspace_id=message.workspace_id,
        platform_id="ours-1",
        idempotency_key="k",
        recipient="marta-1",
        **(values | more),
    )
    return message


def test_our_words_are_changed_where_they_stand_with_the_earlier_ones_kept_and_a_way_back(
    air: Air, marta_case: Case
) -> None:
    message = answered(air, marta_case)
    row = moderate_message(air.ana, marta_case.number, message.id, "edit", text=" better words ")
    assert (row.state, row.text) == ("held", "better words")
    assert only(air.ana, marta_case).text == "our words", "not before the platform said so"
    with clock.travel(timedelta(seconds=10)):
        [claim] = moderating.claim_due_moderations()
        platform_id, outgoing = moderating.load_edit(claim)
        assert (platform_id, outgoing.text, outgoing.recipient) == ("ours-1", "better words", "marta-1")
        moderating.settle_moderated(claim, Moderated())
    shown = only(air.ana, marta_case)
    assert (shown.text, [one.text for one in shown.revisions]) == ("better words", ["our words"])
    row.refresh_from_db()
    assert (row.state, row.text) == ("done", ""), "the act keeps no words"
    assert Audit.objects.filter(verb="message_edited", agent_id=air.ana.agent_id).exists()
    assert not any("better" in str(event.facts) for event in Event.objects.all())

    undo_moderation(air.ana, row.id)
    with clock.travel(timedelta(seconds=20)):
        finish()
    assert only(air.ana, marta_case).text == "our words"


def test_an_edit_taken_back_in_time_never_leaves_and_its_words_are_gone(air: Air, marta_case: Case) -> None:
    row = moderate_message(air.ana, marta_case.number, answered(air, marta_case).id, "edit", text="better")
    assert undo_moderation(air.ana, row.id).state == "cancelled"
    row.refresh_from_db()
    assert row.text == ""


@pytest.mark.parametrize(
    ("text", "code"), [("  ", "text_empty"), ("x" * 281, "text_too_long"), ("our words", "text_same")]
)
def test_an_edit_keeps_every_limit_of_the_surface(air: Air, marta_case: Case, text: str, code: str) -> None:
    message = answered(air, marta_case)
    with pytest.raises(InputRefused) as refused:
        moderate_message(air.ana, marta_case.number, message.id, "edit", text=text)
    assert refused.value.code == code


def test_what_cannot_be_edited_is_not_offered_and_refused(air: Air, marta_case: Case, cleo: Viewer) -> None:
    theirs = heard(marta_case)
    with pytest.raises(InputRefused):
        moderate_message(air.ana, marta_case.number, theirs.id, "edit", text="put into their mouth")
    message = answered(air, marta_case, parts=2)
    Delivery.objects.create(
        workspace_id=message.workspace_id, channel_id=air.channel.id, thread_id=message.thread_id, message=message,
        part=2, parts=2, idempotency_key="k2",
    )  # fmt: skip
    with pytest.raises(InputRefused):
        moderate_message(air.ana, marta_case.number, message.id, "edit", text="two posts")
    with pytest.raises(NotFound):
        moderate_message(cleo, marta_case.number, message.id, "edit", text="foreign")
    with clock.travel(timedelta(minutes=31)):
        assert "edit" not in only(air.ana, marta_case).abilities
    Message.objects.filter(id=message.id).update(is_echo=True)
    assert "edit" not in only(air.ana, marta_case).abilities


def test_an_edit_whose_outcome_nobody_knows_is_repeated(air: Air, marta_case: Case) -> None:
    row = moderate_message(air.ana, marta_case.number, answered(air, marta_case).id, "edit", text="better")
    with clock.travel(timedelta(seconds=10)):
        [claim] = moderating.claim_due_moderations()
        moderating.settle_moderation_error(claim, ChannelError("cut", "cut", outcome_unknown=True))
    row.refresh_from_db()
    assert row.state == "queued"


def test_the_words_of_an_edit_go_with_the_person_and_with_what_retention_takes_and_never_leave(
    air: Air, marta_case: Case
) -> None:
    message = answered(air, marta_case)
    row = moderate_message(air.ana, marta_case.number, message.id, "edit", text="Marta's secret")
    with unit_of_work():
        moderating.forget_words([message.id])
    row.refresh_from_db()
    assert (row.state, row.text) == ("cancelled", "")
    with clock.travel(timedelta(seconds=10)):
        assert moderating.claim_due_moderations() == []


def test_erasing_the_customer_takes_the_words_of_a_waiting_edit(air: Air, marta_case: Case) -> None:
    row = moderate_message(air.ana, marta_case.number, answered(air, marta_case).id, "edit", text="Marta's secret")
    erase_person(air.owner, marta_case.person_id)
    row.refresh_from_db()
    assert (row.state, row.text) == ("cancelled", "")


def test_an_edit_of_what_was_deleted_meanwhile_is_not_done_and_keeps_no_words(air: Air, marta_case: Case) -> None:
    message = answered(air, marta_case)
    row = moderate_message(air.ana, marta_case.number, message.id, "edit", text="better")
    with clock.travel(timedelta(seconds=10)):
        [claim] = moderating.claim_due_moderations()
        Message.objects.filter(id=message.id).update(deleted_at=clock.now(), text="")
        with pytest.raises(ChannelError) as gone:
            moderating.load_edit(claim)
        moderating.settle_moderation_error(claim, gone.value)
    row.refresh_from_db()
    assert (row.state, row.error_code, row.text) == ("failed", "message_gone", "")
