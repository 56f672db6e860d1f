"""The platform's own memory, in a file of its own: what was accepted, what was emitted, what was acknowledged. Crash
tests judge by it.

One SQLite connection behind one lock. A killed Careline loses nothing of it; a killed simulator loses nothing it has
answered.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from careline.kit import clock
from careline.simulator.records import (
    Account,
    App,
    EventRow,
    FileRef,
    MailRow,
    MessageRow,
    NewEvent,
    Persona,
    RequestRow,
    ThreadRow,
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS app (
  id TEXT PRIMARY KEY, hook_url TEXT, hook_secret TEXT, token TEXT UNIQUE, revoked INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS account (
  key TEXT PRIMARY KEY, app TEXT, name TEXT, handle TEXT, sending TEXT DEFAULT 'lookup');
CREATE TABLE IF NOT EXISTS person (id TEXT PRIMARY KEY, handle TEXT, name TEXT, vouched BLOB);
CREATE TABLE IF NOT EXISTS thread (
  id TEXT PRIMARY KEY, account TEXT, place TEXT, root_id TEXT, author_id TEXT, views INTEGER DEFAULT 0, moved_at REAL);
CREATE TABLE IF NOT EXISTS message (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, thread TEXT, account TEXT, author_id TEXT, origin TEXT,
  text TEXT, reply_to TEXT DEFAULT '', client_key TEXT DEFAULT '', at REAL, edited_at REAL, deleted_at REAL,
  hidden_at REAL, state TEXT DEFAULT '', reactions BLOB DEFAULT '{}', files BLOB DEFAULT '[]', liked_at REAL,
  comment TEXT DEFAULT '');
CREATE INDEX IF NOT EXISTS message_thread ON message (thread, seq);
CREATE INDEX IF NOT EXISTS message_key ON message (account, client_key);
CREATE INDEX IF NOT EXISTS message_author ON message (author_id, at);
CREATE TABLE IF NOT EXISTS event (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, app TEXT, account TEXT, kind TEXT, body BLOB,
  emitted_at REAL, due_at REAL, tries INTEGER DEFAULT 0, deliveries INTEGER DEFAULT 0, last_status INTEGER DEFAULT 0,
  acked_at REAL);
CREATE INDEX IF NOT EXISTS event_due ON event (due_at) WHERE acked_at IS NULL;
CREATE INDEX IF NOT EXISTS event_account ON event (account, seq);
CREATE TABLE IF NOT EXISTS request (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, account TEXT, client_key TEXT, outcome TEXT);
CREATE TABLE IF NOT EXISTS mail (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT, at REAL, sender TEXT, recipient TEXT, subject TEXT, text TEXT,
  "references" TEXT, reply_to TEXT, is_ours INTEGER);
CREATE TABLE IF NOT EXISTS file (id TEXT PRIMARY KEY, name TEXT, content_type TEXT, content BLOB);
"""
_ADD_MESSAGE = """
INSERT INTO message
(id, thread, account, author_id, origin, text, reply_to, client_key, at, state, reactions, files, comment)
VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)
"""
_ADD_EVENT = """
INSERT INTO event (id, app, account, kind, body, emitted_at, due_at)
VALUES (?, (SELECT app FROM account WHERE key = ?), ?, ?, ?, ?, ?)
"""
_SAVE_THREAD = """
INSERT INTO thread VALUES (?,?,?,?,?,?,?)
ON CONFLICT (id) DO UPDATE SET views = excluded.views, moved_at = excluded.moved_at
"""
_SAVE_APP = """
INSERT INTO app VALUES (?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET
hook_url = excluded.hook_url, hook_secret = excluded.hook_secret, token = excluded.token, revoked = excluded.revoked
"""
_ADD_MAIL = """
INSERT INTO mail (id, at, sender, recipient, subject, text, "references", reply_to, is_ours)
VALUES (?,?,?,?,?,?,?,?,?)
"""
_CHANGEABLE = frozenset({"text", "deleted_at", "hidden_at", "liked_at", "state", "reactions", "edited_at"})
_LATER_COLUMNS = {"liked_at": "REAL", "comment": "TEXT DEFAULT ''"}
_CHANGE = "UPDATE message SET {} = ? WHERE id = ?"
_MARK_ACKED = """
UPDATE event SET acked_at = COALESCE(acked_at, ?), deliveries = deliveries + 1, last_status = ? WHERE seq = ?
"""


class Ledger:
    """Reads and writes. Safe from any thread."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level="IMMEDIATE")
        self._db.row_factory = sqlite3.Row
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)
        self._add_columns()

    def _add_columns(self) -> None:
        """A ledger of an earlier version lacks what came later."""
        known = {row["name"] for row in self._all("PRAGMA table_info(message)")}
        for name, kind in _LATER_COLUMNS.items():
            if name not in known:
                self._run(f"ALTER TABLE message ADD COLUMN {name} {kind}", ())

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # ---- writing

    def save_app(self, app: App, accounts: Sequence[Account]) -> None:
        """Register or move an app with its accounts."""
        with self._lock, self._db:
            self._db.execute(
                _SAVE_APP,
                (app.id, app.hook_url, app.hook_secret, app.token, int(app.revoked)),
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO account VALUES (?,?,?,?,?)",
                [(one.key, app.id, one.name, one.handle, one.sending) for one in accounts],
            )

    def revoke_app(self, app_id: str, *, revoked: bool) -> None:
        self._run("UPDATE app SET revoked = ? WHERE id = ?", (int(revoked), app_id))

    def save_person(self, person: Persona) -> None:
        self._run(
            "INSERT OR REPLACE INTO person VALUES (?,?,?,?)",
            (person.id, person.handle, person.name, msgspec.json.encode(person.vouched)),
        )

    def save_thread(self, thread: ThreadRow) -> None:
        self._run(
            _SAVE_THREAD,
            (thread.id, thread.account, thread.place, thread.root_id, thread.author_id, thread.views, thread.moved_at),
        )

    def add_message(self, row: MessageRow, events: Sequence[NewEvent]) -> MessageRow:
        """Keep a message and emit its events, together. Gives it with its sequence number."""
        said = (
            row.id,
            row.thread,
            row.account,
            row.author_id,
            row.origin,
            row.text,
            row.reply_to,
            row.client_key,
            row.at,
        )
        with self._lock, self._db:
            reactions, files = msgspec.json.encode(row.reactions), msgspec.json.encode(row.files)
            seq = self._db.execute(_ADD_MESSAGE, (*said, row.state, reactions, files, row.comment)).lastrowid
            self._db.execute("UPDATE thread SET moved_at = ? WHERE id = ?", (row.at, row.thread))
            self._emit(events)
        return msgspec.structs.replace(row, seq=seq or 0)

    def change_message(self, message_id: str, column: str, value: object, events: Sequence[NewEvent]) -> None:
        """Set one column (edited text, deleted_at, hidden_at, liked_at, state, reactions) and emit the events of it."""
        if column not in _CHANGEABLE:
            raise KeyError(column)
        with self._lock, self._db:
            self._db.execute(_CHANGE.format(column), (value, message_id))
            self._emit(events)

    def emit(self, events: Sequence[NewEvent]) -> None:
        """Keep events for delivery."""
        with self._lock, self._db:
            self._emit(events)

    def _emit(self, events: Sequence[NewEvent]) -> None:
        now = clock.epoch_s()
        self._db.executemany(
            _ADD_EVENT,
            [(one.id, one.account, one.account, one.kind, one.body, now, now + one.delay_s) for one in events],
        )

    def mark_acked(self, seqs: Sequence[int], status: int) -> None:
        """A 2xx came for a delivery of these events."""
        now = clock.epoch_s()
        with self._lock, self._db:
            self._db.executemany(
                _MARK_ACKED,
                [(now, status, seq) for seq in seqs],
            )

    def mark_failed(self, seqs: Sequence[int], status: int, *, due_at: float) -> None:
        """No 2xx came: try again then."""
        with self._lock, self._db:
            self._db.executemany(
                "UPDATE event SET tries = tries + 1, last_status = ?, due_at = ? WHERE seq = ?",
                [(status, due_at, seq) for seq in seqs],
            )

    def put_off(self, seqs: Sequence[int], due_at: float) -> None:
        """Hold events back, so that later ones overtake them."""
        with self._lock, self._db:
            self._db.executemany("UPDATE event SET due_at = ? WHERE seq = ?", [(due_at, seq) for seq in seqs])

    def note_request(self, account: str, client_key: str, outcome: str) -> None:
        self._run(
            "INSERT INTO request (at, account, client_key, outcome) VALUES (?,?,?,?)",
            (clock.epoch_s(), account, client_key, outcome),
        )

    def add_mail(self, row: MailRow, events: Sequence[NewEvent] = ()) -> None:
        """Keep a mail, with the event that carries it to the brand."""
        values = msgspec.structs.astuple(row)[1:]
        with self._lock, self._db:
            self._db.execute(_ADD_MAIL, values)
            self._emit(events)

    def add_file(self, file_id: str, name: str, content_type: str, content: bytes) -> None:
        self._run("INSERT INTO file VALUES (?,?,?,?)", (file_id, name, content_type, content))

    # ---- reading

    def apps(self) -> list[App]:
        return [App(**{**dict(row), "revoked": bool(row["revoked"])}) for row in self._all("SELECT * FROM app")]

    def app_of_token(self, token: str) -> App | None:
        return next((app for app in self.apps() if app.token == token and not app.revoked), None)

    def accounts(self, app_id: str = "") -> list[Account]:
        rows = self._all("SELECT * FROM account WHERE app = ? OR ? = ''", (app_id, app_id))
        return [Account(**dict(row)) for row in rows]

    def account(self, key: str) -> Account | None:
        return next((one for one in self.accounts() if one.key == key), None)

    def person(self, person_id: str) -> Persona | None:
        rows = self._all("SELECT * FROM person WHERE id = ?", (person_id,))
        return _persona(rows[0]) if rows else None

    def people(self) -> dict[str, Persona]:
        return {row["id"]: _persona(row) for row in self._all("SELECT * FROM person")}

    def thread(self, thread_id: str) -> ThreadRow | None:
        rows = self._all("SELECT * FROM thread WHERE id = ?", (thread_id,))
        return ThreadRow(**dict(rows[0])) if rows else None

    def newest_threads(self, places: Iterable[str], limit: int) -> list[ThreadRow]:
        names = tuple(places)
        marks = ",".join("?" * len(names))
        query = f"SELECT * FROM thread WHERE place IN ({marks}) ORDER BY moved_at DESC LIMIT ?"  # noqa: S608 - marks only
        return [ThreadRow(**dict(row)) for row in self._all(query, (*names, limit))]

    def message(self, message_id: str) -> MessageRow | None:
        rows = self._all("SELECT * FROM message WHERE id = ?", (message_id,))
        return _message(rows[0]) if rows else None

    def messages_of(self, thread_id: str) -> list[MessageRow]:
        return [
            _message(row) for row in self._all("SELECT * FROM message WHERE thread = ? ORDER BY at, seq", (thread_id,))
        ]

    def messages_by_key(self, account: str, client_key: str) -> list[MessageRow]:
        rows = self._all(
            "SELECT * FROM message WHERE account = ? AND client_key = ? ORDER BY seq", (account, client_key)
        )
        return [_message(row) for row in rows]

    def private_replies(self, comment: str) -> int:
        """How often a public message was answered in private."""
        return int(self._all("SELECT count(*) AS n FROM message WHERE comment = ?", (comment,))[0]["n"])

    def messages(self, *, origin: str = "", after: int = 0) -> list[MessageRow]:
        """All utterances after a sequence number, in the order they were accepted."""
        rows = self._all(
            "SELECT * FROM message WHERE seq > ? AND (origin = ? OR ? = '') ORDER BY seq", (after, origin, origin)
        )
        return [_message(row) for row in rows]

    def last_said_at(self, account: str, author_id: str) -> float:
        """When somebody last spoke to an account anywhere, 0 for never."""
        query = "SELECT max(at) AS at FROM message WHERE author_id = ? AND account = ?"
        return float(self._all(query, (author_id, account))[0]["at"] or 0.0)

    def events(self, *, account: str = "", after: int = 0, limit: int = 1_000_000) -> list[EventRow]:
        """Events after a sequence number, in the order they were emitted."""
        query = "SELECT * FROM event WHERE seq > ? AND (account = ? OR ? = '') ORDER BY seq LIMIT ?"
        return [EventRow(**dict(row)) for row in self._all(query, (after, account, account, limit))]

    def due_events(self, limit: int, *, skip: frozenset[int]) -> list[EventRow]:
        query = "SELECT * FROM event WHERE acked_at IS NULL AND due_at <= ? ORDER BY seq LIMIT ?"
        rows = self._all(query, (clock.epoch_s(), limit + len(skip)))
        return [EventRow(**dict(row)) for row in rows if row["seq"] not in skip][:limit]

    def unacked(self) -> int:
        """How many events no 2xx has come for."""
        return int(self._all("SELECT count(*) AS n FROM event WHERE acked_at IS NULL")[0]["n"])

    def requests(self) -> list[RequestRow]:
        return [RequestRow(**dict(row)) for row in self._all("SELECT * FROM request ORDER BY seq")]

    def mails(self, *, after: int = 0) -> list[MailRow]:
        """Mails after a sequence number, oldest first."""
        rows = self._all("SELECT * FROM mail WHERE seq > ? ORDER BY seq", (after,))
        return [MailRow(**{**dict(row), "is_ours": bool(row["is_ours"])}) for row in rows]

    def file(self, file_id: str) -> tuple[str, str, bytes] | None:
        rows = self._all("SELECT * FROM file WHERE id = ?", (file_id,))
        return (rows[0]["name"], rows[0]["content_type"], rows[0]["content"]) if rows else None

    def version(self) -> int:
        """A number that changes whenever anything does: for pages that refresh themselves."""
        return int(self._all("SELECT total_changes() AS n")[0]["n"])

    def _all(self, query: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def _run(self, query: str, values: Sequence[object]) -> None:
        with self._lock, self._db:
            self._db.execute(query, values)


def _persona(row: sqlite3.Row) -> Persona:
    vouched = msgspec.json.decode(row["vouched"], type=dict[str, str])
    return Persona(row["id"], row["handle"], row["name"], vouched)


def _message(row: sqlite3.Row) -> MessageRow:
    reactions = msgspec.json.decode(row["reactions"], type=dict[str, str])
    files = msgspec.json.decode(row["files"], type=tuple[FileRef, ...])
    return MessageRow(**{**dict(row), "reactions": reactions, "files": files})
