"""One process: which rooms run in it, in which order they open and close. Roles `web` and `worker`; both by default."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from django.conf import settings
from django.db import connection
from starlette.applications import Starlette

from careline.channels.base import Tools
from careline.channels.renewing import renew_and_keep
from careline.channels.templates import Templates
from careline.clocks import firing, leases
from careline.controlling import Control
from careline.doors import CoreDoors
from careline.edge.app import build_app
from careline.edge.doors import Frame
from careline.edge.hub import Hub
from careline.edge.widget_bodies import case_typed_in
from careline.events import bridging, hub
from careline.intake.asking import Asking
from careline.intake.digest import Digest
from careline.intake.fetching import Fetcher
from careline.intake.housekeeping import run_housekeeping
from careline.intake.journal import Journal, watch_backlog
from careline.intake.readers import Readers
from careline.intake.rechecks import Rechecks
from careline.kit.http import GuardedClient
from careline.kit.places import place_of
from careline.kit.settling import settle
from careline.outbox.sending import Sender
from careline.outbox.typing_signs import TypingSigns
from careline.screens.assets import StaticAssets
from careline.screens.inbox import pushing

if TYPE_CHECKING:
    from careline.triage.judging import Triage

ROOM_PAUSE_S = 1.0
_log = structlog.get_logger()


class NetworkLoop:
    """The thread with an event loop of its own for everything that talks to platforms: sender and readers."""

    def __init__(self, journal: Journal, *, alone: bool) -> None:
        self._journal = journal
        self._alone = alone
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="network", daemon=True)
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sender: Sender | None = None
        self._signs: TypingSigns | None = None

    def start(self) -> None:
        """Begin sending and reading."""
        self._thread.start()
        hub.subscribe(lambda workspace_id, n: self._nudge())

    def stop(self) -> None:
        """Stop reading, let sends finish."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=15)

    def overhear(self, workspace_id: int, frame: Frame) -> None:
        """From the edge's loop: an agent types a private answer, and the customer's network may show it."""
        case_id = case_typed_in(frame)
        if case_id is not None and self._signs is not None:
            with suppress(RuntimeError):  # the loop closed meanwhile
                self._signs.hear(workspace_id, case_id)

    def _nudge(self) -> None:
        if self._loop is not None and self._sender is not None:
            with suppress(RuntimeError):  # the loop closed meanwhile: whoever committed must not hear of it
                self._loop.call_soon_threadsafe(self._sender.nudge)

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        pool = ThreadPoolExecutor(2, thread_name_prefix="network-db")
        # Channel addresses are typed by administrators, whose mail server may well be in the house; addresses in customers' words never are.
        client = GuardedClient(allow_private=True)
        tools = Tools(http=client, renew=renew_and_keep)
        self._sender = Sender(tools, pool, alone=self._alone)
        self._signs = TypingSigns(tools, pool, self._loop)
        readers = Readers(self._journal, tools, pool)
        outside = GuardedClient(allow_private=settings.ALLOW_PRIVATE_ADDRESSES)
        fetcher = Fetcher(tools, outside, pool)
        rechecks = Rechecks(self._journal, tools, pool)
        works = {
            "sender": self._sender.run,
            "readers": readers.run,
            "fetcher": fetcher.run,
            "rechecks": rechecks.run,
            "templates": Templates(tools, pool).run,
            "asking": Asking(tools, pool).run,
        }
        tasks = [asyncio.create_task(self._keep_going(name, work)) for name, work in works.items()]
        await self._stop.wait()
        await readers.stop()
        await self._sender.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.close()
        await outside.close()
        pool.shutdown(wait=True)

    async def _keep_going(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A room that ends by a fault begins again: a database away for a moment must not silence a channel until the next restart."""
        while self._stop is not None and not self._stop.is_set():
            try:
                await work()
                return
            except Exception as error:  # the worker loop
                _log.error("room_failed", room=name, error=place_of(error))
                await asyncio.sleep(ROOM_PAUSE_S)


def _triage() -> Triage:
    """Imported where it runs: it brings numpy and scipy, some 25 MiB."""
    from careline.triage.judging import Triage

    return Triage()


def _warm_up(roles: frozenset[str]) -> None:
    """Beside the first requests, not before them: whoever comes early waits no longer than without."""
    try:
        if "web" in roles:
            pushing.warm_up()
    except Exception as error:  # the worker loop: a house that is cold is still a house
        _log.error("room_failed", room="warming", error=place_of(error))
    settle()


class House:
    """All rooms of this process. `start` before the first request, `stop` after the last."""

    def __init__(self, roles: frozenset[str]) -> None:
        self.roles = roles
        self.journal = Journal()
        self.doors = CoreDoors(self.journal)
        self.hub = Hub(self.doors)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._triage = _triage() if settings.TRIAGE and "worker" in roles else None
        self._network = NetworkLoop(self.journal, alone=connection.vendor == "sqlite")
        self._bridge = bridging.bridge_for(connection.vendor)
        self._control = Control(settings.DATA_DIR) if connection.vendor == "sqlite" else None

    def start(self) -> None:
        """Open the rooms, the way in last."""
        if connection.vendor == "sqlite":
            leases.inherit()
        self.journal.start()
        if self._bridge is not None:
            self._bridge.start()
        if "worker" in self.roles:
            digest = Digest(self.journal)
            self._spawn("digest", lambda: digest.run(self._stopping))
            self._spawn("timer", lambda: firing.run_timer(self._stopping))
            self._spawn("housekeeping", lambda: run_housekeeping(self._stopping))
            if self._triage is not None:
                triage = self._triage
                self._spawn("triage", lambda: triage.run(self._stopping))
            self._network.start()
            self.hub.overhear(self._network.overhear)
        else:
            self._spawn("backlog", lambda: watch_backlog(self.journal, self._stopping))
        if self._control is not None:
            self._control.start()
        warming = threading.Thread(target=_warm_up, args=(self.roles,), name="warming", daemon=True)
        warming.start()
        self._threads.append(warming)
        self.doors.not_ready = ""
        _log.info("house_open", roles=sorted(self.roles), database=connection.vendor)

    def _spawn(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._keep_going, args=(name, work), name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _keep_going(self, name: str, work: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                work()
            except Exception as error:  # the worker loop
                _log.error("room_failed", room=name, error=place_of(error))
                connection.close()
                self._stopping.wait(ROOM_PAUSE_S)

    def stop(self) -> None:
        """Close the rooms: the way in first."""
        self.doors.not_ready = "stopping"
        self._stopping.set()
        if self._control is not None:
            self._control.stop()
        if self._triage is not None:
            self._triage.stop()
        if "worker" in self.roles:
            self._network.stop()
        self.journal.stop()
        for thread in self._threads:
            thread.join(timeout=15)
        if self._bridge is not None:
            self._bridge.stop()
        _log.info("house_closed")


class Server(uvicorn.Server):
    """Closes the streams before it waits for open requests."""

    def __init__(self, config: uvicorn.Config, edge_hub: Hub) -> None:
        super().__init__(config)
        self._edge_hub = edge_hub

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """A stop that was asked for is no death by signal: the process ends with 0 once everything is closed."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    def handle_exit(self, sig: int, frame: object) -> None:
        self._edge_hub.close()
        super().handle_exit(sig, frame)  # type: ignore[arg-type] # a FrameType


def build(house: House) -> Starlette:
    """The ASGI application of this process."""
    from importlib.util import find_spec

    from careline.core import build_core

    more = []
    if find_spec("careline.intake.widget_door"):
        from careline.edge.widget import widget_routes
        from careline.intake.widget_door import CoreWidgetDoor

        more = widget_routes(CoreWidgetDoor(house.journal), house.hub)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        house.hub.bind()
        ways_out = [hub.subscribe(house.hub.hint), hub.hear_whispers(house.hub.heard_elsewhere)]
        house.hub.carry_to(hub.whisper)
        await asyncio.to_thread(house.start)
        try:
            yield
        finally:
            for leave in ways_out:
                leave()
            house.hub.close()
            await asyncio.to_thread(house.stop)

    return build_app(
        house.doors,
        house.hub,
        build_core(),
        static=StaticAssets(),
        hook_limit_bytes=settings.HOOK_BODY_LIMIT_BYTES,
        upload_limit_bytes=settings.UPLOAD_LIMIT_BYTES,
        metrics_token=settings.METRICS_TOKEN,
        more=more,
        lifespan=lifespan,
    )


def serve(host: str, port: int, roles: frozenset[str]) -> None:
    """Run until SIGTERM or SIGINT."""
    house = House(roles)
    config = uvicorn.Config(
        build(house),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=20,
        loop="uvloop",
        http="httptools",
        ws="none",
    )
    Server(config, house.hub).run()
