"""A Threads profile on loopback. Answers are the examples of Meta's documents; parameters are held against lists copied from there by name.

No description of this API is published (the SDKs' own of it is empty), so it proves no more than that we read the documents twice alike: class D.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from careline.channels.meta.tests import specification
from careline.channels.meta.tests.graph import GraphServer, Reply, fault

PROFILE, ROOT, REPLY, OURS = "123456", "5001", "5030", "5031"
_NUMBERS = itertools.count(60_001)
# By edge, the parameters of documentation/threads/{posts,retrieve-and-manage-replies/create-replies,reply-management,reference/reply-management}.
_KNOWN: dict[tuple[str, str], set[str]] = {
    ("POST", "threads"): {"media_type", "text", "reply_to_id"},
    ("POST", "threads_publish"): {"creation_id"},
    ("POST", "manage_reply"): {"hide"},
    ("GET", "mentions"): {"fields", "limit"},
    ("GET", "replies"): {"fields", "limit"},
    ("GET", "threads"): {"fields", "limit"},
    ("GET", "conversation"): {"fields", "limit"},
    ("GET", "refresh_access_token"): {"grant_type", "access_token"},
    ("GET", ""): {"fields"},
    ("DELETE", ""): set(),
}
FIELDS = {
    "id",
    "media_type",
    "media_url",
    "permalink",
    "username",
    "text",
    "timestamp",
    "children{media_type",
    "media_url}",
    "is_reply",
    "has_replies",
    "root_post",
    "replied_to",
    "is_reply_owned_by_me",
    "status",
    "name",
}


class ProfileApi(GraphServer):
    """One profile with one post."""

    def __init__(self) -> None:
        super().__init__()
        self.containers: dict[str, dict[str, Any]] = {}
        self.status = "FINISHED"
        self.replies: list[dict[str, Any]] = []
        self.mentions: list[dict[str, Any]] = []
        self.conversation: list[dict[str, Any]] = []
        self.hidden: set[str] = set()
        self.deleted: set[str] = set()
        self.gone: set[str] = set()
        self.refused = fault(400, 100, 2207051)
        self.is_late = False

    @property
    def address(self) -> str:
        return super().address.replace("v26.0", "v1.0")

    def take(self, method: str, path: str, given: dict[str, Any]) -> Reply:
        """A planned fault meets the publishing: a container is nothing yet."""
        path = path.removeprefix("v1.0/")
        if not specification.is_here():  # the lists stand here: they judge without Meta's descriptions too
            self.complaints += self.judge(method, path, given)
        later = self.faults and method == "POST" and path.endswith("/threads")
        kept, self.faults = (self.faults, []) if later else ([], self.faults)
        reply = super().take(method, path, given)
        self.faults = kept or self.faults
        return reply

    def judge(self, method: str, path: str, given: dict[str, Any]) -> list[str]:
        edge = path if path == "refresh_access_token" else path.partition("/")[2]
        known = _KNOWN.get((method, edge))
        if known is None:
            return [f"no {method} {edge}"]
        asked = set(str(given.get("fields", "id")).split(","))
        return [f"{edge}.{name}: unknown" for name in given if name not in known] + [
            f"{edge}: no field {one}" for one in asked - FIELDS
        ]

    def answer(self, method: str, path: str, given: dict[str, Any]) -> Reply:
        node, _, edge = path.partition("/")
        if path == "refresh_access_token":
            return 200, {"access_token": "THAA-new", "token_type": "bearer", "expires_in": 5183944}
        if edge == "threads" and method == "POST":
            name = str(next(_NUMBERS))
            self.containers[name] = given
            return 200, {"id": name}
        if edge == "threads_publish":
            return self._publish(given["creation_id"])
        if edge == "manage_reply":
            (self.hidden.add if given["hide"] else self.hidden.discard)(node)
            return 200, {"success": True}
        listed = {"mentions": self.mentions, "replies": self.replies, "conversation": self.conversation}
        if edge in listed:
            return 200, {"data": listed[edge]}
        if edge == "threads":
            return 200, {"data": [{"id": ROOT, "has_replies": True}]}
        return self._one(method, node)

    def _one(self, method: str, node: str) -> Reply:
        if node == "me":
            return 200, {"id": PROFILE, "username": "aurora.air", "name": "Aurora Air"}
        if node in self.containers:
            return 200, {"id": node, "status": self.status}
        if method == "DELETE":
            self.deleted.add(node)
            return 200, {"success": True, "deleted_id": node}
        return fault(400, 100, 33) if node in self.gone else (200, {"id": node})

    def _publish(self, container: str) -> Reply:
        given = self.containers[container]
        name = str(next(_NUMBERS))
        self.posted.append(given["text"])
        self.replies.append(
            {
                "id": name,
                "text": given["text"],
                "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
                "username": "aurora.air",
                "replied_to": {"id": given["reply_to_id"]},
                "root_post": {"id": ROOT},
            }
        )
        return 200, {"id": name}
