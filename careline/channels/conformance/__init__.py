"""The rules every network keeps, as tests to inherit. Test code: the product never imports it.

    class TestPigeons(ChannelConformance):
        @pytest.fixture
        def rig(self) -> Iterator[Rig]:
            yield PigeonRig()

A rig (rig.py) makes the platform speak and listen. Where a capability excludes a rule, the rule asserts that the
network declares so.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from careline.channels.conformance.core import Core
from careline.channels.conformance.core_rules import CoreRules
from careline.channels.conformance.inbound_rules import InboundRules
from careline.channels.conformance.moderation_rules import ModerationRules
from careline.channels.conformance.naming_rules import NamingRules
from careline.channels.conformance.outbound_rules import OutboundRules
from careline.channels.conformance.rig import Fault, Platform, Rig, Standing, Words

__all__ = ["ChannelConformance", "Core", "Fault", "Platform", "Rig", "Standing", "Words"]


class ChannelConformance(InboundRules, OutboundRules, ModerationRules, NamingRules, CoreRules):
    """All rules. A subclass brings the fixture `rig`."""

    @pytest.fixture
    def core(self, rig: Rig, db: None) -> Iterator[Core]:
        """The real journal, digest and outbox, with the rig's channels connected."""
        core = Core(rig)
        yield core
        core.close()
