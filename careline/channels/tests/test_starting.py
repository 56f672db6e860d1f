"""`careline channel new`: what it writes keeps every rule, and nothing of it is said to be a fact that nobody looked up."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from careline.channels.starting import write_network
from careline.errors import InputRefused

ROOT = Path(__file__).resolve().parents[3]


def _install(folder: Path) -> None:
    """Its metadata, as an installer leaves it."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["careline.networks"]
    (info / "entry_points.txt").write_text(
        "[careline.networks]\n" + "".join(f"{name} = {target}\n" for name, target in points.items())
    )


def test_a_new_network_passes_the_whole_suite_in_a_package_of_its_own(tmp_path: Path) -> None:
    files = write_network("Pigeon Post", tmp_path)
    folder = tmp_path / "careline-pigeon_post"
    assert {"wire.py", "inbound.py", "outbound.py", "setup.py", "README.md", "icon.svg"} <= {one.name for one in files}
    assert not any("{{" in one.read_text() for one in files)
    _install(folder)
    environment = {**os.environ, "CARELINE_DATA": str(tmp_path), "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", str(folder)]
    ended = subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-1000:]
    assert " passed" in ended.stdout
    code = "from careline.channels.registry import network; print(network('pigeon_post').name)"
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "Pigeon Post"


def test_it_claims_no_proof_and_marks_every_fact(tmp_path: Path) -> None:
    files = {one.name: one.read_text() for one in write_network("pigeons", tmp_path)}
    assert 'proof="D"' in files["rules.py"]
    assert sum(text.count("FACT") for text in files.values()) > 15


@pytest.mark.parametrize("name", ["", "7up", "e-mail", "EMAIL", "a" * 40, "../up"])
def test_a_name_that_is_none_or_taken_is_refused(tmp_path: Path, name: str) -> None:
    if name == "e-mail":
        name = "simulated"
    elif name == "../up":
        (tmp_path / "careline-up").mkdir()
    with pytest.raises(InputRefused):
        write_network(name, tmp_path)
    assert [one.name for one in tmp_path.iterdir()] in ([], ["careline-up"])
