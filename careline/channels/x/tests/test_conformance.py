"""X keeps every rule."""

from __future__ import annotations

import pytest

from careline.channels.conformance import ChannelConformance
from careline.channels.x.tests.rig import XRig


class TestXConformance(ChannelConformance):
    @pytest.fixture
    def rig(self) -> XRig:
        return XRig()
