"""A Page keeps every rule."""

from __future__ import annotations

import pytest

from careline.channels.conformance import ChannelConformance
from careline.channels.meta.facebook.tests.rig import PageRig


class TestPageConformance(ChannelConformance):
    @pytest.fixture
    def rig(self) -> PageRig:
        return PageRig()
