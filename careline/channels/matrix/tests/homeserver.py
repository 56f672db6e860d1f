"""A small homeserver on loopback, as far as a client of one account sees it. Every request and answer is held against the specification."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from typing import Any, Final

import msgspec
from aiohttp import web

from careline.channels.base import ChannelView
from careline.channels.conformance import Fault, Standing, Words
from careline.channels.matrix.tests import specification
from careline.kit import clock

US, MARTA, OTRO = "@care:air.test", "@marta:people.test", "@otro:people.test"
DM, GROUP = "!dm:air.test", "!plaza:air.test"
NAMES: Final = {US: "Aurora", MARTA: "Marta Ruiz", OTRO: "Otro"}
TOKEN, REFRESH, PASSWORD = "syt_token_1", "syr_refresh_1", "a-password-of-tests"
Json = dict[str, Any]
_NUMBERS: Final = itertools.count()
_REFUSALS: Final[dict[Fault, tuple[int, Json, dict[str, str]]]] = {
    "rate_limited": (429, {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many", "retry_after_ms": 7000}, {}),
    "rate_limited_silently": (429, {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many"}, {}),
    "refused": (403, {"errcode": "M_FORBIDDEN", "error": "User not in room: confidential words"}, {}),
    "revoked": (401, {"errcode": "M_UNKNOWN_TOKEN", "error": "Invalid access token"}, {}),
}


def event_of(
    event_id: str, sender: str, content: Json, *, at_ms: int, kind: str = "m.room.message", **more: Any
) -> Json:
    about = {"type": kind, "event_id": event_id, "sender": sender, "origin_server_ts": at_ms, "unsigned": {"age": 1}}
    return {**about, "content": content, **more}


class Homeserver:
    """Rooms hold their events in order; a token of /sync is how many events there were in all."""

    def __init__(self, channel: ChannelView) -> None:
        self.channel = channel
        self.requests: list[tuple[str, str, Json]] = []
        self.wrong: list[str] = []
        self.members = {DM: [US, MARTA], GROUP: [US, MARTA, OTRO]}
        self.rules = {GROUP: "public"}
        self.names = {GROUP: "Aurora travellers"}
        self.log: list[tuple[str, Json]] = []
        self.ephemeral: dict[str, list[Json]] = {}
        self.invites: dict[str, str] = {}
        self.alone: set[str] = set()
        self.directs: dict[str, list[str]] = {}
        self.aliases: dict[str, str] = {}
        self.uploads: list[bytes] = []
        self.joins_fail: list[tuple[int, Json]] = []
        self.limit = 20
        self.tokens = {TOKEN}
        self.gone: set[str] = set()
        self._done: dict[str, str] = {}
        self._faults: list[Fault] = []
        self._transports: list[asyncio.Transport] = []
        self._loop = asyncio.new_event_loop()
        self._ready, self._stopped = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self) -> None:
        app = web.Application(client_max_size=10_000_000)
        app.router.add_route("*", "/{rest:.*}", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        settings = {**self.channel.settings, "homeserver": self.address, "base_url": self.address}
        self.channel = msgspec.structs.replace(self.channel, settings=settings)
        self._ready.set()
        await self._stopped.wait()
        await runner.cleanup()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)
        self._loop.close()
        assert not self.wrong, f"not as the specification says: {self.wrong}"

    # ---- as the conformance rules know a platform

    def plan(self, fault: Fault) -> None:
        self._faults.append(fault)

    def posted(self) -> list[str]:
        said = [one["content"] for _, one in self.log if one["sender"] == US and one["type"] == "m.room.message"]
        return [one["body"] for one in said if one.get("msgtype") == "m.text" and "m.new_content" not in one]

    def standing(self, surface: str, *, ours: bool) -> Standing:
        room, author = (DM, MARTA) if surface == "dm" else (GROUP, MARTA)
        event_id = f"${surface}-{'ours' if ours else 'theirs'}"
        if not any(one["event_id"] == event_id for _, one in self.log):
            self.say(room, US if ours else MARTA, {"msgtype": "m.text", "body": "words"}, event_id=event_id)
            self.log = [(at, one) for at, one in self.log if one["event_id"] != event_id or not ours] + [
                (at, {**one, "type": "m.standing"}) for at, one in self.log if one["event_id"] == event_id and ours
            ]
        return Standing(event_id, f"{DM}/dm" if surface == "dm" else GROUP, author)

    def commented(self) -> Standing:
        return Standing("$group-theirs", GROUP, OTRO)

    def done_to(self, platform_id: str) -> frozenset[str]:
        reactions = {
            one["content"]["m.relates_to"]["key"]
            for _, one in self.log
            if one["type"] == "m.reaction"
            and self._relation(one).get("event_id") == platform_id
            and one["event_id"] not in self.gone
        }
        return frozenset(reactions | ({"deleted"} if platform_id in self.gone else set()))

    def happen_unseen(self, words: Words) -> None:
        self.say(DM, MARTA, {"msgtype": "m.text", "body": words.text}, event_id=f"${words.key}")

    # ---- things that happen there

    def say(self, room: str, sender: str, content: Json, *, event_id: str = "", **more: Any) -> str:
        event_id = event_id or f"$event-{next(_NUMBERS)}"
        at_ms = int(clock.epoch_s() * 1000)
        self.log.append((room, event_of(event_id, sender, content, at_ms=at_ms, **more)))
        return event_id

    def read_up_to(self, room: str, event_id: str, reader: str) -> None:
        told = {"type": "m.receipt", "content": {event_id: {"m.read": {reader: {"ts": 1_790_000_000_000}}}}}
        self.ephemeral.setdefault(room, []).append(told)

    # ---- the wire

    async def _take(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        self._transports.append(request.transport)
        content = await request.read()
        url, path = request.raw_path, request.path
        is_json = request.content_type == "application/json" and content
        body: Json = json.loads(content) if is_json else {}
        self.requests.append((request.method, path, body or dict(request.query)))
        if specification.is_here():
            self.wrong += specification.complaints(request.method, url, content, request.content_type)
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        is_open = path.endswith(("/login", "/refresh", "/versions", "/.well-known/matrix/client"))
        fault = self._faults.pop(0) if self._faults and _is_act(request.method, path) else None
        if fault == "revoked":
            self.tokens.clear()
        if not is_open and bearer not in self.tokens:
            return self._refuse("revoked")
        if fault in _REFUSALS:
            return self._refuse(fault)
        status, answer = self._answer(request, body, content)
        if fault == "failing":
            return web.json_response({"errcode": "M_UNKNOWN", "error": "Internal"}, status=502)
        if fault == "cut":
            if self._is_used(request.transport):
                self._faults.insert(0, "cut")  # the client itself repeats a PUT whose kept connection broke
            request.transport.abort()
        if specification.is_here():
            self.wrong += specification.fault_of_answer(request.method, url, status, json.dumps(answer).encode())
        return web.json_response(answer, status=status)

    def _is_used(self, transport: asyncio.Transport) -> bool:
        return sum(one is transport for one in self._transports) > 1

    @staticmethod
    def _refuse(fault: Fault) -> web.Response:
        status, words, headers = _REFUSALS[fault]
        return web.json_response(words, status=status, headers=headers)

    def _answer(self, request: web.Request, body: Json, content: bytes) -> tuple[int, Any]:
        pieces = request.path.split("/")[2:]
        match (request.method, *pieces):
            case ("GET", _, _, "sync"):
                return 200, self._sync(request.query.get("since", ""), json.loads(request.query["filter"]))
            case ("PUT", _, _, "rooms", room, "send", kind, txn):
                return self._send(room, kind, txn, body)
            case ("PUT", _, _, "rooms", room, "redact", event_id, txn):
                return self._redact(room, event_id, txn)
            case ("GET", _, _, "rooms", room, "event", event_id):
                found = [{**one, "room_id": at} for at, one in self.log if at == room and one["event_id"] == event_id]
                return (200, found[0]) if found else _missing()
            case ("GET", _, _, "rooms", room, "messages"):
                return 200, self._page(room, request.query)
            case ("GET", _, _, "rooms", room, "relations", event_id, rel_type):
                return 200, {"chunk": [one for one in self._related(room, event_id, rel_type)]}
            case ("GET", _, _, "rooms", room, "joined_members"):
                joined = {one: {"display_name": NAMES.get(one, one)} for one in self.members.get(room, [])}
                return (200, {"joined": joined}) if US in joined else (403, {"errcode": "M_FORBIDDEN", "error": "no"})
            case ("GET", _, _, "rooms", room, "state", "m.room.name", _):
                return (200, {"name": self.names[room]}) if room in self.names else _missing()
            case ("GET", _, _, "rooms", room, "state", "m.room.join_rules", _):
                return 200, {"join_rule": self.rules.get(room, "invite")}
            case ("POST", _, _, "rooms", room, "join"):
                return self._join(room)
            case ("GET", _, _, "user", _, "account_data", "m.direct"):
                return (200, self.directs) if self.directs else _missing()
            case ("PUT", _, _, "user", _, "account_data", "m.direct"):
                self.directs = body
                return 200, {}
            case ("POST", _, _, "createRoom"):
                return self._create(body)
            case ("GET", _, _, "directory", "room", alias):
                return (200, {"room_id": self.aliases[alias], "servers": []}) if alias in self.aliases else _missing()
            case ("POST", "media", "v3", "upload"):
                self.uploads.append(content)
                return 200, {"content_uri": f"mxc://air.test/m{len(self.uploads)}"}
            case ("PUT", _, _, "rooms", _, "typing", _):
                return 200, {}
        return self._access(request, body)

    def _access(self, request: web.Request, body: Json) -> tuple[int, Any]:
        match request.path.rpartition("/")[2]:
            case "whoami":
                return 200, {"user_id": US, "device_id": "DESK"}
            case "versions":
                return 200, {"versions": ["v1.1", "v1.11", "v1.16"]}
            case "config":
                return 200, {"m.upload.size": 1_000_000}
            case "logout":
                return 200, {}
            case "login" if body.get("password") != PASSWORD:
                return 403, {"errcode": "M_FORBIDDEN", "error": "Invalid username or password"}
            case "login" | "refresh":
                number = len(self.tokens) + 1
                self.tokens = {f"syt_token_{number}"}
                return 200, {
                    "access_token": f"syt_token_{number}",
                    "refresh_token": f"syr_{number}",
                    **({"user_id": US, "device_id": "DESK"} if "password" in body else {}),
                }
        return _missing()

    def _sync(self, since: str, wanted: Json) -> Json:
        start, limit = int(since or 0), min(self.limit, wanted["room"]["timeline"]["limit"])
        types = wanted["room"]["timeline"]["types"]
        joined = {}
        for room in self.members:
            new = [one for at, (where, one) in enumerate(self.log) if at >= start and where == room]
            new = [one for one in new if one["type"] in types]
            ephemeral = self.ephemeral.pop(room, [])
            if new or ephemeral:
                shown = new[-limit:]
                first = next((at for at, (_, one) in enumerate(self.log) if shown and one is shown[0]), len(self.log))
                timeline = {"events": shown, "limited": len(new) > limit, "prev_batch": str(first)}
                joined[room] = {"timeline": timeline, "ephemeral": {"events": ephemeral}}
        invites = {room: {"invite_state": {"events": [self._invite(room)]}} for room in self.invites}
        return {"next_batch": str(len(self.log)), "rooms": {"join": joined, "invite": invites}}

    def _invite(self, room: str) -> Json:
        alone = {"is_direct": True} if room in self.alone else {}
        about = {"type": "m.room.member", "state_key": US, "sender": self.invites[room]}
        return {**about, "content": {"membership": "invite", **alone}}

    def _page(self, room: str, query: Any) -> Json:
        start, end = int(query.get("from", 0)), int(query["to"])
        inside = [(at, one) for at, (where, one) in enumerate(self.log) if where == room and start <= at < end]
        page = inside[: min(int(query["limit"]), 3)]
        more = {"end": str(page[-1][0] + 1)} if page else {}
        return {"chunk": [{**one, "room_id": room} for _, one in page], "start": str(start), **more}

    def _send(self, room: str, kind: str, txn: str, body: Json) -> tuple[int, Any]:
        if txn not in self._done:
            if kind == "m.reaction" and body["m.relates_to"]["key"] in self.done_to(body["m.relates_to"]["event_id"]):
                return 400, {"errcode": "M_DUPLICATE_ANNOTATION", "error": "Can't send same reaction twice"}
            unsigned = {"age": 1, "transaction_id": txn}
            self._done[txn] = self.say(room, US, body, kind=kind, unsigned=unsigned)
        return 200, {"event_id": self._done[txn]}

    def _redact(self, room: str, event_id: str, txn: str) -> tuple[int, Any]:
        if txn not in self._done:
            self.gone.add(event_id)
            self._done[txn] = self.say(room, US, {"redacts": event_id}, kind="m.room.redaction", redacts=event_id)
        return 200, {"event_id": self._done[txn]}

    def _related(self, room: str, event_id: str, rel_type: str) -> list[Json]:
        return [
            {**one, "room_id": room}
            for _, one in self.log
            if self._relation(one).get("event_id") == event_id
            and self._relation(one).get("rel_type") == rel_type
            and one["event_id"] not in self.gone
        ]

    @staticmethod
    def _relation(one: Json) -> Json:
        return dict(one["content"].get("m.relates_to", {}))

    def _join(self, room: str) -> tuple[int, Any]:
        if self.joins_fail:
            return self.joins_fail.pop(0)
        host = self.invites.pop(room, "")
        self.members[room] = [US, host or MARTA]
        self.say(room, US, {"membership": "join"}, kind="m.room.member", state_key=US)
        return 200, {"room_id": room}

    def _create(self, body: Json) -> tuple[int, Any]:
        alias = f"#{body['room_alias_name']}:air.test"
        if alias in self.aliases:
            return 400, {"errcode": "M_ROOM_IN_USE", "error": "Room alias already taken"}
        room = f"!new{len(self.aliases)}:air.test"
        self.aliases[alias], self.members[room] = room, [US]
        return 200, {"room_id": room}


def _missing() -> tuple[int, Json]:
    return 404, {"errcode": "M_NOT_FOUND", "error": "Not found."}


def _is_act(method: str, path: str) -> bool:
    """What a fault is planned for: messages, reactions and redactions."""
    return method == "PUT" and any(f"/{name}/" in path for name in ("send", "redact"))
