"""What the threads of one process do to a SQLite database, run as a program; the results are printed as one JSON object by scenario."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable


def pragmas() -> object:
    """Of the main thread's connection and another's."""
    from django.db import connection

    found = []

    def look() -> None:
        with connection.cursor() as cursor:
            found.append(
                [
                    cursor.execute(f"PRAGMA {name}").fetchone()[0]
                    for name in ("journal_mode", "synchronous", "foreign_keys")
                ]
            )
        connection.close()

    look()
    in_threads([look])
    return found


def sessions() -> object:
    """How long a session save takes beside four threads that write without a pause: rounds written, writers that wrote, the slowest but two in ms."""
    from django.contrib.sessions.backends.db import SessionStore
    from django.db import connection

    from careline.events.recording import unit_of_work
    from careline.workspaces.models import Workspace

    stop = threading.Event()
    written: list[int] = []

    def write(number: int) -> None:
        air = Workspace.objects.create(slug=f"air{number}", name="Air")
        while not stop.is_set():
            with unit_of_work() as work:
                Workspace.objects.filter(id=air.id).update(name="Air again")
                work.record_event(air.id, "settings.changed")
            written.append(number)
        connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    taken = []
    session = SessionStore()
    for number in range(120):
        began = time.monotonic()
        session["n"] = number
        session.save()
        taken.append(time.monotonic() - began)
        time.sleep(0.005)
    stop.set()
    for one in threads:
        one.join()
    return [len(written), len(set(written)), round(sorted(taken)[-3] * 1000)]


def writers() -> object:
    """Six threads add 60 each, some alone, some by reading and writing in a transaction: the sum, and what failed."""
    from django.db import connection
    from django.db.models import F

    from careline.clocks.models import Lease
    from careline.events.recording import unit_of_work
    from careline.kit import clock

    Lease.objects.create(what="count", owner="x", expires_at=clock.now())
    failed = []

    def write() -> None:
        try:
            for turn in range(60):
                if turn % 3:
                    Lease.objects.filter(what="count").update(fence=F("fence") + 1)
                else:
                    with unit_of_work():
                        known = Lease.objects.get(what="count").fence
                        Lease.objects.filter(what="count").update(fence=known + 1)
        except Exception as error:
            failed.append(repr(error))
        connection.close()

    in_threads([write] * 6)
    return [Lease.objects.get(what="count").fence, failed]


def failures() -> object:
    """What each way to fail raises, and whether another thread may write after it."""
    from django.db import IntegrityError, connection, transaction

    from careline.workspaces.models import Team, Workspace

    wind = Workspace.objects.create(slug="wind", name="Wind")

    def twice() -> None:
        Workspace.objects.create(slug="wind", name="Again")

    def in_a_transaction() -> None:
        with transaction.atomic():
            twice()

    def at_commit() -> None:
        with transaction.atomic():
            Team.objects.create(workspace_id=999, name="Nobody's")

    def connection_lost() -> None:
        with transaction.atomic():
            Team.objects.create(workspace=wind, name="Lost")
            connection.close()

    found: dict[str, object] = {}
    for fails in (twice, in_a_transaction, at_commit, connection_lost):
        raised = ""
        try:
            fails()
        except Exception as error:
            raised = type(error).__name__
        found[fails.__name__] = [raised, is_free()]
    with transaction.atomic():
        try:
            with transaction.atomic():
                twice()
        except IntegrityError:
            Team.objects.create(workspace=wind, name="Care")
        found["inside"] = is_free()
    found["after"] = [is_free(), list(Team.objects.values_list("name", flat=True))]
    return found


def reading() -> object:
    """What a reader sees beside a long write, whether it had to wait, and what it sees after."""
    from django.db import connection, transaction

    from careline.workspaces.models import Workspace

    writing, done = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            Workspace.objects.create(slug="long", name="Long")
            writing.set()
            done.wait(20)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    writing.wait(20)
    began = time.monotonic()
    before = Workspace.objects.filter(slug="long").count()
    waited = time.monotonic() - began > 1
    done.set()
    writer.join()
    return [before, waited, Workspace.objects.filter(slug="long").count()]


def is_free() -> bool:
    """Whether another thread could write now."""
    from careline.kit.sqlite.base import WRITE_LOCK

    found: list[bool] = []

    def look() -> None:
        found.append(WRITE_LOCK.acquire(timeout=0.2))
        if found[0]:
            WRITE_LOCK.release()

    in_threads([look])
    return found[0]


def in_threads(works: list[Callable[[], None]]) -> None:
    """All at once, until all have ended."""
    threads = [threading.Thread(target=work) for work in works]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def main() -> None:
    """Run them all."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
    import django

    django.setup()
    print(json.dumps({scenario.__name__: scenario() for scenario in (pragmas, sessions, writers, failures, reading)}))


if __name__ == "__main__":
    main()
