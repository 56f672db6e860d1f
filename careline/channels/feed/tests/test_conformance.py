"""A feed keeps every rule of what arrives, fills its gaps from its cursor, and refuses for good to answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from careline.channels.conformance import ChannelConformance, Core, Fault, Platform, Rig
from careline.channels.feed.tests.rig import FeedRig, ListeningRig
from careline.outbox.models import Delivery


class TestFeedConformance(ChannelConformance):
    """It listens but sends nothing: the rule about gaps has its web server, and what is queued fails for good."""

    @pytest.fixture
    def rig(self) -> FeedRig:
        return FeedRig()

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self._folder = tmp_path

    def test_after_an_outage_the_gap_is_filled(self, rig: Rig) -> None:
        super().test_after_an_outage_the_gap_is_filled(ListeningRig(self._folder))

    def _sent_into(self, rig: Rig, core: Core, fault: Fault) -> tuple[Platform | None, Delivery]:
        delivery = self._queued(rig, core, "once")
        assert core.send_due() == 1
        delivery.refresh_from_db()
        assert (delivery.state, delivery.error_code) == ("failed", "no_answer_here")
        return None, delivery
