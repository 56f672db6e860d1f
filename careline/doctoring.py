"""`careline doctor`: what is wrong and what to do about it, in plain words."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from careline.channels import access, registry
from careline.channels.base import ChannelView, Health, Tools
from careline.channels.models import Channel
from careline.channels.renewing import renew_and_keep
from careline.intake.models import JournalRow
from careline.kit.http import guarded_client
from careline.workspaces.models import Account, Installation

Say = Callable[[str], None]
CHECKS_AT_ONCE = 20


def examine(say: Say) -> int:
    """Print one line a check. Returns the exit code: 1 when something needs a hand. A check that cannot be made is a finding, not the end."""
    problems = 0
    for check in (_database, _schema, _key, _files, _mail, _owner, _hold, _dead_letters, _channels):
        for is_fine, line in _look(check):
            say(f"{'ok  ' if is_fine else 'LOOK'}  {line}")
            problems += not is_fine
    return 1 if problems else 0


def _look(check: Callable[[], Found]) -> Found:
    try:
        return check()
    except DatabaseError as error:
        name = check.__name__.strip("_").replace("_", " ")
        return [(False, f"The check of {name} could not be made ({type(error).__name__}): is the schema current?")]


Found = list[tuple[bool, str]]


def _database() -> Found:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check")
            verdict = str(cursor.fetchone()[0])
        version = sqlite3.sqlite_version
        safe = tuple(int(part) for part in version.split(".")) >= (3, 51, 3)
        return [
            (verdict == "ok", f"SQLite {version}: quick check says {verdict}."),
            (
                safe,
                "SQLite is current." if safe else "This SQLite has a known WAL fault; install the pysqlite3 package.",
            ),
        ]
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return [(True, f"PostgreSQL {cursor.fetchone()[0]} answers.")]


def _schema() -> Found:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return [
        (
            missing == 0,
            "The schema is current." if not missing else f"{missing} migrations are missing: run `careline migrate`.",
        )
    ]


def _key() -> Found:
    path = Path(settings.DATA_DIR) / "secret.key"
    found: Found = [_key_opens()]
    if not path.exists() or path.read_text().strip() != settings.SECRET_KEY:
        return [*found, (True, "The key comes from the environment. Keep a copy of it.")]
    if path.stat().st_mode & 0o077:
        return [*found, (False, f"Others can read {path}: run chmod 600 on it.")]
    return [*found, (True, f"The key is {path}. Keep a copy of it elsewhere.")]


def _key_opens() -> tuple[bool, str]:
    if access.key_fits():
        return True, "The key opens what is kept secret."
    return (
        False,
        "The key does not open the channels' secrets: put the key of the installation this database came from in its place.",
    )


def _files() -> Found:
    probe = Path(settings.DATA_DIR) / ".probe"
    try:
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        return [(False, f"{settings.DATA_DIR} cannot be written: {error.strerror}.")]
    return [(True, f"{settings.DATA_DIR} can be written.")]


def _mail() -> Found:
    return [
        (
            bool(settings.MAIL_URL),
            "System mail is configured."
            if settings.MAIL_URL
            else "System mail is not configured (CARELINE_MAIL_URL): invitations, resets and alerts are only shown and logged.",
        )
    ]


def _owner() -> Found:
    return [
        (True, "There is an owner.")
        if Account.objects.exists()
        else (False, "There is no owner yet: run `careline user owner-link`.")
    ]


def _hold() -> Found:
    held = Installation.objects.filter(is_held=True).first()
    return [
        (
            held is None,
            "Polling and sending run."
            if held is None
            else f"Polling and sending are held ({held.held_reason}): run `careline resume`.",
        )
    ]


def _dead_letters() -> Found:
    count = JournalRow.objects.filter(state=JournalRow.DEAD).count()
    return [
        (count == 0, f"{count} dead letters." if count == 0 else f"{count} dead letters wait on the channels page.")
    ]


def _channels() -> Found:
    if not access.key_fits():
        return [(False, "Channels cannot be checked without their secrets.")]
    rows = list(Channel.objects.select_related("connection", "brand").exclude(state="off"))
    views = [access.view_channel(row) for row in rows]
    health = asyncio.run(_check_all([view for view in views if view.network in registry.networks()]))
    return [(result.ok, f"{name}: {result.detail or result.code}") for name, result in health]


async def _check_all(views: list[ChannelView]) -> list[tuple[str, Health]]:
    async with guarded_client(allow_private=True, timeout_s=10) as client:
        tools, places = Tools(http=client, renew=renew_and_keep), asyncio.Semaphore(CHECKS_AT_ONCE)

        async def check(view: ChannelView) -> tuple[str, Health]:
            async with places:
                return f"{view.network} {view.name}", await registry.network(view.network).check(view, tools)

        return list(await asyncio.gather(*(check(view) for view in views)))
