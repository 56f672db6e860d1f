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


def _hook_request(request: Request, body: bytes) -> HookRequest:
    return HookRequest(
        method=request.method,
        url=str(request.url),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        query=dict(parse_qsl(request.url.query, keep_blank_values=True)),
        client_address=request.client.host if request.client else "",
    )
