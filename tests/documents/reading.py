"""Our own documents as tests read them: which there are, their tables, headings, code blocks and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_LEFT_OUT = {".venv", ".git", "node_modules", "data", "build", "dist", ".hypothesis", ".mypy_cache", ".ruff_cache"}
_FENCE = re.compile(r"^(```+|~~~+)\s*([\w-]*)\s*$")


@dataclass(frozen=True)
class Block:
    """A fenced block of code, without its fences."""

    language: str
    text: str


def documents() -> list[Path]:
    """Every Markdown file of the repository."""
    found = (path for path in ROOT.rglob("*.md") if not _LEFT_OUT & set(path.relative_to(ROOT).parts))
    return sorted(path for path in found if "fixtures" not in path.parts)


@lru_cache
def _parts(path: Path) -> tuple[tuple[str, ...], tuple[Block, ...]]:
    prose: list[str] = []
    blocks: list[Block] = []
    fence, language, inside = "", "", []
    for line in path.read_text().splitlines():
        mark = _FENCE.match(line.strip())
        if not fence and mark:
            fence, language, inside = mark[1], mark[2], []
        elif fence and mark and mark[1] == fence and not mark[2]:
            blocks.append(Block(language, "\n".join(inside) + "\n"))
            fence = ""
        elif fence:
            inside.append(line)
        else:
            prose.append(line)
    assert not fence, f"{path}: a block of code that never ends"
    return tuple(prose), tuple(blocks)


def prose(path: Path) -> str:
    """A document without its blocks of code."""
    return "\n".join(_parts(path)[0])


def blocks(path: Path) -> tuple[Block, ...]:
    """Its blocks of code."""
    return _parts(path)[1]


def code_spans(path: Path) -> list[str]:
    """What stands between backticks in its prose."""
    return re.findall(r"`([^`\n]+)`", prose(path))


def rows(path: Path) -> Iterator[list[str]]:
    """The rows of all its tables, cells stripped, heads and rules included."""
    for line in prose(path).splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def heads(path: Path) -> list[str]:
    """Its headings."""
    return re.findall(r"^#+\s+(.*?)\s*$", prose(path), re.M)


def anchors(path: Path) -> set[str]:
    """What a link may name after `#`, made from headings: lower case, no punctuation, hyphens for blanks."""
    plain = (re.sub(r"[^\w\s-]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", head)).lower() for head in heads(path))
    return {one.replace(" ", "-") for one in plain}


def links(path: Path) -> list[str]:
    """Targets of its links and pictures."""
    return re.findall(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)", prose(path))
