"""A running platform with one app, two accounts and a hook of our own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from careline.kit import signing
from careline.simulator import running
from careline.simulator.behaviour import Behaviour
from careline.simulator.records import Account, App, Persona
from careline.simulator.tests.hooks import Hook, hook

SECRET = "whsec_" + "c2ltdWxhdGVkLXNlY3JldC1mb3ItdGVzdHM="
TOKEN = "token-of-the-app"


@pytest.fixture
def listener() -> Iterator[Hook]:
    assert len(signing.webhook_secret_bytes(SECRET)) >= 24
    with hook(SECRET) as one:
        yield one


@pytest.fixture
def world(tmp_path: Path, listener: Hook) -> Iterator[running.Running]:
    started = running.start(tmp_path / "ledger.sqlite3", behaviour=Behaviour(first_backoff_s=0.02, receipts="none"))
    register(started, listener.address)
    try:
        yield started
    finally:
        started.stop()


def register(world: running.Running, hook_address: str, *, sending: str = "lookup") -> None:
    accounts = [
        Account("aurora", "app", "Aurora Air", "@aurora", sending),
        Account("aurora_help", "app", "Aurora Help", "@aurora_help", sending),
    ]
    world.simulator.ledger.save_app(App("app", hook_address, SECRET, TOKEN), accounts)
    world.simulator.platform.join(Persona("u_marta", "@martarg", "Marta Ruiz"))
    world.simulator.platform.join(Persona("u_otro", "@otro", "Otro"))
