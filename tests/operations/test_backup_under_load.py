"""A backup taken while customers write and files come in, restored elsewhere, on either database: of one moment, whole, private, and never sent twice."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import tarfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.edge.asking import ask, signed, spoken
from tests.edge.conftest import seed
from tests.servers.installations import BOTH, KEY, cluster, fresh, program
from tests.servers.processes import Careline

COUNTS = """
from django.apps import apps
from careline.workspaces.models import Installation
counts = {model._meta.label: model._default_manager.count() for model in apps.get_models() if model._meta.app_label not in {"clocks", "sessions"}}
held = Installation.objects.first()
from careline.events.models import Event
from careline.files.storing import read_file
from careline.files.models import StoredFile
from careline.threads.models import Attachment, Message
numbers = list(Event.objects.order_by("workspace_id", "n").values_list("workspace_id", "n"))
gapless = all(a[0] != b[0] or a[1] + 1 == b[1] for a, b in zip(numbers, numbers[1:]))
files = [read_file(row.workspace_id, row.id)[1] for row in StoredFile.objects.filter(reference_count__gt=0)]
texts = sorted(Message.objects.values_list("text", flat=True))
print(json.dumps({"counts": counts, "held": [held.is_held, held.held_reason], "gapless": gapless, "files": len(files), "texts": texts}))
"""


def empty(folder: Path, kind: str) -> Careline:
    """Nothing at all: no database file, or a database without tables."""
    (folder / "data").mkdir(parents=True)
    return Careline(
        folder / "data",
        database_url=cluster().database() if kind == "postgresql" else "",
        environment={"CARELINE_SECRET_KEY": KEY},
    )


@pytest.mark.parametrize("kind", BOTH)
def test_a_backup_under_load_is_of_one_moment_and_restores_elsewhere_whole(kind: str, tmp_path: Path) -> None:
    careline = fresh(tmp_path / "here", kind)
    seeded = seed(careline)
    hook, ticket = seeded["channels"]["air.simulated"]["hook"], quote(seeded["agents"]["ana"]["upload"])
    careline.start().wait_ready()
    stop = threading.Event()
    taken: list[int] = []

    def speak(number: int) -> None:
        while not stop.is_set():
            body = spoken(f"{number}: where is my bag?", author=f"p{number}")
            taken.append(ask(careline.port, "POST", hook, body, signed(body)).status)
            ask(careline.port, "POST", f"/w/air/files?ticket={ticket}&name=x", os.urandom(30_000))

    talkers = [threading.Thread(target=speak, args=(number,)) for number in range(3)]
    for talker in talkers:
        talker.start()
    archive = tmp_path / "careline.tar"
    try:
        # Something to back up: the first words may still be on their way when the command is quick.
        end_s = time.monotonic() + 30
        while careline.gauge('careline_digested_total{outcome="done"}') <= 0 and time.monotonic() < end_s:
            time.sleep(0.1)
        said = careline.run("backup", str(archive))
        before = len(taken)
    finally:
        stop.set()
        for talker in talkers:
            talker.join()
    assert before > 3 and set(taken) == {200}
    assert careline.stop() == 0
    whole = json.loads(program(careline, COUNTS))

    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name or "partial" in path.name] == []
    with tarfile.open(archive) as opened:
        names = opened.getnames()
        manifest = json.loads(opened.extractfile("careline-backup.json").read())  # type: ignore[union-attr]
    assert KEY.encode() not in archive.read_bytes() and not any("key" in name or "partial-" in name for name in names)
    assert f"{manifest['messages']} messages" in said and "CARELINE_SECRET_KEY" in said

    elsewhere = empty(tmp_path / "elsewhere", kind)
    told = elsewhere.run("restore", str(archive))
    assert "held" in told and f"Restored {manifest['messages']} of {manifest['messages']} messages." in told
    there = json.loads(program(elsewhere, COUNTS))
    assert there["held"] == [True, "restored"] and there["gapless"]
    assert (there["counts"]["threads.Message"], there["counts"]["cases.Case"]) == (
        manifest["messages"],
        manifest["cases"],
    )
    assert there["files"] == whole["files"] == 12
    assert set(there["texts"]) <= set(whole["texts"])
    assert 0 < there["counts"]["events.Event"] <= whole["counts"]["events.Event"]


UNDER_WAY = """
from careline.channels.models import Channel
from careline.outbox.models import Delivery
from careline.threads.models import Message, Thread, Tombstone
from careline.kit import clock
channel = Channel.objects.get(network="simulated", workspace__slug="air")
thread = Thread.objects.create(workspace_id=channel.workspace_id, channel_id=channel.id, key="t", surface="dm")
for number, state in enumerate(("held", "queued", "sending", "sent", "failed", "unknown")):
    message = Message.objects.create(workspace_id=channel.workspace_id, thread=thread, channel_id=channel.id, direction="outbound", surface="dm", text=state, at=clock.now())
    Delivery.objects.create(workspace_id=channel.workspace_id, channel_id=channel.id, thread_id=thread.id, message=message, recipient="p", idempotency_key=state, state=state)
said = Message.objects.create(workspace_id=channel.workspace_id, thread=thread, channel_id=channel.id, platform_id="m-1", direction="inbound", surface="dm", text="my card is 4111", at=clock.now())
Tombstone.objects.create(workspace_id=channel.workspace_id, channel_id=channel.id, platform_id="m-1")
"""
STATES = """
from careline.outbox.models import Delivery
from careline.outbox.claiming import claim_due
from careline.threads.models import Message
print(json.dumps([dict(Delivery.objects.values_list("idempotency_key", "state")), Message.objects.get(platform_id="m-1").text, len(claim_due())]))
"""


@pytest.mark.parametrize("kind", BOTH)
def test_after_a_restore_no_answer_is_sent_twice_and_no_deleted_word_comes_back(kind: str, tmp_path: Path) -> None:
    """Between the backup and its restore the old installation may have sent what was waiting: nobody repeats it without looking."""
    careline = fresh(tmp_path / "here", kind)
    seed(careline)
    program(careline, UNDER_WAY)
    careline.run("backup", str(tmp_path / "b.tar"))
    elsewhere = empty(tmp_path / "elsewhere", kind)
    told = elsewhere.run("restore", str(tmp_path / "b.tar"))
    assert "3 answers were on their way" in told and "1 deleted messages stayed deleted" in told
    elsewhere.run("resume")
    states, text, claimed = json.loads(program(elsewhere, STATES))
    assert states == {
        "held": "unknown",
        "queued": "unknown",
        "sending": "unknown",
        "sent": "sent",
        "failed": "failed",
        "unknown": "unknown",
    }
    assert (text, claimed) == ("", 0)


def test_a_restore_says_when_the_key_does_not_fit_and_so_does_the_doctor(tmp_path: Path) -> None:
    careline = fresh(tmp_path / "here")
    seed(careline)
    careline.run("backup", str(tmp_path / "b.tar"))
    elsewhere = empty(tmp_path / "elsewhere", "sqlite")
    elsewhere.environment["CARELINE_SECRET_KEY"] = "another key altogether, forty characters or so"
    assert "does not open what this backup keeps secret" in elsewhere.run("restore", str(tmp_path / "b.tar"))
    with pytest.raises(AssertionError, match="LOOK  The key does not open the channels' secrets"):
        elsewhere.run("doctor")


def test_an_archive_of_something_else_or_of_the_other_database_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    elsewhere = empty(tmp_path, "sqlite")
    for number, names in enumerate(([], ["careline-backup.json"])):
        with tarfile.open(tmp_path / f"{number}.tar", "w") as archive:
            for name in names:
                (tmp_path / name).write_text(json.dumps({"database": "postgresql"}))
                archive.add(tmp_path / name, arcname=name)
        with pytest.raises(AssertionError, match=r"not a backup of Careline|backup is of postgresql"):
            elsewhere.run("restore", str(tmp_path / f"{number}.tar"))
    assert not (elsewhere.data / "careline.sqlite3").exists()


def test_an_archive_brings_a_database_and_files_and_nothing_else(tmp_path: Path) -> None:
    careline = fresh(tmp_path / "here")
    careline.run("backup", str(tmp_path / "b.tar"))
    for name in ("secret.key", "../outside", "files/../../outside", "careline.lock.d/x"):
        (tmp_path / "planted").write_text("planted")
        with tarfile.open(tmp_path / "b.tar", "a") as archive:
            archive.add(tmp_path / "planted", arcname=name)
    elsewhere = empty(tmp_path / "elsewhere", "sqlite")
    try:
        elsewhere.run("restore", str(tmp_path / "b.tar"))
    except AssertionError as refused:
        assert "outside" in str(refused)
    assert not [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and path.name != "planted" and path.read_bytes() == b"planted"
    ]


@pytest.mark.postgres
def test_the_databases_password_stands_in_no_command_line(tmp_path: Path) -> None:
    """A pg_dump of our own first on the path shows what it was started with, then does its work."""
    careline = fresh(tmp_path / "here", "postgresql")
    (tmp_path / "bin").mkdir()
    spy = tmp_path / "bin" / "pg_dump"
    spy.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\necho "$PGPASSWORD" > {tmp_path}/password\nexec /usr/bin/pg_dump "$@"\n'
    )
    spy.chmod(0o755)
    careline.database_url = careline.database_url.replace("careline@", "careline:s3cret%21@", 1)
    careline.environment["PATH"] = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    careline.run("backup", str(tmp_path / "b.tar"))
    assert "s3cret" not in (tmp_path / "arguments").read_text()
    assert (tmp_path / "password").read_text() == "s3cret!\n"


@pytest.mark.postgres
def test_several_processes_may_meet_an_empty_database_at_once(tmp_path: Path) -> None:
    """One migrates, the others wait for it."""
    url = cluster().database()
    processes = []
    for number in range(3):
        (tmp_path / str(number)).mkdir()
        one = Careline(tmp_path / str(number), database_url=url, environment={"CARELINE_SECRET_KEY": KEY})
        command = [os.sys.executable, "-m", "careline.cli", "migrate"]  # type: ignore[attr-defined]
        processes.append(
            subprocess.Popen(
                command, env=one.env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=one.data, text=True
            )
        )
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert sorted("up to date" in one for one in said) == [False, True, True]


def test_a_command_before_the_first_start_says_what_to_do(tmp_path: Path) -> None:
    unmade = empty(tmp_path, "sqlite")
    with pytest.raises(AssertionError, match="careline: The database refused") as refused:
        unmade.run("resume")
    assert "Traceback" not in str(refused.value)
    with pytest.raises(AssertionError, match="migrations are missing: run `careline migrate`"):
        unmade.run("doctor")


def test_what_careline_makes_is_for_its_user_alone(tmp_path: Path) -> None:
    careline = empty(tmp_path, "sqlite")
    del careline.environment["CARELINE_SECRET_KEY"]
    careline.run("migrate")
    made = {path.name: stat.S_IMODE(path.stat().st_mode) for path in careline.data.iterdir() if path.is_file()}
    assert {"careline.sqlite3", "secret.key"} <= set(made)
    assert all(mode & 0o077 == 0 for mode in made.values()), made
