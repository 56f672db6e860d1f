"""Telegram keeps every rule."""

from __future__ import annotations

import pytest

from careline.channels.conformance import ChannelConformance
from careline.channels.telegram.tests.rig import TelegramRig


class TestTelegramConformance(ChannelConformance):
    @pytest.fixture
    def rig(self) -> TelegramRig:
        return TelegramRig()
