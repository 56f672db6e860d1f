"""Runs pytest with a private PostgreSQL cluster as the database: `python -m tests.on_postgres [pytest arguments]`."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.servers.postgres import Cluster


def main() -> int:
    """The exit code of pytest."""
    cluster = Cluster().start()
    try:
        environment = {**os.environ, "CARELINE_DATABASE_URL": cluster.database(), "CARELINE_DATABASE_POOL": "20"}
        return subprocess.run([sys.executable, "-m", "pytest", *sys.argv[1:]], env=environment, check=False).returncode
    finally:
        cluster.stop()


if __name__ == "__main__":
    sys.exit(main())
