"""Backup while running, restore elsewhere. The archive holds the database and the files; never the key, whose place it names."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import psycopg
from django.conf import settings
from django.db import connection
from django.db.models import Model

from careline import __version__, dumping, upgrading
from careline.cases.models import Case
from careline.channels import access
from careline.errors import Conflict, InputRefused
from careline.events import bridging
from careline.files import storing
from careline.files.models import StoredFile
from careline.intake.graves import NAME as GRAVES
from careline.intake.graves import Line, obey_graves, read_graves
from careline.kit import clock
from careline.people.models import Person
from careline.threads.models import Message
from careline.workspaces.models import Installation

MANIFEST = "careline-backup.json"
COUNTED: Final[dict[str, type[Model]]] = {"messages": Message, "cases": Case, "persons": Person, "files": StoredFile}


def write_backup(target: Path) -> list[str]:
    """One .tar of a consistent database copy, then the files (content-addressed: later ones are merely extra). Counts go into the manifest.

    Only its owner can read it: it holds everything customers wrote.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    try:
        with tempfile.TemporaryDirectory(prefix=".careline-backup-", dir=target.parent) as folder:
            database, counts = _copy_database(Path(folder))
            manifest = {
                "version": __version__,
                "made_at": clock.now().isoformat(),
                "database": connection.vendor,
                **counts,
            }
            with (
                os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as sink,
                tarfile.open(fileobj=sink, mode="w") as archive,
            ):
                _add_bytes(archive, MANIFEST, json.dumps(manifest).encode())
                archive.add(database, arcname=database.name)
                _add_files(archive, Path(settings.DATA_DIR))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return [
        f"Wrote {target} ({target.stat().st_size // 1024} KiB, {counts['messages']} messages, {counts['cases']} cases).",
        f"The key is not in it. Keep a copy of it elsewhere: {_key_place()}",
        "Without that key, secrets and files of this backup cannot be read.",
    ]


def _copy_database(folder: Path) -> tuple[Path, dict[str, int]]:
    """A copy of one moment, and the counts of that moment."""
    if connection.vendor == "sqlite":
        target = folder / "careline.sqlite3"
        # A connection of its own, for reading: the desk goes on writing meanwhile.
        here = Path(str(connection.settings_dict["NAME"])).resolve().as_uri()
        with closing(sqlite3.connect(f"{here}?mode=ro", uri=True)) as source:
            source.execute("VACUUM INTO ?", [str(target)])
        with closing(sqlite3.connect(target)) as copy:
            return target, {name: copy.execute(_counting(model)).fetchone()[0] for name, model in COUNTED.items()}
    target = folder / "careline.sql"
    # A connection of its own, in no pool: its transaction holds the snapshot that pg_dump reads, so that counts and copy are of one moment.
    with psycopg.connect(bridging.address_of_database()) as link:
        link.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        [snapshot] = link.execute("SELECT pg_export_snapshot()").fetchone() or [""]
        counts = {
            name: (link.execute(_counting(model).encode()).fetchone() or [0])[0] for name, model in COUNTED.items()
        }
        dumping.dump_postgres(target, snapshot=str(snapshot))
    return target, counts


def _counting(model: type[Model]) -> str:
    return f"SELECT COUNT(*) FROM {model._meta.db_table}"  # noqa: S608 - a table's name of ours


def _add_files(archive: tarfile.TarFile, data: Path) -> None:
    """Whole files alone; one that is swept while we walk is missed by nobody."""
    for path in sorted((data / "files").rglob("*")):
        if storing.PARTIAL in path.name or path.is_dir():
            continue
        with suppress(FileNotFoundError):
            archive.add(path, arcname=str(path.relative_to(data)))


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _key_place() -> str:
    key = Path(settings.DATA_DIR) / "secret.key"
    return str(key) if key.exists() else "CARELINE_SECRET_KEY of this server's environment"


def restore_backup(source: Path, deletions: Sequence[Path] = ()) -> list[str]:
    """Unpack into an empty installation and hold it; then obey what was deleted after the backup was made, as far as the lists of
    deletions say so that are given and that the data folder holds.

    Raises Conflict when there is data already, InputRefused for a foreign archive or list.
    """
    data = Path(settings.DATA_DIR)
    graves = [line for path in (data / GRAVES, *deletions) for line in read_graves(path)]
    with tarfile.open(source) as archive:
        manifest = _manifest(archive)
        if manifest.get("database") != connection.vendor:
            raise InputRefused(
                "backup_other_database",
                f"This backup is of {manifest.get('database')}; this installation uses {connection.vendor}.",
            )
        _check_empty(data)
        connection.close()
        for left in data.glob("careline.sqlite3-*"):
            left.unlink()
        archive.extractall(data, filter="data", members=[one for one in archive.getmembers() if _is_ours(one.name)])
    if connection.vendor == "postgresql":
        _load_postgres(data / "careline.sql")
    return [*_hold_restored(graves), *_compare(manifest), *_try_key()]


def _is_ours(name: str) -> bool:
    """An archive brings a database and files: never a key or anything else into the data folder."""
    return name in {"careline.sqlite3", "careline.sql"} or name.startswith("files/")


def _compare(manifest: dict[str, object]) -> list[str]:
    here = {name: model._default_manager.count() for name, model in COUNTED.items()}
    return [f"Restored {number} of {manifest[name]} {name}." for name, number in here.items() if name in manifest]


def _try_key() -> list[str]:
    return (
        []
        if access.key_fits()
        else [
            f"The key here does not open what this backup keeps secret. Put the old installation's key in its place: {_key_place()}"
        ]
    )


def _manifest(archive: tarfile.TarFile) -> dict[str, object]:
    try:
        entry = archive.extractfile(MANIFEST)
    except KeyError:
        entry = None
    if entry is None:
        raise InputRefused("backup_foreign", "This is not a backup of Careline.")
    found = json.loads(entry.read())
    return found if isinstance(found, dict) else {}


def _check_empty(data: Path) -> None:
    if connection.vendor == "sqlite":
        has_data = (data / "careline.sqlite3").exists() and (data / "careline.sqlite3").stat().st_size > 0
    else:
        has_data = bool(connection.introspection.table_names())
    if has_data:
        raise Conflict(
            "restore_not_empty", "There is a database here already. Restore into an empty folder or database."
        )


def _load_postgres(dump: Path) -> None:
    try:
        dumping.load_postgres(dump)
    finally:
        dump.unlink()


def _hold_restored(graves: Sequence[Line]) -> list[str]:
    upgrading.migrate_with_backup()
    Installation.objects.update_or_create(
        id=1, defaults={"is_held": True, "held_reason": "restored", "home": upgrading.home()}
    )
    doubted = upgrading.doubt_deliveries("restored")
    gone = obey_graves(graves)
    lines = ["Polling and sending are held. Check the channels, then run `careline resume`."]
    if doubted:
        lines.append(
            f"{doubted} answers were on their way when the backup was made. Whether they left is unknown: each waits for a person."
        )
    if gone:
        lines.append(f"{gone} deleted messages stayed deleted.")
    return lines
