"""A visitor of the airline's page without a browser: every request as the widget's own scripts make it (edge/widget_static)."""

from __future__ import annotations

import json
import re
import secrets
import urllib.request
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass
class Chatter:
    """One visitor's session. `desk` is Careline's address, `site` the page the chat stands on, `key` the channel's public key."""

    desk: str
    site: str
    key: str
    language: str
    name: str = ""
    token: str = ""

    def arrive(self) -> Chatter:
        """Load the chat's page and open a session with its ticket."""
        query = urlencode({"host": self.site, "lang": self.language})
        request = urllib.request.Request(
            f"{self.desk}/widget/{self.key}/chat?{query}", headers={"Referer": f"{self.site}/"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            page = answer.read().decode()
        [ticket] = re.findall(r'data-ticket="([^"]+)"', page)
        user = dict.fromkeys(("token", "id", "email", "name", "hash"), "")
        self.token = str(self._post("session", {"page": ticket, "tokens": [], "user": user})["token"])
        return self

    def say(self, text: str) -> None:
        """Durable when this returns."""
        saying = {
            "client_id": secrets.token_urlsafe(15),
            "text": text,
            "files": [],
            "page": f"{self.site}/",
            "email": "",
        }
        self._post("messages", {**saying, "name": self.name})

    def transcript(self) -> list[tuple[bool, str]]:
        """(is an answer of the desk, text) of everything said, oldest first."""
        shown = [one["message"] for one in self._ask("messages")["messages"]]
        return [(bool(one["is_ours"]), str(one["text"])) for one in shown]

    def _post(self, path: str, body: object) -> dict[str, object]:
        return self._ask(path, json.dumps(body).encode())

    def _ask(self, path: str, body: bytes | None = None) -> dict[str, object]:
        headers = {"Content-Type": "application/json", "Origin": self.desk, "Sec-Fetch-Site": "same-origin"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(f"{self.desk}/widget/api/{self.key}/{path}", body, headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            found = json.load(answer)
        assert isinstance(found, dict)
        return found
