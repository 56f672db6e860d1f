"""Hints between processes on PostgreSQL: NOTIFY after commit, LISTEN on a connection of its own that reconnects. Losing one costs a second."""

from __future__ import annotations

import queue
import re
import threading

import psycopg
import structlog
from django.db import connections

from careline.events import hub

CHANNEL = "careline"
_HINT = re.compile(r"[0-9]{1,19}:[0-9]{1,19}")
_log = structlog.get_logger()


class PostgresBridge:
    """A thread that listens and one that tells. Each survives a lost connection."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._outbox: queue.SimpleQueue[tuple[int, int] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._listen, name="hints-in", daemon=True),
            threading.Thread(target=self._tell, name="hints-out", daemon=True),
        ]

    def start(self) -> None:
        """Begin listening and telling."""
        hub.install_bridge(lambda workspace_id, n: self._outbox.put((workspace_id, n)))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End both threads."""
        hub.install_bridge(None)
        self._stopping.set()
        self._outbox.put(None)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(address_of_database(), autocommit=True) as link:
                    link.execute(f"LISTEN {CHANNEL}")
                    while not self._stopping.is_set():
                        for note in link.notifies(timeout=1.0):
                            if _HINT.fullmatch(note.payload):  # anybody on this database may notify
                                workspace_id, _, n = note.payload.partition(":")
                                hub.tell(int(workspace_id), int(n))
            except psycopg.Error as error:
                _log.warning("hints_lost", error=type(error).__name__)
                self._stopping.wait(1.0)

    def _tell(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(address_of_database(), autocommit=True) as link:
                    while (hint := self._outbox.get()) is not None:
                        link.execute("SELECT pg_notify(%s, %s)", [CHANNEL, f"{hint[0]}:{hint[1]}"])
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
