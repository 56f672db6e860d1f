"""Matrix keeps every rule."""

from __future__ import annotations

import pytest

from careline.channels.conformance import ChannelConformance
from careline.channels.matrix.tests.rig import MatrixRig


class TestMatrixConformance(ChannelConformance):
    @pytest.fixture
    def rig(self) -> MatrixRig:
        return MatrixRig()
