"""Static files of the screens: addresses that carry a content hash, the import map, and the app that serves them."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec
from markupsafe import Markup
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).resolve().parent / "static"
PREFIX = "/static/"
_A_YEAR_S = 31_536_000
# The cascade's layers are named in this order by tokens.css; files load in it too.
_LAYERS = ("tokens", "base", "layout", "components", "screens")
_ICON_ALIASES = {
    "chat": "message-circle",
    "email": "mail",
    "form": "clipboard-list",
    "api": "plug",
    "simulated": "radio-tower",
    "widget": "messages-square",
}


@lru_cache(maxsize=512)
def _hash(path: str) -> str:
    return hashlib.sha256((FOLDER / path).read_bytes()).hexdigest()[:12]


def static_url(path: str) -> str:
    """The address of a static file with its content hash. Raises FileNotFoundError for a file that does not exist."""
    return f"{PREFIX}{path}?v={_hash(path)}"


@lru_cache(maxsize=1)
def stylesheets() -> tuple[str, ...]:
    """Addresses of all style sheets in the order of the layers."""
    found = [path for layer in _LAYERS for path in sorted(FOLDER.glob(f"css/{layer}*.css"))]
    return tuple(static_url(f"css/{path.name}") for path in found)


# Modules loaded when they are first needed: one network's counting, approved templates, and what reads further back than a case opens.
LAZY: Final = frozenset({"weighing.js", "top_level_domains.js", "earlier.js", "templates.js"})


@lru_cache(maxsize=1)
def module_scripts() -> tuple[str, ...]:
    """Addresses of the modules every desk needs, for preloading: without it the browser finds them one after the other."""
    return tuple(address for name, address in _modules() if name not in LAZY)


def _modules() -> list[tuple[str, str]]:
    paths = sorted(FOLDER.glob("js/*.js"))
    return [(path.name, static_url(f"js/{path.name}")) for path in paths if not path.name.endswith("worker.js")]


@lru_cache(maxsize=1)
def import_map() -> Markup:
    """Plain module addresses to hashed ones, so that modules import each other by name and still never go stale."""
    imports = {address.partition("?")[0]: address for _, address in _modules()}
    return Markup(msgspec.json.encode({"imports": imports}).decode())  # noqa: S704 - our own file names


@lru_cache(maxsize=1)
def import_map_source() -> str:
    """The Content-Security-Policy source that allows exactly our import map."""
    digest = hashlib.sha256(str(import_map()).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@lru_cache(maxsize=1)
def _sprite_names() -> frozenset[str]:
    text = (FOLDER / "icons" / "sprite.svg").read_text()
    return frozenset(part.partition('"')[0] for part in text.split('<symbol id="')[1:])


def icon_name(wanted: str) -> str:
    """A name of the sprite: the wanted one, what it is called there, or the plain speech bubble."""
    name = _ICON_ALIASES.get(wanted, wanted)
    return name if name in _sprite_names() else "message-circle"


class StaticAssets(StaticFiles):
    """Serves the folder. A hashed address never changes and may be kept for a year; a plain one is asked for again."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with how long it may be kept."""
        answer = await super().get_response(path, scope)
        hashed = scope.get("query_string", b"").startswith(b"v=")
        answer.headers["Cache-Control"] = f"public, max-age={_A_YEAR_S}, immutable" if hashed else "no-cache"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer
