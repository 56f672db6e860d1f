"""What people can meet is written down: settings, events, commands, networks, metrics, log events, roles, keys."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import click

from careline.cli import careline
from careline.events.kinds import KINDS
from careline.kit.crashing import POINTS
from careline.workspaces.roles import ROLE_VERBS
from tests.documents.reading import DOCS, ROOT, code_spans, documents, heads, prose, rows

PACKAGE = ROOT / "careline"
OPERATIONS = DOCS / "operations.md"


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if not {"tests", "migrations"} & set(path.parts):
            yield path, ast.parse(path.read_text())


def _first_cells(path: Path) -> set[str]:
    """Names between backticks in the first column of a page's tables."""
    return {name for cells in rows(path) for name in re.findall(r"`([^`]+)`", cells[0])}


# ---- settings


def _settings_read() -> dict[str, str]:
    """Name -> default, from the calls of `_read`, `_number` and `_flag` in settings.py."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse((PACKAGE / "settings.py").read_text())):
        if (
            not isinstance(node, ast.Call)
            or not isinstance(node.func, ast.Name)
            or node.func.id not in {"_read", "_number", "_flag"}
        ):
            continue
        if not isinstance(node.args[0], ast.Constant):
            continue
        default = _value(node.args[1]) if len(node.args) > 1 else ""
        found[f"CARELINE_{node.args[0].value}"] = str(int(default == "True")) if node.func.id == "_flag" else default
    return found


def _value(node: ast.expr) -> str:
    """A default: a constant, or str() of an arithmetic one."""
    inner = node.args[0] if isinstance(node, ast.Call) else node
    return str(eval(compile(ast.Expression(inner), "settings.py", "eval"), {"__builtins__": {}}))


def _settings_told() -> dict[str, str]:
    told = ((cells[0].strip("`"), cells[1]) for cells in rows(OPERATIONS) if cells[0].startswith("`CARELINE_"))
    return {name: "" if default == "none" else default.strip("`") for name, default in told}


def test_every_setting_is_documented_with_its_default() -> None:
    read = _settings_read()
    assert len(read) > 12
    told = _settings_told()
    assert {name: told.get(name, "not documented") for name in read} == read


def test_no_document_names_a_setting_that_nobody_reads() -> None:
    read = {*_settings_read(), "CARELINE_CRASH_AT", "CARELINE_KILLS", "CARELINE_STRICT"}
    named = {
        (path.name, name) for path in documents() for name in re.findall(r"CARELINE_[A-Z_]*[A-Z]", path.read_text())
    }
    unknown = {(page, name) for page, name in named if name not in read and name.removesuffix("_FILE") not in read}
    assert unknown == set()


def test_settings_read_outside_settings_py_are_documented() -> None:
    source = "\n".join(path.read_text() for path, _ in _modules())
    asked = set(re.findall(r"""environ(?:\.get\(|\[)["'](CARELINE_[A-Z_]+)["']""", source))
    assert "CARELINE_CRASH_AT" in asked
    assert asked - set(_settings_told()) == set()


# ---- events, commands, networks


def test_every_event_kind_is_documented_and_no_other() -> None:
    told = {name for name in _first_cells(DOCS / "events.md") if "." in name}
    assert told == set(KINDS)


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_command_is_documented_and_no_other() -> None:
    told = {
        re.sub(r" [A-Z_]+", "", head.strip("`")) for head in heads(DOCS / "commands.md") if head.startswith("`careline")
    }
    assert told == {f"careline {name}" for name, _ in _commands(careline)}


def test_every_option_of_a_command_is_documented() -> None:
    told = set(code_spans(DOCS / "commands.md"))
    options = {
        text
        for _, command in _commands(careline)
        for one in command.params
        for text in one.opts
        if text.startswith("--")
    }
    assert {"--port", "--roles"} <= options
    assert options - told == set()


def test_every_script_is_documented_and_no_other() -> None:
    told = {name for name in _first_cells(DOCS / "commands.md") if name.startswith("bin/")}
    assert told == {f"bin/{path.name}" for path in (ROOT / "bin").iterdir() if path.is_file()}


def test_every_network_has_a_section_and_a_page_of_its_own() -> None:
    ours = [point for point in entry_points(group="careline.networks") if point.value.startswith("careline.")]
    assert len(ours) >= 5
    page = prose(DOCS / "channels.md")
    for point in ours:
        folder = point.value.partition(":")[0].replace(".", "/")
        assert f"### {point.load().name}\n" in page
        assert f"](../{folder}/README.md)" in page


# ---- what an administrator watches


def _called(names: set[str]) -> Iterator[tuple[str, str]]:
    """(attribute or function, first argument) of every call with a constant first argument."""
    for _, tree in _modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in names and isinstance(node.args[0].value, str):
                    yield name, node.args[0].value


def test_every_metric_is_documented() -> None:
    kept = {name for _, name in _called({"Counter", "Gauge", "Histogram", "Summary"}) if name.startswith("careline_")}
    assert "careline_digested_total" in kept
    assert kept - _first_cells(OPERATIONS) == set()


def test_every_log_event_is_documented() -> None:
    logged = {name for _, name in _called({"info", "warning", "error"}) if re.fullmatch(r"[a-z_]+", name)}
    assert "house_open" in logged
    assert logged - _first_cells(OPERATIONS) == set()


def test_every_crash_point_is_documented_and_no_other() -> None:
    told = {
        name for name in _first_cells(OPERATIONS) if re.fullmatch(r"(journal|digest|send|moderate|mail)\.[a-z_]+", name)
    }
    assert told == set(POINTS)


def test_every_role_and_verb_is_documented_as_the_table_says() -> None:
    table = [
        cells for cells in rows(DOCS / "guides" / "administrator.md") if cells[0].startswith("`") or cells[0] == "may"
    ]
    roles = table[0][1:]
    assert roles == list(ROLE_VERBS)
    told = {
        role: {cells[0].strip("`") for cells in table[1:] if cells[at + 1] == "yes"} for at, role in enumerate(roles)
    }
    assert told == {role: set(verbs) for role, verbs in ROLE_VERBS.items()}


def test_every_key_of_the_desk_is_documented_and_no_other() -> None:
    scripts = "\n".join(path.read_text() for path in (PACKAGE / "screens" / "static" / "js").glob("*.js"))
    keys = set(re.findall(r"""words:\s*"\w+",\s*key:\s*"([^"]+)\"""", scripts))
    assert {"j", "k", "e", "Ctrl K"} <= keys
    table = [cells for cells in rows(DOCS / "guides" / "agent.md") if cells[0].startswith("`")]
    assert {cells[0].strip("`") for cells in table if len(cells) == 2} == keys
