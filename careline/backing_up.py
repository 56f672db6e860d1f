"""Backup while running, restore elsewhere. The archive holds the database and the files; never the key, whose place it names."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

from django.conf import settings
from django.db import connection

from careline import __version__, dumping, upgrading
from careline.errors import Conflict, InputRefused
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.threads import editing
from careline.threads.models import Message, Tombstone
from careline.workspaces.models import Installation

MANIFEST = "careline-backup.json"


def write_backup(target: Path) -> list[str]:
    """One .tar of a consistent database copy, then the files (content-addressed: later ones are merely extra). Counts go into the manifest."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="careline-backup-") as folder:
        database = _copy_database(Path(folder))
        manifest = {
            "version": __version__,
            "made_at": clock.now().isoformat(),
            "database": connection.vendor,
            "messages": Message.objects.count(),
        }
        partial = target.with_name(f"{target.name}.partial")
        with tarfile.open(partial, "w") as archive:
            _add_bytes(archive, MANIFEST, json.dumps(manifest).encode())
            archive.add(database, arcname=database.name)
            files = Path(settings.DATA_DIR) / "files"
            if files.exists():
                archive.add(files, arcname="files")
        partial.replace(target)
    return [
        f"Wrote {target} ({target.stat().st_size // 1024} KiB, {manifest['messages']} messages).",
        f"The key is not in it. Keep a copy of it elsewhere: {_key_place()}",
        "Without that key, secrets and files of this backup cannot be read.",
    ]


def _copy_database(folder: Path) -> Path:
    if connection.vendor == "sqlite":
        target = folder / "careline.sqlite3"
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(target)])
        return target
    target = folder / "careline.sql"
    dumping.dump_postgres(target)
    return target


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _key_place() -> str:
    key = Path(settings.DATA_DIR) / "secret.key"
    return str(key) if key.exists() else "CARELINE_SECRET_KEY of this server's environment"


def restore_backup(source: Path) -> list[str]:
    """Unpack into an empty installation and hold it. Raises Conflict when there is data already, InputRefused for a foreign archive."""
    data = Path(settings.DATA_DIR)
    with tarfile.open(source) as archive:
        manifest = _manifest(archive)
        if manifest["database"] != connection.vendor:
            raise InputRefused(
                "backup_other_database",
                f"This backup is of {manifest['database']}; this installation uses {connection.vendor}.",
            )
        _check_empty(data)
        archive.extractall(data, filter="data", members=[one for one in archive.getmembers() if one.name != MANIFEST])
    connection.close()
    if connection.vendor == "postgresql":
        _load_postgres(data / "careline.sql")
    return [*_hold_restored(), f"Restored {Message.objects.count()} of {manifest['messages']} messages."]


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
    done = subprocess.run(
        ["psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", str(dump), settings.DATABASE_URL],
        capture_output=True,
        text=True,
        check=False,
    )
    dump.unlink()
    if done.returncode:
        raise Conflict("restore_failed", f"psql failed: {done.stderr.strip()[:300]}")


def _hold_restored() -> list[str]:
    upgrading.migrate_with_backup()
    Installation.objects.update_or_create(
        id=1, defaults={"is_held": True, "held_reason": "restored", "home": upgrading.home()}
    )
    gone = reapply_tombstones()
    lines = ["Polling and sending are held. Check the channels, then run `careline resume`."]
    return [*lines, f"{gone} deleted messages stayed deleted."] if gone else lines


def reapply_tombstones() -> int:
    """Words deleted by their authors must not come back with a restore: purge them again. Returns how many were found."""
    again = 0
    for grave in Tombstone.objects.all().iterator():
        living = list(
            Message.objects.filter(channel_id=grave.channel_id, platform_id=grave.platform_id, deleted_at__isnull=True)
        )
        with unit_of_work():
            editing.purge_words(living, grave.at)
        again += len(living)
    return again
