"""Reading whole request bodies with a limit and a deadline; a sender that goes away or dawdles is dropped, never half believed."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from careline.errors import InputRefused, TooLarge

BODY_DEADLINE_S = 30.0


async def read_body(request: Request, limit_bytes: int, *, deadline_s: float = BODY_DEADLINE_S) -> bytes:
    """The whole body. Raises TooLarge (before reading where the length is declared), InputRefused for a cut or slow body."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise TooLarge("body_too_large", f"At most {limit_bytes} bytes are taken here.")
    try:
        async with asyncio.timeout(deadline_s):
            body = await _collect(request, limit_bytes)
    except TimeoutError as slow:
        raise InputRefused("body_too_slow", "The body did not arrive in time.", status=408) from slow
    except ClientDisconnect as gone:
        raise InputRefused("body_cut", "The connection was cut before the body was whole.", status=400) from gone
    if declared.isdigit() and len(body) != int(declared):
        raise InputRefused("body_cut", "The body is shorter than declared.", status=400)
    return body


async def _collect(request: Request, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    size_bytes = 0
    async for part in request.stream():
        size_bytes += len(part)
        if size_bytes > limit_bytes:
            raise TooLarge("body_too_large", f"At most {limit_bytes} bytes are taken here.")
        parts.append(part)
    return b"".join(parts)
