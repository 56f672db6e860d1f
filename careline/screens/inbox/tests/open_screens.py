"""A desk on screen, without a browser: the rows and the open case it holds, patched by what the stream tells it, as list.js, case.js and main.js do."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, field
from typing import Any

from careline.doors import CoreDoors
from careline.edge.hub import chunk_for
from careline.intake.journal import Journal
from careline.screens.conftest import Desk
from careline.workspaces.models import Account, Agent
from careline.workspaces.sight import Viewer, viewer_of

# Together they list every case there is.
VIEWS = ("all", "waiting", "snoozed", "done", "spam")
_ROW = re.compile(r'<li class="row.*?</li>', re.S)
_TICKET = re.compile(r"(/files/|data-[a-z-]*ticket=\")[\w.~-]+")
# The number a page is true for moves with every case of the workspace.
_FACTS = re.compile(r"<script[^>]* data-facts>(.*?)</script>", re.S)
_NUMBER = re.compile(r'(?<=[{,])"n":\d+')


@dataclass
class Screen:
    """One agent's open desk."""

    viewer: Viewer
    doors: CoreDoors
    rows: dict[int, str] = field(default_factory=dict)
    opened: int = 0
    opened_id: int = 0
    case: str = ""
    n: int = 0

    @property
    def desk(self) -> Desk:
        return Desk(self.viewer)

    @property
    def locale(self) -> str:
        return str(Account.objects.get(id=self.viewer.account_id).locale)

    def load(self) -> None:
        """The page anew, as a person's reload does it."""
        self.rows, self.n = self.fresh_rows()
        self.case = self.fresh_case()

    def fresh_rows(self) -> tuple[dict[int, str], int]:
        """What the server would draw now, and the number it is true for."""
        pages = [json.loads(self.desk.get(f"list?view={view}").content) for view in VIEWS]
        assert not any(page["next"] for page in pages), "more cases than one page shows: this test looks at first pages"
        return {_id(row): row for page in pages for row in _ROW.findall(page["rows"])}, min(page["n"] for page in pages)

    def fresh_case(self) -> str:
        """The open case as the server would draw it now; its refusal when it is gone."""
        if not self.opened:
            return ""
        answer = self.desk.get(f"cases/{self.opened}", **{"X-Fragment": "case"})
        drawn = answer.content.decode() if answer.status_code == 200 else f"gone: {answer.status_code}"
        return _NUMBER.sub('"n":0', _TICKET.sub(r"\1...", drawn))

    def open(self, number: int, case_id: int) -> None:
        """A click on a row."""
        self.opened, self.opened_id = number, case_id
        self.case = self.fresh_case()

    def follow(self) -> None:
        """Everything the stream has for this screen since it was last told."""
        while True:
            frames, is_gone = self.doors._frames_after(self.viewer.workspace_id, self.n, self.locale)
            assert not is_gone
            if not frames:
                return
            for frame in frames:
                self.n = frame.n
                if chunk := chunk_for(frame, self.viewer.sight):
                    self._hear(chunk)

    def _hear(self, chunk: bytes) -> None:
        lines = dict(line.split(": ", 1) for line in chunk.decode().splitlines() if ": " in line)
        said = json.loads(lines["data"])
        if lines["event"] == "case":
            self._take(int(said["id"]), said["row"])
        elif lines["event"] == "gone":
            self._leave(int(said["id"]))
            if self._stands_beside(said) or f"/cases/{said['number']}" in self.case:
                self.case = self.fresh_case()
        elif lines["event"] == "hint" and said.get("case_id"):
            self._ask(int(said["case_id"]))
        elif lines["event"] == "agent":
            self._hear_of_agent(said)
        if lines["event"] in {"case", "hint"} and self._stands_beside(said):
            self.case = self.fresh_case()

    def _hear_of_agent(self, said: dict[str, Any]) -> None:
        if int(said.get("agent_id", 0)) in {0, self.viewer.agent_id}:
            self._come_again()
        elif said["facts"].get("what") == "profile":
            n, _ = self.n, self.load()
            self.n = max(n, self.n)

    def _stands_beside(self, said: dict[str, Any]) -> bool:
        if said.get("kind") in {"settings.changed", "channel.changed", "person.erased"}:
            return True
        shown = json.loads(html.unescape(found[1])) if (found := _FACTS.search(self.case)) else None
        threads = {choice["thread"] for choice in shown["choices"]} if shown else set()
        return bool(shown) and (said.get("person_id") == shown["person_id"] or said.get("thread_id") in threads)

    def _take(self, case_id: int, row: str) -> None:
        old = self.rows.get(case_id)
        if old is None or _version(old) <= _version(row):
            self.rows[case_id] = row
        self._refresh(case_id)

    def _leave(self, case_id: int) -> None:
        self.rows.pop(case_id, None)
        self._refresh(case_id)

    def _ask(self, case_id: int) -> None:
        answer = json.loads(self.desk.get(f"rows?ids={case_id}").content)
        for gone in answer["gone"]:
            self.rows.pop(int(gone), None)
        for found, row in answer["rows"].items():
            self._take(int(found), row)
        self._refresh(case_id)

    def _refresh(self, case_id: int) -> None:
        if case_id == self.opened_id:
            self.case = self.fresh_case()

    def _come_again(self) -> None:
        """Rights changed: the hub judges by the new ones from here on, and the page loads itself anew."""
        agent = Agent.objects.select_related("workspace", "account").get(id=self.viewer.agent_id)
        self.viewer = viewer_of(agent)
        n, _ = self.n, self.load()
        self.n = max(n, self.n)

    def differences(self) -> list[str]:
        """Where what is on screen is not what a fresh page shows; nothing else may have happened since `follow`."""
        fresh, _ = self.fresh_rows()
        found = [f"{self.viewer.name} misses case {one}" for one in fresh.keys() - self.rows.keys()]
        found += [f"{self.viewer.name} still shows case {one}" for one in self.rows.keys() - fresh.keys()]
        found += [
            _difference(f"{self.viewer.name}, row of case {one}", self.rows[one], fresh[one])
            for one in fresh.keys() & self.rows.keys()
            if self.rows[one].split() != fresh[one].split()
        ]
        case = self.fresh_case()
        if self.case.split() != case.split():
            found.append(_difference(f"{self.viewer.name}, open case {self.opened}", self.case, case))
        return found


def screen_of(viewer: Viewer) -> Screen:
    """A page just loaded."""
    screen = Screen(viewer, CoreDoors(Journal()))
    screen.load()
    return screen


def _difference(what: str, shown: str, fresh: str) -> str:
    old, new = shown.split(), fresh.split()
    at = next(
        (i for i, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new))
    )
    return f"{what}:\n    shows {' '.join(old[max(0, at - 6) : at + 12])[:400]}\n    fresh {' '.join(new[max(0, at - 6) : at + 12])[:400]}"


def _id(row: str) -> int:
    return int(_attribute(row, "id"))


def _version(row: str) -> int:
    return int(_attribute(row, "version"))


def _attribute(row: str, name: str) -> str:
    found: Any = re.search(rf'data-{name}="([^"]*)"', row)
    assert found, row[:200]
    return str(found[1])
