"""The simulated network keeps every rule, whatever its account does after an unknown outcome."""

from __future__ import annotations

from pathlib import Path

import pytest

from careline.channels.conformance import ChannelConformance
from careline.channels.simulated.tests.rig import SimulatedRig


class TestSimulatedConformance(ChannelConformance):
    @pytest.fixture(params=["lookup", "never_retry", "safe_retry"])
    def rig(self, request: pytest.FixtureRequest, tmp_path: Path) -> SimulatedRig:
        return SimulatedRig(tmp_path, sending=request.param)
