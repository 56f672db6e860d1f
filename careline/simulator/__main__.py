"""`python -m careline.simulator`: the simulated platform alone, for trying an adapter against it."""

from __future__ import annotations

import threading

import click

from careline.simulator import running
from careline.simulator.behaviour import Behaviour


@click.command()
@click.option("--port", default=8100, show_default=True, type=int)
@click.option("--ledger", default="simulated-network.sqlite3", show_default=True, type=click.Path(dir_okay=False))
@click.option("--duplicates", default=0.0, show_default=True, help="Share of deliveries made twice, 0 to 1.")
@click.option("--disorder", default=0.0, show_default=True, help="Share of events held back, 0 to 1.")
def main(port: int, ledger: str, duplicates: float, disorder: float) -> None:
    """Serve the platform on loopback until interrupted. Register an app with POST /control/apps."""
    started = running.start(ledger, port=port, behaviour=Behaviour(duplicates=duplicates, disorder=disorder))
    click.echo(f"The simulated network is at {started.address}/")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        started.stop()


if __name__ == "__main__":
    main()
