"""A real Careline beside a real web server with a complaint site, and Debian's Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from careline.channels.feed.tests.server import FeedServer, serving
from tests.browser.inbox.conftest import House, chromium, sign_in
from tests.servers.processes import Careline

__all__ = ["chromium", "sign_in"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedServer]:
    """A complaint site."""
    with serving(tmp_path_factory.mktemp("site")) as found:
        yield found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Without a channel: the story connects its own."""
    data = tmp_path_factory.mktemp("desk") / "data"
    data.mkdir(parents=True)
    server = Careline(data, environment={"DJANGO_SETTINGS_MODULE": "careline.settings"})
    printed = server.run(code="from tests.networks.seeding import main; main()")
    server.start().wait_ready()
    yield House(server, json.loads(printed.strip().splitlines()[-1]))
    server.stop()
