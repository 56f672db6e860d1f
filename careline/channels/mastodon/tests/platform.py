"""A small Mastodon on loopback. Each request and each answer is held against the OpenAPI description, where that is beside the project."""

from __future__ import annotations

import asyncio
import html
import itertools
import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from aiohttp import web

from careline.channels.base import ChannelView
from careline.channels.conformance import Fault, Standing, Words
from careline.channels.mastodon.tests import openapi
from careline.kit import clock

DOMAIN: Final = "cerca.test"
TOKEN: Final = "token-of-aurora"
ACCTS: Final = {"us": "aurora", "marta": "marta@lejos.test", "otro": "otro"}
US, MARTA, OTRO = (acct if "@" in acct else f"{acct}@{DOMAIN}" for acct in ACCTS.values())
Json = dict[str, Any]
_TAKEN: Final = itertools.count(9 * 10**17)
_IDS: Final = {name: str(number) for number, name in enumerate(ACCTS, 1)}
_REFUSALS: Final[Mapping[Fault, tuple[int, Json, dict[str, str]]]] = {
    "rate_limited": (429, {"error": "Too many requests"}, {"X-RateLimit-Remaining": "0"}),
    "rate_limited_silently": (429, {"error": "Too many requests"}, {}),
    "refused": (422, {"error": "Validation failed: Text can't be blank"}, {}),
    "revoked": (401, {"error": "The access token was revoked"}, {}),
}


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number_of(key: str) -> str:
    """An id as they look."""
    return str(10**17 + int.from_bytes(key.encode()[-6:]))


def account(who: str) -> Json:
    acct = ACCTS[who]
    url = f"https://{acct.partition('@')[2] or DOMAIN}/@{acct.partition('@')[0]}"
    picture = {name: f"{url}/{name}.png" for name in ("avatar", "avatar_static", "header", "header_static")}
    counts = {"followers_count": 1, "following_count": 1, "statuses_count": 1}
    flags = {"bot": False, "group": False, "locked": False, "indexable": True}
    names = {"id": _IDS[who], "username": acct.partition("@")[0], "acct": acct, "display_name": who.title()}
    more = {"created_at": stamp(clock.now()), "emojis": [], "fields": [], "note": "", "uri": url, "url": url}
    return {**names, **picture, **counts, **flags, **more}


def mention(who: str) -> Json:
    known = account(who)
    return {name: known[name] for name in ("id", "username", "acct", "url")}


def status(
    status_id: str, who: str, text: str, at: datetime, *, above: str = "", names: tuple[str, ...] = (), **more: Any
) -> Json:
    """A post as the platform shows it."""
    url = f"https://{DOMAIN}/@{who}/{status_id}"
    lists = {name: [] for name in ("emojis", "media_attachments", "tags")}
    counts = {"replies_count": 1, "reblogs_count": 2, "favourites_count": 3, "quotes_count": 4}
    paragraphs = "".join(f"<p>{html.escape(one).replace(chr(10), '<br />')}</p>" for one in text.split("\n\n"))
    words = {"content": paragraphs, "spoiler_text": "", "sensitive": False, "visibility": "public", "language": "es"}
    return {
        "id": status_id,
        "uri": url,
        "url": url,
        "created_at": stamp(at),
        "edited_at": None,
        "account": account(who),
        "mentions": [mention(one) for one in names],
        "in_reply_to_id": above or None,
        "poll": None,
        "quote": None,
        **lists,
        **counts,
        **words,
        **more,
    }


class FakeMastodon:
    """Takes what comes unless a fault was planned. Posts of others stand under any id until they are deleted."""

    def __init__(self, channel: ChannelView) -> None:
        self.channel = channel
        self.calls: list[tuple[str, str, Json]] = []
        self.headers: list[Mapping[str, str]] = []
        self.wrong: list[str] = []
        self.deleted: set[str] = set()
        self.statuses: dict[str, Json] = {}
        self.sources: dict[str, str] = {}
        self.notices: list[Json] = []
        self.forms: list[dict[str, tuple[str, bytes]]] = []
        self.slow_files = 0
        self.scopes_missing = False
        self.left = 300
        self.is_judged = openapi.IS_HERE
        self._favourites: set[str] = set()
        self._keys: dict[str, str] = {}
        self._posted: list[str] = []
        self._faults: list[Fault] = []
        self._recut = ""
        self.streams = False
        self.pages_forward = True
        self._told: asyncio.Queue[bytes] = asyncio.Queue()
        self._loop = asyncio.new_event_loop()
        self._ready, self._stopped = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self) -> None:
        app = web.Application(client_max_size=10_000_000)
        app.router.add_route("*", "/{path:.*}", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        settings = {**self.channel.settings, "server": f"http://127.0.0.1:{runner.addresses[0][1]}"}
        self.channel = msgspec.structs.replace(self.channel, settings=settings)
        self._ready.set()
        await self._stopped.wait()
        await runner.cleanup()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)
        self._loop.close()
        assert not self.wrong, f"not as described: {self.wrong}"

    # ---- as the conformance rules know a platform

    def plan(self, fault: Fault) -> None:
        self._faults.append(fault)

    def posted(self) -> list[str]:
        """The words of a post begin after the names of those it is for."""
        return [re.sub(r"^(@[\w.@-]+ )+", "", one) for one in self._posted]

    def happen_unseen(self, words: Words) -> None:
        self.mentioned(number_of(words.key), words.text, at=words.at)

    def standing(self, surface: str, *, ours: bool) -> Standing:
        status_id = number_of(f"{surface[0]}{ours}")
        who, seen = ("us", "marta") if ours else ("marta", "us")
        visibility = "direct" if surface == "dm" else "public"
        self.statuses[status_id] = status(
            status_id, who, "words", clock.now(), names=(seen,), visibility=visibility, in_reply_to_id=None
        )
        return Standing(status_id, f"direct:{MARTA}" if surface == "dm" else status_id, US if ours else MARTA)

    def commented(self) -> Standing:
        status_id = number_of("comment")
        return Standing(status_id, status_id, OTRO)

    def vanish(self, platform_id: str) -> None:
        self.deleted.add(platform_id)

    def done_to(self, platform_id: str) -> frozenset[str]:
        done = {"liked"} if platform_id in self._favourites else set()
        return frozenset(done | ({"deleted"} if platform_id in self.deleted else set()))

    # ---- things that happen there

    def mentioned(self, status_id: str, text: str, *, at: datetime, who: str = "marta", **more: Any) -> Json:
        names = more.pop("names", ("us",))
        self.statuses[status_id] = status(status_id, who, text, at, names=names, **more)
        self.notify("mention", who, self.statuses[status_id], at=at)
        return self.statuses[status_id]

    def notify(self, kind: str, who: str, about: Json | None, *, at: datetime) -> None:
        number = str(1000 + len(self.notices))
        notice = {"id": number, "type": kind, "created_at": stamp(at), "account": account(who)}
        about_it = {"status": about} if about else {}
        self.notices.append({**notice, "group_key": f"ungrouped-{number}", **about_it})

    def own_post(self, status_id: str, text: str, *, at: datetime, **more: Any) -> None:
        self.statuses[status_id] = status(status_id, "us", text, at, **more)

    def tell(self, name: str, words: str) -> None:
        """An event of the stream."""
        event = f": thump\n\nevent: {name}\ndata: {words}\n\n".encode()
        self._loop.call_soon_threadsafe(self._told.put_nowait, event)

    # ---- the wire

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        while not self._stopped.is_set():
            try:
                await response.write(await asyncio.wait_for(self._told.get(), 0.1))
            except TimeoutError:
                continue
        return response

    async def _take(self, request: web.Request) -> web.StreamResponse:
        path, is_form = "/" + request.match_info["path"], request.content_type == "multipart/form-data"
        form = await _form(request) if is_form else {}
        content = msgspec.json.encode(dict.fromkeys(form, "bytes")) if is_form else await request.read()
        query = {name: request.query.getall(name) for name in request.query}
        is_json = request.content_type == "application/json" and content
        body: Json = msgspec.json.decode(content) if is_json else {}
        self.calls.append((request.method, path, body or dict(query)))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self._judge(lambda: openapi.check_request(request.method, path, query, request.content_type, content))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return web.json_response({"error": "The access token is invalid"}, status=401)
        if path == "/api/v1/streaming/user" and self.streams:
            return await self._stream(request)
        fault = self._faults.pop(0) if self._faults and request.method != "GET" else None
        if fault in _REFUSALS:
            return self._refuse(fault)
        self.forms += [form] if is_form else []
        code, answer = self._answer(request.method, path, query, body, request.headers.get("idempotency-key", ""))
        if fault == "failing":
            return web.json_response({"error": "It broke"}, status=500)
        if fault == "cut":
            # The HTTP client repeats by itself what may be repeated: that is cut as well.
            self._recut = request.method if self._recut != request.method and request.method == "DELETE" else ""
            self._faults[:0] = ["cut"] if self._recut else []
            assert request.transport is not None
            request.transport.abort()
        if code < 300:
            self._judge(lambda: openapi.check_answer(request.method, path, code, answer))
        return web.json_response(answer, status=code, headers=self._pace())

    def _pace(self) -> dict[str, str]:
        at = stamp(clock.now() + timedelta(seconds=60))
        return {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": str(self.left), "X-RateLimit-Reset": at}

    @staticmethod
    def _refuse(fault: Fault) -> web.StreamResponse:
        status_code, words, headers = _REFUSALS[fault]
        until = {"X-RateLimit-Reset": stamp(clock.now() + timedelta(seconds=7))} if headers else {}
        return web.json_response(words, status=status_code, headers={**headers, **until})

    def _judge(self, check: Callable[[], None]) -> None:
        try:
            if self.is_judged:
                check()
        except openapi.Wrong as wrong:
            self.wrong.append(str(wrong))

    def _answer(self, verb: str, path: str, query: Mapping[str, list[str]], body: Json, key: str) -> tuple[int, object]:
        place = path.removeprefix("/api/v1/").removeprefix("/api/v2/").split("/")
        match (verb, place):
            case ("GET", ["accounts", "verify_credentials"]):
                return 200, {**account("us"), "source": _SOURCE, "role": _ROLE}
            case ("GET", ["instance"]):
                return 200, instance()
            case ("GET", ["notifications"]):
                return 200, self._page(self.notices, query)
            case ("GET", ["accounts", _, "statuses"]):
                own = [one for one in self.statuses.values() if one["account"]["acct"] == ACCTS["us"]]
                own = [one for one in own if one["id"] not in self.deleted]
                return 200, self._page(sorted(own, key=lambda one: int(one["id"])), query)
            case ("GET", ["statuses"]):
                found = [self._status(one) for one in query["id[]"]]
                return 200, [one for one in found if one]
            case ("POST", ["statuses"]):
                return 200, self._post(body, key)
            case (_, ["media", *rest]):
                return self._media(verb, rest)
            case (_, ["statuses", status_id, *rest]):
                return self._about(verb, status_id, rest, body)
        return 404, {"error": "Record not found"}

    def _page(self, entries: list[Json], query: Mapping[str, list[str]]) -> list[Json]:
        """Entries oldest first in, a page newest first out."""
        limit = int(query["limit"][0])
        if "min_id" in query and self.pages_forward:
            return [one for one in entries if int(one["id"]) > int(query["min_id"][0])][:limit][::-1]
        most = int(query["max_id"][0]) if "max_id" in query else 10**30
        return [one for one in entries if int(one["id"]) < most][::-1][:limit]

    def _status(self, status_id: str) -> Json | None:
        if status_id in self.deleted or status_id == "0":
            return None
        who = "otro" if status_id == number_of("comment") else "marta"
        standing = self.statuses.setdefault(status_id, status(status_id, who, "words", clock.now(), names=("us",)))
        return {**standing, "favourited": status_id in self._favourites}

    def _about(self, verb: str, status_id: str, rest: list[str], body: Json) -> tuple[int, object]:
        if self.scopes_missing and verb != "GET":
            return 403, {"error": "This action is outside the authorized scopes"}
        found = self._status(status_id)
        if found is None:
            return 404, {"error": "Record not found"}
        match (verb, rest):
            case ("GET", ["context"]):
                return 200, {"ancestors": self._above(found), "descendants": []}
            case ("GET", ["source"]):
                return 200, {"id": status_id, "text": self.sources.get(status_id, "words"), "spoiler_text": ""}
            case ("POST", ["favourite"]):
                self._favourites.add(status_id)
            case ("POST", ["unfavourite"]):
                self._favourites.discard(status_id)
            case ("DELETE", []):
                self.deleted.add(status_id)
            case ("PUT", []):
                self.sources[status_id] = body["status"]
        return 200, found

    def _above(self, found: Json) -> list[Json]:
        chain: list[Json] = []
        while found["in_reply_to_id"] and (above := self._status(found["in_reply_to_id"])):
            chain.insert(0, found := above)
        return chain

    def _post(self, body: Json, key: str) -> Json:
        if key not in self._keys:
            self._keys[key] = str(next(_TAKEN))
            self._posted.append(body["status"])
            self.sources[self._keys[key]] = body["status"]
            more = {"visibility": body["visibility"], "above": body.get("in_reply_to_id", "")}
            names = tuple(who for who, acct in ACCTS.items() if f"@{acct}" in body["status"])
            self.own_post(self._keys[key], body["status"], at=clock.now(), names=names, **more)
        return self.statuses[self._keys[key]]

    def _media(self, verb: str, rest: list[str]) -> tuple[int, object]:
        if rest == ["0"]:
            return 404, {"error": "Record not found"}
        media = {"id": str(len(self.forms)), "type": "image", "url": None}
        if verb == "POST":
            return 202 if self.slow_files else 200, media
        self.slow_files -= 1
        return 206 if self.slow_files > 0 else 200, media


async def _form(request: web.Request) -> dict[str, tuple[str, bytes]]:
    return {
        name: (value.filename, value.file.read()) if isinstance(value, web.FileField) else ("", str(value).encode())
        for name, value in (await request.post()).items()
    }


_SOURCE: Final[Json] = {
    "note": "",
    "fields": [],
    "privacy": "public",
    "sensitive": False,
    "language": "es",
    "follow_requests_count": 0,
    "quote_policy": "public",
    "attribution_domains": [],
}
_ROLE: Final[Json] = {"id": "-99", "name": "", "permissions": "0", "color": "", "highlighted": False}


def instance() -> Json:
    """The platform's own example of a server, under our name."""
    statuses = {"max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23}
    media = {"image_size_limit": 16_777_216, "video_size_limit": 103_809_024}
    if not openapi.IS_HERE:
        return {"domain": DOMAIN, "configuration": {"statuses": statuses, "media_attachments": media}}
    found = openapi.example("Instance200Example")
    found = {**found, "domain": DOMAIN}
    kept = found["configuration"]
    kept = {**kept, "statuses": kept["statuses"] | statuses, "media_attachments": kept["media_attachments"] | media}
    return {**found, "configuration": kept}
