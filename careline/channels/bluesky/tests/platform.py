"""A small Bluesky on loopback: one server that is PDS, AppView and chat, and holds every call and answer against the lexicons."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from aiohttp import web

from careline.channels.base import ChannelView
from careline.channels.bluesky.tests import lexicon
from careline.channels.conformance import Fault, Standing, Words
from careline.kit import clock

POST: Final = "app.bsky.feed.post"
US, MARTA, OTRO = (f"did:plc:{name:a<24}" for name in ("us", "marta", "otro"))
HANDLES: Final = {US: "aurora.test", MARTA: "marta.test", OTRO: "otro.test"}
PASSWORD: Final = "abcd-efgh-ijkl-mnop"
CONVO: Final = "3kconvomarta"
Json = dict[str, Any]
_REFUSALS: Final[Mapping[Fault, tuple[int, Json, dict[str, str]]]] = {
    "rate_limited": (429, {"error": "RateLimitExceeded"}, {"Retry-After": "7"}),
    "rate_limited_silently": (429, {"error": "RateLimitExceeded"}, {}),
    "refused": (400, {"error": "InvalidRequest", "message": "no"}, {}),
}


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def uri_of(did: str, key: str, collection: str = POST) -> str:
    return f"at://{did}/{collection}/{key}"


def cid_of(words: object) -> str:
    return "bafyrei" + hashlib.sha256(repr(words).encode()).hexdigest()[:52]


def profile(did: str) -> Json:
    return {"did": did, "handle": HANDLES[did], "displayName": HANDLES[did].partition(".")[0].title()}


def post_view(uri: str, record: Json, at: datetime, **more: Any) -> Json:
    author = profile(uri.split("/")[2])
    counts = {"replyCount": 1, "repostCount": 2, "likeCount": 3, "quoteCount": 4}
    return {
        "uri": uri,
        "cid": cid_of(uri),
        "author": author,
        "record": record,
        "indexedAt": stamp(at),
        **counts,
        **more,
    }


def record(text: str, at: datetime, *, root: str = "", parent: str = "", names: str = "") -> Json:
    made: Json = {"$type": POST, "text": text, "createdAt": stamp(at)}
    if root:
        above = parent or root
        made["reply"] = {"root": {"uri": root, "cid": cid_of(root)}, "parent": {"uri": above, "cid": cid_of(above)}}
    if names:
        feature = {"$type": "app.bsky.richtext.facet#mention", "did": names}
        made["facets"] = [{"index": {"byteStart": 0, "byteEnd": 1}, "features": [feature]}]
    return made


class FakeBluesky:
    """Takes what comes unless a fault was planned. Posts of others stand at any address until they are deleted."""

    def __init__(self, channel: ChannelView) -> None:
        self.channel = channel
        self.calls: list[tuple[str, Json]] = []
        self.wrong: list[str] = []
        self.deleted: set[str] = set()
        self.sessions = 1
        self.is_revoked = False
        self.closed_to: set[str] = set()
        self._records: dict[str, Json] = {}
        self._posted: list[str] = []
        self._messages: list[Json] = []
        self._notices: list[Json] = []
        self._views: dict[str, Json] = {}
        self._log: list[Json] = []
        self._reactions: dict[str, set[str]] = {}
        self._faults: list[Fault] = []
        self._loop = asyncio.new_event_loop()
        self._ready, self._stopped = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self) -> None:
        app = web.Application(client_max_size=10_000_000)
        app.router.add_route("*", "/xrpc/{method}", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        settings = {**self.channel.settings, "server": address, "pds": address}
        self.channel = msgspec.structs.replace(self.channel, settings=settings)
        self._ready.set()
        await self._stopped.wait()
        await runner.cleanup()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)
        self._loop.close()
        assert not self.wrong, f"not as its lexicon says: {self.wrong}"

    # ---- as the conformance rules know a platform

    def plan(self, fault: Fault) -> None:
        self._faults.append(fault)

    def posted(self) -> list[str]:
        return list(self._posted)

    def happen_unseen(self, words: Words) -> None:
        self.mention(uri_of(MARTA, f"3k{words.key}"), words.text, at=words.at)

    def standing(self, surface: str, *, ours: bool) -> Standing:
        author = US if ours else MARTA
        if surface == "dm":
            return Standing("m-standing", CONVO, author)
        root = uri_of(US if surface == "comment" else MARTA, "3kbegun")
        uri = uri_of(author, "3kroot" if surface == "post" else "3kstanding")
        thread = uri if surface == "post" else root
        if ours:
            self._records[uri] = record("words", clock.now(), root="" if surface == "post" else root)
        return Standing(uri, thread, author)

    def commented(self) -> Standing:
        return Standing(uri_of(OTRO, "3kcomment"), uri_of(OTRO, "3kcomment"), OTRO)

    def vanish(self, platform_id: str) -> None:
        self.deleted.add(platform_id)

    def done_to(self, platform_id: str) -> frozenset[str]:
        values = self._records.values()
        done = {"liked" for one in values if one.get("subject", {}).get("uri") == platform_id}
        done |= {"hidden" for one in values if platform_id in one.get("hiddenReplies", [])}
        done |= {"deleted"} if platform_id in self.deleted else set()
        return frozenset(done | self._reactions.get(platform_id, set()))

    # ---- things that happen there

    def mention(self, uri: str, text: str, *, at: datetime, reason: str = "mention", **more: Any) -> None:
        said = record(text, at, names=US if reason == "mention" else "", **more)
        self._views[uri] = post_view(uri, said, at)
        seen = {**self._views[uri], "author": profile(uri.split("/")[2]), "reason": reason, "isRead": False}
        known = {"uri", "cid", "author", "reason", "record", "isRead", "indexedAt"}
        self._notices.insert(0, {name: value for name, value in seen.items() if name in known})

    def liked(self, subject: str, *, at: datetime) -> None:
        uri = uri_of(MARTA, f"3klike{len(self._notices)}", "app.bsky.feed.like")
        like = {
            "$type": "app.bsky.feed.like",
            "subject": {"uri": subject, "cid": cid_of(subject)},
            "createdAt": stamp(at),
        }
        notice = {"uri": uri, "cid": cid_of(uri), "author": profile(MARTA), "reason": "like", "reasonSubject": subject}
        self._notices.insert(0, {**notice, "record": like, "isRead": False, "indexedAt": stamp(at)})

    def own_post(self, key: str, text: str, *, at: datetime) -> str:
        uri = uri_of(US, key)
        self._records[uri] = record(text, at)
        return uri

    def write(self, text: str, *, author: str = MARTA, at: datetime | None = None) -> str:
        """A direct message, in the log too."""
        message = self._message(text, author, at or clock.now())
        self.log("CreateMessage", message=message, relatedProfiles=[profile(MARTA)])
        return str(message["id"])

    def log(self, name: str, **more: Any) -> None:
        kind = f"chat.bsky.convo.defs#log{name}"
        self._log.append({"$type": kind, "rev": f"r{len(self._log) + 1:06}", "convoId": CONVO, **more})

    def _message(self, text: str, author: str, at: datetime) -> Json:
        number = len(self._messages) + 1
        message = {"$type": "chat.bsky.convo.defs#messageView", "id": f"m-{number}", "rev": f"m{number}", "text": text}
        self._messages.append({**message, "sender": {"did": author}, "sentAt": stamp(at)})
        return self._messages[-1]

    # ---- the wire

    async def _take(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        content = await request.read()
        is_json = request.content_type == "application/json" and content
        body = msgspec.json.decode(content) if is_json else {}
        query = {name: request.query.getall(name) for name in request.query}
        self.calls.append((method, body or dict(query)))
        self._judge(lambda: lexicon.check_request(method, query, body))
        if method.startswith("chat.") and request.headers.get("atproto-proxy") != "did:web:api.bsky.chat#bsky_chat":
            self.wrong.append(f"{method}: no atproto-proxy")
        if not method.endswith("Session") and request.headers.get("authorization") != f"Bearer access-{self.sessions}":
            return web.json_response({"error": "ExpiredToken", "message": "Token has expired"}, status=400)
        fault = self._faults.pop(0) if self._faults and _is_write(method) else None
        if fault in _REFUSALS:
            status, words, headers = _REFUSALS[fault]
            return web.json_response(words, status=status, headers=headers)
        if fault == "revoked":
            self.is_revoked = True
            return web.json_response({"error": "ExpiredToken", "message": "Token has been revoked"}, status=400)
        return self._answer(request, method, query, body, content, fault)

    def _answer(
        self, request: web.Request, method: str, query: Mapping[str, list[str]], body: Json, content: bytes, fault: Any
    ) -> web.StreamResponse:
        flat = {name: values[0] for name, values in query.items()}
        if method == "app.bsky.feed.getPosts":
            answer: Json | None = self._posts(query["uris"])
        elif method == "com.atproto.repo.uploadBlob":
            blob = {"$type": "blob", "ref": {"$link": cid_of(content)}, "mimeType": request.content_type}
            answer = {"blob": {**blob, "size": len(content)}}
        else:
            answer = _METHODS[method](self, {**flat, **body})
        if answer is None:
            return web.json_response(_MISSING[method], status=401 if method.endswith("createSession") else 400)
        if fault == "failing":
            return web.json_response({"error": "InternalServerError"}, status=500)
        if fault == "cut":
            assert request.transport is not None
            request.transport.abort()
        if "error" in answer:
            return web.json_response(answer, status=500 if answer["error"] == "InternalServerError" else 400)
        self._judge(lambda: lexicon.check_answer(method, answer))
        return web.json_response(answer)

    def _judge(self, check: Callable[[], None]) -> None:
        try:
            if lexicon.IS_HERE:
                check()
        except lexicon.Wrong as wrong:
            self.wrong.append(str(wrong))

    def _session(self, asked: Json) -> Json | None:
        if self.is_revoked or asked.get("password", PASSWORD) != PASSWORD:
            return None
        self.sessions += 1
        tokens = {"accessJwt": f"access-{self.sessions}", "refreshJwt": f"refresh-{self.sessions}"}
        pds = {
            "id": "#atproto_pds",
            "type": "AtprotoPersonalDataServer",
            "serviceEndpoint": self.channel.setting("server"),
        }
        return {"did": US, "handle": HANDLES[US], **tokens, "didDoc": {"id": US, "service": [pds]}}

    def _who(self, asked: Json) -> Json:
        return {"did": US, "handle": HANDLES[US]}

    def _notifications(self, asked: Json) -> Json:
        start = int(asked.get("cursor", 0))
        page = self._notices[start : start + int(asked["limit"])]
        more = {"cursor": str(start + len(page))} if start + len(page) < len(self._notices) else {}
        return {"notifications": page, **more}

    def _posts(self, uris: list[str]) -> Json:
        found = [self._view(uri) for uri in uris if uri not in self.deleted]
        return {"posts": [one for one in found if one is not None]}

    def _view(self, uri: str) -> Json | None:
        if uri.split("/")[2] == US and uri not in self._records and uri not in self._views:
            return None
        standing = self._records.get(uri) or record("words", clock.now())
        view = dict(self._views.get(uri) or post_view(uri, standing, datetime.fromisoformat(standing["createdAt"])))
        like = next((name for name, one in self._records.items() if one.get("subject", {}).get("uri") == uri), "")
        return {**view, "viewer": {"like": like} if like else {}}

    def _feed(self, asked: Json) -> Json:
        own = [self._view(uri) for uri, one in self._records.items() if one["$type"] == POST]
        return {"feed": [{"post": one} for one in reversed(own)]}

    def _create(self, asked: Json) -> Json:
        uri = uri_of(asked["repo"], asked["rkey"], asked["collection"])
        if uri in self._records:
            return {"error": "InternalServerError", "message": "Internal Server Error"}
        if asked["collection"] == POST:
            self._posted.append(asked["record"]["text"])
        return self._put(asked)

    def _put(self, asked: Json) -> Json:
        uri = uri_of(asked["repo"], asked["rkey"], asked["collection"])
        if uri in self._records and asked.get("swapRecord", cid_of(uri)) != cid_of(uri):
            return {"error": "InvalidSwap", "message": "Record was at another"}
        self._records[uri] = asked["record"]
        return {"uri": uri, "cid": cid_of(uri), "validationStatus": "valid"}

    def _drop(self, asked: Json) -> Json:
        uri = uri_of(asked["repo"], asked["rkey"], asked["collection"])
        self._records.pop(uri, None)
        self.deleted.add(uri)
        return {}

    def _get(self, asked: Json) -> Json | None:
        uri = uri_of(asked["repo"], asked["rkey"], asked["collection"])
        return {"uri": uri, "cid": cid_of(uri), "value": self._records[uri]} if uri in self._records else None

    def _resolve(self, asked: Json) -> Json | None:
        return next(({"did": did} for did, handle in HANDLES.items() if handle == asked["handle"]), None)

    def _convo(self, asked: Json) -> Json:
        if asked.get("members") in self.closed_to:
            return {"error": "MessagesDisabled", "message": "recipient has disabled incoming messages"}
        convo = {"id": CONVO, "rev": self._log[-1]["rev"] if self._log else "r000000", "members": [profile(MARTA)]}
        return {"convo": {**convo, "muted": False, "unreadCount": 0}}

    def _convos(self, asked: Json) -> Json:
        return {"convos": [self._convo({})["convo"]]}

    def _chat_log(self, asked: Json) -> Json:
        after = asked.get("cursor", "")
        logs = [one for one in self._log if one["rev"] > after]
        return {"logs": logs, "cursor": logs[-1]["rev"] if logs else after or "r000000"}

    def _send(self, asked: Json) -> Json:
        self._posted.append(asked["message"]["text"])
        return self._message(asked["message"]["text"], US, clock.now() + timedelta(milliseconds=2))

    def _history(self, asked: Json) -> Json:
        return {"messages": list(reversed(self._messages))}

    def _react(self, asked: Json) -> Json:
        self._reactions.setdefault(asked["messageId"], set()).add(asked["value"])
        return {"message": self._message("words", MARTA, clock.now())}

    def _unreact(self, asked: Json) -> Json:
        self._reactions.get(asked["messageId"], set()).discard(asked["value"])
        return {"message": self._message("words", MARTA, clock.now())}


def _is_write(method: str) -> bool:
    name = method.rpartition(".")[2]
    return name in {"createRecord", "putRecord", "deleteRecord", "sendMessage", "addReaction", "removeReaction"}


_MISSING: Final[Mapping[str, Json]] = {
    "com.atproto.repo.getRecord": {"error": "RecordNotFound", "message": "Could not locate record"},
    "com.atproto.identity.resolveHandle": {"error": "InvalidRequest", "message": "Unable to resolve handle"},
    "com.atproto.server.createSession": {
        "error": "AuthenticationRequired",
        "message": "Invalid identifier or password",
    },
    "com.atproto.server.refreshSession": {"error": "ExpiredToken", "message": "Token has been revoked"},
}
_METHODS: Final[Mapping[str, Callable[[FakeBluesky, Json], Json | None]]] = {
    "com.atproto.server.createSession": FakeBluesky._session,
    "com.atproto.server.refreshSession": FakeBluesky._session,
    "com.atproto.server.getSession": FakeBluesky._who,
    "com.atproto.identity.resolveHandle": FakeBluesky._resolve,
    "com.atproto.repo.createRecord": FakeBluesky._create,
    "com.atproto.repo.putRecord": FakeBluesky._put,
    "com.atproto.repo.deleteRecord": FakeBluesky._drop,
    "com.atproto.repo.getRecord": FakeBluesky._get,
    "app.bsky.notification.listNotifications": FakeBluesky._notifications,
    "app.bsky.feed.getAuthorFeed": FakeBluesky._feed,
    "chat.bsky.convo.listConvos": FakeBluesky._convos,
    "chat.bsky.convo.getConvoForMembers": FakeBluesky._convo,
    "chat.bsky.convo.getLog": FakeBluesky._chat_log,
    "chat.bsky.convo.getMessages": FakeBluesky._history,
    "chat.bsky.convo.sendMessage": FakeBluesky._send,
    "chat.bsky.convo.updateRead": FakeBluesky._convo,
    "chat.bsky.convo.addReaction": FakeBluesky._react,
    "chat.bsky.convo.removeReaction": FakeBluesky._unreact,
}
