"""A real Bluesky (PLC directory, PDS and AppView, from npm) as a process with a PostgreSQL of its own, and what its people say and see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.servers.postgres import Cluster
from tests.servers.processes import free_port

FOLDER: Final = Path(__file__).parent
PASSWORD: Final = "a-password-of-the-tests"
POST: Final = "app.bsky.feed.post"
CHAT: Final = {"atproto-proxy": "did:web:api.bsky.chat#bsky_chat"}
START_TIMEOUT_S: Final = 30.0
Json = dict[str, Any]


def node() -> Path:
    """Node.js 22, which comes with the development requirements: a PDS wants it."""
    return Path(sys.executable).with_name("node")


def missing() -> str:
    """Why it cannot run here, with the way to get it; empty when it can."""
    if not node().exists():
        return "Bluesky's servers are left out: bin/setup dev"
    where = FOLDER / "node_modules" / "@atproto" / "dev-env"
    return "" if where.exists() else f"Bluesky's servers are left out: npm ci --prefix {FOLDER}"


class Refused(Exception):
    """A call that the server refused: its status and words."""


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and their session."""

    world: World
    did: str
    handle: str
    token: str

    def post(self, text: str, **more: Any) -> Json:
        """A post; gives its uri and cid."""
        return self.make(POST, {"text": text, **more})

    def mention(self, other: Person, text: str, **more: Any) -> Json:
        """A post that names somebody first."""
        named = f"@{other.handle}"
        feature = {"$type": "app.bsky.richtext.facet#mention", "did": other.did}
        facet = {"index": {"byteStart": 0, "byteEnd": len(named.encode())}, "features": [feature]}
        return self.post(f"{named} {text}", facets=[facet], **more)

    def reply(self, parent: Json, text: str, *, root: Json | None = None) -> Json:
        above = {"root": ref(root or parent), "parent": ref(parent)}
        return self.post(text, reply=above)

    def quote(self, other: Json, text: str) -> Json:
        return self.post(text, embed={"$type": "app.bsky.embed.record", "record": ref(other)})

    def like(self, other: Json) -> Json:
        return self.make("app.bsky.feed.like", {"subject": ref(other)})

    def make(self, collection: str, record: Json) -> Json:
        whole = {"$type": collection, "createdAt": now(), **record}
        body = {"repo": self.did, "collection": collection, "record": whole}
        return self.call("com.atproto.repo.createRecord", body)

    def delete(self, record: Json) -> None:
        key = record["uri"].split("/")[-1]
        self.call("com.atproto.repo.deleteRecord", {"repo": self.did, "collection": POST, "rkey": key})

    def upload(self, content: bytes, kind: str) -> Json:
        return dict(
            self.world.call("com.atproto.repo.uploadBlob", token=self.token, content=content, kind=kind)["blob"]
        )

    def convo(self, other: Person) -> str:
        found = self.ask("chat.bsky.convo.getConvoForMembers", members=other.did)
        return str(found["convo"]["id"])

    def write(self, convo: str, text: str) -> Json:
        """A direct message."""
        return self.call("chat.bsky.convo.sendMessage", {"convoId": convo, "message": {"text": text}})

    def messages(self, convo: str) -> list[Json]:
        """Newest first."""
        return list(self.ask("chat.bsky.convo.getMessages", convoId=convo)["messages"])

    def posts(self) -> list[Json]:
        """Records of this account's posts, newest key first."""
        found = self.ask("com.atproto.repo.listRecords", repo=self.did, collection=POST)
        return list(found["records"])

    def seen(self, uri: str) -> Json | None:
        """A post as the AppView shows it to this person."""
        found = self.ask("app.bsky.feed.getPosts", uris=uri)["posts"]
        return dict(found[0]) if found else None

    def is_known(self) -> bool:
        """Whether the AppView has heard of this account."""
        try:
            return bool(self.ask("app.bsky.feed.getAuthorFeed", actor=self.did))
        except Refused:
            return False

    def app_password(self, name: str, *, private: bool = True) -> str:
        made = self.call("com.atproto.server.createAppPassword", {"name": name, "privileged": private})
        return str(made["password"])

    def call(self, method: str, body: Json) -> Json:
        return self.world.call(method, token=self.token, content=json.dumps(body).encode())

    def ask(self, method: str, **query: str) -> Json:
        return self.world.call(f"{method}?{urllib.parse.urlencode(query)}", token=self.token)


class World:
    """The servers. `join` makes people."""

    def __init__(self) -> None:
        reason = missing()
        assert not reason, reason
        self._cluster = Cluster().start()
        environment = {
            **os.environ,
            "DB_POSTGRES_URL": self._cluster.database(),
            "PDS_PORT": str(free_port()),
            "CARELINE_NODE_FOLDER": str(FOLDER),
            "LOG_ENABLED": "false",
        }
        self._process = subprocess.Popen(
            [str(node()), "--no-warnings", str(FOLDER / "network.mjs")],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.addresses = self._ready()
        assert self.addresses["pds"].endswith(f":{environment['PDS_PORT']}"), "our own process answers"

    def _ready(self) -> dict[str, str]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("ready "):
                found: dict[str, str] = json.loads(line.removeprefix("ready "))
                return found
        raise AssertionError("Bluesky's servers ended before they were ready")

    @property
    def address(self) -> str:
        return self.addresses["pds"]

    def stop(self) -> None:
        """Its standard input ends; so does it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(START_TIMEOUT_S)
        self._process.stdout.close()
        self._cluster.stop()

    def join(self, name: str) -> Person:
        """A new account."""
        handle = f"{name}.test"
        body = {"handle": handle, "email": f"{name}@people.test", "password": PASSWORD}
        made = self.call("com.atproto.server.createAccount", content=json.dumps(body).encode())
        person = Person(self, made["did"], handle, made["accessJwt"])
        person.call(
            "com.atproto.repo.putRecord",
            {
                "repo": person.did,
                "collection": "app.bsky.actor.profile",
                "rkey": "self",
                "record": {"$type": "app.bsky.actor.profile", "displayName": name.title()},
            },
        )
        until(person.is_known)
        return person

    def sign_in(self, name: str) -> Person:
        """Somebody who joined before."""
        body = {"identifier": f"{name}.test", "password": PASSWORD}
        made = self.call("com.atproto.server.createSession", content=json.dumps(body).encode())
        return Person(self, made["did"], made["handle"], made["accessJwt"])

    def call(self, path: str, *, token: str = "", content: bytes | None = None, kind: str = "application/json") -> Json:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers |= {"content-type": kind} if content is not None else {}
        headers |= CHAT if path.startswith("chat.") else {}
        request = urllib.request.Request(f"{self.address}/xrpc/{path}", content, headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                found: Json = json.loads(answer.read() or b"{}")
                return found
        except urllib.error.HTTPError as refused:
            with refused:
                raise Refused(f"{path}: {refused.code} {refused.read().decode()[:300]}") from None


def ref(record: Json) -> Json:
    return {"uri": record["uri"], "cid": record["cid"]}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def until(holds: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait until the network says so."""
    end_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end_s, "the network never said so"
        time.sleep(0.1)
