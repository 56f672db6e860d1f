"""An independent Bot API server (telegram-test-api, npm) as a process, and what its people say and see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.servers.processes import free_port

FOLDER = Path(__file__).parent
# Node.js 22 of the development requirements.
NODE = Path(sys.executable).with_name("node")
TOKEN = "666:a-token-of-the-tests"
BOT_ID = 666
BOT_NAME = "TestNameBot"
START_TIMEOUT_S = 20.0


def missing() -> str:
    """Why it cannot run here, with the way to get it; empty when it can."""
    if not NODE.exists():
        return "the Bot API server is left out: bin/setup dev"
    where = FOLDER / "node_modules" / "telegram-test-api"
    return "" if where.exists() else f"the Bot API server is left out: npm ci --ignore-scripts --prefix {FOLDER}"


class World:
    """One server with one bot. Ids of people and chats are the test's to choose."""

    def __init__(self) -> None:
        reason = missing()
        assert not reason, reason
        port = free_port()
        environment = {**os.environ, "PORT": str(port), "CARELINE_NODE_FOLDER": str(FOLDER)}
        self._process = subprocess.Popen(
            [str(NODE), str(FOLDER / "world.cjs")],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("ready "), f"the Bot API server said {line!r}"
        self.address: str = json.loads(line.removeprefix("ready "))["address"]
        assert self.address.endswith(f":{port}"), "our own process answers"

    def stop(self) -> None:
        """Its standard input ends; so does it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(START_TIMEOUT_S)
        self._process.stdout.close()

    # people

    def say(self, text: str, *, chat: dict[str, Any], by: dict[str, Any], **more: Any) -> None:
        """A message of somebody, told to the bot."""
        message = {"from": by, "chat": chat, "date": int(time.time()), "text": text, "botToken": TOKEN, **more}
        self._post("sendMessage", message)

    def tell(self, **whole: Any) -> None:
        """An update as Telegram writes it, for what the server has no people's act for."""
        self._post("world/updates", {"token": TOKEN, "whole": whole})

    # what stands there

    def history(self) -> list[dict[str, Any]]:
        """Everything said by and to the bot that is still there."""
        found: list[dict[str, Any]] = self._post("getUpdatesHistory", {"token": TOKEN})["result"]
        return found

    def said_by_bot(self, chat_id: int) -> list[str]:
        """Texts of the bot in a chat."""
        return [one["message"]["text"] for one in self.bots(chat_id)]

    def bots(self, chat_id: int) -> list[dict[str, Any]]:
        """Messages of the bot in a chat, as it sent them."""
        return [one for one in self.history() if str(one["message"].get("chat_id", "")) == str(chat_id)]

    def last_id(self) -> int:
        """The number of the newest message."""
        return max(int(one["messageId"]) for one in self.history())

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.address}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found
