"""A backup taken while Careline runs, restored elsewhere, held until somebody says go; and databases that are newer or copied."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.servers.processes import ROOT, Careline

_COUNTS = """
import json, os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from django.apps import apps
from careline.workspaces.models import Installation
counts = {model._meta.label: model.objects.count() for model in apps.get_models() if model._meta.app_label not in {"clocks", "sessions", "workspaces"}}
print(json.dumps({"counts": counts, "held": Installation.objects.filter(is_held=True).exists()}))
"""
_FILE = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from careline.events.recording import unit_of_work
from careline.files import storing
from careline.workspaces.models import Workspace
air = Workspace.objects.get()
ready = storing.prepare_file(air.id, b"a passport, say", "p.txt")
with unit_of_work():
    storing.save_files([ready])
"""
_NAME = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from careline.threads.models import Message
one = Message.objects.order_by("id").first()
Message.objects.filter(id=one.id).update(platform_id="theirs")
"""
_BURY = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from pathlib import Path
from django.conf import settings
from careline.events.recording import unit_of_work
from careline.intake.graves import Graves
from careline.threads import editing
from careline.threads.models import Message
one = Message.objects.get(platform_id="theirs")
with unit_of_work() as work:
    editing.apply_deletions(work, one.workspace_id, one.channel_id, ["theirs"])
Graves(Path(settings.DATA_DIR)).follow()
"""
_WORDS = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from careline.threads.models import Message
print([one.text for one in Message.objects.filter(platform_id="theirs")], Message.objects.exclude(text="").count())
"""
_READ = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from careline.files import storing
from careline.files.models import StoredFile
row = StoredFile.objects.get()
print(storing.read_file(row.workspace_id, row.id)[1].decode())
"""


@pytest.fixture
def careline(tmp_path: Path) -> Careline:
    """Thirty messages and a file; the outbox waits for a platform that is away."""
    one = Careline(tmp_path / "data")
    one.data.mkdir()
    replies = [{"thread": f"dm_{n}", "recipient": f"p{n}", "text": f"answer {n}", "key": f"k{n}"} for n in range(30)]
    arguments = {
        "hook_secret": "whsec_QUJD",
        "token": "t",
        "api": "http://127.0.0.1:9/api",
        "sending": "lookup",
        "replies": replies,
        "spread_s": 100000,
    }
    one.run(json.dumps(arguments), code=(ROOT / "tests" / "crash" / "seeding.py").read_text())
    one.run(code=_FILE)
    return one


def state(careline: Careline) -> tuple[dict[str, int], bool]:
    """Rows by table, and whether polling and sending are held."""
    found = json.loads(careline.run(code=_COUNTS))
    return found["counts"], found["held"]


def test_a_backup_of_a_running_desk_restores_elsewhere_with_every_row_and_stays_held_until_resumed(
    careline: Careline, tmp_path: Path
) -> None:
    archive = tmp_path / "careline.tar"
    before, _ = state(careline)
    careline.start().wait_ready()
    try:
        said = careline.run("backup", str(archive))
    finally:
        assert careline.stop() == 0
    assert str(careline.data / "secret.key") in said and "secret.key" not in archive.read_bytes().decode("latin-1")
    later, _ = state(careline)

    elsewhere = Careline(tmp_path / "elsewhere")
    elsewhere.data.mkdir()
    shutil.copy(careline.data / "secret.key", elsewhere.data)
    assert "held" in elsewhere.run("restore", str(archive))
    restored, is_held = state(elsewhere)
    assert is_held and restored.keys() == before.keys()
    # The desk goes on while it is backed up: its first attempt may fall on either side of the archive.
    between = {table: before[table] <= rows <= later[table] for table, rows in restored.items()}
    assert all(between.values()), {table: restored[table] for table, is_between in between.items() if not is_between}
    assert elsewhere.run(code=_READ).strip() == "a passport, say"
    assert "begin again" in elsewhere.run("resume")
    assert state(elsewhere)[1] is False


def test_what_was_deleted_after_the_backup_stays_deleted(careline: Careline, tmp_path: Path) -> None:
    archive, saved = tmp_path / "careline.tar", tmp_path / "saved.jsonl"
    careline.run(code=_NAME)
    careline.run("backup", str(archive))
    careline.run(code=_BURY)
    shutil.copy(careline.data / "deleted.jsonl", saved)
    for left in careline.data.glob("careline.sqlite3*"):
        left.unlink()
    assert "1 deleted messages stayed deleted" in careline.run("restore", str(archive))
    assert careline.run(code=_WORDS).split() == ["['']", "29"]

    elsewhere = Careline(tmp_path / "elsewhere")
    elsewhere.data.mkdir()
    shutil.copy(careline.data / "secret.key", elsewhere.data)
    assert "stayed deleted" in elsewhere.run("restore", str(archive), "--deletions", str(saved))
    assert elsewhere.run(code=_WORDS).split() == ["['']", "29"]


def test_a_restore_never_overwrites_a_desk(careline: Careline, tmp_path: Path) -> None:
    archive = tmp_path / "careline.tar"
    careline.run("backup", str(archive))
    with pytest.raises(AssertionError, match="There is a database here already"):
        careline.run("restore", str(archive))


def test_a_copied_data_folder_starts_with_polling_and_sending_held(careline: Careline, tmp_path: Path) -> None:
    careline.start().wait_ready()
    careline.stop()
    shutil.copytree(careline.data, tmp_path / "copy")
    copy = Careline(tmp_path / "copy")
    copy.start().wait_ready()
    assert copy.stop() == 0
    assert state(copy)[1] is True and "careline resume" in copy.log()


def test_a_database_of_a_newer_version_is_refused(careline: Careline) -> None:
    with sqlite3.connect(careline.data / "careline.sqlite3") as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('cases', '9999_from_tomorrow', '2030-01-01')"
        )
    with pytest.raises(AssertionError, match="newer Careline"):
        careline.run("migrate")


def test_migrating_copies_the_database_first(careline: Careline) -> None:
    with sqlite3.connect(careline.data / "careline.sqlite3") as database:
        database.execute("DROP INDEX journal_waits")
        database.execute("DELETE FROM django_migrations WHERE app = 'intake' AND name = '0002_waiting_changes'")
    said = careline.run("migrate")
    [copied] = list((careline.data / "backups").glob("before-migrate-*.sqlite3"))
    assert str(copied) in said and "Applied 1 migrations" in said
    with sqlite3.connect(copied) as database:
        assert database.execute("SELECT COUNT(*) FROM threads_message").fetchone() == (30,)


def test_the_doctor_says_what_is_wrong_and_what_to_do(careline: Careline) -> None:
    with pytest.raises(AssertionError, match="run `careline user owner-link`"):
        careline.run("doctor")
