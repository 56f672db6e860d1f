"""Deliveries from platforms: find the connection, verify the raw bytes, cut them apart, journal durably, then 200. In this order, nothing else."""

from __future__ import annotations

from urllib.parse import parse_qsl

from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from careline.channels import registry
from careline.channels.base import HookRequest
from careline.edge.answers import guarded, json_answer
from careline.edge.bodies import read_body
from careline.edge.doors import Doors
from careline.errors import ForeignPayload, UnknownEvent

RECEIVED = Counter("careline_hook_deliveries_total", "Deliveries received from platforms.", ["network", "outcome"])


def hook_routes(doors: Doors, *, limit_bytes: int) -> list[Route]:
    """`/hooks/<network>/<token>`: 200 kept, 202 accepted and counted, 400 foreign, 401 badly signed, 404 unknown, 413 too large, 503 full."""

    async def receive(request: Request) -> Response:
        slug = request.path_params["network"]
        network = registry.network(slug)
        connection = await doors.connection(slug, request.path_params["token"])
        body = await read_body(request, limit_bytes)
        hook = _hook_request(request, body)
        challenge = network.answer_challenge(hook, connection)
        if challenge is not None:
            return Response(challenge.body, challenge.status, media_type=challenge.content_type)
        try:
            network.verify(hook, connection)
        except Exception:
            RECEIVED.labels(slug, "refused").inc()
            raise
        try:
            parts = network.split(hook, connection)
        except ForeignPayload as foreign:
            RECEIVED.labels(slug, "foreign").inc()
            await doors.refuse(connection, body, foreign.message)
            raise
        except UnknownEvent:
            RECEIVED.labels(slug, "unknown").inc()
            return json_answer({"kept": 0}, 202)
        kept = await doors.journal(connection, parts)
        RECEIVED.labels(slug, "kept").inc()
        return json_answer({"kept": kept})

    return [Route("/hooks/{network}/{token}", guarded(receive), methods=["GET", "POST", "PUT"])]


def _url(request: Request) -> str:
    """The address as it was asked for, untouched: some platforms sign it."""
    scope = request.scope
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"")
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    return f"{scope['scheme']}://{host}{path.decode('latin-1')}{'?' if query else ''}{query.decode('latin-1')}"


def _hook_request(request: Request, body: bytes) -> HookRequest:
    query = request.scope.get("query_string", b"")
    return HookRequest(
        method=request.method,
        url=_url(request),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]},
        body=body,
        query=dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {},
        client_address=request.client.host if request.client else "",
    )
