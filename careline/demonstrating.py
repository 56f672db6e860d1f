"""`careline demo`: fill, start the simulated network, serve, and say where to go."""

from __future__ import annotations

import threading

import click

from careline import serving, upgrading


def run_demo(port: int, *, is_quiet: bool) -> None:
    """Until SIGTERM. The simulated network runs in this process, on a port of its own, and speaks to the edge over HTTP like any platform."""
    from careline import simulator

    upgrading.prepare_database()
    info = simulator.prepare_demo(hook_base_url=f"http://127.0.0.1:{port}")
    click.echo(info.text())
    started: list[simulator.Running] = []

    def speak() -> None:
        started.append(simulator.run_simulator(info, hook_base_url=f"http://127.0.0.1:{port}", is_quiet=is_quiet))

    threading.Thread(target=speak, name="simulator-start", daemon=True).start()
    try:
        serving.serve("127.0.0.1", port, frozenset({"web", "worker"}))
    finally:
        for running in started:
            running.stop()
