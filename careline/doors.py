"""What the edge is handed by the core: the one implementation of edge.doors.Doors, on Django, each call in the edge's own small thread pool."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

import msgspec
import prometheus_client
from django.db import connection
from django.db.models import QuerySet

from careline.cases.queries.listing import rows_for_stream
from careline.cases.rows import CaseRow
from careline.channels import access
from careline.channels.base import ConnectionView, Part
from careline.edge.doors import FileContent, Frame, StoredUpload
from careline.errors import NotFound, SignInRequired
from careline.events import feed, hub
from careline.events.models import Event
from careline.events.recording import last_number, unit_of_work
from careline.files import storing, typing_content
from careline.files.storing import read_file
from careline.intake.journal import Journal, partition_of, row_of
from careline.intake.models import JournalRow, RefusedDelivery
from careline.kit import signing
from careline.kit.connections import refresh_connections
from careline.screens.inbox.pushing import render_stream_row
from careline.screens.tickets import file_ticket_for, tickets_key
from careline.workspaces.models import Agent, Workspace
from careline.workspaces.sight import viewer_of

CONNECTION_CACHE_S = 3.0
ROW_CACHE = 4000
REFUSED_KEPT = 200
REFUSED = "refused"
P = ParamSpec("P")
T = TypeVar("T")


class CoreDoors:
    """Implements edge.doors.Doors."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._pool = ThreadPoolExecutor(3, thread_name_prefix="doors")
        self._connections: dict[tuple[str, str], tuple[float, ConnectionView]] = {}
        self._rows: OrderedDict[tuple[CaseRow, str, str], str] = OrderedDict()
        self._latest: dict[int, int] = {}
        self._slugs: dict[int, str] = {}
        self.not_ready = "starting"
        hub.subscribe(self._remember)

    def _remember(self, workspace_id: int, n: int) -> None:
        self._latest[workspace_id] = max(n, self._latest.get(workspace_id, 0))

    async def connection(self, network: str, hook_token: str) -> ConnectionView:
        key = (network, hook_token)
        known = self._connections.get(key)
        if known is not None and time.monotonic() - known[0] < CONNECTION_CACHE_S:
            return known[1]
        found = await self._in_thread(access.access_connection, network, hook_token)
        if len(self._connections) > 10_000:
            self._connections.clear()
        self._connections[key] = (time.monotonic(), found)
        return found

    async def journal(self, connection: ConnectionView, parts: list[Part]) -> int:
        rows = [
            row_of(connection.workspace_id, connection.accounts[part.account_key], part)
            for part in parts
            if part.account_key in connection.accounts
        ]
        if rows:
            await self._journal.put(rows)
        return len(rows)

    async def refuse(self, connection: ConnectionView, raw: bytes, reason: str) -> None:
        await self._in_thread(_keep_refused, connection, raw, reason)

    def ticket(self, purpose: str, ticket: str) -> Mapping[str, object]:
        return signing.unseal(tickets_key(), purpose, ticket)

    async def frames_after(self, workspace_id: int, n: int, locale: str) -> tuple[list[Frame], bool]:
        return await self._in_thread(self._frames_after, workspace_id, n, locale)

    def _frames_after(self, workspace_id: int, n: int, locale: str) -> tuple[list[Frame], bool]:
        if self._latest.get(workspace_id, 0) <= n:
            # The poll behind the hints: another process may have written.
            newest = last_number(workspace_id)
            self._remember(workspace_id, newest)
            if newest <= n:
                return [], False
        events = feed.events_after(workspace_id, n)
        if not events or events[0].n > n + 1:
            return [], True  # purged, the next one or all that followed
        rows = self._rows_of(workspace_id, events)
        last_of = {event.case_id: event.n for event in events if event.case_id}
        slug = self._slug(workspace_id)
        return [self._frame(event, rows.get(event.case_id or 0), last_of, (slug, locale)) for event in events], False

    def _slug(self, workspace_id: int) -> str:
        if workspace_id not in self._slugs:
            self._slugs[workspace_id] = Workspace.objects.values_list("slug", flat=True).get(id=workspace_id)
        return self._slugs[workspace_id]

    def _rows_of(self, workspace_id: int, events: list[Event]) -> dict[int, CaseRow]:
        case_ids = sorted({event.case_id for event in events if event.case_id})
        return {row.id: row for row in rows_for_stream(workspace_id, case_ids)} if case_ids else {}

    def _frame(self, event: Event, row: CaseRow | None, last_of: Mapping[int, int], place: tuple[str, str]) -> Frame:
        ids = {name: str(value) for name in _IDS if (value := getattr(event, name)) is not None}
        said: dict[str, object] = {"n": event.n, "kind": event.kind, "facts": event.facts, **ids}
        if event.kind == "agent.notified":
            return Frame(event.n, "notice", event.audience, msgspec.json.encode(said))
        if event.kind == "agent.changed":
            return Frame(event.n, "agent", event.audience, msgspec.json.encode(said))
        if row is None or last_of[event.case_id or 0] != event.n:
            return Frame(event.n, "hint", event.audience, msgspec.json.encode(said))
        said |= {name: getattr(row, name) for name in _ROW_FACTS}
        said |= {name: str(getattr(row, name)) for name in _ROW_IDS}
        said["row"] = self._render(row, *place)
        # A case that moved out of someone's sight must leave their screen, but its words are for those who see it now.
        gone: dict[str, object] = {"n": event.n, "id": str(row.id), "number": row.number}
        if event.audience == "workspace" and event.thread_id:
            gone["thread_id"] = str(event.thread_id)  # a public thread stands in cases of others, too
        return Frame(
            event.n, "case", row.audience, msgspec.json.encode(said), event.audience, msgspec.json.encode(gone)
        )

    def _render(self, row: CaseRow, slug: str, locale: str) -> str:
        key = (row, slug, locale)  # the row whole: names on it change without the case
        known = self._rows.get(key)
        if known is None:
            known = self._rows[key] = render_stream_row(row, slug, locale)
            while len(self._rows) > ROW_CACHE:
                self._rows.popitem(last=False)
        return known

    async def latest(self, workspace_id: int) -> int:
        return await self._in_thread(last_number, workspace_id)

    async def stream_claims(self, claims: Mapping[str, object]) -> Mapping[str, object]:
        return await self._in_thread(_fresh_claims, claims)

    async def read_file(self, workspace_id: int, file_id: int, name: str) -> FileContent:
        row, content = await self._in_thread(read_file, workspace_id, file_id)
        return FileContent(
            content, row.content_type, typing_content.safe_name(name), row.content_type in typing_content.INLINE_TYPES
        )

    async def store_upload(self, claims: Mapping[str, object], content: bytes, name: str) -> StoredUpload:
        return await self._in_thread(_store, claims, content, typing_content.safe_name(name))

    async def is_ready(self) -> tuple[bool, str]:
        if self.not_ready:
            return False, self.not_ready
        try:
            await asyncio.wait_for(self._in_thread(_ask_database), 5)
        except Exception as error:  # the edge handler: whatever it is, we are not ready
            return False, f"database: {type(error).__name__}"
        return True, "ready"

    async def metrics(self) -> bytes:
        return prometheus_client.generate_latest()

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def run() -> T:
            refresh_connections()
            return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)


_IDS = ("case_id", "thread_id", "message_id", "person_id", "channel_id", "delivery_id", "agent_id")
# Identifiers have 63 bits and a browser's numbers 53: they travel as text.
_ROW_IDS = ("id", "assignee_id", "team_id", "channel_id", "person_id")
_ROW_FACTS = (
    "number", "version", "state", "queue_key", "is_public", "is_simulated", "language", "tags", "outcome",
    "waiting_reason", "snoozed_until", "due_at", "audience", "last_at", "priority",
)  # fmt: skip


def _keep_refused(view: ConnectionView, raw: bytes, reason: str) -> None:
    """A dead letter of the connection's first channel, where people look; one without any channel keeps it by itself.

    A platform repeats what was answered 400: the same bytes are kept once.
    """
    channel_id = next(iter(view.accounts.values()), None)
    with unit_of_work() as work:
        if channel_id is None:
            RefusedDelivery.objects.create(
                workspace_id=view.workspace_id, connection_id=view.id, raw=raw, reason=reason[:300]
            )
            _drop_oldest(RefusedDelivery.objects.filter(connection_id=view.id))
            return
        letter = _refused_letter(view.workspace_id, channel_id, raw, reason)
        JournalRow.objects.bulk_create([letter], ignore_conflicts=True)
        _drop_oldest(JournalRow.objects.filter(channel_id=channel_id, state=JournalRow.DEAD, order_key=REFUSED))
        work.record_event(view.workspace_id, "channel.dead_letter", channel_id=channel_id, facts={"what": "refused"})


def _refused_letter(workspace_id: int, channel_id: int, raw: bytes, reason: str) -> JournalRow:
    return JournalRow(
        workspace_id=workspace_id,
        channel_id=channel_id,
        event_key=f"{REFUSED}:{hashlib.sha256(raw).hexdigest()}",
        order_key=REFUSED,
        partition=partition_of(channel_id, REFUSED),
        raw=raw,
        state=JournalRow.DEAD,
        reason="foreign_payload",
        detail=reason[:300],
    )


def _drop_oldest(rows: QuerySet[Any]) -> None:
    old = list(rows.order_by("-id").values_list("id", flat=True)[REFUSED_KEPT : REFUSED_KEPT + 50])
    rows.model._default_manager.filter(id__in=old).delete()


def _fresh_claims(claims: Mapping[str, object]) -> Mapping[str, object]:
    agent_id, workspace_id = claims.get("agent"), claims.get("ws")
    agent = (
        Agent.objects.select_related("workspace", "account")
        .filter(id=agent_id, workspace_id=workspace_id, is_active=True, account__is_active=True)
        .first()
        if isinstance(agent_id, int) and isinstance(workspace_id, int)
        else None
    )
    if agent is None:
        raise SignInRequired("agent_ended", "You are no longer a member of this workspace.")
    viewer = viewer_of(agent)
    return {**claims, "sight": sorted(viewer.sight), "locale": viewer.locale, "role": viewer.role, "name": viewer.name}


def _store(claims: Mapping[str, object], content: bytes, name: str) -> StoredUpload:
    fresh = _fresh_claims(claims)
    workspace_id = fresh["ws"]
    if not isinstance(workspace_id, int):
        raise NotFound
    prepared = storing.prepare_file(workspace_id, content, name)
    with unit_of_work():
        file_id = storing.save_files([prepared])[(workspace_id, prepared.sha256)]
    url = f"/files/{file_ticket_for(fresh, file_id, name)}"
    return StoredUpload(str(file_id), name, prepared.size_bytes, prepared.content_type, url)


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
