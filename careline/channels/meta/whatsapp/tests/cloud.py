"""A Cloud API on loopback with one number. Its answers are the examples of Meta's description v23.0."""

from __future__ import annotations

import itertools
from typing import Any

from careline.channels.meta.tests import specification
from careline.channels.meta.tests.graph import APP_ID, GraphServer, Reply, fault

NUMBER, WABA = "106540352242922", "102290129340398"
_NUMBERS = itertools.count(1)
# The shape of .../business-messaging/whatsapp/templates (updated 2026), read 2026-11-22.
TEMPLATES: list[dict[str, Any]] = [
    {
        "name": "bag_found",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "parameter_format": "POSITIONAL",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Your bag"},
            {
                "type": "BODY",
                "text": "Hello {{1}}, your bag {{2}} is here.",
                "example": {"body_text": [["Marta", "AB12CD"]]},
            },
            {"type": "FOOTER", "text": "Aurora Air"},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Thank you"}]},
        ],
        "id": "1001",
    },
    {
        "name": "still_there",
        "language": "es",
        "status": "APPROVED",
        "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": [
            {
                "type": "BODY",
                "text": "Hola {{first_name}}, ¿sigue ahí?",
                "example": {"body_text_named_params": [{"param_name": "first_name", "example": "Marta"}]},
            }
        ],
        "id": "1002",
    },
    {
        "name": "not_yet",
        "language": "es",
        "status": "PENDING",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Hola"}],
        "id": "1003",
    },
    {
        "name": "with_a_picture",
        "language": "es",
        "status": "APPROVED",
        "category": "MARKETING",
        "components": [
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["https://scontent.example/p.jpg"]}},
            {"type": "BODY", "text": "Hola {{1}}, mira", "example": {"body_text": [["Marta"]]}},
        ],
        "id": "1004",
    },
    {
        "name": "your_ticket",
        "language": "es",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": [{"type": "HEADER", "format": "DOCUMENT"}, {"type": "BODY", "text": "Tu billete."}],
        "id": "1005",
    },
    {
        "name": "see_the_cabin",
        "language": "es",
        "status": "APPROVED",
        "category": "MARKETING",
        "components": [{"type": "HEADER", "format": "VIDEO"}, {"type": "BODY", "text": "Así es por dentro."}],
        "id": "1006",
    },
    *(
        {
            "name": f"not_offered_{number}",
            "language": "es",
            "status": "APPROVED",
            "category": "MARKETING",
            "components": [*more, {"type": "BODY", "text": "Hola"}],
            "id": f"11{number}",
        }
        for number, more in enumerate(
            (
                [{"type": "HEADER", "format": "LOCATION"}],
                [{"type": "HEADER", "format": "GIF"}],
                [{"type": "HEADER", "format": "TEXT", "text": "Hola {{1}}"}],
                [{"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Ver", "url": "https://a.example/{{1}}"}]}],
                [{"type": "BUTTONS", "buttons": [{"type": "COPY_CODE", "text": "Copiar"}]}],
                [{"type": "CAROUSEL", "cards": []}],
            )
        )
    ),
]


class CloudApi(GraphServer):
    def __init__(self) -> None:
        super().__init__()
        self.token["scopes"] = ["whatsapp_business_messaging", "whatsapp_business_management"]
        self.bodies: list[dict[str, Any]] = []
        self.reactions: dict[str, str] = {}
        self.read: list[str] = []
        self.sent_ids: list[str] = []
        self.uploaded: dict[str, bytes] = {}
        self.media: dict[str, bytes] = {}
        self.apps: list[dict[str, Any]] = []
        self.templates = list(TEMPLATES)
        self.refused = fault(400, 131047)

    def judge(self, method: str, path: str, given: dict[str, Any]) -> list[str]:
        if (method, path) == ("POST", f"{NUMBER}/messages"):
            plain = {name: value for name, value in given.items() if name != "appsecret_proof"}
            return specification.message_complaints(plain)
        node, _, edge = path.partition("/")
        if node == WABA:
            return specification.edge_complaints("WhatsAppBusinessAccount", method, edge, given)
        return []

    def answer(self, method: str, path: str, given: dict[str, Any]) -> Reply:
        if path == NUMBER:
            return 200, {"id": NUMBER, "display_phone_number": "+1 555-078-3881", "verified_name": "Aurora Air"}
        if path == f"{WABA}/subscribed_apps":
            if method == "POST":
                mine = {"whatsapp_business_api_data": {"id": APP_ID, "name": "Careline"}}
                self.apps = [{**mine, "override_callback_uri": given["override_callback_uri"]}]
                return 200, {"success": True}
            return 200, {"data": self.apps}
        if path == f"{WABA}/message_templates":
            return 200, {"data": self.templates, "paging": {"cursors": {"after": "MTAx"}}}
        if path == f"{NUMBER}/media":
            self.uploaded["4490709327384033"] = given["file"]
            return 200, {"id": "4490709327384033"}
        if path == f"{NUMBER}/messages":
            return self._message(given)
        if path in self.media:
            return 200, {"messaging_product": "whatsapp", "url": f"{self.address}/bytes/{path}", "id": path}
        if path.startswith("bytes/"):
            return 200, self.media[path.removeprefix("bytes/")]
        return fault(400, 100, 33)

    def _message(self, given: dict[str, Any]) -> Reply:
        if given.get("status") == "read":
            self.read.append(given["message_id"])
            return 200, {"success": True}
        self.bodies.append(given)
        if given["type"] == "reaction":
            self.reactions[given["reaction"]["message_id"]] = given["reaction"]["emoji"]
        else:
            self.posted.append(self._filled(given["template"]) if given["type"] == "template" else _words(given))
        to = given.get("to") or given["recipient"]
        self.sent_ids.append(f"wamid.HBgL{next(_NUMBERS):08d}")
        return 200, {
            "messaging_product": "whatsapp",
            "contacts": [{"input": to, "wa_id": to}],
            "messages": [{"id": self.sent_ids[-1]}],
        }

    def _filled(self, use: dict[str, Any]) -> str:
        """What the customer reads."""
        mine = next(one for one in self.templates if (one["name"], one["language"]) == _names(use))
        text = next(str(one["text"]) for one in mine["components"] if one["type"] == "BODY")
        parts = {part["type"]: part["parameters"] for part in use.get("components", [])}
        formats = [one["format"].lower() for one in mine["components"] if one["type"] == "HEADER"]
        wanted = [one for one in formats if one != "text"]
        assert [one["type"] for one in parts.get("header", [])] == wanted, "Meta refuses another heading (132012)"
        assert all(one[one["type"]]["id"] in self.uploaded for one in parts.get("header", []))
        given = parts.get("body", [])
        for place, one in enumerate(given, start=1):
            text = text.replace("{{" + str(one.get("parameter_name", place)) + "}}", one["text"])
        assert "{{" not in text, "Meta refuses a template without all its values (132000)"
        return text


def _names(use: dict[str, Any]) -> tuple[str, str]:
    return use["name"], use["language"]["code"]


def _words(given: dict[str, Any]) -> str:
    content = given[given["type"]]
    return str(content.get("body") or content.get("caption") or content.get("name") or "")
