"""Hints and whispers between processes on PostgreSQL: NOTIFY after commit, LISTEN on a connection of its own that reconnects.

Losing a hint costs a second; losing a whisper (who looks, who types) costs until it is said again.
"""

from __future__ import annotations

import queue
import re
import threading

import psycopg
import structlog
from django.db import connections

from careline.events import hub
from careline.kit import ids

CHANNEL = "careline"
WHISPERS = "careline_whispers"
# postgresql.org/docs/15/sql-notify.html, read 2026-11-22: a payload must be shorter than 8000 bytes.
MOST_BYTES = 7900
MOST_WAITING = 1000
_HINT = re.compile(r"[0-9]{1,19}:[0-9]{1,19}")
_WHISPER = re.compile(r"([\w-]{1,40}):([0-9]{1,19}):(.*)", re.S)
_log = structlog.get_logger()


class PostgresBridge:
    """A thread that listens and one that tells. Each survives a lost connection."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._name = ids.new_token(8)
        self._outbox: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._listen, name="hints-in", daemon=True),
            threading.Thread(target=self._tell, name="hints-out", daemon=True),
        ]

    def start(self) -> None:
        """Begin listening and telling."""
        hub.install_bridge(lambda workspace_id, n: self._outbox.put((CHANNEL, f"{workspace_id}:{n}")))
        hub.install_carrier(self._carry)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End both threads."""
        hub.install_bridge(None)
        hub.install_carrier(None)
        self._stopping.set()
        self._outbox.put(None)

    def _carry(self, workspace_id: int, said: bytes) -> None:
        """Best effort: what is too long, or cannot leave while the database is away, is dropped."""
        text = f"{self._name}:{workspace_id}:{said.decode()}"
        if len(text.encode()) <= MOST_BYTES and self._outbox.qsize() < MOST_WAITING:
            self._outbox.put((WHISPERS, text))

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(address_of_database(), autocommit=True) as link:
                    link.execute(f"LISTEN {CHANNEL}")
                    link.execute(f"LISTEN {WHISPERS}")
                    while not self._stopping.is_set():
                        for note in link.notifies(timeout=1.0):
                            self._hear(note.channel, note.payload)
            except psycopg.Error as error:
                _log.warning("hints_lost", error=type(error).__name__)
                self._stopping.wait(1.0)

    def _hear(self, channel: str, payload: str) -> None:
        """Anybody on this database may notify; what does not look like ours is nothing. Our own whispers come back to us."""
        if channel == CHANNEL and _HINT.fullmatch(payload):
            workspace_id, _, n = payload.partition(":")
            hub.tell(int(workspace_id), int(n))
        elif channel == WHISPERS and (said := _WHISPER.fullmatch(payload)) and said[1] != self._name:
            hub.overhear(int(said[2]), said[3].encode())

    def _tell(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(address_of_database(), autocommit=True) as link:
                    while (hint := self._outbox.get()) is not None:
                        link.execute("SELECT pg_notify(%s, %s)", hint)
                return
            except psycopg.Error as error:
                _log.warning("hints_lost", error=type(error).__name__)
                self._stopping.wait(1.0)


def address_of_database() -> str:
    """The PostgreSQL database of this installation, for a connection outside Django's pool."""
    known = connections["default"].settings_dict
    parts = {
        "dbname": known["NAME"],
        "user": known["USER"],
        "password": known["PASSWORD"],
        "host": known["HOST"],
        "port": known["PORT"],
    }
    parts |= {key: value for key, value in known["OPTIONS"].items() if key != "pool"}
    return psycopg.conninfo.make_conninfo(**{key: value for key, value in parts.items() if value})


def bridge_for(vendor: str) -> PostgresBridge | None:
    """SQLite has one process and needs none."""
    return PostgresBridge() if vendor == "postgresql" else None
