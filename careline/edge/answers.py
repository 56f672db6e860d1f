"""Errors of the tree as JSON answers, and the headers every edge answer carries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from careline.errors import CarelineError, InputRefused, RateLimited, Unavailable
from careline.kit.places import place_of

_log = structlog.get_logger()
Endpoint = Callable[[Request], Awaitable[Response]]


def json_answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON by msgspec."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def error_answer(error: CarelineError) -> Response:
    """`{"error": {"code", "message", "field"?}}` with the error's own status."""
    headers = {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    if isinstance(error, Unavailable):
        headers["Retry-After"] = "5"
    body: dict[str, str] = {"code": error.code, "message": error.message}
    if isinstance(error, InputRefused) and error.field:
        body["field"] = error.field
    return json_answer({"error": body}, error.status, headers)


def guarded(endpoint: Endpoint) -> Endpoint:
    """Turn errors of the tree into answers; anything else is logged by its type and answered 500 without details."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except CarelineError as error:
            return error_answer(error)
        except Exception as error:  # the edge handler: nothing may take the process down, nothing may leak
            _log.error("edge_failed", path=_shape_of(request), error=place_of(error))
            return error_answer(CarelineError("internal", "Something went wrong on our side. Try again."))

    return answer


def _shape_of(request: Request) -> str:
    """The path with its parameters' names for their values: tickets and tokens stand in paths, and secrets in no log."""
    path = request.url.path
    for name, value in request.path_params.items():
        path = path.replace(str(value), f"<{name}>") if value else path
    return path
