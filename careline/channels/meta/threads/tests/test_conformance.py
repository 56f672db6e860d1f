"""Threads keeps every rule."""

from __future__ import annotations

import pytest

from careline.channels.conformance import ChannelConformance
from careline.channels.meta.threads.tests.rig import ProfileRig


class TestThreadsConformance(ChannelConformance):
    @pytest.fixture
    def rig(self) -> ProfileRig:
        return ProfileRig()
