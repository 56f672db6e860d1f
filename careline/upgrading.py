"""Bringing a database to this version, safely; the hold that lies on a restored or copied one; the first owner's link."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from careline import dumping
from careline.channels.models import Channel
from careline.errors import Conflict, NotFound
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.workspaces.models import Installation

# Any number nobody else on the database uses: "careline" in hexadecimal letters, more or less.
MIGRATION_LOCK = 0xCA4E11E
CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
_log = structlog.get_logger()


def prepare_database() -> None:
    """At start: migrate (after a copy, where there is something to lose), refuse a newer schema, recognise a copied database."""
    for line in migrate_with_backup():
        _log.info("migrate", what=line)
    recognise_home()


def migrate_with_backup() -> list[str]:
    """Apply what is missing; one process at a time, so that several may start at once on a fresh database.

    Raises Conflict('schema_newer') when the database was written by a newer Careline.
    """
    if connection.vendor == "sqlite":
        return _migrate()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            return _migrate()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def _migrate() -> list[str]:
    executor = MigrationExecutor(connection)
    unknown = [
        key
        for key in executor.loader.applied_migrations
        if key not in executor.loader.disk_migrations and key[0] in _our_apps(executor)
    ]
    if unknown:
        raise Conflict(
            "schema_newer",
            "This database was written by a newer Careline. Install that version again, or restore a backup made with this one.",
        )
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return ["The database is up to date."]
    lines = []
    if executor.loader.applied_migrations:
        lines.append(_copy_before(len(plan)))
    call_command("migrate", interactive=False, verbosity=0)
    return [*lines, f"Applied {len(plan)} migrations."]


def _our_apps(executor: MigrationExecutor) -> set[str]:
    return set(executor.loader.migrated_apps)


def _copy_before(count: int) -> str:
    if connection.vendor != "sqlite":
        target = Path(settings.DATA_DIR) / "backups" / f"before-migrate-{clock.now():%Y%m%d-%H%M%S}.sql"
        return dumping.dump_postgres(target)
    database = Path(str(settings.DATABASES["default"]["NAME"]))
    target = database.parent / "backups" / f"before-migrate-{clock.now():%Y%m%d-%H%M%S}.sqlite3"
    target.parent.mkdir(parents=True, exist_ok=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(target)])
    shutil.copymode(database, target)
    return f"Copied the database to {target} before {count} migrations."


def home() -> str:
    """What makes this installation this one: where its database lies, and what it is called. A copied database finds another."""
    if connection.vendor == "sqlite":
        return f"{_machine()}:{Path(settings.DATA_DIR)}"[-200:]
    with connection.cursor() as cursor:
        cursor.execute("SELECT system_identifier, current_database() FROM pg_control_system()")
        cluster, database = cursor.fetchone()
    return f"postgresql:{cluster}/{database}@{urlsplit(settings.BASE_URL).hostname}"[:200]


def _machine() -> str:
    """The host's name; in a container, which has a new one each time it is made, the number its volume gives the database file."""
    if any(mark.exists() for mark in CONTAINER_MARKS):
        return f"file-{Path(str(settings.DATABASES['default']['NAME'])).stat().st_ino}"
    return socket.gethostname()


def recognise_home() -> None:
    """Hold everything when the database says it belongs elsewhere: a copy that polls and answers would answer customers twice."""
    row, is_new = Installation.objects.get_or_create(id=1, defaults={"home": home()})
    if is_new or row.home == home() or not row.home:
        Installation.objects.filter(id=1).update(home=home())
        return
    if not row.is_held:
        Installation.objects.filter(id=1).update(is_held=True, held_reason="copied")
        doubt_deliveries("copied")
    _log.warning(
        "installation_held",
        reason="This database was copied from another place. Polling and sending are held until `careline resume`.",
    )


def doubt_deliveries(reason: str) -> int:
    """What was on its way when a database was copied has perhaps left from there meanwhile: look for its echo or ask a person, but never repeat it.

    Returns how many. Invariant 5.
    """
    under_way = Delivery.objects.filter(state__in=["held", "queued", "sending"])
    return under_way.update(state="unknown", error_code=reason, error_detail="")


def resume() -> str:
    """Lift the hold."""
    row, _ = Installation.objects.get_or_create(id=1)
    Installation.objects.filter(id=1).update(is_held=False, held_reason="", home=home())
    return "Polling and sending begin again." if row.is_held else "Nothing was held."


def hold_channel(channel_id: int, *, held: bool) -> str:
    """Hold or resume one channel. Raises NotFound."""
    row = Channel.objects.filter(id=channel_id).first()
    if row is None:
        raise NotFound("channel_not_found", "There is no such channel. `careline channel list` shows them.")
    with unit_of_work() as work:
        Channel.objects.filter(id=channel_id).update(
            held_at=clock.now() if held else None, held_reason="by command" if held else ""
        )
        work.record_event(
            row.workspace_id, "channel.changed", channel_id=channel_id, facts={"what": "held" if held else "resumed"}
        )
    return f"{row.name} is {'held' if held else 'active'}."


def owner_link() -> str:
    """A one-time path for the first owner; empty when there is one."""
    from careline.workspaces.actions.founding import make_owner_link

    return make_owner_link() or ""
