"""A network can come from another package: found by its entry point, with nothing of ours changed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from careline.channels import registry
from careline.errors import NotFound

PIGEON = """
from careline.channels.base import Network
from careline.channels.capabilities import Capabilities, Surface


class PigeonNetwork(Network):
    slug = "pigeon"
    name = "Carrier pigeons"
    capabilities = Capabilities(proof="D", surfaces=(Surface("letter", "private"),))

    def normalise(self, part, channel):
        return []

    async def send(self, outgoing, channel, tools):
        raise NotImplementedError


NETWORK = PigeonNetwork()
NOT_A_NETWORK = object()
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path that holds another package with its metadata, as an installer leaves it."""
    (tmp_path / "pigeon_network.py").write_text(PIGEON)
    info = tmp_path / "pigeon_network-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeon-network\nVersion: 1.0\n")
    lines = ["[careline.networks]", "pigeon = pigeon_network:NETWORK", "odd = pigeon_network:NOT_A_NETWORK"]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    registry._installed.cache_clear()
    yield tmp_path
    registry._installed.cache_clear()
    sys.modules.pop("pigeon_network", None)


def test_a_network_of_another_package_is_found(elsewhere: Path) -> None:
    found = registry.network("pigeon")
    assert found.name == "Carrier pigeons"
    assert found.capabilities.surface("letter").visibility == "private"


def test_what_is_no_network_is_left_out(elsewhere: Path) -> None:
    assert "odd" not in registry.networks()
    assert "pigeon" in registry.networks()


def test_our_own_networks_are_found_the_same_way() -> None:
    assert {"simulated", "generic", "webchat", "email", "intake_form"} <= set(registry.networks())


def test_a_network_nobody_installed_is_not_found() -> None:
    with pytest.raises(NotFound) as refused:
        registry.network("telepathy")
    assert refused.value.code == "network_unknown"
