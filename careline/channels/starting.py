"""`careline channel new`: the folder of a network that keeps every rule of the suite, with its facts still to be filled in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from careline.channels.registry import networks
from careline.errors import InputRefused

BLANK: Final = Path(__file__).resolve().parent / "blank"
_SLUG: Final = re.compile(r"[a-z][a-z0-9_]{1,28}")


def write_network(name: str, folder: Path) -> list[Path]:
    """Write `careline-<slug>/` below `folder`; gives its files. Raises InputRefused for a name that is taken or none, or a folder that is there."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
    if not _SLUG.fullmatch(slug):
        raise InputRefused(
            "name_wrong",
            "Name the network with letters and digits, a letter first: for example Pigeon Post.",
            field="name",
        )
    if slug in networks():
        raise InputRefused("name_taken", f"A network {slug} is installed already.", field="name")
    target = folder / f"careline-{slug}"
    if target.exists():
        raise InputRefused("folder_taken", f"{target} is there already.", field="folder")
    words = {
        "slug": slug,
        "name": name.strip(),
        "class": "".join(part.title() for part in slug.split("_")) + "Network",
        "package": f"careline_{slug}",
    }
    return [_write(path, target, words) for path in sorted(BLANK.rglob("*.txt"))]


def _write(blank: Path, target: Path, words: dict[str, str]) -> Path:
    inside = blank.relative_to(BLANK).with_suffix("")
    place = (
        target / "pyproject.toml"
        if inside.name == "package.toml"
        else target / words["package"] / Path(*inside.parts[1:])
    )
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(re.sub(r"\{\{(slug|name|class|package)\}\}", lambda found: words[found[1]], blank.read_text()))
    return place
