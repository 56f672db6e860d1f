"""The house of the inbox tests, with triage running in it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.browser.inbox.conftest import House, Shop, chromium, shop, sign_in
from tests.servers.processes import Careline

__all__ = ["chromium", "house", "shop", "sign_in"]


@pytest.fixture(scope="session")
def house(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Seeded, started with its triage process, stopped by SIGTERM."""
    data = tmp_path_factory.mktemp("triage") / "data"
    environment = {
        "CARELINE_ALLOW_PRIVATE_ADDRESSES": "1",
        "CARELINE_TRIAGE": "1",
        "DJANGO_SETTINGS_MODULE": "careline.settings",
    }
    server = Careline(data, environment=environment)
    data.mkdir(parents=True)
    printed = server.run(
        shop.address, code="import sys; from tests.browser.inbox.seeding import main; main(sys.argv[1])"
    )
    sessions = json.loads(printed.strip().splitlines()[-1])
    server.start().wait_ready()
    shop.careline = server.address
    yield House(server, sessions)
    server.stop()
