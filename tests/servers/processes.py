"""Real Careline processes for tests: started from the command line, waited for, stopped or killed by id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

START_TIMEOUT_S = 60.0
ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass
class Careline:
    """One `careline serve` (or other command) in a data folder of its own."""

    data: Path
    port: int = field(default_factory=free_port)
    database_url: str = ""
    command: tuple[str, ...] = ("serve",)
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def env(self, **more: str) -> dict[str, str]:
        """The environment of this installation."""
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("CARELINE_") and key != "DJANGO_SETTINGS_MODULE"
        }
        own = {
            "CARELINE_DATA": str(self.data),
            "CARELINE_BASE_URL": self.address,
            "PYTHONPATH": str(ROOT),
            "CARELINE_LOG_FORMAT": "json",
            # tests/triage starts it; elsewhere its model would only take the processor from what is tested.
            "CARELINE_TRIAGE": "0",
        }
        if self.database_url:
            own["CARELINE_DATABASE_URL"] = self.database_url
        return {**kept, **own, **self.environment, **more}

    def start(self, **more: str) -> Careline:
        """Start, and return when it is ready. `more` is further environment. Raises AssertionError with the log when it is not."""
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "careline.cli", *self.command, "--port", str(self.port)],
                env=self.env(**more),
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )
        return self

    def wait_ready(self) -> Careline:
        """Until /readyz says so."""
        end_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end_s:
            if self.has_ended():
                raise AssertionError(
                    f"careline ended with {self.process and self.process.returncode}: {self.log()[-3000:]}"
                )
            if self.is_ready():
                return self
            time.sleep(0.03)
        raise AssertionError(f"careline was not ready in time: {self.log()[-3000:]}")

    def is_ready(self) -> bool:
        """One look at /readyz."""
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def gauge(self, name: str) -> float:
        """A number of /metrics; -1 when it is not there."""
        with urllib.request.urlopen(f"{self.address}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), -1.0)

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process is None or self.process.poll() is not None

    def kill(self) -> None:
        """kill -9, as bad luck does it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.wait_ended()

    def wait_ended(self, timeout_s: float = 30.0) -> int:
        """Wait for the end; the exit code."""
        return self.process.wait(timeout_s) if self.process is not None else 0

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
        return self.wait_ended()

    def log(self) -> str:
        """Everything it said."""
        path = self.data / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def run(self, *arguments: str, code: str = "", timeout_s: float = 120.0) -> str:
        """Run another command (or Python `code`) in this installation, and return what it printed."""
        command = (
            [sys.executable, "-c", code, *arguments] if code else [sys.executable, "-m", "careline.cli", *arguments]
        )
        done = subprocess.run(
            command, env=self.env(), capture_output=True, text=True, timeout=timeout_s, cwd=ROOT, check=False
        )
        assert done.returncode == 0, (
            f"{arguments} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-3000:]}"
        )
        return done.stdout
