"""A Bot API server on loopback, from our reading of the documentation. It never judges alone: each request is held against `specification`."""

from __future__ import annotations

import json
import threading
import time
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from careline.channels.telegram.tests import specification

TOKEN = "777:a-token-of-the-tests"
BOT = {"id": 777, "is_bot": True, "first_name": "Aurora", "username": "AuroraAirBot"}


class BotApi:
    """One bot. `requests` are (method, parameters); `updates` wait until an offset confirms them."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.complaints: list[str] = []
        self.updates: list[dict[str, Any]] = []
        self.posted: list[dict[str, Any]] = []
        self.deleted: set[tuple[int, int]] = set()
        self.reactions: dict[tuple[int, int], list[str]] = {}
        self.files: dict[str, bytes] = {}
        self.uploaded: dict[str, bytes] = {}
        self.hook: dict[str, Any] = {"url": ""}
        self.faults: list[str] = []
        self.moved: dict[int, int] = {}
        self.reads_all = False
        self._number = 5000
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

    def answer(self, method: str, given: dict[str, Any], files: dict[str, bytes]) -> tuple[int, dict[str, Any] | None]:
        """(status, body); None for a connection that is cut."""
        self.requests.append((method, given))
        if specification.is_here():
            self.complaints += specification.complaints(method, given, frozenset(files))
        fault = self.faults.pop(0) if self.faults and method not in {"getUpdates", "getMe"} else ""
        before = {
            "rate_limited": (429, _no(429, "Too Many Requests: retry after 7", retry_after=7)),
            "rate_limited_silently": (429, _no(429, "Too Many Requests")),
            "revoked": (401, _no(401, "Unauthorized")),
        }.get(fault) or ((int(fault[:3]), _no(int(fault[:3]), fault[4:])) if fault[:3].isdecimal() else None)
        if before is not None:
            return before
        refused = self._refusal(given)
        if refused is not None:
            return refused
        result = getattr(self, f"_{method}")(given, files)
        if fault == "failing":
            return 500, _no(500, "Internal Server Error")
        return (0, None) if fault == "cut" else (200, {"ok": True, "result": result})

    def _refusal(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        to = self.moved.get(given.get("chat_id", 0))
        if to:
            said = "Bad Request: group chat was upgraded to a supergroup chat"
            return 400, _no(400, said, migrate_to_chat_id=to)
        return None

    def _getMe(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        return {**BOT, "can_read_all_group_messages": self.reads_all}

    def _setWebhook(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        self.hook = given
        return True

    def _deleteWebhook(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        self.hook = {"url": ""}
        return True

    def _getWebhookInfo(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        told = {name: self.hook[name] for name in ("last_error_message",) if name in self.hook}
        return {"url": self.hook["url"], "has_custom_certificate": False, "pending_update_count": 0, **told}

    def _getUpdates(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        self.updates = [one for one in self.updates if one["update_id"] >= given.get("offset", 0)]
        end_s = time.monotonic() + min(given.get("timeout", 0), 0.3)
        while not self.updates and time.monotonic() < end_s:
            time.sleep(0.01)
        return self.updates[: given.get("limit", 100)]

    def _sendMessage(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        self.uploaded |= files
        self._number += 1
        self.posted.append({**given, "message_id": self._number})
        chat = {"id": given["chat_id"], "type": "private" if given["chat_id"] > 0 else "supergroup"}
        return {"message_id": self._number, "date": 1_790_000_000, "chat": chat, "text": given.get("text", "")}

    _sendPhoto = _sendVideo = _sendAudio = _sendDocument = _sendMessage

    def _sendMediaGroup(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        return [self._sendMessage({**given, "one": one}, files) for one in given["media"]]

    def _editMessageText(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        return True

    _editMessageCaption = _sendChatAction = _editMessageText

    def _deleteMessage(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        self.deleted.add((given["chat_id"], given["message_id"]))
        return True

    def _deleteBusinessMessages(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        self.deleted |= {(0, number) for number in given["message_ids"]}
        return True

    def _setMessageReaction(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        self.reactions[given["chat_id"], given["message_id"]] = [one["emoji"] for one in given["reaction"]]
        return True

    def _getFile(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        name = given["file_id"]
        return {"file_id": name, "file_unique_id": f"u{name}", "file_path": f"photos/{name}"}


def _no(code: int, description: str, **parameters: int) -> dict[str, Any]:
    found = {"ok": False, "error_code": code, "description": description}
    return {**found, "parameters": parameters} if parameters else found


def _handler(api: BotApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            token, _, method = self.path.removeprefix("/bot").partition("/")
            given, files = _read(self.headers["Content-Type"], body)
            status, told = api.answer(method, given, files) if token == TOKEN else (401, _no(401, "Unauthorized"))
            if told is None:
                self.close_connection = True
                return
            self._give(status, json.dumps(told).encode())

        def do_GET(self) -> None:
            name = self.path.removeprefix(f"/file/bot{TOKEN}/photos/")
            self._give(200 if name in api.files else 404, api.files.get(name, b""))

        def _give(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


def _read(content_type: str, body: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Parameters and files, read by the library of e-mail: an independent reading of multipart."""
    if content_type.startswith("application/json"):
        return json.loads(body), {}
    whole = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=policy.HTTP)
    given: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for part in whole.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        if part.get_filename() is not None:
            files[name] = content
        else:
            text = content.decode()
            given[name] = text if name in {"text", "caption", "photo", "video", "audio", "document"} else _json(text)
    return given, files


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
