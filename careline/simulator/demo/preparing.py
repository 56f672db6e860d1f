"""Fills an empty data folder with the demo, or opens the demo that is there; refuses a folder with real channels."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Q

from careline.channels.access import open_secrets
from careline.channels.models import Channel
from careline.clocks import firing
from careline.errors import Conflict
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.simulator.demo.entering import DemoInfo, folder_password
from careline.simulator.demo.founding import SLUG, Desk, Simulated, found_demo, new_secrets, open_desk, point_channels
from careline.simulator.demo.marta import tell_marta
from careline.simulator.demo.past import Past
from careline.simulator.demo.telling import Telling
from careline.simulator.ledger import Ledger
from careline.simulator.platform import Platform
from careline.simulator.records import Account, App
from careline.workspaces.models import Installation, Workspace

APP: Final = "careline"
LATE_CLOCKS: Final = 2000
# Written when the fill is whole; a folder without it is filled anew.
COMPLETE: Final = "demo-complete"


def prepare_demo(hook_base_url: str) -> DemoInfo:
    """The demo of this data folder, filled if it was empty. Raises Conflict('demo_refused') where real channels are."""
    check_only_simulated()
    folder = Path(settings.DATA_DIR)
    port = _free_port(near=(urlsplit(hook_base_url).port or 8000) + 1)
    ledger_path = str(folder / "simulated-network.sqlite3")
    info = DemoInfo(hook_base_url, port, _free_port(near=port + 1), folder_password(folder), ledger_path)
    workspace = Workspace.objects.filter(slug=SLUG, is_demo=True).first()
    if workspace is not None and (folder / COMPLETE).exists():
        _move(open_desk(workspace), info)
        return info
    if workspace is not None:
        _empty()
    _fill(info)
    (folder / COMPLETE).touch()
    return info


def check_only_simulated() -> None:
    """A data folder in which somebody works with real customers is never a demo."""
    if Channel.objects.filter(is_simulated=False).exists() or Workspace.objects.filter(~Q(is_demo=True)).exists():
        raise Conflict(
            "demo_refused",
            "This data folder holds a real workspace or channel. Give the demo a folder of its own: careline --data NEW"
            " demo.",
        )


def _empty() -> None:
    """A fill that was interrupted is begun again: nothing real is in this database, that was checked."""
    homes = list(Installation.objects.all())
    call_command("flush", interactive=False, verbosity=0)
    Installation.objects.bulk_create(homes)


def _fill(info: DemoInfo) -> None:
    simulated = new_secrets(info.simulator_address, info.mail_port)
    Path(info.ledger_path).unlink(missing_ok=True)
    ledger = Ledger(info.ledger_path)
    try:
        with _unhurried():
            desk = found_demo(info.password, simulated)
            register_app(ledger, desk, simulated, info.address)
            tell_week(desk, Platform(ledger, address=info.simulator_address), clock.now())
    finally:
        ledger.close()


def tell_week(desk: Desk, platform: Platform, now: datetime) -> None:
    """The week, Marta, and the clocks that have run out since."""
    telling = Telling(desk, platform)
    Past(telling, now).tell()
    tell_marta(telling, now)
    firing.fire_due(LATE_CLOCKS)


def register_app(ledger: Ledger, desk: Desk, simulated: Simulated, base_url: str) -> None:
    """Careline as an app on the platform with its accounts, and its mailbox as another."""
    for network, app_id, token in (("simulated", APP, simulated.token), ("email", "mail", "")):
        channels = [one for one in desk.channels.values() if one.network == network]
        if channels:
            hook = f"{base_url}/hooks/{network}/{channels[0].connection.hook_token}"
            accounts = [Account(one.account_key, app_id, "Aurora Air", one.handle) for one in channels]
            ledger.save_app(App(app_id, hook, simulated.hook_secret, token), accounts)


def _move(desk: Desk, info: DemoInfo) -> None:
    """A later start: ports may have changed, everything else stands."""
    with unit_of_work() as work:
        point_channels(work, desk, info.simulator_address, info.mail_port)
    channel = next(one for one in desk.channels.values() if one.network == "simulated")
    secrets = open_secrets(bytes(channel.connection.sealed_secrets))
    ledger = Ledger(info.ledger_path)
    simulated = Simulated(info.simulator_address, info.mail_port, secrets["hook_secret"], secrets["token"])
    register_app(ledger, desk, simulated, info.address)
    ledger.close()


@contextmanager
def _unhurried() -> Iterator[None]:
    """On SQLite the fill need not wait for the disk: what a crash takes of a new demo is simply filled again."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=FULL")


def _free_port(*, near: int) -> int:
    for wanted in (near, 0):
        try:
            with socket.create_server(("127.0.0.1", wanted)) as probe:
                return int(probe.getsockname()[1])
        except OSError:
            continue
    raise Conflict("no_port", "No port is free for the simulated network.")
