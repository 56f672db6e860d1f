"""Bluesky keeps every rule; each call and each answer of its fake is held against the lexicons."""

from __future__ import annotations

import pytest

from careline.channels.bluesky.tests.rig import BlueskyRig
from careline.channels.conformance import ChannelConformance


class TestBlueskyConformance(ChannelConformance):
    @pytest.fixture
    def rig(self) -> BlueskyRig:
        return BlueskyRig()
