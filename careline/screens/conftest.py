"""Signed-in browsers for the tests of screens."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from careline.workspaces.models import Account
from careline.workspaces.sight import Viewer


class Desk:
    """A viewer's browser: pages, fragments, and JSON in and out below their own (or another) workspace."""

    def __init__(self, viewer: Viewer, workspace: str = "") -> None:
        self.viewer = viewer
        self.base = f"/w/{workspace or viewer.workspace_slug}/"
        self.client = Client()
        self.client.force_login(Account.objects.get(id=viewer.account_id))

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.client.get(self.base + path, headers=headers)

    def page(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, answer.content
        return answer.content.decode()

    def fragment(self, path: str) -> str:
        return self.get(path, **{"X-Fragment": "case"}).content.decode()

    def ask(self, method: str, path: str, body: Any = None) -> HttpResponse:
        content = json.dumps(body if body is not None else {})
        return self.client.generic(
            method, self.base + path, content, "application/json", headers={"Accept": "application/json"}
        )

    def do(self, path: str, body: Any = None, method: str = "POST") -> dict[str, Any]:
        answer = self.ask(method, path, body)
        assert answer.status_code in {200, 201}, answer.content
        found: dict[str, Any] = json.loads(answer.content)
        return found
