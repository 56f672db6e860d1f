"""What is measured from outside a real `careline serve`: hooks a second against its own no-op, webhook to screen, fan-out, memory, start."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import uvloop

from careline.kit import clock, crypto, signing
from tests.servers.processes import ROOT, Careline

# A server loads its first page beside the first requests: measured with it, a no-op would look slow and the hooks' share of it large.
WARMING_S = 4.0
SECRET = "whsec_" + "Y2FyZWxpbmUtYmVuY2gtc2VjcmV0LWtleQ=="


@dataclass
class Served:
    """A running installation to measure."""

    careline: Careline
    hook: str
    workspace_id: int
    agent_id: int
    start_s: float

    def ticket(self) -> str:
        """A stream ticket of the owner, as a page would carry it."""
        key = crypto.derive((self.careline.data / "secret.key").read_text().strip(), "tickets")
        claims: dict[str, object] = {
            "ws": self.workspace_id,
            "agent": self.agent_id,
            "sight": ["all"],
            "locale": "en",
            "name": "Olga",
        }
        return signing.seal(key, "stream", claims, lasts_s=3600)


def start(folder: Path, database_url: str) -> Served:
    """Seed and serve."""
    careline = Careline(folder, database_url=database_url)
    careline.data.mkdir(parents=True, exist_ok=True)
    arguments = {
        "hook_secret": SECRET,
        "token": "t",
        "api": "http://127.0.0.1:9/api",
        "sending": "lookup",
        "replies": [],
        "spread_s": 1,
    }
    code = (ROOT / "tests" / "crash" / "seeding.py").read_text()
    hook = json.loads(careline.run(json.dumps(arguments), code=code).strip().splitlines()[-1])["hook"]
    owner = json.loads(careline.run(code=_OWNER).strip().splitlines()[-1])
    served = Served(careline, hook, owner["workspace"], owner["agent"], 0.0)
    serve(served, "web,worker")
    return served


def serve(served: Served, roles: str) -> None:
    """(Re)start with these roles."""
    served.careline.stop()
    served.careline.command = ("serve", "--roles", roles)
    begin = time.perf_counter()
    served.careline.start().wait_ready()
    served.start_s = time.perf_counter() - begin
    time.sleep(WARMING_S)


_OWNER = """
import json, os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from careline.workspaces.models import Account, Agent, Workspace
air = Workspace.objects.get()
agent = Agent.objects.create(workspace=air, account=Account.objects.create_user("owner@air.test"), name="Olga", role="owner")
print(json.dumps({"workspace": air.id, "agent": agent.id}))
"""


def memory_mib(served: Served) -> float:
    """Resident memory of the idle process."""
    time.sleep(3)
    assert served.careline.process is not None
    return float(psutil.Process(served.careline.process.pid).memory_info().rss) / 1024 / 1024


def request(served: Served, body: bytes, webhook_id: str) -> bytes:
    """A signed delivery as bytes for the socket."""
    headers = signing.webhook_headers(SECRET, webhook_id, body)
    lines = [
        f"POST {served.hook} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def delivery(number: int, text: str) -> bytes:
    """One event, about 1 KB with its envelope."""
    event = {
        "id": f"b{number}", "account": "aurora", "kind": "message.created", "at": clock.now().isoformat(), "thread": f"bt{number % 500}",
        "conversation": {"place": "dm", "author_id": f"bp{number % 500}", "root_id": "", "views": 0},
        "message": {"id": f"bm{number}", "author": {"id": f"bp{number % 500}", "handle": f"@bp{number % 500}", "name": "Bench"}, "text": text},
    }  # fmt: skip
    return json.dumps({"delivery": f"d{number}", "events": [event], "pad": "x" * 480}).encode()


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0
    )
    if length:
        await reader.readexactly(length)
    return int(head[9:12])


async def _pump(port: int, requests: list[bytes]) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    spent = []
    for one in requests:
        begin = time.perf_counter()
        writer.write(one)
        status = await _answer(reader)
        spent.append(time.perf_counter() - begin)
        if status not in {200, 503}:
            raise AssertionError(f"status {status}")
    writer.close()
    return spent


async def rate(port: int, requests: list[bytes], connections: int = 32) -> tuple[float, float]:
    """(requests a second, 99th percentile ms) with keep-alive connections."""
    parts = [requests[start::connections] for start in range(connections)]
    begin = time.perf_counter()
    spent = [one for batch in await asyncio.gather(*(_pump(port, part) for part in parts if part)) for one in batch]
    return len(requests) / (time.perf_counter() - begin), sorted(spent)[int(0.99 * (len(spent) - 1))] * 1000


def hooks_against_noop(served: Served, count: int) -> dict[str, float]:
    """Signed 1 KB webhooks, durable before 200, and the same server's no-op: the way in alone (`--roles web`), as fast as it takes them."""
    noop = [b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"] * count
    hooks = [request(served, delivery(number, "x"), f"w{number}") for number in range(count)]
    asyncio.run(rate(served.careline.port, noop[:200]))
    noop_rate, _ = asyncio.run(rate(served.careline.port, noop))
    hook_rate, p99_ms = asyncio.run(rate(served.careline.port, hooks))
    return {"noop_per_s": noop_rate, "hooks_per_s": hook_rate, "hooks_p99_ms": p99_ms}


async def _pace(port: int, requests: list[bytes], per_s: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    spent = []
    begin = time.perf_counter()
    for number, one in enumerate(requests):
        await asyncio.sleep(max(0.0, begin + number / per_s - time.perf_counter()))
        at = time.perf_counter()
        writer.write(one)
        await _answer(reader)
        spent.append(time.perf_counter() - at)
    writer.close()
    return spent


async def _paced(port: int, parts: list[list[bytes]], per_s: float) -> list[float]:
    return [one for batch in await asyncio.gather(*(_pace(port, part, per_s) for part in parts)) for one in batch]


def hooks_at_a_pace(served: Served, per_s: int = 1000, seconds: int = 4) -> dict[str, float]:
    """The 99th percentile of signed webhooks at a steady pace, digest and all in the same process."""
    requests = [request(served, delivery(2_000_000 + number, "x"), f"p{number}") for number in range(per_s * seconds)]
    spent = sorted(asyncio.run(_paced(served.careline.port, [requests[start::32] for start in range(32)], per_s / 32)))
    return {"paced_p99_ms": spent[int(0.99 * (len(spent) - 1))] * 1000}


async def _stream(
    served: Served, ticket: str, arrived: dict[str, float], ready: asyncio.Event, is_done: Callable[[], bool]
) -> None:
    """A screen: one that fell behind is let go by the server, and resumes by number as a browser does."""
    since = -1
    while not is_done():
        reader, writer = await asyncio.open_connection("127.0.0.1", served.careline.port, limit=4 * 1024 * 1024)
        writer.write(f"GET /w/air/stream?ticket={ticket}&since={since} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        ready.set()
        since = await _watch(reader, arrived, is_done, since)
        writer.close()


async def _watch(
    reader: asyncio.StreamReader, arrived: dict[str, float], is_done: Callable[[], bool], since: int
) -> int:
    """Until it is done or the server ends the stream; gives the number to resume after."""
    while not is_done() and (line := await reader.readline()):
        at = time.perf_counter()
        if line.startswith(b"id:"):
            since = int(line[3:])
        for mark in (part.split("]")[0] for part in line.decode(errors="replace").split("[bench-")[1:]):
            arrived.setdefault(mark, at)
    return since


async def _to_screen(served: Served, count: int, per_s: int) -> list[float]:
    arrived: dict[str, float] = {}
    sent: dict[str, float] = {}
    ready = asyncio.Event()
    watcher = asyncio.create_task(_stream(served, served.ticket(), arrived, ready, lambda: len(arrived) >= count))
    await ready.wait()
    reader, writer = await asyncio.open_connection("127.0.0.1", served.careline.port)
    begin = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, begin + number / per_s - time.perf_counter()))
        mark = str(number)
        sent[mark] = time.perf_counter()
        writer.write(request(served, delivery(5_000_000 + number, f"[bench-{mark}] where is my bag"), f"s{number}"))
        await _answer(reader)
    await asyncio.wait_for(watcher, 30)
    writer.close()
    return sorted((arrived[mark] - at) * 1000 for mark, at in sent.items() if mark in arrived)


def webhook_to_screen(served: Served, count: int = 1000, per_s: int = 200) -> dict[str, float]:
    """From the first byte of a webhook to its row in a screen's stream."""
    _settle(served)
    spent = asyncio.run(_to_screen(served, count, per_s))
    return {
        "screen_p50_ms": spent[len(spent) // 2],
        "screen_p95_ms": spent[int(0.95 * (len(spent) - 1))],
        "screen_share": len(spent) / count,
    }


class Screen(asyncio.Protocol):
    """One open screen, read with as little as it takes to find a mark: 5,000 of them are 5,000 machines elsewhere, and not what is measured here.

    One that fell behind is let go by the server, and resumes by number as a browser does.
    """

    def __init__(self, served: Served, ticket: str, mark: bytes) -> None:
        self._served, self._ticket, self._mark = served, ticket, mark
        self._since = -1
        self._rest = b""
        self.opened = asyncio.Event()
        self.arrived: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Ask for the stream, from the last number heard."""
        transport, _ = await asyncio.get_running_loop().create_connection(
            lambda: self, "127.0.0.1", self._served.careline.port
        )
        address = f"/w/air/stream?ticket={self._ticket}&since={self._since}"
        transport.write(f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def data_received(self, part: bytes) -> None:
        said = self._rest + part
        if not self.opened.is_set() and b"event: open" in said:
            self.opened.set()
        if self._mark in said and not self.arrived.done():
            self.arrived.set_result(time.perf_counter())
        if (last := said.rfind(b"\nid: ")) >= 0 and (digits := said[last + 5 : last + 25].partition(b"\n"))[1]:
            self._since = int(digits[0])
        self._rest = said[-64:]

    def connection_lost(self, why: Exception | None) -> None:
        if not self.arrived.done():
            self._again = asyncio.ensure_future(self.open())


async def _fan_out(served: Served, screens: int) -> float:
    ticket, mark = served.ticket(), f"fan{screens}"
    opened: list[Screen] = []
    for start in range(0, screens, 100):
        batch = [Screen(served, ticket, f"[bench-{mark}]".encode()) for _ in range(min(100, screens - start))]
        await asyncio.gather(*(one.open() for one in batch))
        await asyncio.gather(*(one.opened.wait() for one in batch))
        opened += batch
    await asyncio.sleep(1.5)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.careline.port)
    begin = time.perf_counter()
    writer.write(request(served, delivery(9_000_000 + screens, f"[bench-{mark}] to everybody"), mark))
    await _answer(reader)
    arrived = await asyncio.wait_for(asyncio.gather(*(one.arrived for one in opened)), 60)
    writer.close()
    return (max(arrived) - begin) * 1000


def fan_out(served: Served, screens: int) -> float:
    """Milliseconds from the webhook to the last of `screens` open screens."""
    _settle(served)
    return uvloop.run(_fan_out(served, screens))


def _settle(served: Served) -> None:
    """Wait until the digest has nothing left to do."""
    import urllib.request

    for _ in range(600):
        with urllib.request.urlopen(f"{served.careline.address}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        waiting = next(
            (float(line.split()[1]) for line in text.splitlines() if line.startswith("careline_journal_new ")), 0.0
        )
        if waiting == 0:
            time.sleep(1.2)
            return
        time.sleep(0.3)
