"""Careline's own rules of the house, held by `bin/check`: each says why, and what to do instead. Run as `python -m tests.rules`."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "careline"
Finding = tuple[Path, int, str]

# The transactions beside unit_of_work: leases and attempts, the journal's own batches, and what upgrades or restores a whole database.
_TRANSACTIONS = {"events/recording.py", "clocks/leases.py", "intake/journal.py", "intake/digest.py"}
# The worker loops, the edge's handlers, the CLI.
_BROAD_EXCEPT = {
    "cli.py", "doors.py", "clocks/firing.py", "edge/answers.py", "edge/hooks.py", "edge/hub.py", "intake/digest.py", "intake/journal.py", "intake/readers.py",
    "intake/housekeeping.py", "intake/fetching.py", "intake/steps/normalise.py", "outbox/sending.py", "serving.py", "triage/child.py", "triage/judging.py", "controlling.py",
}  # fmt: skip
_CLOCKS = {"kit/clock.py", "kit/ids.py"}


def sources() -> Iterator[tuple[Path, str, ast.Module]]:
    """Every module of the product without tests and migrations."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if "/tests/" not in name and "/migrations/" not in name and not name.endswith("conftest.py"):
            yield path, name, ast.parse(path.read_text())


def one_write_transaction(path: Path, name: str, tree: ast.Module) -> Iterator[Finding]:
    """unit_of_work is the only write transaction: it numbers the events."""
    if name in _TRANSACTIONS:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "atomic":
            yield (
                path,
                node.lineno,
                "transaction.atomic: use careline.events.recording.unit_of_work, which numbers the events",
            )


def no_broad_except(path: Path, name: str, tree: ast.Module) -> Iterator[Finding]:
    """`except Exception` lives in worker loops, edge handlers and the CLI: elsewhere it hides a fault."""
    if name in _BROAD_EXCEPT or name.startswith("simulator/") or name.startswith("channels/conformance/"):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and (
            node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
        ):
            reraises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            if not reraises:
                yield path, node.lineno, "a broad except: name the errors, or let the worker loop have it"


def one_clock(path: Path, name: str, tree: ast.Module) -> Iterator[Finding]:
    """Time comes from kit.clock, so that tests can move it."""
    if name in _CLOCKS:
        return
    for node in ast.walk(tree):
        named = (
            (node.value.id, node.attr) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) else None
        )
        if named in {("datetime", "now"), ("datetime", "utcnow"), ("time", "time"), ("timezone", "now")}:
            yield path, node.lineno, f"{named[0]}.{named[1]}: use careline.kit.clock"


def doors_call_actions_and_queries(path: Path, name: str, tree: ast.Module) -> Iterator[Finding]:
    """Screens know no tables."""
    if not name.startswith(("screens/", "api/")) or name.startswith("screens/accounts/"):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "objects":
            yield path, node.lineno, "a table in a door: call actions and queries"


def no_sleep_in_a_request(path: Path, name: str, tree: ast.Module) -> Iterator[Finding]:
    """No request and no transaction waits."""
    # System mail is carried by a thread of its own.
    if not name.startswith(("screens/", "api/", "cases/", "people/", "threads/", "workspaces/")) or name.endswith(
        "accounts/mailing.py"
    ):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "sleep":
            yield path, node.lineno, "a sleep in a request: make it a clock or a job"


def networks_are_whole() -> Iterator[Finding]:
    """Every network's folder explains itself; so does a family of networks on one transport, each in a folder within."""
    for folder in sorted((PACKAGE / "channels").iterdir()):
        if not (folder / "__init__.py").exists() or folder.name in {"actions", "conformance", "migrations", "tests"}:
            continue
        family = [one.parent for one in folder.glob("*/icon.svg")]
        wanted = {one: ("README.md", "tests", "icon.svg") for one in family or [folder]} | (
            {folder: ("README.md", "tests")} if family else {}
        )
        for place, needed in ((place, needed) for place, many in wanted.items() for needed in many):
            if not (place / needed).exists():
                yield place, 1, f"a network without {needed}"


def networks_are_named_in_their_folder_only() -> Iterator[Finding]:
    """Nothing outside a network's folder names it: screens and outbox ask capabilities."""
    slugs = re.compile(r"""network\s*(?:==|!=|in)\s*[("'\[{]""")
    for path, name, _ in sources():
        if name.startswith(("channels/", "simulator/", "demonstrating")):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if slugs.search(line):
                yield path, number, "a network named outside its folder: ask its capabilities"


RULES: tuple[Callable[[Path, str, ast.Module], Iterator[Finding]], ...] = (
    one_write_transaction, no_broad_except, one_clock, doors_call_actions_and_queries, no_sleep_in_a_request,
)  # fmt: skip


def findings() -> list[Finding]:
    """All of them."""
    found = [finding for path, name, tree in sources() for rule in RULES for finding in rule(path, name, tree)]
    return [*found, *networks_are_whole(), *networks_are_named_in_their_folder_only()]


def main() -> int:
    """Print what breaks a rule; 1 when anything does."""
    found = findings()
    for path, line, why in found:
        print(f"{path.relative_to(ROOT)}:{line}: {why}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
