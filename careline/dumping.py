"""A plain dump of a PostgreSQL database by its own tools, and back."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from django.conf import settings

from careline.errors import Conflict


def dump_postgres(target: Path, *, snapshot: str = "") -> str:
    """A plain dump by pg_dump, of an exported snapshot when one is named. Raises Conflict when the tool is missing or fails."""
    target.parent.mkdir(parents=True, exist_ok=True)
    seen = [f"--snapshot={snapshot}"] if snapshot else []
    _run("pg_dump", "--no-owner", "--no-privileges", *seen, "--file", str(target))
    return f"Dumped the database to {target}."


def load_postgres(dump: Path) -> None:
    """Run a plain dump by psql, whole or not at all. Raises Conflict when the tool is missing or fails."""
    _run("psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1", "--file", str(dump))


def _run(tool: str, *arguments: str) -> None:
    path = shutil.which(tool)
    if path is None:
        raise Conflict(f"{tool}_missing", f"{tool} is needed for backups of PostgreSQL. Install postgresql-client.")
    address, password = _address_and_password()
    environment = {**os.environ, "PGPASSWORD": password} if password else None
    done = subprocess.run(
        [path, *arguments, "--dbname", address], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise Conflict(f"{tool}_failed", f"{tool} failed: {done.stderr.strip()[:300]}")


def _address_and_password() -> tuple[str, str]:
    """The password apart: what stands in a command line, every user of the machine can read."""
    parts = urlsplit(settings.DATABASE_URL)
    account, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{account.partition(':')[0]}{at}{host}")), unquote(parts.password or "")
