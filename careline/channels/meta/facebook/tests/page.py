"""A Page on loopback. Answers are shaped like the examples of Meta's documents; ids look like theirs."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

from careline.channels.meta.tests import specification
from careline.channels.meta.tests.graph import APP_ID, GraphServer, Reply, fault

PAGE, POST, MARTA, OTRO = "100200300", "100200300_900", "7001", "7002"
SCOPES = [
    "pages_messaging",
    "pages_manage_metadata",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_engagement",
]
NAMELESS = "7009"
# The fields of identity/user-profile (updated 2026-03-18); Meta's description of its nodes has none for page-scoped ids.
_PROFILE = {"id", "name", "first_name", "last_name", "profile_pic", "locale", "timezone", "gender"}
_NUMBERS = itertools.count(50_001)
_NODES = {"comments": "Comment", "likes": "Comment"}


class PageApi(GraphServer):
    """One Page with one post of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.token |= {"profile_id": PAGE, "scopes": list(SCOPES)}
        self.hidden: set[str] = set()
        self.liked: set[str] = set()
        self.deleted: set[str] = set()
        self.edited: dict[str, str] = {}
        self.bodies: list[tuple[str, dict[str, Any]]] = []
        self.actions: list[dict[str, Any]] = []
        self.answered: set[str] = set()
        self.late: set[str] = set()
        self.uploaded: list[tuple[str, dict[str, Any]]] = []
        self.apps: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.talks: list[dict[str, Any]] = []
        self.refused = fault(400, 551)

    def is_naming(self, path: str, given: dict[str, Any]) -> bool:
        return path.startswith("70")

    def judge(self, method: str, path: str, given: dict[str, Any]) -> list[str]:
        node, _, edge = path.partition("/")
        if self.is_naming(path, given):
            return [f"profile.{one}: unknown" for one in str(given["fields"]).split(",") if one not in _PROFILE]
        plain = {name: value for name, value in given.items() if name not in {"filedata", "source", "published"}}
        if edge == "message_attachments":
            plain["message"] = json.loads(plain["message"])
        if "sender_action" in plain:  # the description knows the names in capitals, the documents show them small
            plain |= {"sender_action": plain["sender_action"].upper(), "payload": json.dumps(plain.get("payload"))}
        kind = "Page" if node == PAGE else "PagePost" if node in {POST} and edge != "comments" else "Comment"
        return specification.edge_complaints(kind, method, edge, plain)

    def answer(self, method: str, path: str, given: dict[str, Any]) -> Reply:
        node, _, edge = path.partition("/")
        if node in {PAGE, "me"}:
            return self._page(method, edge, given)
        if self.is_naming(path, given):
            person = {
                "first_name": "Marta",
                "last_name": "Ruiz",
                "profile_pic": "https://platform-lookaside.fbsbx.com/p",
            }
            return 200, {**person, "id": node}
        if edge == "comments" and method == "POST":
            name = f"900_{next(_NUMBERS)}"
            self.bodies.append((path, given))
            self.posted.append(given.get("message", ""))
            return 200, {"id": name}
        if edge == "likes":
            (self.liked.add if method == "POST" else self.liked.discard)(node)
        elif method == "DELETE":
            if node in self.deleted:
                return fault(400, 100, 33)
            self.deleted.add(node)
        elif "is_hidden" in given:
            (self.hidden.add if given["is_hidden"] else self.hidden.discard)(node)
        elif "message" in given:
            self.edited[node] = given["message"]
        return 200, {"success": True}

    def _page(self, method: str, edge: str, given: dict[str, Any]) -> Reply:
        if edge == "":
            return 200, {"id": PAGE, "name": "Aurora Air", "username": "aurora.air"}
        if edge == "subscribed_apps":
            if method == "POST":
                self.apps = [{"id": APP_ID, "subscribed_fields": given["subscribed_fields"].split(",")}]
                return 200, {"success": True}
            return 200, {"data": self.apps}
        if edge == "message_attachments":
            self.uploaded.append((edge, given))
            return 200, {"attachment_id": "1857777774821032"}
        if edge == "photos":
            self.uploaded.append((edge, given))
            return 200, {"id": "88001"}
        if edge == "feed":
            return 200, {"data": [self._post()]}
        if edge == "conversations":
            return 200, {"data": self.talks}
        return self._messages(given)

    def _post(self) -> dict[str, Any]:
        shown = sorted(self.comments, key=lambda one: str(one["created_time"]), reverse=True)
        return {
            "id": POST,
            "created_time": "2026-11-01T08:00:00+0000",
            "message": "Our winter timetable",
            "from": {"id": PAGE, "name": "Aurora Air"},
            "permalink_url": f"https://www.facebook.com/{POST}",
            "comments": {"data": shown},
        }

    def _messages(self, given: dict[str, Any]) -> Reply:
        if "sender_action" in given:
            self.actions.append(given)
            return 200, {"recipient_id": given["recipient"]["id"]}
        comment, who = given["recipient"].get("comment_id", ""), given["recipient"].get("id", MARTA)
        if comment in self.answered:
            return fault(400, 10900, words="(#10900) Activity already replied to")
        if who in self.late and given.get("tag") != "HUMAN_AGENT":
            return fault(400, 10, 2018278, "(#10) This message is sent outside of allowed window.")
        self.answered |= {comment} - {""}
        self.bodies.append((f"{PAGE}/messages", given))
        self.posted.append(given["message"].get("text", ""))
        return 200, {"recipient_id": who, "message_id": f"m_AG5{next(_NUMBERS)}"}

    def comment(self, key: str, words: str, by: dict[str, str], at: datetime) -> None:
        """Somebody comments, and no webhook tells."""
        when = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        self.comments.append({"id": f"900_{key}", "created_time": when, "from": by, "message": words})
