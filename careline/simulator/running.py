"""Starts the simulated platform in a thread of this process, and stops it."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Final

import uvicorn

from careline.simulator.behaviour import Behaviour
from careline.simulator.server import Simulator
from careline.simulator.traffic import Traffic

START_TIMEOUT_S: Final = 10.0


class Running:
    """A platform that answers at `address` until `stop`."""

    def __init__(self, simulator: Simulator, server: uvicorn.Server, thread: threading.Thread, port: int) -> None:
        self.simulator = simulator
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self._server = server
        self._thread = thread
        self._companions: list[Traffic] = []

    def add_companion(self, traffic: Traffic) -> None:
        """Customers that stop with the platform, and whose stories its page can begin."""
        self._companions.append(traffic)
        self.simulator.play = traffic.begin

    def stop(self) -> None:
        """End at once, answered requests and the ledger kept."""
        for companion in self._companions:
            companion.stop()
        self._server.should_exit = True
        self._thread.join(timeout=START_TIMEOUT_S)
        self.simulator.ledger.close()


def start(
    ledger_path: Path | str,
    *,
    port: int = 0,
    behaviour: Behaviour | None = None,
    seed: int = 0,
    mail_port: int | None = None,
) -> Running:
    """Serve on loopback; port 0 takes a free one, also for mail (None: no mailboxes). Raises OSError for a taken port."""
    listener = socket.create_server(("127.0.0.1", port))
    taken = int(listener.getsockname()[1])
    simulator = Simulator(
        ledger_path, address=f"http://127.0.0.1:{taken}", behaviour=behaviour, seed=seed, mail_port=mail_port
    )
    config = uvicorn.Config(
        simulator.app, log_config=None, access_log=False, lifespan="on", ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="simulator", daemon=True)
    thread.start()
    _wait_until_started(server, thread)
    return Running(simulator, server, thread, taken)


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    end_s = time.monotonic() + START_TIMEOUT_S
    while not server.started:
        if time.monotonic() > end_s or not thread.is_alive():
            raise OSError("the simulated platform did not start")
        time.sleep(0.01)
