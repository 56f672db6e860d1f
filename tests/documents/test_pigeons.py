"""The network that docs/channels.md writes down works: found by its entry point, it keeps every rule of the suite."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Iterator

import pytest

from careline.channels import registry
from careline.channels.base import Network
from careline.channels.conformance import ChannelConformance
from tests.documents.pigeon_rig import PigeonRig
from tests.documents.reading import DOCS, blocks

PAGE = DOCS / "channels.md"
SHORT_LINES = 200


def _files() -> dict[str, str]:
    """The blocks that begin with their own path, by path."""
    found = [(block.text.splitlines()[0], block.text) for block in blocks(PAGE)]
    return {head.removeprefix("# "): text for head, text in found if head.startswith("# careline-pigeons/")}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The document's package on the path with its metadata, as an installer leaves it."""
    folder = tmp_path_factory.mktemp("site")
    files = _files()
    project = tomllib.loads(files["careline-pigeons/pyproject.toml"])["project"]
    (folder / "careline_pigeons.py").write_text(files["careline-pigeons/careline_pigeons.py"])
    info = folder / f"careline_pigeons-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["careline.networks"]
    lines = ["[careline.networks]", *(f"{name} = {target}" for name, target in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    registry._installed.cache_clear()
    yield registry.network("pigeons")
    sys.path.remove(str(folder))
    sys.modules.pop("careline_pigeons", None)
    registry._installed.cache_clear()


class TestPigeonsOfTheDocument(ChannelConformance):
    @pytest.fixture
    def rig(self, installed: Network) -> PigeonRig:
        return PigeonRig(installed)


def test_the_documents_network_comes_from_another_package(installed: Network) -> None:
    assert type(installed).__module__ == "careline_pigeons"
    assert installed.name == "Carrier pigeons"


def test_a_network_is_written_in_under_two_hundred_lines() -> None:
    assert len(_files()["careline-pigeons/careline_pigeons.py"].splitlines()) < SHORT_LINES


def test_the_documents_test_inherits_the_suite_that_runs_here() -> None:
    shown = _files()["careline-pigeons/tests/test_conformance.py"]
    assert "class TestPigeons(ChannelConformance)" in shown
    compile(shown, "test_conformance.py", "exec")
