"""Leases in the database: taken, renewed, checked inside the work's own transaction, and given back. A dead owner's lease runs out."""

from __future__ import annotations

import os
from datetime import timedelta

from django.db import connection, transaction

from careline.clocks.models import Lease
from careline.kit import clock, ids

OWNER = f"{os.getpid()}-{ids.new_token(6)}"


def take(names: list[str], *, lasts_s: float, owner: str = OWNER) -> dict[str, int]:
    """Take or renew as many of `names` as are free, expired or already ours. Returns name -> fence. Two statements."""
    if not names:
        return {}
    now = clock.now()
    until = now + timedelta(seconds=lasts_s)
    marks = ",".join(["(%s, %s, %s, 1)"] * len(names))
    values = [value for name in sorted(names) for value in (name, owner, until)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO clocks_lease (what, owner, expires_at, fence) VALUES {marks}"  # noqa: S608 - only placeholders are joined
            " ON CONFLICT (what) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at,"
            " fence = clocks_lease.fence + CASE WHEN clocks_lease.owner = excluded.owner THEN 0 ELSE 1 END"
            " WHERE clocks_lease.owner = excluded.owner OR clocks_lease.expires_at < %s RETURNING what, fence",
            [*values, now],
        )
        return {str(name): int(fence) for name, fence in cursor.fetchall()}


def check_held(fences: dict[str, int], *, owner: str = OWNER) -> bool:
    """Inside a transaction: are all these leases still ours? Locks their rows until commit, so nobody takes them over meanwhile. One statement."""
    rows = (
        Lease.objects.select_for_update()
        .filter(what__in=list(fences), owner=owner)
        .order_by("what")
        .values_list("what", "fence")
    )
    return dict(rows) == fences


def give_back(names: list[str], *, owner: str = OWNER) -> None:
    """Let others have them at once. One statement."""
    Lease.objects.filter(what__in=names, owner=owner).update(expires_at=clock.now() - timedelta(seconds=1))


def count_alive(prefix: str) -> int:
    """How many leases whose names begin with `prefix` have not run out. One statement."""
    return Lease.objects.filter(what__startswith=prefix, expires_at__gt=clock.now()).count()


def free(names: list[str]) -> list[str]:
    """Those of `names` nobody holds now. One statement."""
    held = set(Lease.objects.filter(what__in=names, expires_at__gt=clock.now()).values_list("what", flat=True))
    return [name for name in names if name not in held]


def inherit() -> None:
    """This process is alone on the database (SQLite): whoever held a lease before is dead, and their work is ours at once. One statement."""
    Lease.objects.exclude(owner=OWNER).update(expires_at=clock.now() - timedelta(seconds=1))
