"""Rings the open widgets of this process when their threads changed: one thread reads the log once for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from django.db import Error as DatabaseError
from django.db import connection

from careline.events import hub
from careline.events.feed import PAGE, events_after
from careline.events.models import Event
from careline.events.recording import last_number
from careline.kit.connections import refresh_connections
from careline.threads.models import Message, Thread

POLL_S = 1.0
Ring = Callable[[str], None]
Place = tuple[int, str]
_log = structlog.get_logger()


class Follower:
    """Starts with the first listener, sleeps while there is none."""

    def __init__(self) -> None:
        self._rings: dict[int, dict[Place, list[Ring]]] = {}
        self._seen: dict[int, int] = {}
        # Re-entrant: `close` is called by a signal handler, which may interrupt the very thread that holds it.
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._leave_hub: Callable[[], None] | None = None

    def listen(self, workspace_id: int, channel_id: int, thread_key: str, ring: Ring) -> Callable[[], None]:
        """Ring "changed" when something happened in this thread, "closing" when the process stops. Returns the way out."""
        place = (channel_id, thread_key)
        with self._lock:
            self._rings.setdefault(workspace_id, {}).setdefault(place, []).append(ring)
            self._start()
        if self._stopping:
            ring("closing")
        return lambda: self._forget(workspace_id, place, ring)

    def is_anyone_here(self, workspace_id: int) -> bool:
        """Whether any widget of this workspace is open in this process."""
        return workspace_id in self._rings

    def close(self) -> None:
        """Tell every widget to come back later, and end."""
        with self._lock:
            self._stopping = True
            rings = [ring for places in self._rings.values() for found in places.values() for ring in found]
        for ring in rings:
            ring("closing")
        self._wake.set()
        if self._leave_hub is not None:
            self._leave_hub()

    def join(self) -> None:
        """After `close`: wait for the reading thread."""
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _forget(self, workspace_id: int, place: Place, ring: Ring) -> None:
        with self._lock:
            places = self._rings.get(workspace_id, {})
            found = places.get(place, [])
            if ring in found:
                found.remove(ring)
            if not found:
                places.pop(place, None)
            if not places:
                self._rings.pop(workspace_id, None)
                self._seen.pop(workspace_id, None)

    def _start(self) -> None:
        if self._thread is None and not self._stopping:
            self._leave_hub = hub.subscribe(lambda workspace_id, n: self._wake.set())
            self._thread = threading.Thread(target=self._run, name="widgets", daemon=True)
            self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            with self._lock:
                workspace_ids = list(self._rings)
            try:
                refresh_connections()
                for workspace_id in workspace_ids:
                    self._look(workspace_id)
            except DatabaseError as error:
                _log.error("widget_follow_failed", error=type(error).__name__)
            # The poll behind the hints: on several nodes another process may have written.
            self._wake.wait(POLL_S if workspace_ids else None)
            self._wake.clear()
        connection.close()

    def _look(self, workspace_id: int) -> None:
        seen = self._seen.get(workspace_id)
        if seen is None:
            self._seen[workspace_id] = last_number(workspace_id)
            self._ring(workspace_id, None)
            return
        events = events_after(workspace_id, seen)
        if not events:
            return
        self._seen[workspace_id] = events[-1].n
        if len(events) == PAGE:
            self._wake.set()
        with self._lock:
            channel_ids = {channel_id for channel_id, _ in self._rings.get(workspace_id, {})}
        self._ring(workspace_id, _places(events, channel_ids))

    def _ring(self, workspace_id: int, places: set[Place] | None) -> None:
        """Ring at these places; None: everywhere, for what happened before this thread began to look."""
        with self._lock:
            known = self._rings.get(workspace_id, {})
            rings = [ring for place, found in known.items() if places is None or place in places for ring in found]
        for ring in rings:
            ring("changed")


def _places(events: list[Event], channel_ids: set[int]) -> set[Place]:
    """Where something happened: two statements at most, none when it was elsewhere."""
    near = [event for event in events if event.channel_id is None or event.channel_id in channel_ids]
    message_ids = {event.message_id for event in near if event.message_id and not event.thread_id}
    thread_ids = {event.thread_id for event in near if event.thread_id}
    if message_ids:
        thread_ids |= set(Message.objects.filter(id__in=message_ids).values_list("thread_id", flat=True))
    found = Thread.objects.filter(id__in=[one for one in thread_ids if one], channel_id__in=channel_ids)
    return set(found.values_list("channel_id", "key")) if thread_ids else set()
