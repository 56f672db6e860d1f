"""Rules that show in the rows: one message whatever is repeated, the author's word honoured, nothing posted twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from careline.cases.models import Case
from careline.channels.capabilities import Surface
from careline.channels.conformance.core import Core
from careline.channels.conformance.inbound_rules import words
from careline.channels.conformance.rig import RETRY_AFTER_S, Fault, Platform, Rig
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.outbox.windows import window_of
from careline.threads.models import Message, Revision

ROUNDS = 4


class CoreRules:
    """What the desk sees of a network."""

    @pytest.mark.django_db
    def test_a_replay_makes_no_second_message(self, rig: Rig, core: Core) -> None:
        event = rig.say(words("a"))
        for _ in range(3):
            core.receive([event])
        assert len(core.messages()) == 1
        assert Case.objects.filter(workspace_id=core.workspace.id).count() == 1

    @pytest.mark.django_db
    def test_a_duplicate_in_one_batch_makes_no_second_message(self, rig: Rig, core: Core) -> None:
        event, other = rig.say(words("a")), rig.say(words("b"))
        core.receive([event, other, event])
        assert len(core.messages()) == 2

    @pytest.mark.django_db
    def test_disorder_leaves_the_thread_in_the_platforms_order(self, rig: Rig, core: Core) -> None:
        begun_at = clock.now().replace(microsecond=0) - timedelta(minutes=10)
        told = [words(f"k{n}", text=f"word {n}", at=begun_at + timedelta(minutes=n)) for n in range(4)]
        for one in (told[2], told[0], told[3], told[1]):
            core.receive([rig.say(one)])
        assert [one.text for one in core.messages()] == [one.text for one in told]
        assert len({one.thread_id for one in core.messages()}) == 1

    @pytest.mark.django_db
    def test_an_unknown_event_stops_nothing(self, rig: Rig, core: Core) -> None:
        novelty = rig.novelty()
        core.receive([rig.say(words("a"))] if novelty is None else [novelty, rig.say(words("a"))])
        assert len(core.messages()) == 1
        assert core.reasons() == ([] if novelty is None else ["unknown_event"])

    @pytest.mark.django_db
    def test_an_edit_is_kept_as_a_revision(self, rig: Rig, core: Core) -> None:
        one = words("a", text="old words")
        event = rig.edit(one, "new words")
        core.receive([rig.say(one)] if event is None else [rig.say(one), event])
        (message,) = core.messages()
        assert message.text == ("old words" if event is None else "new words")
        assert Revision.objects.filter(message=message).count() == (0 if event is None else 1)

    @pytest.mark.parametrize("is_late", [False, True])
    @pytest.mark.django_db
    def test_a_deletion_leaves_no_words(self, rig: Rig, core: Core, is_late: bool) -> None:
        """Also when the deletion overtakes the message."""
        one = words("a", text="my passport is 12345678Z")
        event = rig.delete(one)
        if event is None:
            assert all(surface.delete.duty != "on_event" for surface in rig.network.capabilities.surfaces)
            return
        for batch in ([rig.say(one)], [event]) if not is_late else ([event], [rig.say(one)]):
            core.receive(batch)
        assert not Message.objects.filter(workspace_id=core.workspace.id, text__contains="12345678Z").exists()

    @pytest.mark.django_db
    def test_our_own_post_made_elsewhere_opens_no_case(self, rig: Rig, core: Core) -> None:
        if not rig.network.capabilities.inbound.self_echo:
            assert not any(one.is_echo for one in core.messages())
            return
        core.receive([rig.say(words("a", author="us", text="said elsewhere"))])
        (message,) = core.messages()
        assert (message.direction, message.is_echo) == ("outbound", True)
        assert not Case.objects.filter(workspace_id=core.workspace.id).exists()

    @pytest.mark.django_db
    def test_the_echo_of_our_answer_is_no_second_message(self, rig: Rig, core: Core) -> None:
        """And it settles a delivery whose outcome nobody knew."""
        delivery = self._queued(rig, core, "once")
        Delivery.objects.filter(id=delivery.id).update(state="unknown")
        if not rig.network.capabilities.inbound.self_echo:
            assert rig.network.capabilities.outbound.unknown_outcome in {"safe_retry", "never_retry"}
            return
        core.receive([rig.say(words("b", author="us", text="once", client_key=delivery.idempotency_key))])
        delivery.refresh_from_db()
        assert delivery.state == "sent"
        assert len(core.messages(direction="outbound")) == 1

    @pytest.mark.parametrize("state", ["sent", "delivered", "read", "failed"])
    @pytest.mark.django_db
    def test_a_receipt_moves_the_delivery(self, rig: Rig, core: Core, state: str) -> None:
        delivery = self._queued(rig, core, "hello")
        Delivery.objects.filter(id=delivery.id).update(state="sent", platform_id="p-1")
        event = rig.receipt("p-1", delivery.idempotency_key, state)
        if event is not None:
            core.receive([event])
        delivery.refresh_from_db()
        assert delivery.state == ("sent" if event is None else state)

    @pytest.mark.django_db
    def test_a_closed_window_is_closed_for_the_outbox(self, rig: Rig) -> None:
        for surface in rig.network.capabilities.surfaces:
            longest_s = max((window.lasts_s for window in surface.windows), default=0)
            state = window_of(surface, clock.now() - timedelta(seconds=longest_s + 60), clock.now(), "human")
            assert bool(state.closed_code) == (bool(surface.windows) or not _is_open(surface))
            humans = [window.lasts_s for window in surface.windows if window.author == "human_only"]
            machines_s = max((window.lasts_s for window in surface.windows if window.author == "any"), default=0)
            if humans and machines_s:
                heard_at = clock.now() - timedelta(seconds=machines_s + 60)
                assert window_of(surface, heard_at, clock.now(), "machine").closed_code
                assert not window_of(surface, heard_at, clock.now(), "human").closed_code

    @pytest.mark.parametrize("fault", ["rate_limited", "rate_limited_silently"])
    @pytest.mark.django_db
    def test_429_waits_and_then_posts_once(self, rig: Rig, core: Core, fault: Fault) -> None:
        platform, delivery = self._sent_into(rig, core, fault)
        if platform is None:
            return
        assert delivery.state == "queued"
        if fault == "rate_limited":
            assert delivery.not_before > clock.now() + timedelta(seconds=RETRY_AFTER_S - 3)

    @pytest.mark.parametrize("fault", ["failing", "cut"])
    @pytest.mark.django_db
    def test_what_broke_mid_send_is_never_posted_twice(self, rig: Rig, core: Core, fault: Fault) -> None:
        delivery = self._queued(rig, core, "once")
        listening = rig.listening()
        if listening is None:
            assert core.send_due() == 1
            return
        with listening as platform:
            platform.plan(fault)
            core.point_at(platform)
            self._send_until_settled(core, delivery)
            assert platform.posted() == ["once"]
        rule = rig.network.effective(platform.channel).outbound.unknown_outcome
        assert delivery.state == ("unknown" if rule == "never_retry" else "sent")

    @pytest.mark.django_db
    def test_a_revoked_token_stops_the_channel_and_keeps_the_answer(self, rig: Rig, core: Core) -> None:
        platform, delivery = self._sent_into(rig, core, "revoked")
        if platform is not None:
            assert core.channel.state == "unauthorised"
            assert delivery.state == "queued"
            assert core.send_due() == 0

    @pytest.mark.django_db
    def test_a_final_refusal_fails_and_is_not_repeated(self, rig: Rig, core: Core) -> None:
        platform, delivery = self._sent_into(rig, core, "refused")
        if platform is not None:
            assert delivery.state == "failed"
            with clock.travel(timedelta(hours=1)):
                assert core.send_due() == 0

    def _queued(self, rig: Rig, core: Core, text: str) -> Delivery:
        core.receive([rig.say(words("heard"))])
        (heard,) = core.messages(direction="inbound")
        return core.queue(heard, text, heard.surface)

    def _sent_into(self, rig: Rig, core: Core, fault: Fault) -> tuple[Platform | None, Delivery]:
        """One attempt that meets a fault before anything is taken; afterwards all is well and it goes out once."""
        delivery = self._queued(rig, core, "once")
        listening = rig.listening()
        if listening is None:
            assert core.send_due() == 1
            delivery.refresh_from_db()
            assert delivery.state == "sent"
            return None, delivery
        with listening as platform:
            platform.plan(fault)
            core.point_at(platform)
            assert core.send_due() == 1
            delivery.refresh_from_db()
            assert platform.posted() == []
            if fault.startswith("rate"):
                with clock.travel(timedelta(minutes=30)):
                    assert core.send_due() == 1
                assert platform.posted() == ["once"]
        return platform, delivery

    @staticmethod
    def _send_until_settled(core: Core, delivery: Delivery) -> None:
        for number in range(ROUNDS):
            with clock.travel(timedelta(minutes=number * 30)):
                core.send_due()
                delivery.refresh_from_db()
                if delivery.state == "unknown":
                    core.ask_about(delivery)
                delivery.refresh_from_db()


def _is_open(surface: Surface) -> bool:
    return surface.answer_here and surface.reply_rule != "none"
