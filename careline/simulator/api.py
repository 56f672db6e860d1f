"""The platform's API for apps: posting, asking, editing, deleting, reacting, typing, files and events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from careline.channels.simulated import wire
from careline.kit import clock, ids
from careline.simulator.behaviour import Fault, Temper
from careline.simulator.platform import TEMPLATES, Platform, Refused
from careline.simulator.records import App, MessageRow

_T = TypeVar("_T")
FILE_LIMIT_BYTES = 5 * 1024 * 1024


class Cut(Exception):
    """End the connection without an answer."""


def json_answer(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def refused_answer(refused: Refused) -> Response:
    return json_answer(wire.Refusal(refused.error, refused.error.replace("_", " ")), refused.status)


async def read_json(request: Request, kind: type[_T]) -> _T:
    """The body as a typed value. Raises Refused(400)."""
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise Refused(400, "body_unreadable") from broken


class _TextChange(msgspec.Struct, frozen=True):
    text: str


class _Reaction(msgspec.Struct, frozen=True):
    emoji: str = ""


class Api:
    """The routes below `/api`."""

    def __init__(self, platform: Platform, temper: Temper) -> None:
        self._platform = platform
        self._temper = temper

    def routes(self) -> list[Route]:
        return [
            Route("/api/me", self._as_app(self._me)),
            Route("/api/events", self._as_app(self._events)),
            Route("/api/templates", self._as_app(self._templates)),
            Route("/api/people/{id}", self._as_app(self._person)),
            Route("/api/messages", self._as_app(self._messages), methods=["GET", "POST"]),
            Route("/api/messages/{id}", self._as_app(self._change), methods=["PATCH", "DELETE"]),
            Route("/api/messages/{id}/reactions", self._as_app(self._react), methods=["POST"]),
            Route("/api/messages/{id}/hiding", self._as_app(self._hide), methods=["POST", "DELETE"]),
            Route("/api/messages/{id}/liking", self._as_app(self._like), methods=["POST", "DELETE"]),
            Route("/api/threads/{id:path}/typing", self._as_app(self._typing), methods=["POST"]),
            Route("/api/files", self._as_app(self._upload), methods=["POST"]),
            Route("/api/files/{id}", self._file),
        ]

    def _as_app(
        self, handle: Callable[[Request, App], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                if self._temper.now.is_away:
                    raise Refused(503, "platform_away")
                return await handle(request, self._platform.access_app(_token(request)))
            except Refused as refused:
                return refused_answer(refused)

        return answer

    async def _me(self, request: Request, app: App) -> Response:
        return json_answer(wire.Me(tuple(one.key for one in self._platform.ledger.accounts(app.id))))

    async def _events(self, request: Request, app: App) -> Response:
        account = self._platform.access_account(app, request.query_params.get("account", ""))
        after, limit = _number(request, "after", 0), min(1000, _number(request, "limit", 200))
        rows = self._platform.ledger.events(account=account.key, after=after, limit=limit)
        page = {"events": [msgspec.Raw(row.body) for row in rows], "next": rows[-1].seq if rows else after}
        return json_answer(page)

    async def _templates(self, request: Request, app: App) -> Response:
        self._platform.access_account(app, request.query_params.get("account", ""))
        return json_answer(wire.Approved(TEMPLATES))

    async def _person(self, request: Request, app: App) -> Response:
        """Who somebody is, for apps whose events bear no name."""
        account = self._platform.access_account(app, request.query_params.get("account", ""))
        named = request.path_params["id"]
        self._platform.ledger.note_request(account.key, named, "asked_name")
        before = await _before(self._temper.next_fault())
        if before is not None:
            return before
        person = self._platform.ledger.person(named)
        if person is None:
            raise Refused(404, "person_gone")
        return json_answer(wire.Speaker(person.id, person.handle, person.name))

    async def _messages(self, request: Request, app: App) -> Response:
        if request.method == "GET":
            return self._look_up(request, app)
        new = await read_json(request, wire.NewMessage)
        fault = self._temper.next_fault()
        try:
            return await self._accept(app, new, fault)
        except Refused as refused:
            self._platform.ledger.note_request(new.account, new.client_key, refused.error)
            raise

    def _look_up(self, request: Request, app: App) -> Response:
        account = self._platform.access_account(app, request.query_params.get("account", ""))
        if account.sending == "never_retry":
            raise Refused(404, "no_lookup")
        found = self._platform.ledger.messages_by_key(account.key, request.query_params.get("client_key", ""))
        return json_answer(wire.Found(tuple(_accepted(row) for row in found)))

    async def _accept(self, app: App, new: wire.NewMessage, fault: Fault | None) -> Response:
        before = await _before(fault)
        if before is not None:
            self._platform.ledger.note_request(new.account, new.client_key, fault.kind if fault else "")
            return before
        row, is_new = self._platform.accept(app, new)
        self._platform.ledger.note_request(new.account, new.client_key, f"taken:{fault.kind}" if fault else "taken")
        if is_new:
            self._receipts(row)
        return _after(fault) or json_answer(_accepted(row), 201 if is_new else 200)

    def _receipts(self, row: MessageRow) -> None:
        wanted = self._temper.now.receipts
        if wanted == "none":
            return
        self._platform.receipt(row.id, "sent")
        if wanted == "all" and row.thread.startswith("dm_"):
            self._platform.receipt(row.id, "delivered", delay_s=0.4)
            self._platform.receipt(row.id, "read", delay_s=self._temper.now.read_after_s)

    async def _change(self, request: Request, app: App) -> Response:
        if request.method == "DELETE":
            return await self._moderated(request, app, lambda: self._platform.delete(self._own(request, app).id))
        message = self._own(request, app)
        self._platform.edit(message.id, (await read_json(request, _TextChange)).text)
        return json_answer({})

    async def _moderated(self, request: Request, app: App, work: Callable[[], None]) -> Response:
        """An act on a message, with whatever fault was asked for before or after it."""
        fault = self._temper.next_fault()
        before = await _before(fault)
        if before is not None:
            return before
        work()
        account = self._any(request, app).account
        self._platform.ledger.note_request(account, request.path_params["id"], f"act:{request.url.path}")
        return _after(fault) or json_answer({})

    def _own(self, request: Request, app: App) -> MessageRow:
        message = self._any(request, app)
        if message.author_id != message.account:
            raise Refused(403, "not_yours")
        if message.deleted_at is not None:
            raise Refused(410, "message_gone")
        return message

    def _any(self, request: Request, app: App) -> MessageRow:
        message = self._platform.ledger.message(request.path_params["id"])
        if message is None:
            raise Refused(404, "message_gone")
        self._platform.access_account(app, message.account)
        return message

    async def _react(self, request: Request, app: App) -> Response:
        emoji = (await read_json(request, _Reaction)).emoji
        message = self._any(request, app)
        return await self._moderated(request, app, lambda: self._platform.react(message.id, message.account, emoji))

    async def _hide(self, request: Request, app: App) -> Response:
        message, hidden = self._any(request, app), request.method == "POST"
        return await self._moderated(request, app, lambda: self._platform.hide(message.id, hidden=hidden))

    async def _like(self, request: Request, app: App) -> Response:
        message, liked = self._any(request, app), request.method == "POST"
        return await self._moderated(request, app, lambda: self._platform.like(message.id, liked=liked))

    async def _typing(self, request: Request, app: App) -> Response:
        thread = self._platform.ledger.thread(request.path_params["id"])
        if thread is None or thread.place != "dm":
            raise Refused(404, "thread_gone")
        self._platform.access_account(app, thread.account)
        self._platform.ledger.note_request(thread.account, thread.id, "typing")
        return json_answer({})

    async def _upload(self, request: Request, app: App) -> Response:
        content = await request.body()
        if len(content) > FILE_LIMIT_BYTES:
            raise Refused(413, "file_too_large")
        file_id = f"f_{ids.new_id()}"
        content_type = request.headers.get("content-type", "application/octet-stream")
        self._platform.ledger.add_file(
            file_id, unquote(request.headers.get("x-file-name", "file")), content_type, content
        )
        return json_answer(wire.Uploaded(file_id), 201)

    async def _file(self, request: Request) -> Response:
        found = self._platform.ledger.file(request.path_params["id"])
        if found is None:
            return refused_answer(Refused(404, "file_gone"))
        headers = {"x-content-type-options": "nosniff", "content-security-policy": "sandbox; default-src 'none'"}
        return Response(found[2], headers=headers, media_type=found[1])


async def _before(fault: Fault | None) -> Response | None:
    """What happens instead of taking the message."""
    match fault.kind if fault else "":
        case "rate_limit":
            headers = {"retry-after": fault.retry_after} if fault and fault.retry_after else None
            return json_answer(wire.Refusal("rate_limited"), 429, headers)
        case "away":
            return json_answer(wire.Refusal("platform_away"), 503)
        case "failing":
            return json_answer(wire.Refusal("platform_failed"), 500)
        case "unauthorised":
            return json_answer(wire.Refusal("token_revoked"), 401)
        case "closed":
            return json_answer(wire.Refusal("window_closed"), 403)
        case "cut":
            return cut_answer()
        case "slow":
            await asyncio.sleep(fault.seconds if fault else 0)
    return None


def _after(fault: Fault | None) -> Response | None:
    """What happens once the message is taken."""
    match fault.kind if fault else "":
        case "failing_after":
            return json_answer(wire.Refusal("platform_failed"), 500)
        case "cut_after":
            return cut_answer()
        case "unreadable_after":
            return Response("<html>gateway</html>", 200, media_type="text/html")
    return None


def cut_answer() -> Response:
    """Headers that promise a body, a few bytes of it, then the connection ends."""

    async def some() -> object:
        yield b'{"id": "m_'
        raise Cut

    return StreamingResponse(some(), 201, {"content-length": "200"}, "application/json")  # type: ignore[arg-type] # an async generator


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _number(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 18 else default


def _accepted(row: MessageRow) -> wire.Accepted:
    return wire.Accepted(row.id, row.thread, clock.from_epoch(row.at), row.client_key)
