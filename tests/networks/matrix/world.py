"""A real homeserver (Synapse, from PyPI) as a process with a database of its own, and what its people say and see."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from careline.kit import ids
from tests.servers.processes import free_port

FOLDER: Final = Path(__file__).parent
PYTHON: Final = FOLDER / ".venv" / "bin" / "python"
PASSWORD: Final = "a-password-of-the-tests"
SERVER: Final = "people.test"
START_TIMEOUT_S: Final = 40.0
CLIENT: Final = "/_matrix/client/v3"
MANY: Final = {"per_second": 1000, "burst_count": 1000}
Json = dict[str, Any]


def missing() -> str:
    """Why it cannot run here, with the way to get it; empty when it can."""
    return "" if PYTHON.exists() else "Synapse is left out: bin/packages tests/networks/matrix"


class Refused(Exception):
    """A call that the server refused: its status and words."""


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and their token."""

    world: World
    id: str
    token: str

    def say(self, room: str, text: str, **more: Any) -> str:
        """A message; gives its event id."""
        return self.send(room, {"msgtype": "m.text", "body": text, **more})

    def name(self, room: str, other: Person, text: str) -> str:
        """A message that names somebody, as today's clients write it."""
        return self.say(room, f"{other.id}: {text}", **{"m.mentions": {"user_ids": [other.id]}})

    def reply(self, room: str, above: str, text: str, *, thread: str = "") -> str:
        in_thread = {"rel_type": "m.thread", "event_id": thread, "is_falling_back": False} if thread else {}
        return self.say(room, text, **{"m.relates_to": {**in_thread, "m.in_reply_to": {"event_id": above}}})

    def edit(self, room: str, event_id: str, text: str) -> str:
        new = {"msgtype": "m.text", "body": text}
        change = {"rel_type": "m.replace", "event_id": event_id}
        return self.send(room, {**new, "body": f"* {text}", "m.new_content": new, "m.relates_to": change})

    def react(self, room: str, event_id: str, emoji: str) -> str:
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": emoji}
        return self.send(room, {"m.relates_to": relation}, kind="m.reaction")

    def send(self, room: str, content: Json, *, kind: str = "m.room.message") -> str:
        return str(
            self.call("PUT", f"{CLIENT}/rooms/{quoted(room)}/send/{kind}/{ids.new_token()}", content)["event_id"]
        )

    def redact(self, room: str, event_id: str) -> None:
        self.call("PUT", f"{CLIENT}/rooms/{quoted(room)}/redact/{quoted(event_id)}/{ids.new_token()}", {})

    def read(self, room: str, event_id: str) -> None:
        self.call("POST", f"{CLIENT}/rooms/{quoted(room)}/receipt/m.read/{quoted(event_id)}", {})

    def open_room(self, *others: Person, name: str = "", public: bool = False, **more: Any) -> str:
        preset = {"preset": "public_chat" if public else "trusted_private_chat", "is_direct": not (public or name)}
        body = {**preset, "invite": [one.id for one in others], **({"name": name} if name else {}), **more}
        return str(self.call("POST", f"{CLIENT}/createRoom", body)["room_id"])

    def join(self, room: str) -> None:
        self.call("POST", f"{CLIENT}/join/{quoted(room)}", {})

    def invitations(self) -> list[str]:
        return list(self._sync().get("rooms", {}).get("invite", {}))

    def _sync(self) -> Json:
        """Everything, now: Synapse answers the same question with the same words for two minutes, so each is another."""
        wanted = json.dumps({"account_data": {"types": [ids.new_token()]}})
        return self.call("GET", f"{CLIENT}/sync?timeout=0&filter={quoted(wanted)}")

    def rooms(self) -> list[str]:
        return list(self.call("GET", f"{CLIENT}/joined_rooms")["joined_rooms"])

    def people_in(self, room: str) -> set[str]:
        return set(self.call("GET", f"{CLIENT}/rooms/{quoted(room)}/joined_members")["joined"])

    def messages(self, room: str) -> list[Json]:
        """What was said in a room and still stands, oldest first; what was changed as it is now."""
        page = self.call("GET", f"{CLIENT}/rooms/{quoted(room)}/messages?dir=b&limit=100")["chunk"]
        return [one for one in reversed(page) if one["type"] == "m.room.message" and one["content"]]

    def texts(self, room: str, by: Person) -> list[str]:
        return [one["content"]["body"] for one in self.messages(room) if one["sender"] == by.id]

    def seen(self, room: str, event_id: str) -> Json:
        return self.call("GET", f"{CLIENT}/rooms/{quoted(room)}/event/{quoted(event_id)}")

    def typists(self, room: str) -> list[str]:
        events = self._sync()["rooms"]["join"][room]["ephemeral"]["events"]
        return [who for one in events if one["type"] == "m.typing" for who in one["content"]["user_ids"]]

    def upload(self, content: bytes, kind: str) -> str:
        where = "/_matrix/media/v3/upload?filename=file"
        return str(self.world.call("POST", where, token=self.token, content=content, kind=kind)["content_uri"])

    def download(self, address: str) -> bytes:
        where = f"/_matrix/client/v1/media/download/{address.removeprefix('mxc://')}"
        return self.world.fetch("GET", where, token=self.token)

    def call(self, verb: str, where: str, body: Json | None = None) -> Json:
        content = json.dumps(body).encode() if body is not None else None
        return self.world.call(verb, where, token=self.token, content=content)


class World:
    """The server. `join` makes people."""

    def __init__(self) -> None:
        reason = missing()
        assert not reason, reason
        self._folder = Path(tempfile.mkdtemp(prefix="careline-synapse-"))
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        config = self._folder / "homeserver.yaml"
        config.write_text(json.dumps(self._config()))  # JSON is YAML
        run = [str(PYTHON), "-m", "synapse.app.homeserver", "-c", str(config)]
        subprocess.run([*run, "--generate-keys"], check=True, capture_output=True, cwd=self._folder)
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(run, cwd=self._folder, stdout=log, stderr=log)
        self._wait_ready()

    def _config(self) -> Json:
        listener = {
            "bind_addresses": ["127.0.0.1"],
            "port": self._port,
            "tls": False,
            "type": "http",
            "resources": [{"names": ["client"], "compress": False}],
        }
        return {
            "server_name": SERVER,
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": str(self._folder / "homeserver.db")}},
            "media_store_path": str(self._folder / "media"),
            "signing_key_path": str(self._folder / "signing.key"),
            "pid_file": str(self._folder / "pid"),
            "report_stats": False,
            "enable_registration": True,
            "enable_registration_without_verification": True,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "federation_domain_whitelist": [],
            "max_upload_size": "1M",
            "rc_message": MANY,
            "rc_registration": MANY,
            "rc_login": {"address": MANY, "account": MANY, "failed_attempts": {"per_second": 0.1, "burst_count": 3}},
            "rc_joins": {"local": MANY, "remote": MANY},
            "rc_invites": {"per_room": MANY, "per_user": MANY, "per_issuer": MANY},
            "rc_room_creation": MANY,
        }

    def _wait_ready(self) -> None:
        end_s = time.monotonic() + START_TIMEOUT_S
        while True:
            assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
            assert time.monotonic() < end_s, "Synapse did not begin to answer"
            try:
                self.call("GET", "/_matrix/client/versions")
                return
            except (OSError, Refused):
                time.sleep(0.1)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        shutil.rmtree(self._folder)

    def join(self, name: str) -> Person:
        """A new account, called as its name says."""
        body = {"username": name, "password": PASSWORD, "auth": {"type": "m.login.dummy"}}
        made = self.call("POST", f"{CLIENT}/register", content=json.dumps(body).encode())
        person = Person(self, made["user_id"], made["access_token"])
        person.call("PUT", f"{CLIENT}/profile/{quoted(person.id)}/displayname", {"displayname": name.title()})
        return person

    def call(
        self, verb: str, where: str, *, token: str = "", content: bytes | None = None, kind: str = "application/json"
    ) -> Json:
        found: Json = json.loads(self.fetch(verb, where, token=token, content=content, kind=kind))
        return found

    def fetch(
        self, verb: str, where: str, *, token: str = "", content: bytes | None = None, kind: str = "application/json"
    ) -> bytes:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers |= {"content-type": kind} if content is not None else {}
        request = urllib.request.Request(f"{self.address}{where}", content, headers, method=verb)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                found: bytes = answer.read()
                return found
        except urllib.error.HTTPError as refused:
            with refused:
                raise Refused(f"{where}: {refused.code} {refused.read().decode()[:300]}") from None


def quoted(piece: str) -> str:
    return urllib.parse.quote(piece, safe="")


def until(holds: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait until the network says so."""
    end_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end_s, "the network never said so"
        time.sleep(0.1)
