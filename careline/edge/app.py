"""The edge as one ASGI application: its own routes first, the core behind the guard for everything else."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from careline.edge.answers import guarded
from careline.edge.doors import Doors
from careline.edge.files import file_routes
from careline.edge.guard import App
from careline.edge.hooks import hook_routes
from careline.edge.hub import Hub
from careline.edge.stream import stream_routes

# A proxy on this machine asks from here too, for somebody who is not.
_PROXIED = frozenset({"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via"})
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def build_app(  # noqa: PLR0913 - the parts of the door, all named
    doors: Doors,
    hub: Hub,
    core: App,
    *,
    static: ASGIApp,
    hook_limit_bytes: int,
    upload_limit_bytes: int,
    metrics_token: str = "",
    more: list[BaseRoute] | None = None,
    lifespan: Lifespan | None = None,
) -> Starlette:
    """The whole door. `more` are further edge routes (the widget's)."""
    routes: list[BaseRoute] = [
        *hook_routes(doors, limit_bytes=hook_limit_bytes),
        *stream_routes(doors, hub),
        *file_routes(doors, limit_bytes=upload_limit_bytes),
        *_operating_routes(doors, metrics_token),
        *(more or []),
        Mount("/static", static),
        Mount("/", core),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _operating_routes(doors: Doors, metrics_token: str) -> list[Route]:
    async def is_alive(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def is_ready(request: Request) -> Response:
        ready, why = await doors.is_ready()
        return PlainTextResponse(f"{why}\n", 200 if ready else 503)

    async def metrics(request: Request) -> Response:
        if metrics_token:
            given = request.headers.get("authorization", "").encode("utf-8", "surrogateescape")
            allowed = hmac.compare_digest(given, f"Bearer {metrics_token}".encode())
        else:
            allowed = (
                request.client is not None
                and request.client.host in {"127.0.0.1", "::1"}
                and _PROXIED.isdisjoint(request.headers.keys())
            )
        if not allowed:
            return PlainTextResponse("Metrics are for this machine, or for bearers of CARELINE_METRICS_TOKEN.\n", 403)
        return Response(await doors.metrics(), media_type="text/plain; version=0.0.4")

    return [
        Route("/healthz", guarded(is_alive)),
        Route("/readyz", guarded(is_ready)),
        Route("/metrics", guarded(metrics)),
    ]
