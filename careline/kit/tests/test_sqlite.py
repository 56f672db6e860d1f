"""Our SQLite backend in small: nested blocks, one process, no network disk. tests/operations/test_sqlite_under_load.py has the threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from careline.clocks.models import Lease
from careline.errors import Conflict
from careline.kit import clock
from careline.kit.sqlite import guarding


@pytest.mark.django_db
def test_a_nested_block_that_fails_takes_only_its_own_writes_back() -> None:
    with transaction.atomic():
        Lease.objects.create(what="outer", owner="x", expires_at=clock.now())
        with pytest.raises(IntegrityError), transaction.atomic():
            Lease.objects.create(what="inner", owner="x", expires_at=clock.now())
            Lease.objects.create(what="outer", owner="y", expires_at=clock.now())
    assert list(Lease.objects.values_list("what", "owner")) == [("outer", "x")]


def _second_process(database: Path) -> str:
    code = f"""
from pathlib import Path
from careline.errors import Conflict
from careline.kit.sqlite import guarding
try:
    guarding.hold(Path({str(database)!r}))
    print("held")
except Conflict as refused:
    print(refused.code, refused.message)
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_a_second_process_is_refused_with_the_first_ones_number_until_it_ends(tmp_path: Path) -> None:
    database = tmp_path / "careline.sqlite3"
    guarding.hold(database)
    guarding.hold(database)
    refused = _second_process(database)
    assert refused.startswith("database_taken") and f"process {os.getpid()}" in refused and "PostgreSQL" in refused
    guarding.release(database)
    guarding.release(database)
    assert _second_process(database) == "held"


MOUNTS = """overlay / overlay rw 0 0
/dev/sda1 /srv ext4 rw 0 0
server:/export /srv/careline nfs4 rw 0 0
//nas/desk /mnt/our\\040share cifs rw 0 0
/dev/sdb1 /srv/careline/local ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/careline/data", "nfs4"),
        ("/srv/careline", "nfs4"),
        ("/srv/careline/local/data", "ext4"),
        ("/srv/carelines", "ext4"),
        ("/mnt/our share/x", "cifs"),
        ("/home", "overlay"),
    ],
)
def test_the_file_system_is_the_one_mounted_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, kind: str
) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    monkeypatch.setattr(guarding, "MOUNTS", tmp_path / "mounts")
    assert guarding.file_system_of(Path(folder)) == kind


def test_a_network_file_system_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mounts").write_text(f"overlay / overlay rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr(guarding, "MOUNTS", tmp_path / "mounts")
    with pytest.raises(Conflict) as refused:
        guarding.hold(tmp_path / "careline.sqlite3")
    assert refused.value.code == "network_file_system"
    assert "nfs4" in refused.value.message and "CARELINE_DATABASE_URL" in refused.value.message
    assert not (tmp_path / "careline.lock").exists()


@pytest.mark.django_db
def test_a_write_hidden_behind_with_takes_the_lock_too() -> None:
    with CaptureQueriesContext(connection) as asked, connection.cursor() as cursor:
        cursor.execute(
            "WITH chosen(what) AS (SELECT 'a') INSERT INTO clocks_lease (what, owner, expires_at, fence) SELECT what, 'x', '2026-01-01', 0 FROM chosen"
        )
    assert len(asked) == 1
    assert Lease.objects.get().what == "a"
