"""WhatsApp keeps every rule."""

from __future__ import annotations

import pytest

from careline.channels.conformance import ChannelConformance
from careline.channels.meta.whatsapp.tests.rig import WhatsAppRig


class TestWhatsAppConformance(ChannelConformance):
    @pytest.fixture
    def rig(self) -> WhatsAppRig:
        return WhatsAppRig()
