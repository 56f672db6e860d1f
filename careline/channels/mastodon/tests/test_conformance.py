"""Mastodon keeps every rule; each call and each answer of its fake is held against its OpenAPI description."""

from __future__ import annotations

import pytest

from careline.channels.conformance import ChannelConformance
from careline.channels.mastodon.tests.rig import MastodonRig


class TestMastodonConformance(ChannelConformance):
    @pytest.fixture
    def rig(self) -> MastodonRig:
        return MastodonRig()
