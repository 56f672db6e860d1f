"""Careline as its users have it: the package alone, installed as the Dockerfile does it, away from this folder, with nothing but its own requirements."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.servers.processes import ROOT, free_port

DOCKERFILE = (ROOT / "Dockerfile").read_text()
UV = Path(sys.executable).with_name("uv")
READY_WITHIN_S = 60.0


def _admitted() -> list[str]:
    """What the build is given of this folder, by .dockerignore: everything is refused, some names are let in."""
    lines = (ROOT / ".dockerignore").read_text().split()
    assert lines[0] == "*"
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def _never(folder: str, names: list[str]) -> set[str]:
    refused = [
        line.rsplit("/", 1)[1] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("**/")
    ]
    return {name for name in names if any(fnmatch(name, pattern) for pattern in refused)}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an installation made from what the build is given, by hashed requirements first."""
    folder = tmp_path_factory.mktemp("installed")
    for name in _admitted():
        place = folder / "src" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place, ignore=_never)
        else:
            shutil.copy(ROOT / name, place)
    python = folder / "careline" / "bin" / "python"
    run([UV, "venv", "-q", "--python", sys.executable, folder / "careline"])
    pip = [UV, "pip", "install", "-q", "--python", python]
    run([*pip, "--require-hashes", "-r", folder / "src" / "requirements" / "run.txt"])
    run([*pip, "--no-deps", folder / "src"])
    shutil.rmtree(folder / "src")
    return python.parent


def run(command: list[str | Path], **environment: str) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(
        command, env={**outside(), **environment}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-3000:]}"
    return done.stdout


def outside() -> dict[str, str]:
    """An environment that knows nothing of this folder."""
    return {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("CARELINE_", "PYTHON", "VIRTUAL_ENV")) and key != "DJANGO_SETTINGS_MODULE"
    }


def _instruction(name: str) -> list[str]:
    found = re.findall(rf"^(?:.* )?{name} (\[.*\])$", DOCKERFILE, re.MULTILINE)
    return [str(one) for one in json.loads(found[-1])]


@pytest.fixture
def address(installed: Path, tmp_path: Path) -> Iterator[str]:
    """The command of the image, on a free port, until the test is over."""
    port = free_port()
    command = [*_instruction("CMD")[-4:], "--port", str(port)]
    assert command[:2] == ["careline", "serve"]
    command[3] = "127.0.0.1"
    environment = {
        **outside(),
        "CARELINE_DATA": str(tmp_path / "data"),
        "CARELINE_BASE_URL": f"http://127.0.0.1:{port}",
    }
    log = tmp_path / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [installed / command[0], *command[1:]], env=environment, cwd=tmp_path, stdout=said, stderr=said
        )
    try:
        wait_ready(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(30) == 0
    assert "Traceback" not in log.read_text()


def wait_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until /readyz answers. Raises AssertionError with the log."""
    end_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end_s and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text()[-3000:])


def test_the_image_is_built_from_what_it_copies() -> None:
    copied = [name for line in re.findall(r"^COPY (?!--)(.+)$", DOCKERFILE, re.MULTILINE) for name in line.split()[:-1]]
    assert set(copied) == set(_admitted()) and all((ROOT / name).exists() for name in copied)


def test_the_package_serves_its_first_page_with_its_style_and_its_health(address: str) -> None:
    with urllib.request.urlopen(f"{address}/", timeout=10) as answer:
        page = answer.read().decode()
    styles = re.findall(r'href="(/static/[^"]+\.css[^"]*)"', page)
    assert styles
    for style in styles:
        with urllib.request.urlopen(f"{address}{style}", timeout=10) as answer:
            assert answer.status == 200 and answer.read()
    script = _instruction("CMD") if "HEALTHCHECK" not in DOCKERFILE else _healthcheck()
    run([sys.executable, *script[1:-1], script[-1].replace("http://127.0.0.1:8000", address)])


def _healthcheck() -> list[str]:
    [found] = re.findall(r"^HEALTHCHECK .*?CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    return [str(one) for one in json.loads(found)]


def test_the_package_brings_its_models(installed: Path, tmp_path: Path) -> None:
    said, found = tmp_path / "said.csv", tmp_path / "found.csv"
    said.write_text("text\nThank you so much, lovely crew!\n")
    run([installed / "careline", "triage", "predict", "--verdict", "kind", "--in", said, "--out", found])
    with found.open(newline="") as lines:
        assert [row["pred"] for row in csv.DictReader(lines)] == ["compliment"]


def test_the_package_speaks_spanish(installed: Path, tmp_path: Path) -> None:
    code = (
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'careline.settings'; import django; django.setup();"
        "from django.utils import translation; translation.activate('es'); print(translation.gettext('Save'))"
    )
    assert run([installed / "python", "-c", code], CARELINE_DATA=str(tmp_path)).strip() == "Guardar"
