"""The simulated platform as one Starlette app: API, control and wall, with its courier running beside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from careline.simulator.api import Api
from careline.simulator.behaviour import Behaviour, Temper
from careline.simulator.control import Control
from careline.simulator.courier import Courier
from careline.simulator.ledger import Ledger
from careline.simulator.mailroom import Mailroom
from careline.simulator.platform import Platform, Refused
from careline.simulator.wall import Wall

STATIC = Path(__file__).parent / "static"


class Simulator:
    """Everything of one simulated platform.

    `address` is its own base address, for links to files and threads; with `mail_port` its people have mailboxes too.
    """

    def __init__(
        self,
        ledger_path: Path | str,
        *,
        address: str = "",
        behaviour: Behaviour | None = None,
        seed: int = 0,
        mail_port: int | None = None,
    ) -> None:
        self.ledger = Ledger(ledger_path)
        self.platform = Platform(self.ledger, address=address)
        self.temper = Temper(behaviour, seed=seed)
        self.platform.echoes = self.temper.now.echoes
        self.play: Callable[[str], None] | None = None
        """Begins a story by name; set while customers are there."""
        self.mail_port = mail_port
        self._mailroom = Mailroom(self.ledger)
        self.app = Starlette(routes=self._routes(), lifespan=self._lifespan)

    def _routes(self) -> list[Mount]:
        pages = [
            *Api(self.platform, self.temper).routes(),
            *Control(self.platform, self.temper, self._begin).routes(),
            *Wall(self.platform).routes(),
        ]
        return [Mount("/static", StaticFiles(directory=STATIC)), *pages]  # type: ignore[list-item] # routes and mounts

    def _begin(self, story: str) -> None:
        if self.play is None:
            raise Refused(409, "no_customers")
        try:
            self.play(story)
        except KeyError as unknown:
            raise Refused(404, "story_unknown") from unknown

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        if self.mail_port is not None:
            self.mail_port = await self._mailroom.open(self.mail_port)
        courier = asyncio.create_task(Courier(self.ledger, self.temper).run())
        try:
            yield
        finally:
            courier.cancel()
            await self._mailroom.close()
            await asyncio.gather(courier, return_exceptions=True)
