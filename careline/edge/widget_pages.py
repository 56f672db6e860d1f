"""What the browser loads: the loader script, the chat's page under its own strict policy, and the chat's files."""

from __future__ import annotations

import gzip
import hashlib
import html
import mimetypes
import re
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from careline.channels.base import ChannelView
from careline.channels.webchat import setup
from careline.edge.answers import guarded
from careline.edge.widget_doors import WidgetDoor
from careline.errors import Forbidden, NotFound
from careline.kit import signing

FOLDER = Path(__file__).parent / "widget_static"
LANGUAGES = ("en", "es")
PAGE_LASTS_S = 12 * 3600
PAGE_PURPOSE = "webchat-page"
_NAME = re.compile(r"[a-z_]+\.(js|css|svg)")


class Asset(NamedTuple):
    """A file of the chat, as sent."""

    content: bytes
    packed: bytes
    content_type: str


def page_routes(door: WidgetDoor) -> list[Route]:
    """`/widget/<key>.js`, `/widget/<key>/chat`, `/widget/static/<version>/<name>`."""

    async def loader(request: Request) -> Response:
        channel = await door.channel(request.path_params["key"])
        return _packed_answer(request, _loader(channel, request.path_params["key"]), "public, max-age=300")

    async def page(request: Request) -> Response:
        key = request.path_params["key"]
        channel = await door.channel(key)
        host = check_host(channel, request.query_params.get("host", ""), request.headers.get("referer", ""))
        language = choose_language(request.query_params.get("lang", ""), request.headers.get("accept-language", ""))
        return Response(_page(channel, key, host, language), headers=_page_headers(channel), media_type="text/html")

    async def static(request: Request) -> Response:
        return _packed_answer(request, asset(request.path_params["name"]), "public, max-age=31536000, immutable")

    return [
        Route("/widget/static/{version}/{name}", guarded(static), methods=["GET"]),
        Route("/widget/{key}.js", guarded(loader), methods=["GET"]),
        Route("/widget/{key}/chat", guarded(page), methods=["GET"]),
    ]


def check_host(channel: ChannelView, host: str, referer: str) -> str:
    """The origin of the embedding page. Raises Forbidden unless the channel allows it, or when the browser names another one."""
    if not setup.is_allowed(host, setup.allowed_origins(channel)):
        raise Forbidden(
            "origin_refused", "This chat may not be shown on this site. Its administrator can add the site in Careline."
        )
    parts = urlsplit(referer)
    if referer and f"{parts.scheme}://{parts.netloc}".lower() != host.lower():
        raise Forbidden("origin_refused", "This chat was asked for by another site.")
    return host.lower()


def choose_language(wanted: str, accepted: str) -> str:
    """The host's wish, else the browser's first language we have, else English."""
    offers = [wanted, *(one.split(";")[0] for one in accepted.split(","))]
    found = (offer.strip().lower()[:2] for offer in offers)
    return next((one for one in found if one in LANGUAGES), "en")


@lru_cache(maxsize=64)
def asset(name: str) -> Asset:
    """A file of the chat by name. Raises NotFound."""
    path = FOLDER / name
    if not _NAME.fullmatch(name) or name == "loader.js" or not path.is_file():
        raise NotFound("file_not_found", "There is no such file.")
    content = path.read_bytes()
    return Asset(content, gzip.compress(content, 9, mtime=0), mimetypes.guess_type(name)[0] or "text/plain")


@lru_cache(maxsize=1)
def version() -> str:
    """Changes with any file of the chat, so that its addresses may be kept for a year."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.*")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _loader(channel: ChannelView, key: str) -> Asset:
    return _build_loader(
        key, setup.color(channel), channel.setting("side", "end"), channel.setting("title") or channel.brand_name
    )


@lru_cache(maxsize=256)
def _build_loader(key: str, color: str, side: str, title: str) -> Asset:
    values = {
        "key": key,
        "color": color,
        "ink": setup.ink_on(color),
        "side": "start" if side == "start" else "end",
        "title": title[:80],
    }
    source = (FOLDER / "loader.js").read_bytes()
    content = source.replace(
        b'"__VALUES__"', msgspec.json.encode(values).replace(b"\xe2\x80\xa8", b" ").replace(b"\xe2\x80\xa9", b" ")
    )
    return Asset(content, gzip.compress(content, 9, mtime=0), "text/javascript")


def _packed_answer(request: Request, one: Asset, cache: str) -> Response:
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    # The script tag of another origin must be allowed to read it; there is nothing private in it.
    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(one.content, headers=headers, media_type=one.content_type)
    return Response(one.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=one.content_type)


def _page(channel: ChannelView, key: str, host: str, language: str) -> str:
    color = setup.color(channel)
    greeting = channel.setting(f"greeting_{language}")
    values = {
        "key": key,
        "host": host,
        "language": language,
        "title": (channel.setting("title") or channel.brand_name)[:80],
        "greeting": greeting[:600],
        "color": color,
        "ink": setup.ink_on(color),
        "version": version(),
        "simulated": "true" if channel.is_simulated else "",
        "ticket": signing.seal(channel.signing_key, PAGE_PURPOSE, {"host": host}, lasts_s=PAGE_LASTS_S),
    }
    escaped = {name: html.escape(value) for name, value in values.items()}
    return _template().substitute({**escaped, "preloads": _preloads(language)})


@lru_cache(maxsize=len(LANGUAGES))
def _preloads(language: str) -> str:
    """All modules at once, not one after the other as each is found in the last."""
    others = {f"words_{one}.js" for one in LANGUAGES if one != language} | {"loader.js", "chat.js"}
    names = sorted(path.name for path in FOLDER.glob("*.js") if path.name not in others)
    return "\n".join(f'<link rel="modulepreload" href="/widget/static/{version()}/{name}">' for name in names)


@lru_cache(maxsize=1)
def _template() -> Template:
    return Template((FOLDER / "chat.html").read_text())


def _page_headers(channel: ChannelView) -> dict[str, str]:
    ancestors = " ".join(setup.allowed_origins(channel)) or "'none'"
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        f"form-action 'none'; base-uri 'none'; frame-ancestors {ancestors}"
    )
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Vary": "Accept-Language, Referer",
    }
