"""Links lead somewhere, and commands, scripts and tests that documents name exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

from careline.cli import careline
from tests.documents.reading import DOCS, ROOT, anchors, blocks, code_spans, documents, links, prose, rows

# It quotes what is asked for, also where it is not there yet.
STATUS = DOCS / "status.md"
STATES = {"works", "half", "not"}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", documents(), ids=_name)
def test_relative_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = unquote(target).partition("#")
        there = (page.parent / place).resolve() if place else page
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def _mentioned(page: Path) -> str:
    """What a reader might type: code between backticks and blocks of commands."""
    shell = [block.text for block in blocks(page) if block.language in {"", "sh", "bash", "console", "ini"}]
    return "\n".join([*code_spans(page), *shell])


@pytest.mark.parametrize("page", [page for page in documents() if page != STATUS], ids=_name)
def test_commands_and_scripts_that_are_mentioned_exist(page: Path) -> None:
    # Where `careline` is a user or a service, the command follows it.
    text = re.sub(r"(exec|logs|up -d|-u) careline\b", r"\1", _mentioned(page))
    unknown = [name for name in re.findall(r"(?<![\w./])bin/([a-z]+)\b", text) if not (ROOT / "bin" / name).is_file()]
    for first, second in re.findall(r"(?:^|[\s/`])careline(?: --data \S+)? ([a-z]+)(?: ([a-z-]+))?", text):
        command = careline.commands.get(first)
        if command is None:
            unknown.append(f"careline {first}")
        elif isinstance(command, click.Group) and second and second not in command.commands:
            unknown.append(f"careline {first} {second}")
    assert unknown == []


def test_every_page_can_be_reached_from_the_first() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        waiting += [(page.parent / target.partition("#")[0]).resolve() for target in links(page) if "://" not in target]
    assert {page for page in documents() if page.is_relative_to(DOCS)} - seen == set()


def _tests_named(page: Path) -> list[tuple[str, str]]:
    return re.findall(r"`((?:careline|tests)/[\w/]+\.py)(?:::(\w+))?`", page.read_text())


def _has(path: Path, name: str) -> bool:
    return path.is_file() and (not name or bool(re.search(rf"\b(?:def|class) {name}\b", path.read_text())))


@pytest.mark.parametrize("page", documents(), ids=_name)
def test_tests_and_modules_that_are_named_exist(page: Path) -> None:
    missing = [f"{path}::{name}" for path, name in _tests_named(page) if not _has(ROOT / path, name)]
    assert missing == []


def test_the_status_page_knows_three_states_and_shows_a_test_for_what_works() -> None:
    table = [cells for cells in rows(STATUS) if len(cells) == 4 and cells[1] in STATES | {"works?"}]
    assert len(table) > 80
    unproven = [cells[0] for cells in table if cells[1] == "works" and not re.search(r"`[^`]+`", cells[2])]
    assert unproven == []


def test_no_document_names_a_place_of_one_machine() -> None:
    private = re.compile(r"/(?:home|root|work|Users|tmp/bash)\b")
    told = [_name(page) for page in documents() if private.search(page.read_text())]
    assert told == []


def test_pictures_are_pictures() -> None:
    """That they are there is the links' business."""
    shown = [
        (page.parent / target) for page in documents() for target in re.findall(r"!\[[^\]]*\]\(([^)\s]+)", prose(page))
    ]
    assert shown
    kinds = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"<svg")
    assert [path for path in shown if path.exists() and not path.read_bytes().startswith(kinds)] == []


def test_the_scripts_of_the_documents_are_executable() -> None:
    for script in (ROOT / "bin").iterdir():
        assert script.stat().st_mode & 0o100, f"{script.name} cannot be run"
        checked = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr


def test_the_container_files_name_what_exists() -> None:
    """They cannot be built here: at least their sources, commands and settings are real."""
    image, services = (ROOT / "Dockerfile").read_text(), (ROOT / "compose.yaml").read_text()
    copied = [name for line in re.findall(r"^COPY (?!--from)(.+)$", image, re.M) for name in line.split()[:-1]]
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.M)
    assert len(copied) >= 5
    assert [name for name in copied if not (ROOT / name).exists() or name not in kept] == []
    commands = re.findall(r"""\["careline", (.+?)\]""", image + services)
    assert len(commands) >= 4
    for arguments in commands:
        name, *rest = re.findall(r'"([^"]+)"', arguments)
        careline.commands[name].make_context(name, rest)
    told = (DOCS / "operations.md").read_text()
    assert [name for name in re.findall(r"\b(CARELINE_[A-Z_]+):", services) if f"`{name}`" not in told] == []
