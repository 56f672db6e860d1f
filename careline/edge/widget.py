"""The widget's API: a visitor of a site speaks, uploads, reads and is told, each request checked for token and origin.

Nothing here knows a table: `WidgetDoor` is handed in. A message is in the journal, durably, before it is answered 200.
"""

from __future__ import annotations

import asyncio
import hmac
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from careline.channels.base import ChannelView
from careline.channels.webchat import inbound, setup, visitors
from careline.channels.webchat.visitors import Visitor
from careline.channels.webchat.wire import Arrived, Spoken, SpokenFile
from careline.edge.answers import guarded, json_answer
from careline.edge.bodies import read_body
from careline.edge.doors import Frame
from careline.edge.hub import Hub
from careline.edge.widget_bodies import (
    Address,
    Opening,
    Receipts,
    Saying,
    case_typed_in,
    check_saying,
    page_of,
    parse_number,
    read,
)
from careline.edge.widget_doors import WidgetDoor
from careline.edge.widget_limits import (
    FILES,
    FILES_OF_ADDRESS,
    MESSAGES,
    MESSAGES_OF_ADDRESS,
    READS,
    SESSIONS_OF_ADDRESS,
    SIGNS,
    Limits,
)
from careline.edge.widget_pages import PAGE_PURPOSE, page_routes
from careline.edge.widget_stream import Streams, shown, typing_frame
from careline.errors import Forbidden, InputRefused, NotFound, SignInRequired
from careline.kit import clock, signing

__all__ = ["WidgetDoor", "widget_routes"]
PAGE_OF_HISTORY = 30
ADDRESS_WAITS_S = (0.2, 0.4, 0.8)
UPLOAD_PURPOSE, UPLOAD_LASTS_S = "webchat-upload", 24 * 3600
_CSP_FILE = "default-src 'none'; sandbox; frame-ancestors 'none'"


def widget_routes(door: WidgetDoor, hub: Hub | None = None) -> list[BaseRoute]:
    """All of the widget. `hub` lets agents see that a visitor types."""
    widget = Widget(door, hub)
    if hub is not None:
        hub.also_close(door.close)
        hub.overhear(widget.overhear)
    base = "/widget/api/{key}"
    return [
        Route(f"{base}/session", guarded(widget.open_session), methods=["POST"]),
        Route(f"{base}/messages", guarded(widget.say), methods=["POST"]),
        Route(f"{base}/messages", guarded(widget.look_back), methods=["GET"]),
        Route(f"{base}/stream", guarded(widget.stream), methods=["GET"]),
        Route(f"{base}/files", guarded(widget.take_file), methods=["POST"]),
        Route(f"{base}/files/{{attachment:int}}", guarded(widget.hand_out_file), methods=["GET"]),
        Route(f"{base}/receipts", guarded(widget.take_receipts), methods=["POST"]),
        Route(f"{base}/typing", guarded(widget.say_typing), methods=["POST"]),
        Route(f"{base}/address", guarded(widget.take_address), methods=["POST"]),
        *page_routes(door),
    ]


class Widget:
    """The endpoints. One per process."""

    def __init__(self, door: WidgetDoor, hub: Hub | None) -> None:
        self._door = door
        self._hub = hub
        self._limits = Limits()
        self._streams = Streams(door)
        self._telling: set[asyncio.Future[None]] = set()

    def overhear(self, workspace_id: int, frame: Frame) -> None:
        """An agent who writes a private answer is shown to the visitor as typing."""
        said = case_typed_in(frame)
        if said is None:
            return
        task = asyncio.ensure_future(self._door.show_typing(workspace_id, said))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def open_session(self, request: Request) -> Response:
        """Who is this visitor, what was said, and how long does an answer take just now."""
        channel = await self._door.channel(request.path_params["key"])
        check_same_origin(request)
        self._limits.check(f"session:{channel.id}:{self._address(request)}", SESSIONS_OF_ADDRESS)
        opening = await read(request, Opening)
        host = _host_of(channel, opening.page)
        arrival = visitors.arrive(channel, host, opening.tokens, opening.user)
        history = await self._door.history(channel, arrival.visitor.thread_key, before=0, limit=PAGE_OF_HISTORY)
        rule = setup.CHAT
        return json_answer(
            {
                "token": arrival.token,
                "tokens": arrival.tokens,
                "visitor": signing.short_tag(channel.signing_key, "webchat-shelf", arrival.visitor.id),
                "n": history.n,
                "messages": [shown(channel, arrival.visitor, one) for one in history.messages],
                "has_earlier": history.has_earlier,
                "availability": await self._door.availability(channel),
                "has_email": any(kind == "email" for kind, _ in arrival.visitor.proven),
                "takes_email": setup.mail_after_min(channel) > 0,
                "longest_text": setup.LONGEST_TEXT,
                "most_files": rule.attachments.per_message,
                "longest_file": rule.attachments.kinds[0].max_bytes,
            },
            headers={"Cache-Control": "no-store"},
        )

    async def say(self, request: Request) -> Response:
        """Take a message: durable when answered, kept once however often it is sent."""
        channel, visitor = await self._enter(request)
        self._limits.check(f"say:{channel.id}:{visitor.id}", MESSAGES)
        self._limits.check(f"say:{channel.id}:{self._address(request)}", MESSAGES_OF_ADDRESS)
        saying = await read(request, Saying)
        check_saying(saying)
        spoken = Spoken(
            visitor=visitor.id,
            client_id=saying.client_id,
            text=saying.text.strip(),
            at=clock.now(),
            name=visitor.name or saying.name.strip(),
            email=saying.email,
            proven=visitor.proven,
            page=page_of(saying.page, visitor.host),
            files=tuple([await self._uploaded(channel, visitor, ticket) for ticket in saying.files]),
        )
        await self._door.submit(channel, [inbound.part_of_spoken(spoken, channel, visitor)])
        return json_answer({"client_id": spoken.client_id, "at": spoken.at})

    async def look_back(self, request: Request) -> Response:
        """Earlier messages, older than `before`."""
        channel, visitor = await self._enter(request)
        self._limits.check(f"read:{channel.id}:{visitor.id}", READS)
        before = parse_number(request.query_params.get("before", "0"), "before")
        history = await self._door.history(channel, visitor.thread_key, before=before, limit=PAGE_OF_HISTORY)
        messages = [shown(channel, visitor, one) for one in history.messages]
        return json_answer(
            {"messages": messages, "has_earlier": history.has_earlier}, headers={"Cache-Control": "no-store"}
        )

    async def stream(self, request: Request) -> Response:
        """Answers as they come, numbered; `Last-Event-ID` resumes."""
        channel, visitor = await self._enter(request)
        self._limits.check(f"read:{channel.id}:{visitor.id}", READS)
        after = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        return self._streams.answer(channel, visitor, parse_number(after, "after"))

    async def take_file(self, request: Request) -> Response:
        """Put raw bytes aside; the ticket goes into a message of the same visitor."""
        channel, visitor = await self._enter(request)
        self._limits.check(f"file:{channel.id}:{visitor.id}", FILES)
        self._limits.check(f"file:{channel.id}:{self._address(request)}", FILES_OF_ADDRESS)
        content = await read_body(request, setup.CHAT.attachments.kinds[0].max_bytes, deadline_s=300.0)
        if not content:
            raise InputRefused("file_empty", "The file is empty.", field="file")
        name = request.query_params.get("name", "")[:160] or "file"
        kept = await self._door.keep_upload(channel, name, content)
        claims: dict[str, object] = {"file": kept.file_id, "visitor": visitor.id, "name": name}
        ticket = signing.seal(channel.signing_key, UPLOAD_PURPOSE, claims, lasts_s=UPLOAD_LASTS_S)
        return json_answer(
            {"file": ticket, "name": name, "size_bytes": kept.size_bytes, "content_type": kept.content_type}, 201
        )

    async def hand_out_file(self, request: Request) -> Response:
        """A file of this visitor's own thread; anything else does not exist."""
        channel, visitor = await self._enter(request)
        self._limits.check(f"read:{channel.id}:{visitor.id}", READS)
        file = await self._door.read_attachment(channel, visitor.thread_key, request.path_params["attachment"])
        disposition = "inline" if file.is_inline else "attachment"
        headers = {
            "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(file.name)}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": _CSP_FILE,
            "Cache-Control": "private, max-age=3600",
        }
        media_type = file.content_type if file.is_inline else "application/octet-stream"
        return Response(file.content, headers=headers, media_type=media_type)

    async def take_receipts(self, request: Request) -> Response:
        """Answers that arrived or were read, journalled like everything else."""
        channel, visitor = await self._enter(request)
        self._limits.check(f"sign:{channel.id}:{visitor.id}", SIGNS)
        receipts = await read(request, Receipts)
        for one in receipts.seen:
            if not _same(one.receipt, inbound.receipt_tag(channel, visitor.thread_key, one.id)):
                raise InputRefused("receipt_wrong", "This receipt is not for you.", field="seen")
        now = clock.now()
        arrived = [Arrived(visitor.id, one.id, receipts.state, now) for one in receipts.seen]
        if arrived:
            await self._door.submit(channel, [inbound.part_of_arrival(one, channel, visitor) for one in arrived])
        return Response(status_code=204)

    async def say_typing(self, request: Request) -> Response:
        """Tell the agents on this case; kept nowhere."""
        channel, visitor = await self._enter(request)
        self._limits.check(f"sign:{channel.id}:{visitor.id}", SIGNS)
        whom = await self._door.typing_audience(channel, visitor.thread_key) if self._hub is not None else None
        if self._hub is not None and whom is not None:
            self._hub.tell(whom.workspace_id, typing_frame(whom))
        return Response(status_code=204)

    async def take_address(self, request: Request) -> Response:
        """Where to write when the visitor is away: a claim, not a proof."""
        channel, visitor = await self._enter(request)
        self._limits.check(f"sign:{channel.id}:{visitor.id}", SIGNS)
        address = await read(request, Address)
        if not address.email:
            raise InputRefused("email_wrong", "This is not an e-mail address.", field="email")
        await self._keep_address(channel, visitor, address.email)
        return Response(status_code=204)

    async def _keep_address(self, channel: ChannelView, visitor: Visitor, email: str) -> None:
        """A first message may still be on its way through the digest: the visitor may be gone before it is there."""
        for wait_s in ADDRESS_WAITS_S:
            try:
                return await self._door.keep_address(channel, visitor.thread_key, email)
            except NotFound:
                await asyncio.sleep(wait_s)
        await self._door.keep_address(channel, visitor.thread_key, email)

    async def _enter(self, request: Request) -> tuple[ChannelView, Visitor]:
        """The channel and visitor of a request. Raises NotFound, Forbidden or SignInRequired."""
        channel = await self._door.channel(request.path_params["key"])
        check_same_origin(request)
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise SignInRequired("token_missing", "This request needs the visitor's token.")
        visitor = visitors.open_visitor(channel, token)
        if not setup.is_allowed(visitor.host, setup.allowed_origins(channel)):
            raise Forbidden("origin_refused", "This chat may no longer be shown on this site.")
        return channel, visitor

    async def _uploaded(self, channel: ChannelView, visitor: Visitor, ticket: str) -> SpokenFile:
        claims = signing.unseal(channel.signing_key, UPLOAD_PURPOSE, ticket)
        file_id = claims.get("file")
        if claims.get("visitor") != visitor.id or not isinstance(file_id, int):
            raise InputRefused("upload_foreign", "This file was uploaded by somebody else.", field="files")
        return SpokenFile(str(claims.get("name", "file")), await self._door.read_upload(channel, file_id))

    def _address(self, request: Request) -> str:
        peer = request.client.host if request.client else ""
        forwarded = request.headers.get("x-forwarded-for", "")
        return forwarded.rsplit(",", 1)[-1].strip() if forwarded and peer in self._door.trusted_proxies else peer


def check_same_origin(request: Request) -> None:
    """Only the chat's own page calls this API. Raises Forbidden for a browser on any other page; a POST must say where it comes from."""
    origin, fetched_from = request.headers.get("origin", ""), request.headers.get("sec-fetch-site", "same-origin")
    is_own = urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    if fetched_from not in {"same-origin", "none"} or (not is_own and (origin or request.method != "GET")):
        raise Forbidden("origin_refused", "This request came from another site.")


def _host_of(channel: ChannelView, page_ticket: str) -> str:
    host = str(signing.unseal(channel.signing_key, PAGE_PURPOSE, page_ticket).get("host", ""))
    if not setup.is_allowed(host, setup.allowed_origins(channel)):
        raise Forbidden("origin_refused", "This chat may no longer be shown on this site.")
    return host


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
