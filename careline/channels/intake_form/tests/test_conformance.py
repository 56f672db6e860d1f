"""The intake form keeps every rule of what arrives, and refuses for good to answer."""

from __future__ import annotations

import msgspec
import pytest

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Outgoing, Part
from careline.channels.conformance import ChannelConformance, Core, Fault, Platform, Rig, Words
from careline.channels.intake_form import NETWORK
from careline.channels.intake_form.forms import part_from_form
from careline.channels.intake_form.wire import Note
from careline.kit import clock
from careline.outbox.models import Delivery


class IntakeFormRig:
    network = NETWORK
    signed_headers = ()

    def __init__(self) -> None:
        self.channel = ChannelView(3, 7, "intake_form", "desk", "Phone", "", {"region": "ES"}, {})
        self.connection = ConnectionView(1, 7, "intake_form", {}, {"desk": 3})

    def say(self, words: Words) -> bytes:
        return msgspec.json.encode(
            Note(f"note-{words.key:0>4}", "phone", words.text, words.at, name=words.author.title())
        )

    def edit(self, of: Words, text: str) -> bytes | None:
        return None

    def delete(self, of: Words) -> bytes | None:
        return None

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        return None

    def novelty(self) -> bytes | None:
        return None

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        return None

    def fetch(self, event: bytes) -> Part:
        return part_from_form(msgspec.json.decode(event, type=Note), "desk")

    def foreign(self) -> bytes:
        return b'{"object":"page","entry":[]}'

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        return Outgoing(1, "key-1", attempt, surface or "call", 1, "note:1", "note:1", text, "human")

    def listening(self) -> None:
        return None


class TestIntakeFormConformance(ChannelConformance):
    """Each note is a thread of its own, and a call cannot be answered here: two rules read differently."""

    @pytest.fixture
    def rig(self) -> IntakeFormRig:
        return IntakeFormRig()

    def test_events_of_one_thread_share_an_order(self, rig: Rig) -> None:
        note, other = (rig.say(Words(key, clock.now())) for key in ("a", "b"))
        assert rig.fetch(note).order_key == rig.fetch(note).order_key != rig.fetch(other).order_key

    @pytest.mark.django_db
    def test_disorder_leaves_the_thread_in_the_platforms_order(self, rig: Rig, core: Core) -> None:
        for key in ("b", "a"):
            core.receive([rig.say(Words(key, clock.now(), text=key))])
        assert {one.text for one in core.messages()} == {"a", "b"}
        assert len({one.thread_id for one in core.messages()}) == 2

    def _sent_into(self, rig: Rig, core: Core, fault: Fault) -> tuple[Platform | None, Delivery]:
        delivery = self._queued(rig, core, "once")
        assert core.send_due() == 1
        delivery.refresh_from_db()
        assert (delivery.state, delivery.error_code) == ("failed", "no_answer_here")
        return None, delivery
