"""Instagram keeps every rule."""

from __future__ import annotations

import pytest

from careline.channels.conformance import ChannelConformance
from careline.channels.meta.instagram.tests.rig import AccountRig


class TestInstagramConformance(ChannelConformance):
    @pytest.fixture
    def rig(self) -> AccountRig:
        return AccountRig()
