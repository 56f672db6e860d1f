"""One process opens a SQLite database: an exclusive lock on a file beside it, and a clear message for the second."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from typing import IO

from careline.errors import Conflict

MOUNTS = Path("/proc/mounts")
_NETWORK_FILE_SYSTEMS = {
    "nfs", "nfs4", "cifs", "smbfs", "smb3", "9p", "afs", "ceph", "glusterfs", "lustre",
    "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "fuse.ceph", "fuse.smbnetfs",
}  # fmt: skip
_OCTAL = re.compile(r"\\([0-7]{3})")
_held: dict[Path, IO[str]] = {}


class Taken(Conflict):
    """Another process has the database."""


def hold(database: Path) -> None:
    """Take the database for this process. Raises Conflict('database_taken') or ('network_file_system')."""
    kind = file_system_of(database.parent)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise Conflict(
            "network_file_system",
            f"{database.parent} is on {kind}. SQLite needs a local disk; use PostgreSQL (CARELINE_DATABASE_URL).",
        )
    if database in _held:
        return
    handle = database.with_suffix(".lock").open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as refused:
        handle.seek(0)
        holder = handle.read().strip() or "unknown"
        handle.close()
        raise Taken(
            "database_taken",
            f"Careline already runs on {database} (process {holder}). Stop it first, or use PostgreSQL for several processes.",
        ) from refused
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    _held[database] = handle


def release(database: Path) -> None:
    """Give the database back."""
    handle = _held.pop(database, None)
    if handle is not None:
        handle.close()


def file_system_of(folder: Path) -> str:
    """Type of the file system a folder is on, from /proc/mounts; empty where that is unknown."""
    try:
        mounts = MOUNTS.read_text().splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    target = str(folder.resolve())
    for line in mounts:
        _, point, file_system, *_ = line.split(" ")
        point = _OCTAL.sub(lambda code: chr(int(code[1], 8)), point)  # a blank is written \040 there
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, file_system
    return kind
