"""The network against an independent Bot API server: introduced, polling, webhook, sending, editing, deleting."""

from __future__ import annotations

import asyncio
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from careline.channels.base import (
    ChannelView,
    ConnectionView,
    Fetched,
    HookRequest,
    ModerationAct,
    Outgoing,
    Said,
    SignInRequired,
)
from careline.channels.conformance.acting import with_tools
from careline.channels.telegram import NETWORK
from careline.channels.telegram.inbound import SECRET_HEADER
from tests.networks.telegram.world import BOT_ID, BOT_NAME, TOKEN, World

pytestmark = pytest.mark.node
MARTA = {"id": 42, "is_bot": False, "first_name": "Marta"}
PRIVATE = {"id": 42, "type": "private", "first_name": "Marta"}
GROUP = {"id": -1005, "type": "supergroup", "title": "Travellers"}


@pytest.fixture
def channel(world: World) -> ChannelView:
    settings = {"api": world.address, "mode": "polling", "username": BOT_NAME}
    return ChannelView(1, 1, "telegram", str(BOT_ID), "Bot", f"@{BOT_NAME}", settings, {"token": TOKEN})


def fetch(channel: ChannelView, cursor: dict[str, object]) -> Fetched:
    return with_tools(lambda tools: asyncio.wait_for(anext(NETWORK.listen(channel, cursor, tools)), 10))


def heard(fetched: Fetched, channel: ChannelView) -> list[Said]:
    found = [one for part in fetched.parts for one in NETWORK.normalise(part, channel)]
    return [one for one in found if isinstance(one, Said)]


def outgoing(text: str, surface: str, thread: str, **more: object) -> Outgoing:
    return Outgoing(1, "key", 1, surface, 1, thread, "42", text, "human", **more)  # type: ignore[arg-type]


def test_the_bot_says_who_it_is(channel: ChannelView) -> None:
    known = with_tools(lambda tools: NETWORK.introduce(channel, "https://desk.example.org/hooks/telegram/t", tools))
    assert (known.account_key, known.handle) == (str(BOT_ID), f"@{BOT_NAME}")
    assert with_tools(lambda tools: NETWORK.check(msgspec.structs.replace(channel, id=0), tools)).ok


def test_what_people_say_is_fetched_in_bulk_and_goes_on_from_the_cursor(world: World, channel: ChannelView) -> None:
    mention = [{"type": "mention", "offset": 3, "length": len(BOT_NAME) + 1}]
    world.say("Hola", chat=PRIVATE, by=MARTA)
    world.say(f"🧳 @{BOT_NAME} ¿y mi maleta?", chat=GROUP, by=MARTA, entities=mention)
    world.say("Yo también", chat=GROUP, by={**MARTA, "id": 43, "first_name": "Otro"})
    first = fetch(channel, {})
    told = heard(first, channel)
    assert [(one.surface, one.is_addressed) for one in told] == [("dm", True), ("group", True), ("group", False)]
    world.say("¿Hola?", chat=PRIVATE, by=MARTA)
    second = fetch(channel, dict(first.cursor))
    assert [one.text for one in heard(second, channel)] == ["¿Hola?"]
    assert int(str(second.cursor["offset"])) > int(str(first.cursor["offset"]))


def test_an_answer_arrives_is_edited_and_is_deleted(world: World, channel: ChannelView) -> None:
    sent = with_tools(lambda tools: NETWORK.send(outgoing("Un momento", "dm", "42"), channel, tools))
    assert world.said_by_bot(42) == ["Un momento"]
    changed = outgoing("Ya está", "dm", "42")
    with_tools(lambda tools: NETWORK.edit(sent.platform_id, changed, channel, tools))
    assert world.said_by_bot(42) == ["Ya está"]
    act = ModerationAct("delete", sent.platform_id, "dm", "42", "key")
    with_tools(lambda tools: NETWORK.moderate(act, channel, tools))
    assert world.said_by_bot(42) == []


def test_a_public_answer_hangs_on_what_it_answers(world: World, channel: ChannelView) -> None:
    answer = outgoing("La buscamos", "group", "-1005", reply_to="-1005:2")
    with_tools(lambda tools: NETWORK.send(answer, channel, tools))
    (stands,) = world.bots(-1005)
    assert stands["message"]["reply_parameters"] == {"message_id": 2, "allow_sending_without_reply": True}


def test_a_webhook_gets_what_people_say_and_is_let_in_only_with_its_secret(world: World, channel: ChannelView) -> None:
    bodies: list[bytes] = []
    hook = _listening(bodies)
    hooked = msgspec.structs.replace(channel, settings={**channel.settings, "mode": "webhook"})
    address = f"http://127.0.0.1:{hook.server_port}/hooks/telegram/t"
    known = with_tools(lambda tools: NETWORK.introduce(hooked, address, tools))
    world.say("Por webhook", chat=PRIVATE, by=MARTA)
    end_s = time.monotonic() + 10
    while not bodies and time.monotonic() < end_s:
        time.sleep(0.02)
    hook.shutdown()
    hook.server_close()
    with_tools(lambda tools: NETWORK.introduce(channel, address, tools))
    connection = ConnectionView(1, 1, "telegram", {"token": TOKEN, **known.secrets}, {str(BOT_ID): 1})
    # This server sends no secret along: so it is not let in.
    with pytest.raises(SignInRequired):
        NETWORK.verify(HookRequest("POST", "/", {}, bodies[0]), connection)
    request = HookRequest("POST", "/", {SECRET_HEADER: known.secrets["hook_secret"]}, bodies[0])
    NETWORK.verify(request, connection)
    (part,) = NETWORK.split(request, connection)
    (said,) = NETWORK.normalise(part, channel)
    assert isinstance(said, Said)
    assert (part.account_key, said.text) == (str(BOT_ID), "Por webhook")


def _listening(bodies: list[bytes]) -> ThreadingHTTPServer:
    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
