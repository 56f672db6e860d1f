"""Every package and vendored file has its reason in docs/dependencies.md, at the version that is pinned."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.documents.reading import DOCS, ROOT, prose, rows

PAGE = DOCS / "dependencies.md"
UNUSED = "Declared, not imported by the present code"


def _chosen(name: str) -> set[str]:
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return {_plain(line) for line in lines if line and not line.startswith(("#", "-"))}


def _plain(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
    assert found, requirement
    return found[0].lower()


def _pinned() -> set[tuple[str, str]]:
    locked = "\n".join(path.read_text() for path in (ROOT / "requirements").glob("*.txt"))
    return {(name.lower(), version) for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", locked, re.M)}


def _told() -> dict[str, str]:
    """Package -> "version, date" of every row that names one."""
    dated = (cells for cells in rows(PAGE) if len(cells) > 3 and re.fullmatch(r"\S+, \d{4}-\d{2}-\d{2}", cells[1]))
    return {cells[0].lower(): cells[1] for cells in dated}


def _unused() -> set[str]:
    section = prose(PAGE).split(f"## {UNUSED}")[1].split("\n## ")[0] if UNUSED in prose(PAGE) else ""
    return {line.split("|")[1].strip().lower() for line in section.splitlines() if line.startswith("| ")}


def test_every_runtime_dependency_has_its_reason() -> None:
    assert _chosen("run.in") - set(_told()) == set()


def test_every_tool_of_the_tests_has_its_reason() -> None:
    assert (_chosen("dev.in") | _chosen("tool.in")) - set(_told()) == set()


def test_nothing_is_explained_that_is_not_installed() -> None:
    chosen = _chosen("run.in") | _chosen("dev.in") | _chosen("tool.in")
    assert set(_told()) - chosen - _unused() == set()


def test_versions_are_the_pinned_ones() -> None:
    told = {(name, version.split(",")[0]) for name, version in _told().items() if name not in _unused()}
    assert told - _pinned() == set()


def test_a_package_called_unused_is_imported_nowhere() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "careline").rglob("*.py"))
    imported = {name.lower() for name in re.findall(r"^\s*(?:import|from) (\w+)", sources, re.M)}
    assert {name.replace("-", "_") for name in _unused()} & imported == set()


def test_the_package_asks_for_what_is_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {_plain(one) for one in project["dependencies"]} == _chosen("run.in")


def test_every_vendored_file_has_origin_licence_and_hash() -> None:
    import hashlib

    static = ROOT / "careline" / "screens" / "static"
    table = {cells[0].strip("`"): cells for cells in rows(static / "vendor" / "README.md") if cells[0].startswith("`")}
    held = {path for path in (static / "vendor").rglob("*") if path.is_file() and path.suffix not in {".md", ".txt"}}
    named = {(static / "vendor" / name).resolve() for name in table}
    assert table
    assert held <= named
    for name, cells in table.items():
        path: Path = static / "vendor" / name
        assert hashlib.sha256(path.read_bytes()).hexdigest() in cells[-1]
        assert path.name in prose(PAGE)
