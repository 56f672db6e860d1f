"""An independent Mastodon (mastodon_mock, from PyPI) as a process, and what its people say and see."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.servers.processes import free_port

FOLDER: Final = Path(__file__).parent
SERVER: Final = FOLDER / ".venv" / "bin" / "mastodon_mock"
OUT_OF_BAND: Final = "urn:ietf:wg:oauth:2.0:oob"
START_TIMEOUT_S: Final = 30.0
Json = dict[str, Any]
# People of another server can only be there from the beginning.
_CONFIGURATION: Final = """
url_scheme = "http"
[auth]
enforce_scopes = true
[[seed.accounts]]
username = "marta"
domain = "lejos.test"
display_name = "Marta"
access_token = "a-token-of-marta"
"""


def missing() -> str:
    """Why it cannot run here, with the way to get it; empty when it can."""
    return "" if SERVER.exists() else f"the Mastodon server is left out: bin/packages {FOLDER}"


class Refused(Exception):
    """A call that the server refused: its status and words."""


@dataclass(frozen=True)
class Person:
    """Somebody with an account there."""

    world: World
    acct: str
    token: str

    def post(self, text: str, **more: Any) -> Json:
        return self.call("POST", "statuses", {"status": text, "visibility": "public", **more})

    def reply(self, above: Json | str, text: str, **more: Any) -> Json:
        return self.post(text, in_reply_to_id=above if isinstance(above, str) else above["id"], **more)

    def write(self, text: str, **more: Any) -> Json:
        """A private mention."""
        return self.post(text, visibility="direct", **more)

    def edit(self, status: Json, text: str) -> Json:
        return self.call("PUT", f"statuses/{status['id']}", {"status": text})

    def delete(self, status: Json) -> None:
        self.call("DELETE", f"statuses/{status['id']}")

    def favourite(self, status: Json) -> None:
        self.call("POST", f"statuses/{status['id']}/favourite")

    def boost(self, status: Json) -> None:
        self.call("POST", f"statuses/{status['id']}/reblog")

    def upload(self, name: str, content: bytes, description: str) -> str:
        mark = secrets.token_hex(8)
        parts = (("file", f'; filename="{name}"', content), ("description", "", description.encode()))
        form = b"".join(
            f'--{mark}\r\nContent-Disposition: form-data; name="{field}"{more}\r\n\r\n'.encode() + value + b"\r\n"
            for field, more, value in parts
        )
        kind = f"multipart/form-data; boundary={mark}"
        found = self.world.call("POST", "/api/v2/media", form + f"--{mark}--\r\n".encode(), token=self.token, kind=kind)
        return str(found["id"])

    def seen(self, status_id: str) -> Json | None:
        """A post as it is shown to this person."""
        try:
            return self.call("GET", f"statuses/{status_id}")
        except Refused:
            return None

    def posts(self) -> list[Json]:
        """This person's own, newest first."""
        me = self.call("GET", "accounts/verify_credentials")
        return list(self.call("GET", f"accounts/{me['id']}/statuses"))

    def mentions(self) -> list[Json]:
        """Posts that name this person, newest first."""
        return [one["status"] for one in self.call("GET", "notifications?types[]=mention")]

    def call(self, verb: str, path: str, body: Json | None = None) -> Any:
        content = json.dumps(body).encode() if body is not None else b""
        return self.world.call(verb, f"/api/v1/{path}", content, token=self.token)


class World:
    """One server. `join` makes people of it; `marta` lives on another."""

    def __init__(self) -> None:
        reason = missing()
        assert not reason, reason
        self.domain = f"127.0.0.1:{free_port()}"
        self.address = f"http://{self.domain}"
        self._folder = TemporaryDirectory()
        configuration = Path(self._folder.name) / "mock.toml"
        configuration.write_text(_CONFIGURATION)
        serve = ["serve", "--in-memory", "--domain", self.domain, "--port", self.address.rpartition(":")[2]]
        self._process = subprocess.Popen(
            [str(SERVER), *serve, "--config", str(configuration), "--log-level", "critical"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
        )
        until(self._is_ours, START_TIMEOUT_S)
        self.marta = Person(self, "marta@lejos.test", "a-token-of-marta")

    def _is_ours(self) -> bool:
        assert self._process.poll() is None, "the Mastodon server ended before it was ready"
        try:
            return bool(self.call("GET", "/api/v2/instance")["domain"] == self.domain)
        except urllib.error.URLError:
            return False

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(START_TIMEOUT_S)
        self._folder.cleanup()

    def join(self, name: str) -> Person:
        """A new account."""
        body = json.dumps({"username": name, "display_name": name.title()}).encode()
        made = self.call("POST", "/api/v1/_mock/dev_user", body)
        return Person(self, name, str(made["access_token"]))

    def token_for(self, person: Person, scopes: str) -> str:
        """What the page of a new application gives: a token with these rights only."""
        form = "application/x-www-form-urlencoded"
        app = {"client_name": "Careline", "redirect_uris": OUT_OF_BAND, "scopes": scopes}
        made = self.call("POST", "/api/v1/apps", urllib.parse.urlencode(app).encode(), kind=form)
        asked = urllib.parse.urlencode({"username": person.acct, "redirect_uri": OUT_OF_BAND}).encode()
        page = self._open("POST", "/oauth/authorize", asked, kind=form).decode()
        found = re.search(r"code: (\S+)</p>", page)
        assert found is not None
        grant = {"grant_type": "authorization_code", "client_id": made["client_id"], "code": found[1]}
        return str(self.call("POST", "/oauth/token", urllib.parse.urlencode(grant).encode(), kind=form)["access_token"])

    def revoke(self, token: str) -> None:
        form = "application/x-www-form-urlencoded"
        self.call("POST", "/oauth/revoke", urllib.parse.urlencode({"token": token}).encode(), kind=form)

    def fail(self, path: str, **effect: Any) -> None:
        """The next call of this path meets a fault."""
        rule = {"match": {"path": path}, "effect": effect, "count": 1}
        self.call("POST", "/api/v1/_mock/faults", json.dumps(rule).encode())

    def call(self, verb: str, path: str, body: bytes = b"", *, token: str = "", kind: str = "application/json") -> Any:
        return json.loads(self._open(verb, path, body, token=token, kind=kind) or b"{}")

    def _open(self, verb: str, path: str, body: bytes, *, token: str = "", kind: str = "application/json") -> bytes:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers |= {"content-type": kind} if body else {}
        request = urllib.request.Request(f"{self.address}{path}", body or None, headers, method=verb)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                found: bytes = answer.read()
                return found
        except urllib.error.HTTPError as refused:
            with refused:
                raise Refused(f"{path}: {refused.code} {refused.read().decode()[:300]}") from None


def until(holds: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait until it is so."""
    end_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end_s, "it never was so"
        time.sleep(0.1)
