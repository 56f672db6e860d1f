"""A Graph API on loopback, from our reading of the documents. It never judges alone: each request is held against `specification`."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from careline.channels.meta.tests import specification

APP_ID, APP_SECRET, TOKEN = "4100", "the-secret-of-the-app-0123456789", "EAAB-a-token-of-the-tests"
VERSION = "v26.0"
Reply = tuple[int, Any]


def fault(status: int, code: int, subcode: int = 0, words: str = "(#100) confidential words") -> Reply:
    """A refusal as Meta writes it (the example of .../docs/messenger-platform/error-codes, updated 2026-03-18)."""
    error = {"message": words, "type": "OAuthException", "code": code, "error_subcode": subcode, "fbtrace_id": "A1"}
    return status, {"error": error}


class GraphServer:
    """`requests` are (method, path, parameters). A subclass answers in `answer`."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.complaints: list[str] = []
        self.posted: list[str] = []
        self.faults: list[str] = []
        self.token: dict[str, Any] = {"is_valid": True, "app_id": APP_ID, "type": "PAGE", "expires_at": 0, "scopes": []}
        self.subscriptions: list[dict[str, Any]] = []
        self.refused: Reply = fault(400, 10, 2018278)
        self.asked_names: list[str] = []
        self.name_faults: list[str] = []
        self.name_refused: Reply = fault(400, 100, 2018218, "(#100) No profile available for this user.")
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{VERSION}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def take(self, method: str, path: str, given: dict[str, Any]) -> Reply:
        """What the platform says, with the planned fault; status 0 is a connection that is cut."""
        self.requests.append((method, path, given))
        if path == "debug_token":
            return 200, {"data": self.token}
        if path == f"{APP_ID}/subscriptions":
            return self._subscriptions(method, given)
        if specification.is_here():
            self.complaints += self.judge(method, path, given)
        is_naming = method == "GET" and self.is_naming(path, given)
        planned = self._planned(method, f"{path} {given.get('fields', '')}", is_naming=is_naming)
        before: Mapping[str, Reply] = {
            "rate_limited": fault(429, 4),
            "rate_limited_silently": fault(400, 613),
            "revoked": fault(401, 190, 463),
            "refused": self.name_refused if is_naming else self.refused,
        }
        if planned in before:
            return before[planned]
        if planned == "cut" and method == "DELETE":  # the client asks again by itself, as it may: it is cut again
            self.faults.insert(0, "cut again")
        reply = self.answer(method, path, given)
        if planned == "failing":
            return fault(500, 2)
        return (0, None) if planned.startswith("cut") else reply

    def _planned(self, method: str, question: str, *, is_naming: bool) -> str:
        if is_naming:
            self.asked_names.append(question)
            return self.name_faults.pop(0) if self.name_faults else ""
        return self.faults.pop(0) if self.faults and method != "GET" else ""

    def is_naming(self, path: str, given: dict[str, Any]) -> bool:
        """Whether a question asks who somebody is."""
        return False

    def _subscriptions(self, method: str, given: dict[str, Any]) -> Reply:
        if specification.is_here():
            self.complaints += specification.edge_complaints("Application", method, "subscriptions", given)
        if method == "GET":
            return 200, {"data": self.subscriptions}
        self.subscriptions = [one for one in self.subscriptions if one["object"] != given["object"]]
        self.subscriptions.append({"object": given["object"], "callback_url": given["callback_url"], "active": True})
        return 200, {"success": True}

    def judge(self, method: str, path: str, given: dict[str, Any]) -> list[str]:
        """What is wrong with a request."""
        raise NotImplementedError

    def answer(self, method: str, path: str, given: dict[str, Any]) -> Reply:
        raise NotImplementedError


def _handler(graph: GraphServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _take(self) -> None:
            split = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            given = {**dict(parse_qsl(split.query)), **_parameters(self.headers.get("Content-Type", ""), body)}
            graph.headers.append({name.lower(): value for name, value in self.headers.items()})
            path = split.path.removeprefix(f"/{VERSION}/").lstrip("/")
            status, told = graph.take(self.command, path, given)
            if status == 0:
                self.close_connection = True
                self.connection.close()
                return
            raw = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "7")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_DELETE = _take

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


def _parameters(kind: str, body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    if kind.startswith("multipart/"):
        form = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body, policy=policy.HTTP)
        found = {}
        for part in form.iter_parts():  # type: ignore[attr-defined] # EmailMessage by its policy
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            found[str(name)] = content if part.get_filename() else content.decode()
        return found
    loaded: dict[str, Any] = json.loads(body)
    return loaded
