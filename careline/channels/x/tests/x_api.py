"""An X on loopback, from our reading of the documents. It never judges alone: each request and each of its answers is held against `specification`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import threading
import time
from datetime import UTC, datetime
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from careline.channels.x.tests import specification

Json = dict[str, Any]
Reply = tuple[int, Any]
US, MARTA, OTRO = "1111111111111111111", "2222222222222222222", "3333333333333333333"
CONSUMER_SECRET, BEARER = "the-consumer-secret-of-the-app", "bearer-of-the-app"
CLIENT_ID, CLIENT_SECRET = "client-1", "the-client-secret"
_NUMBERS = itertools.count(2_090_000_000_000_000_100)
_COUNTED = ("impression", "retweet", "reply", "like", "quote", "bookmark")
_NAMES = {US: ("AuroraAir", "Aurora Air"), MARTA: ("marta_ruiz", "Marta Ruiz"), OTRO: ("otro", "Otro")}


def user(user_id: str) -> Json:
    handle, name = _NAMES.get(user_id, (f"user{user_id[-4:]}", "Somebody"))
    picture = "https://pbs.twimg.com/profile_images/1/normal.jpg"
    return {"id": user_id, "username": handle, "name": name, "protected": False, "profile_image_url": picture}


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def post(number: int, text: str, author: str, at: datetime, **more: Any) -> Json:
    """A post as deliveries write it; `names` are users in its text, by id."""
    names, names_of = more.pop("names", ()), {one: _NAMES[one][0] for one in _NAMES}
    mentions = [
        {"start": text.find(f"@{names_of[one]}"), "end": text.find(f"@{names_of[one]}") + len(names_of[one]) + 1,
         "username": names_of[one], "id": one}
        for one in names
    ]  # fmt: skip
    told: Json = {
        "id": str(number),
        "text": text,
        "author_id": author,
        "created_at": iso(at),
        "conversation_id": str(number),
        "edit_history_tweet_ids": [str(number)],
        "lang": "en",
        "display_text_range": [0, len(text)],
        "public_metrics": {f"{name}_count": 0 for name in _COUNTED},
    }
    return {**told, **({"entities": {"mentions": mentions}} if mentions else {}), **more}


def event(kind: str, payload: Json, *, to: str = US, uuid: str = "", **includes: Any) -> Json:
    """A delivery of the X Activity API."""
    unique = uuid or str(abs(hash((kind, json.dumps(payload, sort_keys=True)))) % 10**18)
    told: Json = {"event_uuid": unique, "filter": {"user_id": to}, "event_type": kind, "payload": payload}
    return {"data": {**told, "tag": "careline", **({"includes": includes} if includes else {})}}


def private(number: int, text: str, sender: str, at: datetime, *, to: str = US, **data: Any) -> Json:
    """A direct message as deliveries write it."""
    made = {"target": {"recipient_id": to}, "sender_id": sender, "message_data": {"text": text, **data}}
    one = {"type": "message_create", "id": str(number), "created_timestamp": str(int(at.timestamp() * 1000))}
    users = {each: {"data": user(each)} for each in (sender, to)}
    kind = "dm.sent" if sender == US else "dm.received"
    return event(kind, {"direct_message_events": [{**one, "message_create": made}], "users": users})


def signature(body: bytes, secret: str = CONSUMER_SECRET) -> str:
    """HMAC of the standard library, not ours."""
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class XApi:
    """One app with one account. `requests` are (method, path, query, body); a planned fault meets the next act."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.complaints: list[str] = []
        self.access, self.refresh, self.renewals = "access-1", "refresh-1", 0
        self.posts: dict[str, Json] = {}
        self.mentions: list[str] = []
        self.messages: list[Json] = []
        self.posted: list[str] = []
        self.hidden: set[str] = set()
        self.liked: set[str] = set()
        self.deleted: set[str] = set()
        self.uploads: dict[str, Json] = {}
        self.files: dict[str, bytes] = {}
        self.webhooks: list[Json] = []
        self.subscriptions: list[Json] = []
        self.replays: list[Json] = []
        self.faults: list[str] = []
        self.knock: Any = None
        self.is_revoked = False
        self._is_tried_again = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def next_number(self) -> int:
        return next(_NUMBERS)

    # ---- one request

    def take(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], Any]:
        """(status, headers, body); status 0 is a connection that is cut."""
        split, mime = urlsplit(target), headers.get("content-type", "")
        query, given, form = dict(parse_qsl(split.query)), _decoded(mime, body), {}
        if mime.startswith("application/x-www-form-urlencoded"):
            given, form = None, dict(parse_qsl(body.decode()))
        kind, _, token = headers.get("authorization", "").partition(" ")
        scheme = kind if kind == "Basic" else "BearerToken" if token == BEARER else "OAuth2UserToken"
        self.requests.append((method, split.path, query, form or given))
        if specification.is_here():
            judged = _judged(given)
            self.complaints += specification.complaints(method, split.path, query, judged, mime, scheme, form)
        status, told = self._authorised(method, split.path, query, given, form, scheme, token)
        if specification.is_here() and status:
            self.complaints += specification.answer_complaints(method, split.path, status, told)
        return status, _limits(status, told), told

    def _authorised(
        self, method: str, path: str, query: dict[str, str], given: Any, form: dict[str, str], scheme: str, token: str
    ) -> Reply:
        if path == specification.TOKEN_PATH:
            return self._renew(form)
        if scheme == "OAuth2UserToken" and (token != self.access or self.is_revoked):
            return problem(401, "Unauthorized")
        planned = self.faults.pop(0) if self.faults and method != "GET" and "/media/" not in path else ""
        if planned == "revoked":
            self.is_revoked = True
            return problem(401, "Unauthorized")
        if planned.startswith("rate_limited"):
            return 429, {"title": "Too Many Requests", "detail": planned, "type": "about:blank", "status": 429}
        if planned == "refused":
            return problem(403, "You are not permitted: confidential words")
        if planned[:1].isdecimal():
            return problem(int(planned[:3]), planned[4:])
        reply = self.answer(method, path, query, given)
        if planned == "failing":
            return problem(503, "Service Unavailable")
        if planned == "cut" and method == "DELETE" and not self._is_tried_again:
            self.faults.insert(0, "cut")  # the client tries such a call twice by itself
            self._is_tried_again = True
        return (0, None) if planned == "cut" else reply

    def _renew(self, form: dict[str, str]) -> Reply:
        if form.get("refresh_token") != self.refresh or self.is_revoked:
            return 400, {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
        self.renewals += 1
        self.access, self.refresh = f"access-{self.renewals + 1}", f"refresh-{self.renewals + 1}"
        return 200, {
            "token_type": "bearer", "expires_in": 7200, "access_token": self.access, "refresh_token": self.refresh,
            "scope": "tweet.read",
        }  # fmt: skip

    def answer(self, method: str, path: str, query: dict[str, str], given: Any) -> Reply:
        parts = path.removeprefix("/2/").split("/")
        match [method, *parts]:
            case ["GET", "users", "me"]:
                return 200, {"data": user(US)}
            case ["POST", "tweets"]:
                return self._create(given)
            case ["DELETE", "tweets", post_id]:
                if post_id in self.deleted:
                    return problem(404, "Not Found")
                self.deleted.add(post_id)
                return 200, {"data": {"deleted": True}}
            case ["PUT", "tweets", post_id, "hidden"]:
                (self.hidden.add if given["hidden"] else self.hidden.discard)(post_id)
                return 200, {"data": {"hidden": given["hidden"]}}
            case ["POST", "users", _, "likes"]:
                self.liked.add(given["tweet_id"])
                return 200, {"data": {"liked": True}}
            case ["DELETE", "users", _, "likes", post_id]:
                self.liked.discard(post_id)
                return 200, {"data": {"liked": False}}
            case ["GET", "tweets"]:
                return 200, self._look_up(query["ids"].split(","))
            case ["GET", "users", _, "mentions"]:
                return 200, self._page([self.posts[one] for one in self.mentions], query)
            case ["GET", "users", who, "tweets"]:
                return 200, self._page([one for one in self.posts.values() if one["author_id"] == who], query)
            case ["GET", "dm_events"]:
                return 200, self._page(self.messages, query)
            case ["POST", "dm_conversations", "with", who, "messages"]:
                return self._write(who, given)
            case ["POST" | "GET", "media", *rest]:
                return self._media(method, rest, query, given)
            case [_, "webhooks", *rest]:
                return self._webhook(method, rest, given)
            case [_, "activity", "subscriptions"]:
                return self._subscription(method, given)
        return problem(404, "Not Found")

    # ---- posts and messages

    def _create(self, given: Json) -> Reply:
        number = self.next_number()
        self.posted.append(given["text"])
        answered = given.get("reply", {}).get("in_reply_to_tweet_id", "")
        above = self.posts.get(answered)
        more: Json = (
            {"conversation_id": above["conversation_id"], "in_reply_to_user_id": above["author_id"]} if above else {}
        )
        if answered:
            more["referenced_tweets"] = [{"type": "replied_to", "id": answered}]
        self.posts[str(number)] = post(number, given["text"], US, datetime.now(UTC), **more)
        return 201, {"data": {"id": str(number), "text": given["text"]}}

    def _write(self, who: str, given: Json) -> Reply:
        number = self.next_number()
        self.posted.append(given.get("text", ""))
        conversation = "-".join(sorted((US, who)))
        self.messages.insert(0, dm(number, given.get("text", ""), US, datetime.now(UTC), who))
        return 201, {"data": {"dm_event_id": str(number), "dm_conversation_id": conversation}}

    def _look_up(self, ids: list[str]) -> Json:
        found = [self.posts[one] for one in ids if one in self.posts and one not in self.deleted]
        gone = [one for one in ids if one not in self.posts or one in self.deleted]
        errors = [
            {"value": one, "detail": f"Could not find post with ids: [{one}].", "title": "Not Found Error",
             "resource_type": "post", "parameter": "ids", "resource_id": one,
             "type": "https://api.x.com/2/problems/resource-not-found"}
            for one in gone
        ]  # fmt: skip
        return {**self._page(found, {}), **({"errors": errors} if errors else {})}

    def _page(self, found: list[Json], query: dict[str, str]) -> Json:
        """Newest first, `page` at once."""
        since = int(query.get("since_id", 0))
        rows = sorted((one for one in found if int(one["id"]) > since), key=lambda one: -int(one["id"]))
        start, size = int(query.get("pagination_token", 0)), int(query.get("max_results", 100))
        shown = rows[start : start + size]
        authors = {one.get("author_id") or one.get("sender_id") for one in shown}
        told: Json = {"data": [_as_fetched(one) for one in shown], "meta": {"result_count": len(shown)}}
        if start + size < len(rows):
            told["meta"]["next_token"] = str(start + size)
        return (
            {**told, "includes": {"users": [user(one) for one in authors if one]}} if shown else {"meta": told["meta"]}
        )

    # ---- files, webhook, subscriptions

    def _media(self, method: str, rest: list[str], query: dict[str, str], given: Any) -> Reply:
        match rest:
            case ["upload", "initialize"]:
                media_id = str(self.next_number())
                self.uploads[media_id], self.files[media_id] = {**given, "looks": 0}, b""
                return 200, {"data": {"id": media_id, "media_key": f"3_{media_id}", "expires_after_secs": 86400}}
            case ["upload", media_id, "append"]:
                self.files[media_id] += given["media"]
                return 200, {"data": {"expires_at": 1_900_000_000}}
            case ["upload", media_id, "finalize"]:
                return 200, {"data": self._worked(media_id)}
            case ["upload"] if method == "GET":
                return 200, {"data": self._worked(query["media_id"])}
            case ["metadata"]:
                self.uploads[given["id"]]["alt_text"] = given["metadata"]["alt_text"]["text"]
                return 200, {"data": {"id": given["id"], "associated_metadata": given["metadata"]}}
        return problem(404, "Not Found")

    def _worked(self, media_id: str) -> Json:
        upload = self.uploads[media_id]
        told: Json = {"id": media_id, "media_key": f"3_{media_id}", "size": len(self.files[media_id])}
        if not upload["media_category"].endswith("video"):
            return told
        upload["looks"] += 1
        state = "failed" if upload.get("is_bad") else "succeeded" if upload["looks"] > 1 else "pending"
        return {**told, "processing_info": {"state": state, "check_after_secs": 0}}

    def _webhook(self, method: str, rest: list[str], given: Any) -> Reply:
        if method == "GET":
            return 200, {"data": self.webhooks, "meta": {"result_count": len(self.webhooks)}}
        if rest == ["replay"]:
            self.replays.append(given)
            return 200, {"data": {"job_id": "1", "created_at": "2026-11-22T08:00:00.000Z"}}
        if method == "PUT":
            is_valid = self._knocks(next(one["url"] for one in self.webhooks if one["id"] == rest[0]))
            next(one for one in self.webhooks if one["id"] == rest[0])["valid"] = is_valid
            return 200, {"data": {"valid": is_valid}}
        if not self._knocks(given["url"]):
            return problem(400, "CrcValidationFailed: the webhook URL does not meet the requirements")
        number = str(self.next_number())
        made = {"id": number, "url": given["url"], "valid": True, "created_at": "2026-11-22T08:00:00.000Z"}
        self.webhooks.append(made)
        return 200, {"data": made}

    def _knocks(self, url: str) -> bool:
        """The challenge, judged with a signature that is not ours. Without `knock` nobody is asked."""
        if self.knock is None:
            return True
        token = base64.urlsafe_b64encode(hashlib.sha256(str(time.time()).encode()).digest()).decode()
        answered = self.knock(url, token)
        return bool(answered == {"response_token": signature(token.encode())})

    def _subscription(self, method: str, given: Any) -> Reply:
        if method == "GET":
            return 200, {"data": self.subscriptions, "meta": {"result_count": len(self.subscriptions)}}
        made = {**given, "subscription_id": str(self.next_number())}
        self.subscriptions.append(made)
        return 200, {"data": {"subscription": made}}


def dm(number: int, text: str, sender: str, at: datetime, other: str) -> Json:
    """A direct message as it is fetched."""
    pair = "-".join(sorted((US, other)))
    told = {"id": str(number), "event_type": "MessageCreate", "text": text, "sender_id": sender}
    return {**told, "dm_conversation_id": pair, "created_at": iso(at)}


def _as_fetched(one: Json) -> Json:
    """The description says "post" where deliveries say "tweet"."""
    counts = {name.replace("retweet", "repost"): value for name, value in one.get("public_metrics", {}).items()}
    one = {**one, "public_metrics": counts} if counts else one
    renamed = {"edit_history_tweet_ids": "edit_history_post_ids", "referenced_tweets": "referenced_posts"}
    return {renamed.get(name, name): value for name, value in one.items()}


def problem(status: int, detail: str) -> Reply:
    """As X writes it (docs.x.com/x-api/fundamentals/response-codes-and-errors)."""
    return status, {"title": "Forbidden", "detail": detail, "type": "about:blank", "status": status}


def _limits(status: int, told: Any) -> dict[str, str]:
    if status != 429 or told["detail"] == "rate_limited_silently":
        return {}
    return {
        "x-rate-limit-limit": "100",
        "x-rate-limit-remaining": "0",
        "x-rate-limit-reset": str(int(time.time() + 7.5)),
    }


def _judged(given: Any) -> Any:
    """A form's bytes as the description's schema wants them: text and numbers."""
    if not isinstance(given, dict):
        return given
    return {name: value.decode("latin-1") if isinstance(value, bytes) else value for name, value in given.items()}


def _decoded(mime: str, body: bytes) -> Any:
    if not body or mime.startswith("application/x-www-form-urlencoded"):
        return None
    if not mime.startswith("multipart/"):
        return json.loads(body)
    form = message_from_bytes(f"Content-Type: {mime}\r\n\r\n".encode() + body, policy=policy.HTTP)
    found: Json = {}
    for part in form.iter_parts():  # type: ignore[attr-defined] # EmailMessage by its policy
        name, content = str(part.get_param("name", header="content-disposition")), part.get_payload(decode=True)
        found[name] = content if part.get_filename() else int(content)
    return found


def _handler(api: XApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, extra, told = api.take(self.command, self.path, headers, body)
            if status == 0:
                self.close_connection = True
                self.connection.close()
                return
            raw = json.dumps(told).encode()
            self.send_response(status)
            for name, value in {**extra, "Content-Length": str(len(raw)), "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_DELETE = _take

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
