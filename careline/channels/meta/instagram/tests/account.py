"""An Instagram account on loopback. Answers are shaped like the examples of Meta's documents."""

from __future__ import annotations

import itertools
import json
import re
from datetime import UTC, datetime
from typing import Any

from careline.channels.meta.tests import specification
from careline.channels.meta.tests.graph import GraphServer, Reply, fault

ACCOUNT, MEDIA, MARTA, OTRO = "17841400000000001", "18000000000000900", "9001", "9002"
COMMENT, OURS = "17900000000000030", "17900000000000031"
NAMELESS, THEIRS = "9009", "18000000000000905"
# The fields of messaging-api/user-profile (updated 2025-01-21); Meta's description of its nodes has none for Instagram-scoped ids.
_PROFILE = {
    "name",
    "username",
    "profile_pic",
    "follower_count",
    "is_user_follow_business",
    "is_business_follow_user",
    "is_verified_user",
}
_NUMBERS = itertools.count(51_001)


_MENTIONED = re.compile(
    r"mentioned_(?P<what>comment|media)\.(?:comment|media)_id\((?P<id>\d+)\)\{(?P<fields>[a-z_,]+)\}"
)


class AccountApi(GraphServer):
    """One account with one post."""

    def __init__(self) -> None:
        super().__init__()
        self.account = {"user_id": ACCOUNT, "username": "aurora.air", "name": "Aurora Air"}
        self.hidden: set[str] = set()
        self.deleted: set[str] = set()
        self.reactions: dict[str, str] = {}
        self.bodies: list[tuple[str, dict[str, Any]]] = []
        self.actions: list[dict[str, Any]] = []
        self.answered: set[str] = set()
        self.late: set[str] = set()
        self.apps: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.talks: list[dict[str, Any]] = []
        self.gone: set[str] = set()
        self.renewals = 0
        self.is_young = False
        self.refused = fault(400, 551)
        self.name_refused = fault(403, 230, words="User consent is required to access user profile.")
        self.tags: list[dict[str, Any]] = []
        self.knows_mentions = True

    def is_naming(self, path: str, given: dict[str, Any]) -> bool:
        return path.startswith("90") or "mentioned_" in str(given.get("fields", ""))

    def judge(self, method: str, path: str, given: dict[str, Any]) -> list[str]:
        node, _, edge = path.partition("/")
        if path.startswith("90"):
            return [f"profile.{one}: unknown" for one in str(given["fields"]).split(",") if one not in _PROFILE]
        if self.is_naming(path, given):
            return self._judge_mention(str(given["fields"]))
        if "refresh_access_token" in path:
            wanted = {"grant_type": "ig_refresh_token"}
            return [] if given.get("grant_type") == wanted["grant_type"] else ["refresh_access_token: grant_type"]
        plain = {name: value for name, value in given.items() if name != "filedata"}
        if edge == "message_attachments":
            plain["message"] = json.loads(plain["message"])
        if "sender_action" in plain:  # the description knows the names in capitals, the documents show them small
            plain |= {"sender_action": plain["sender_action"].upper(), "payload": json.dumps(plain.get("payload"))}
        if node in {ACCOUNT, "me"}:
            # Written without its underscore there, as is media_publish, which Meta's guides spell with it.
            named = edge.replace("message_attachments", "messageattachments")
            return specification.edge_complaints("IGUserForIGOnlyAPI", method, named, plain)
        kind = "IGMedia" if node.startswith("18") else "IGComment"
        return specification.edge_complaints(kind, method, edge, plain)

    def _judge_mention(self, fields: str) -> list[str]:
        """As the two references spell it, and with fields the comment or the media has."""
        found = _MENTIONED.fullmatch(fields)
        if found is None:
            return [f"{fields}: not as the reference spells it"]
        kind = "IGComment" if found["what"] == "comment" else "IGMedia"
        return [
            *specification.edge_complaints("IGUser", "GET", "", {"fields": f"mentioned_{found['what']}"}),
            *specification.edge_complaints(kind, "GET", "", {"fields": found["fields"]}),
        ]

    def answer(self, method: str, path: str, given: dict[str, Any]) -> Reply:
        node, _, edge = path.partition("/")
        if path.startswith("90"):
            person = {"name": None, "username": "marta.r", "profile_pic": None}
            return 200, {name: person[name] for name in given["fields"].split(",")} | {"id": node}
        if self.is_naming(path, given):
            return self._mentioned(str(given["fields"]))
        if path.endswith("refresh_access_token"):
            return self._renewed()
        if node in {ACCOUNT, "me"}:
            return self._account(method, edge, given)
        if edge in {"comments", "replies"}:
            return self._made(path, given)
        if method == "GET":
            return fault(400, 100, 33) if node in self.gone else (200, {"id": node})
        if method == "DELETE":
            self.deleted.add(node)
        elif "hide" in given:
            (self.hidden.add if given["hide"] else self.hidden.discard)(node)
        return 200, {"success": True}

    def _mentioned(self, fields: str) -> Reply:
        if not self.knows_mentions:
            return fault(400, 100, words="(#100) Tried accessing nonexisting field")
        found = _MENTIONED.fullmatch(fields)
        assert found is not None
        return 200, {f"mentioned_{found['what']}": {"id": found["id"], "username": "otro.mas"}, "id": ACCOUNT}

    def _renewed(self) -> Reply:
        if self.is_young:
            return fault(400, 100, words="(#100) the token is too young")
        self.renewals += 1
        return 200, {"access_token": f"IGAA-{self.renewals}", "token_type": "bearer", "expires_in": 5183944}

    def _made(self, path: str, given: dict[str, Any]) -> Reply:
        self.bodies.append((path, given))
        self.posted.append(given["message"])
        return 200, {"id": f"179000000000{next(_NUMBERS)}"}

    def _account(self, method: str, edge: str, given: dict[str, Any]) -> Reply:
        if edge == "":
            return 200, self.account
        if edge == "subscribed_apps":
            self.apps = [{"id": "4100"}] if method == "POST" else self.apps
            return 200, {"success": True} if method == "POST" else {"data": self.apps}
        if edge == "mentions":
            return self._made(f"{ACCOUNT}/mentions", given)
        if edge == "message_attachments":
            return 200, {"attachment_id": "1857777774821032"}
        if edge == "media":
            post = {"id": MEDIA, "permalink": "https://www.instagram.com/p/Abc/", "comments": {"data": self.comments}}
            return 200, {"data": [post]}
        if edge == "tags":
            return 200, {"data": self.tags}
        if edge == "conversations":
            return 200, {"data": self.talks}
        return self._messages(given)

    def _messages(self, given: dict[str, Any]) -> Reply:
        if "sender_action" in given:
            self.actions.append(given)
            payload = given.get("payload") or {}
            if given["sender_action"] in {"react", "unreact"}:
                self.reactions[payload["message_id"]] = payload.get("reaction", "")
            return 200, {"recipient_id": given["recipient"]["id"]}
        comment, who = given["recipient"].get("comment_id", ""), given["recipient"].get("id", MARTA)
        if comment in self.answered:
            return fault(400, 10, 2534025)
        if who in self.late and given.get("tag") != "HUMAN_AGENT":
            return fault(400, 10, 2534022)
        self.answered |= {comment} - {""}
        self.bodies.append((f"{ACCOUNT}/messages", given))
        self.posted.append(given["message"].get("text", ""))
        return 200, {"recipient_id": who, "message_id": f"aWdf{next(_NUMBERS)}"}

    def comment(self, key: str, words: str, by: dict[str, str], at: datetime) -> None:
        """Somebody comments, and no webhook tells."""
        when = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        self.comments.append({"id": f"1790{key}", "timestamp": when, "from": by, "text": words})
