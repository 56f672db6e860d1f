"""A plain HTTP client for tests: one call, one whole answer."""

from __future__ import annotations

import http.client
from collections.abc import Mapping

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """Status, headers (lower-case names) and body."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self):  # type: ignore[no-untyped-def]
        return msgspec.json.decode(self.body)


class Client:
    """Calls to one port of loopback."""

    def __init__(self, port: int) -> None:
        self._port = port

    def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        body = msgspec.json.encode(json) if json is not None else content
        kind = {"content-type": "application/json"} if json is not None else {}
        try:
            connection.request(method, path, body, {**kind, **(headers or {})})
            answer = connection.getresponse()
            lowered = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, lowered, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **more) -> Answer:  # type: ignore[no-untyped-def]
        return self.request("GET", path, **more)

    def post(self, path: str, **more) -> Answer:  # type: ignore[no-untyped-def]
        return self.request("POST", path, **more)

    def delete(self, path: str, **more) -> Answer:  # type: ignore[no-untyped-def]
        return self.request("DELETE", path, **more)
