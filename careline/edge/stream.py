"""`GET /w/<ws>/stream`: one event stream a screen, opened with a signed ticket, resumed by number. `POST /w/<ws>/presence`: who looks, who types."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from careline.edge.answers import guarded
from careline.edge.bodies import read_body
from careline.edge.doors import Doors, Frame
from careline.edge.hub import RESET, Hub, Stream, agent_of, chunk_for, sight_of
from careline.errors import InputRefused, SignInRequired, Unavailable

BEAT_S = 15.0
MOST_STREAMS = 10_000
# Who is further behind loads the page anew: that costs less than telling everything.
MOST_BEHIND = 5_000
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Type": "text/event-stream; charset=utf-8"}


class Presence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a screen says of its agent: the case looked at (its id as text, empty for none), and whether they type and in which mode."""

    case: str = ""
    typing: bool = False
    mode: str = ""


def stream_routes(doors: Doors, hub: Hub) -> list[Route]:
    """The stream and presence routes."""

    async def open_stream(request: Request) -> Response:
        ticket = doors.ticket("stream", request.query_params.get("ticket", ""))
        workspace_id, agent_id = _number(ticket, "ws"), _number(ticket, "agent")
        # The number before the rights: a change of rights after it is read below, or by the hub, and never missed.
        latest = await doors.latest(workspace_id)
        claims = await doors.stream_claims(ticket)
        if hub.open_streams >= MOST_STREAMS:
            raise Unavailable("too_many_streams", "Too many screens are open. Try again in a few seconds.")
        since = _since(request)
        stream = Stream(workspace_id, str(claims.get("locale", "en")), sight_of(claims), agent_id)
        head = await _catch_up(doors, stream, since, latest)
        return StreamingResponse(_chunks(hub, stream, head), headers=HEADERS)

    async def say_presence(request: Request) -> Response:
        claims = await doors.stream_claims(doors.ticket("stream", request.query_params.get("ticket", "")))
        said = _presence(await read_body(request, 2048))
        body = msgspec.json.encode(
            {
                "agent": str(_number(claims, "agent")),
                "name": str(claims.get("name", "")),
                "case": said.case,
                "typing": said.typing,
                "mode": said.mode,
            }
        )
        hub.tell(_number(claims, "ws"), Frame(0, "presence", "workspace", body))
        return Response(status_code=204)

    return [
        Route("/w/{workspace}/stream", guarded(open_stream), methods=["GET"]),
        Route("/w/{workspace}/presence", guarded(say_presence), methods=["POST"]),
    ]


async def _catch_up(doors: Doors, stream: Stream, since: int, latest: int) -> tuple[list[bytes], int]:
    if since < 0:
        return [], latest
    if since > latest or latest - since > MOST_BEHIND:
        return [RESET], latest
    chunks: list[bytes] = []
    while since < latest:
        frames, is_gone = await doors.frames_after(stream.workspace_id, since, stream.locale)
        if is_gone:
            return [RESET], latest
        if not frames:
            break
        for frame in frames:
            if frame.type == "agent" and agent_of(frame) in {0, stream.agent_id}:
                stream.sight = sight_of(
                    await doors.stream_claims({"ws": stream.workspace_id, "agent": stream.agent_id})
                )
            if chunk := chunk_for(frame, stream.sight):
                chunks.append(chunk)
        since = frames[-1].n
    return chunks, max(since, latest)


async def _chunks(hub: Hub, stream: Stream, head: tuple[list[bytes], int]) -> AsyncIterator[bytes]:
    chunks, since = head
    stream.n = since
    hub.join(stream)
    try:
        yield (
            b"retry: 1000\n" + f"id: {since}\nevent: open\ndata: {since}\n\n".encode()
            if not chunks
            else b"retry: 1000\n\n"
        )
        for chunk in chunks:
            yield chunk
        if chunks:
            yield f"id: {since}\nevent: open\ndata: {since}\n\n".encode()
        beat = Beat(stream)
        try:
            while (waiting := await stream.waiting()) is not None:
                yield waiting
        finally:
            beat.stop()
    finally:
        hub.leave(stream)


class Beat:
    """Something for a quiet stream every BEAT_S, so that no proxy ends it.

    A timer of its own: a timeout around every wait made a task for each stream and event, the half of what telling 5,000 screens cost.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(BEAT_S, self._beat)

    def _beat(self) -> None:
        if self._stream.queue.empty():
            self._stream.offer(b": beat\n\n")
        self._timer = self._loop.call_later(BEAT_S, self._beat)

    def stop(self) -> None:
        """The stream ended."""
        self._timer.cancel()


def _since(request: Request) -> int:
    text = request.headers.get("last-event-id") or request.query_params.get("since", "-1")
    try:
        return int(text)
    except ValueError as wrong:
        raise InputRefused("since_wrong", "The event number is not a number.", status=400) from wrong


def _presence(body: bytes) -> Presence:
    try:
        return msgspec.json.decode(body, type=Presence)
    except msgspec.DecodeError as wrong:
        raise InputRefused("presence_wrong", "Not a presence message.", status=400) from wrong


def _number(claims: Mapping[str, object], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int):
        raise SignInRequired("ticket_wrong", "This address is not valid.")
    return value
