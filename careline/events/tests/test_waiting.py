"""Invariant 10: no network inside a transaction, no sleep in a request. The guard over all tests (tests/guard) is shown to bite, for every way to wait."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django.fixtures import Settings

from careline.events.recording import unit_of_work
from tests.guard import watching
from tests.guard.watching import Waited

WAYS: dict[str, Callable[[], object]] = {
    "connect": lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
    "look up": lambda: socket.getaddrinfo("localhost", 80),
    "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)),
    "from a loop": lambda: asyncio.run(_connect()),
    "process": lambda: subprocess.run([sys.executable, "-c", ""], check=False),
    "sleep": lambda: time.sleep(0),
}


async def _connect() -> None:
    await asyncio.open_connection("127.0.0.1", 9)


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("way", WAYS)
def test_invariant_10_no_network_and_no_sleep_inside_a_transaction(way: str) -> None:
    with pytest.raises(Waited, match="inside a transaction"), unit_of_work():
        WAYS[way]()
    assert watching.found
    watching.found.clear()


@pytest.mark.django_db
def test_invariant_10_outside_of_a_transaction_and_in_other_threads_the_network_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()[:2]
        with unit_of_work():
            other = threading.Thread(target=lambda: socket.create_connection(address, timeout=5).close())
            other.start()
            other.join()
        socket.create_connection(address, timeout=5).close()
    assert not watching.found


def sleepy(request: HttpRequest) -> HttpResponse:
    """A page that waits."""
    time.sleep(0)
    return HttpResponse()


urlpatterns = [path("sleepy", sleepy)]


def test_invariant_10_no_sleep_in_a_request(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    with pytest.raises(Waited, match="inside a request"):
        Client().get("/sleepy")
    assert watching.found == ["time.sleep inside a request"]
    watching.found.clear()
    time.sleep(0)
