"""A message by the generic API, from the caller's signed request to the agent's screen, and the answer back at the caller's own address."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from careline.kit import clock
from tests.edge.asking import ask
from tests.edge.conftest import Door
from tests.edge.seeding import HOOK_SECRET
from tests.edge.test_core import Desk


@dataclass
class Shop:
    """The caller's own server: it keeps what came, and says how it names it."""

    address: str
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def shop() -> Iterator[Shop]:
    class Till(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            answer = b'{"id": "out-1"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Till)
    found = Shop(f"http://127.0.0.1:{server.server_port}/answers")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def sign(webhook_id: str, at_s: int, body: bytes) -> str:
    """Standard Webhooks by hand (specification, "Signature scheme", read 2026-11-22), with nothing of ours in it."""
    key = base64.b64decode(HOOK_SECRET.removeprefix("whsec_"))
    signed = webhook_id.encode() + b"." + str(at_s).encode() + b"." + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def speak(door: Door, event: dict[str, object]) -> None:
    body, at_s = json.dumps(event).encode(), int(clock.epoch_s())
    name = f"request-{time.monotonic_ns()}"
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(at_s),
        "webhook-signature": sign(name, at_s, body),
        "content-type": "application/json",
    }
    answer = ask(door.port, "POST", door.hook("air.generic"), body, headers)
    assert (answer.status, answer.json) == (200, {"kept": 1}), answer.body


_POINT = """
from careline.channels.models import Channel
row = Channel.objects.get(id=int(sys.argv[1]))
Channel.objects.filter(id=row.id).update(settings={"account": "aurora", "outbound_url": sys.argv[2]}, undo_s=0)
"""
_THREAD = """
from careline.threads.models import Message
print(Message.objects.get(platform_id=sys.argv[1]).thread_id)
"""
_STATE = """
from careline.outbox.models import Delivery
print(json.dumps(list(Delivery.objects.values_list("state", "platform_id"))))
"""


def test_a_signed_request_becomes_a_row_on_the_screen_and_its_answer_comes_back_signed(
    own_door: Callable[..., Door], shop: Shop
) -> None:
    door = own_door(CARELINE_ALLOW_PRIVATE_ADDRESSES="1")
    door.look(_POINT, str(door.seeded["channels"]["air.generic"]["id"]), shop.address)
    desk = Desk(door)
    event = {
        "type": "message", "id": "m-1", "at": clock.now().isoformat(), "text": "Where is my <b>parcel</b>?",
        "thread": {"id": "t-9", "visibility": "private", "subject": "Order 7"}, "customer": {"id": "c-4", "name": "Marta Ruiz"},
    }  # fmt: skip
    speak(door, event)
    speak(door, event)
    page = _until(lambda: _page_with(desk, "Marta Ruiz"))
    rows = re.findall(r'<li class="row.*?</li>', page, re.S)
    assert len(rows) == 1 and "Where is my &lt;b&gt;parcel&lt;/b&gt;?" in rows[0]
    number = re.search(r'data-number="(\d+)"', rows[0])
    assert number is not None
    case = f"/w/air/cases/{number[1]}"
    assert "Order 7" in desk.get(case).body.decode()
    said = {"thread": door.look(_THREAD, "m-1"), "text": "It left today.", "mode": "private"}
    assert desk.post(f"{case}/replies", json.dumps(said).encode()).status == 201
    headers, body = _until(lambda: shop.heard[0] if shop.heard else None)
    assert hmac.compare_digest(
        headers["webhook-signature"], sign(headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    )
    assert abs(int(headers["webhook-timestamp"]) - clock.epoch_s()) < 60
    answer = json.loads(body)
    told = {
        name: answer[name] for name in ("type", "thread_id", "visibility", "recipient", "text", "account", "agent_name")
    }
    assert told == {"type": "message", "thread_id": "t-9", "visibility": "private", "recipient": "c-4", "text": "It left today.",
                    "account": "aurora", "agent_name": "Ana"}  # fmt: skip
    assert answer["idempotency_key"] == headers["webhook-id"]
    _until(lambda: json.loads(door.look(_STATE)) == [["sent", "out-1"]])
    speak(door, {"type": "receipt", "id": "out-1", "thread_id": "t-9", "state": "read", "at": clock.now().isoformat()})
    _until(lambda: json.loads(door.look(_STATE)) == [["read", "out-1"]])
    assert len(shop.heard) == 1


def _page_with(desk: Desk, words: str) -> str:
    page = desk.get("/w/air/inbox?view=team").body.decode()
    return page if words in page else ""


def _until(found: Callable[[], Any], timeout_s: float = 20) -> Any:
    end_s = time.monotonic() + timeout_s
    while not (one := found()):
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.1)
    return one
