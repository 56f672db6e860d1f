"""A private PostgreSQL cluster in a temporary folder on a free port, run by an ordinary user even when the tests run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.servers.processes import free_port


class Cluster:
    """One cluster; `database()` makes an empty database in it."""

    def __init__(self) -> None:
        self._bin = _binaries()
        self.folder = Path(tempfile.mkdtemp(prefix="careline-pg-"))
        self.port = free_port()
        self._made = 0
        self._prefix: list[str] = []

    def start(self) -> Cluster:
        """initdb and start."""
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        data = self.folder / "data"
        self._run("initdb", "-D", str(data), "-U", "careline", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=200 -c shared_buffers=256MB"
        self._run("pg_ctl", "-D", str(data), "-l", str(self.folder / "log"), "-w", "-o", options, "start")
        return self

    def database(self, *, name: str = "", template: str = "") -> str:
        """The address of a new database: empty, or a copy of `template`, which nobody may use meanwhile."""
        self._made += 1
        name = name or f"careline_{self._made}_{int(time.time())}"
        copied = ["--template", template] if template else []
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "careline", *copied, name)
        return f"postgresql://careline@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """Stop and remove."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, tool: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._prefix, str(self._bin / tool), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            check=False,
        )
        assert done.returncode == 0, f"{tool}: {done.stderr.decode(errors='replace')[-1500:]}"


def _binaries() -> Path:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    assert found, "PostgreSQL is not installed: apt-get install postgresql"
    return Path(found).parent
