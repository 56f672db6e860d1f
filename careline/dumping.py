"""A plain dump of a PostgreSQL database by its own tool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from django.conf import settings

from careline.errors import Conflict


def dump_postgres(target: Path) -> str:
    """A plain dump by pg_dump. Raises Conflict when the tool is missing or fails."""
    tool = shutil.which("pg_dump")
    if tool is None:
        raise Conflict("pg_dump_missing", "pg_dump is needed for a backup of PostgreSQL. Install postgresql-client.")
    target.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [tool, "--no-owner", "--no-privileges", "--file", str(target), settings.DATABASE_URL],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Conflict("pg_dump_failed", f"pg_dump failed: {done.stderr.strip()[:300]}")
    return f"Dumped the database to {target}."
