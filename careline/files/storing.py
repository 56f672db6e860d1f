"""Put bytes in, take bytes out, count references, erase. Bytes are written before the transaction that refers to them; orphans are swept."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models import F

from careline.errors import NotFound, TooLarge
from careline.files import typing_content
from careline.files.models import StoredFile
from careline.kit import clock, crypto, ids

PARTIAL: Final = ".partial-"
_BYTES_STAY: Final = timedelta(hours=1)


@dataclass(frozen=True)
class PreparedFile:
    """Bytes already on disk, with the row still to be written by `save_files` in the caller's unit of work."""

    workspace_id: int
    sha256: str
    size_bytes: int
    content_type: str
    width_px: int | None
    height_px: int | None
    wrapped_key: bytes


def _box() -> crypto.Box:
    return crypto.Box(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def _path(workspace_id: int, sha256: str, key: bytes) -> Path:
    """Bytes are kept by content and key: two who put the same content in at once write two files, and the row says which one lives."""
    mark = hashlib.blake2b(key, digest_size=8).hexdigest()
    return _folder(workspace_id) / sha256[:2] / f"{sha256}-{mark}"


def _folder(workspace_id: int) -> Path:
    return Path(settings.DATA_DIR) / "files" / str(workspace_id)


def prepare_file(workspace_id: int, content: bytes, name: str = "") -> PreparedFile:
    """Type, encrypt and write bytes to disk, before any transaction. Raises TooLarge above CARELINE_UPLOAD_LIMIT.

    Content already there keeps its bytes and its key, and is safe from the sweep for the next hours.
    """
    if len(content) > settings.UPLOAD_LIMIT_BYTES:
        raise TooLarge("file_too_large", f"A file may have at most {settings.UPLOAD_LIMIT_BYTES // 1024 // 1024} MB.")
    sha256 = hashlib.sha256(content).hexdigest()
    kind = typing_content.type_of(content, name)
    size = typing_content.image_size(content, kind)
    known = _known_key(workspace_id, sha256)
    if known is not None and _touch(_path(workspace_id, sha256, _box().open(known))):
        return PreparedFile(workspace_id, sha256, len(content), kind, *size, known)
    key = crypto.new_file_key()
    _write_durably(_path(workspace_id, sha256, key), crypto.encrypt_file(key, content))
    return PreparedFile(workspace_id, sha256, len(content), kind, *size, _box().close(key))


def _known_key(workspace_id: int, sha256: str) -> bytes | None:
    rows = StoredFile.objects.filter(workspace_id=workspace_id, sha256=sha256, erased_at__isnull=True)
    wrapped = rows.values_list("wrapped_key", flat=True).first()
    return None if wrapped is None else bytes(wrapped)


def _touch(path: Path) -> bool:
    """Make bytes young, so that no sweep takes them before they are referred to. False when they are gone."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _write_durably(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}{PARTIAL}{ids.new_token(6)}")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """The name is on disk too: a row that survives a power cut must find its bytes."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def save_files(prepared: Iterable[PreparedFile]) -> dict[tuple[int, str], int]:
    """Inside a unit of work: one reference more for each, rows where there were none. Returns (workspace, sha256) -> file id. Three statements at most."""
    by_key = {(one.workspace_id, one.sha256): one for one in prepared}
    if not by_key:
        return {}
    StoredFile.objects.bulk_create(
        [
            StoredFile(
                workspace_id=one.workspace_id,
                sha256=one.sha256,
                size_bytes=one.size_bytes,
                content_type=one.content_type,
                width_px=one.width_px,
                height_px=one.height_px,
                wrapped_key=one.wrapped_key,
            )
            for _, one in sorted(by_key.items())
        ],
        update_conflicts=True,
        unique_fields=["workspace_id", "sha256"],
        # The key names its own bytes, so whoever comes last is right; a row that comes back is young again, or the sweep would take it at once.
        update_fields=["wrapped_key", "erased_at", "created_at"],
    )
    found = StoredFile.objects.filter(
        workspace_id__in={workspace for workspace, _ in by_key}, sha256__in={sha for _, sha in by_key}
    ).values_list("id", "workspace_id", "sha256")
    return {
        (workspace_id, sha256): file_id for file_id, workspace_id, sha256 in found if (workspace_id, sha256) in by_key
    }


def count_references(file_ids: Iterable[int], by: int = 1) -> None:
    """Add (or, with -1, take away) one reference per mention. One statement per distinct count."""
    for count, members in _by_count(file_ids).items():
        StoredFile.objects.filter(id__in=members).update(reference_count=F("reference_count") + by * count)


def _by_count(file_ids: Iterable[int]) -> dict[int, list[int]]:
    grouped: dict[int, list[int]] = {}
    for file_id, count in Counter(file_ids).items():
        grouped.setdefault(count, []).append(file_id)
    return grouped


def read_file(workspace_id: int, file_id: int) -> tuple[StoredFile, bytes]:
    """The row and the plain bytes. Raises NotFound for a foreign, erased or missing file."""
    row = StoredFile.objects.filter(id=file_id, workspace_id=workspace_id, erased_at__isnull=True).first()
    if row is None:
        raise NotFound("file_not_found", "This file does not exist.")
    key = _box().open(bytes(row.wrapped_key))
    try:
        sealed = _path(workspace_id, row.sha256, key).read_bytes()
    except FileNotFoundError as missing:
        raise NotFound("file_missing", "This file is no longer on disk.") from missing
    return row, crypto.decrypt_file(key, sealed)


def sweep_unreferenced(older_than: timedelta = timedelta(hours=24), limit: int = 500) -> int:
    """Erase files nobody refers to: the key first, then the bytes. Returns how many.

    Bytes somebody has just put in again are left: their row is about to come back. If it does not, `sweep_strays` finds them.
    """
    unreferenced = StoredFile.objects.filter(
        reference_count__lte=0, erased_at__isnull=True, created_at__lt=clock.now() - older_than
    )
    chosen = list(unreferenced.order_by("created_at")[:limit])
    paths = {row.id: _path(row.workspace_id, row.sha256, _box().open(bytes(row.wrapped_key))) for row in chosen}
    unreferenced.filter(id__in=list(paths)).update(wrapped_key=b"", erased_at=clock.now())
    gone = list(StoredFile.objects.filter(id__in=list(paths), erased_at__isnull=False).values_list("id", flat=True))
    for file_id in gone:
        _unlink_old(paths[file_id], _BYTES_STAY)
    return len(gone)


def sweep_strays(prefix: str, older_than: timedelta = timedelta(hours=24)) -> int:
    """Remove bytes no row knows, of contents whose hash begins with `prefix` (two hex digits): a crash between writing and the transaction
    leaves them, and so does a second copy written at once. Returns how many.
    """
    removed = 0
    for folder in (Path(settings.DATA_DIR) / "files").glob(f"*/{prefix}"):
        rows = StoredFile.objects.filter(
            workspace_id=int(folder.parent.name), sha256__startswith=prefix, erased_at__isnull=True
        )
        alive = {
            _path(row.workspace_id, row.sha256, _box().open(bytes(row.wrapped_key))).name for row in rows.iterator()
        }
        removed += sum(_unlink_old(path, older_than) for path in folder.iterdir() if path.name not in alive)
    return removed


def _unlink_old(path: Path, older_than: timedelta) -> bool:
    try:
        if clock.epoch_s() - path.stat().st_mtime < older_than.total_seconds():
            return False
    except FileNotFoundError:
        return False
    path.unlink(missing_ok=True)
    return True
