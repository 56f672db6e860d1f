"""A real Careline beside a double of X, held to its own description, and Debian's Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.browser.inbox.conftest import House, chromium, sign_in
from tests.networks.x.world import World
from tests.servers.processes import Careline

__all__ = ["chromium", "sign_in"]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """An app with one account, for the tests of a file."""
    found = World()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Without a channel: the story connects its own."""
    data = tmp_path_factory.mktemp("desk") / "data"
    data.mkdir(parents=True)
    environment = {"DJANGO_SETTINGS_MODULE": "careline.settings", "CARELINE_ALLOW_PRIVATE_ADDRESSES": "1"}
    server = Careline(data, environment=environment)
    printed = server.run(code="from tests.networks.seeding import main; main()")
    server.start().wait_ready()
    yield House(server, json.loads(printed.strip().splitlines()[-1]))
    server.stop()
