"""One running Careline for all tests of the door, with small limits so that they can be met."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.edge.asking import Answer, Listener, ask, close_streams, signed, stream
from tests.servers.installations import fresh, program
from tests.servers.processes import ROOT, Careline

HOOK_LIMIT = 20_000
UPLOAD_LIMIT = 100_000


@dataclass
class Door:
    """A running Careline and what was put into it."""

    careline: Careline
    seeded: dict[str, Any]

    @property
    def port(self) -> int:
        return self.careline.port

    def hook(self, channel: str = "air.simulated") -> str:
        """The hook address of a channel's connection."""
        return str(self.seeded["channels"][channel]["hook"])

    def deliver(self, body: bytes, *, channel: str = "air.simulated", **signing: Any) -> Answer:
        """A genuine delivery."""
        return ask(self.port, "POST", self.hook(channel), body, signed(body, **signing))

    def stream(self, agent: str, workspace: str = "air", **more: Any) -> Listener:
        """An agent's stream."""
        return stream(self.port, workspace, self.seeded["agents"][agent]["stream"], **more)

    def look(self, code: str, *arguments: str) -> str:
        """Run Python beside the server, in the same installation."""
        return program(self.careline, code, *arguments).strip()


def seed(careline: Careline) -> dict[str, Any]:
    """Fill an installation."""
    found = json.loads(careline.run(code=(ROOT / "tests" / "edge" / "seeding.py").read_text()))
    assert isinstance(found, dict)
    return found


@pytest.fixture(autouse=True)
def closed_streams() -> Iterator[None]:
    """No stream outlives its test."""
    yield
    close_streams()


@pytest.fixture(scope="package")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """The shared one."""
    limits = {"CARELINE_HOOK_BODY_LIMIT": str(HOOK_LIMIT), "CARELINE_UPLOAD_LIMIT": str(UPLOAD_LIMIT)}
    careline = fresh(tmp_path_factory.mktemp("door"), **limits)
    seeded = seed(careline)
    careline.start().wait_ready()
    yield Door(careline, seeded)
    careline.kill()


@pytest.fixture
def own_door(tmp_path: Path) -> Iterator[Callable[..., Door]]:
    """Another one, for tests that stop or break it. `ready=False` does not wait."""
    started: list[Careline] = []

    def make(*, command: tuple[str, ...] = ("serve",), **environment: str) -> Door:
        careline = fresh(tmp_path / str(len(started)), **environment)
        careline.command = command
        door = Door(careline, seed(careline))
        started.append(careline)
        careline.start().wait_ready()
        return door

    yield make
    for careline in started:
        careline.kill()
