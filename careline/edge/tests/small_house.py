"""A house behind the edge that is small enough to see through: a log in a list, rights in a dict. Implements edge.doors.Doors."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
from starlette.types import ASGIApp, Message

from careline.channels.base import ConnectionView, Part
from careline.edge.doors import FileContent, Frame, StoredUpload
from careline.errors import NotFound, SignInRequired
from careline.kit import signing

KEY = b"k" * 32


@dataclass(frozen=True)
class Reply:
    """What an application answered; streams are read until they end."""

    status: int
    headers: dict[str, str]
    body: bytes


def call(app: ASGIApp, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b"") -> Reply:
    """One request straight into an ASGI application."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": urlencode(query or {}).encode(), "root_path": "",
        "scheme": "http", "client": ("127.0.0.1", 1), "server": ("x", 80), "headers": [(b"host", b"x")], "http_version": "1.1",
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


class SmallHouse:
    """`log` by workspace; `rights` by agent: a sight, or nothing for somebody who left. `away` makes reading fail that often."""

    def __init__(self) -> None:
        self.log: dict[int, list[Frame]] = {}
        self.rights: dict[int, list[str]] = {}
        self.asked_rights: list[int] = []
        self.away = 0
        self.oldest: dict[int, int] = {}

    def happen(
        self,
        workspace_id: int,
        audience: str = "workspace",
        *,
        kind: str = "hint",
        said: object = None,
        **aside: object,
    ) -> Frame:
        """One more event."""
        frames = self.log.setdefault(workspace_id, [])
        frame = Frame(len(frames) + 1, kind, audience, msgspec.json.encode(said if said is not None else {}), **aside)  # type: ignore[arg-type]
        frames.append(frame)
        return frame

    def seal(self, purpose: str, claims: dict[str, object], *, lasts_s: int = 60) -> str:
        return signing.seal(KEY, purpose, claims, lasts_s=lasts_s)

    async def connection(self, network: str, hook_token: str) -> ConnectionView:
        raise NotFound

    async def journal(self, connection: ConnectionView, parts: list[Part]) -> int:
        raise NotFound

    async def refuse(self, connection: ConnectionView, raw: bytes, reason: str) -> None:
        raise NotFound

    def ticket(self, purpose: str, ticket: str) -> Mapping[str, object]:
        return signing.unseal(KEY, purpose, ticket)

    async def frames_after(self, workspace_id: int, n: int, locale: str) -> tuple[list[Frame], bool]:
        await asyncio.sleep(0)
        if self.away:
            self.away -= 1
            raise OSError("the database is away")
        if n + 1 < self.oldest.get(workspace_id, 0):
            return [], True
        return [frame for frame in self.log.get(workspace_id, []) if frame.n > n][:500], False

    async def latest(self, workspace_id: int) -> int:
        return len(self.log.get(workspace_id, []))

    async def stream_claims(self, claims: Mapping[str, object]) -> Mapping[str, object]:
        agent_id = claims["agent"]
        assert isinstance(agent_id, int)
        self.asked_rights.append(agent_id)
        if agent_id not in self.rights:
            raise SignInRequired("agent_ended")
        return {**claims, "sight": self.rights[agent_id], "locale": "en"}

    async def read_file(self, workspace_id: int, file_id: int, name: str) -> FileContent:
        raise NotFound

    async def store_upload(self, claims: Mapping[str, object], content: bytes, name: str) -> StoredUpload:
        raise NotFound

    async def is_ready(self) -> tuple[bool, str]:
        return True, "ready"

    async def metrics(self) -> bytes:
        return b""
