"""Files in and out, behind signed tickets: typed by content, never run by a browser."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from careline.edge.answers import guarded, json_answer
from careline.edge.bodies import read_body
from careline.edge.doors import Doors
from careline.errors import InputRefused

_CSP = "default-src 'none'; sandbox; frame-ancestors 'none'"


def file_routes(doors: Doors, *, limit_bytes: int) -> list[Route]:
    """`GET /files/<ticket>` hands a file out; `POST /w/<ws>/files?ticket=&name=` takes raw bytes in and answers with its id and address."""

    async def hand_out(request: Request) -> Response:
        claims = doors.ticket("file", request.path_params["ticket"])
        workspace_id, file_id = claims.get("ws"), claims.get("file")
        if not isinstance(workspace_id, int) or not isinstance(file_id, int):
            raise InputRefused("ticket_wrong", "This address is not valid.", status=400)
        file = await doors.read_file(workspace_id, file_id, str(claims.get("name", "")))
        disposition = "inline" if file.is_inline and "download" not in request.query_params else "attachment"
        headers = {
            "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(file.name)}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": _CSP,
            "Cache-Control": "private, max-age=3600",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        return Response(file.content, headers=headers, media_type=file.content_type)

    async def take_in(request: Request) -> Response:
        claims = doors.ticket("upload", request.query_params.get("ticket", ""))
        content = await read_body(request, limit_bytes, deadline_s=300.0)
        if not content:
            raise InputRefused("file_empty", "The file is empty.", field="file")
        return json_answer(await doors.store_upload(claims, content, request.query_params.get("name", "file")), 201)

    return [
        Route("/files/{ticket}", guarded(hand_out), methods=["GET"]),
        Route("/w/{workspace}/files", guarded(take_in), methods=["POST"]),
    ]
