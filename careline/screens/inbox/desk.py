"""What stands around a case: the view and its filters, counts, tickets, and the words templates ask for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from careline.cases.queries.listing import counts
from careline.cases.rows import ActView, CasePane, FileView, IdentityView, ListFilters, OtherCase, SignView, ThreadView
from careline.channels.registry import networks
from careline.screens import tickets
from careline.screens.inbox import sign_wording, wording
from careline.workspaces.queries import access_preferences
from careline.workspaces.roles import may
from careline.workspaces.sight import Viewer

_COUNTED = ("mine", "team", "unassigned", "waiting", "snoozed")


@dataclass(frozen=True)
class CountedView:
    """A view in the bar with how many cases it lists."""

    key: str
    words: str
    count: int
    simulated: int


@dataclass(frozen=True)
class Desk:
    """The frame of the inbox for one viewer and one request."""

    viewer: Viewer
    filters: ListFilters
    counted: tuple[CountedView, ...] = ()
    is_compact: bool = False
    preferences: str = "{}"

    @property
    def role(self) -> str:
        return self.viewer.role

    @property
    def agent_id(self) -> int:
        return self.viewer.agent_id

    @property
    def view_name(self) -> str:
        return wording.view_names().get(self.filters.view, self.filters.view)

    @property
    def views(self) -> list[tuple[str, str]]:
        return list(wording.view_names().items())

    @property
    def is_narrowed(self) -> bool:
        return bool(_narrowing(self.filters))

    @property
    def query_string(self) -> str:
        return urlencode({"view": self.filters.view, **_narrowing(self.filters)})

    @property
    def narrowing(self) -> dict[str, str]:
        """The filters beside the view, for the form that changes them."""
        return _narrowing(self.filters)

    @cached_property
    def may_compose(self) -> bool:
        return may(self.viewer.role, "answer") and any(_starts_mail(slug) for slug in networks())

    @property
    def stream_ticket(self) -> str:
        return tickets.stream_ticket(self.viewer)

    @property
    def upload_ticket(self) -> str:
        return tickets.upload_ticket(self.viewer)

    def file_address(self, file: FileView) -> str:
        """A signed address of a file, for this viewer and some hours."""
        return f"/files/{tickets.file_ticket(self.viewer, file.file_id, file.name)}"

    def reason_words(self, code: str) -> str:
        return wording.reason_words(code)

    def reason_most(self, code: str) -> int:
        return wording.REASON_MOST.get(code, 30)

    def failure_words(self, code: str, detail: str) -> str:
        return wording.failure_words(code, detail)

    def moderation_words(self, verb: str, state: str) -> str:
        return wording.moderation_state_words(verb, state)

    def window_words(self, thread: ThreadView) -> str:
        return wording.window_words(thread)

    def act_words(self, act: ActView) -> str:
        return wording.act_words(act)

    def evidence_words(self, identity: IdentityView) -> str:
        return wording.evidence_words(identity)

    @property
    def risk_names(self) -> tuple[str, ...]:
        """Signs that stand above the words as a banner."""
        return sign_wording.RISKS

    def sign_name(self, name: str) -> str:
        return sign_wording.name_words(name)

    def sign_value(self, name: str, value: str) -> str:
        return sign_wording.value_words(name, value)

    def sign_words(self, sign: SignView) -> str:
        return sign_wording.sign_words(sign)

    def banner_words(self, sign: SignView) -> str:
        return sign_wording.banner_words(sign)

    def by_words(self, sign: SignView) -> str:
        return sign_wording.by_words(sign)

    def kinds_words(self, kinds: tuple[str, ...]) -> str:
        """Kinds of personal data, joined."""
        return ", ".join(sign_wording.personal_words(kind) for kind in kinds)

    def mood_now(self, pane: CasePane) -> float:
        """The sentiment of the customer's newest word."""
        return next((one.number for one in pane.signs if one.number is not None), 0.0)

    def state_words(self, case: OtherCase) -> str:
        return wording.state_words(case)


def _starts_mail(slug: str) -> bool:
    surfaces = networks()[slug].capabilities.surfaces
    return any(surface.initiate == "free" and surface.threading.model == "email_refs" for surface in surfaces)


def _narrowing(filters: ListFilters) -> dict[str, str]:
    wanted = {
        "channel": str(filters.channel_id or ""),
        "team": str(filters.team_id or ""),
        "assignee": str(filters.assignee_id or ""),
        "language": filters.language,
        "tag": filters.tag,
        "q": filters.query,
        "kind": filters.kind,
        "topic": str(filters.topic_id or ""),
        "public": "" if filters.is_public is None else str(int(filters.is_public)),
    }
    return {name: value for name, value in wanted.items() if value}


def parse_filters(query: QueryDict, view: str = "mine") -> ListFilters:
    """Filters from an address. What cannot be read narrows nothing."""
    return ListFilters(
        view=query.get("view") or view,
        channel_id=number(query.get("channel")),
        team_id=number(query.get("team")),
        assignee_id=number(query.get("assignee")),
        language=(query.get("language") or "")[:8],
        tag=(query.get("tag") or "")[:40],
        query=(query.get("q") or "")[:200],
        kind=(query.get("kind") or "")[:12],
        topic_id=number(query.get("topic")),
        is_public={"1": True, "0": False}.get(query.get("public") or ""),
    )


def number(text: str | None) -> int:
    """A row's id from an address; 0 when it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 19 else 0


def open_desk(viewer: Viewer, filters: ListFilters) -> Desk:
    """The whole frame. Two statements: the agent's preferences and the counts."""
    agent = access_preferences(viewer.workspace_id, viewer.agent_id)
    preferences = {
        "agent": str(viewer.agent_id),
        "name": viewer.name,
        "teams": [str(team_id) for team_id in viewer.team_ids],
        "role": viewer.role,
        "shortcuts": agent.shortcuts_on,
        "away": agent.is_away,
        "manages": may(viewer.role, "manage_case"),
        "blocks": may(viewer.role, "block_person"),
    }
    return Desk(viewer, filters, counted_views(viewer), agent.compact_rows, json.dumps(preferences))


def counted_views(viewer: Viewer) -> tuple[CountedView, ...]:
    """The views of the bar with their counts. One statement."""
    found = counts(viewer)
    names = {**wording.view_names(), "all": _("all")}
    keys = (*_COUNTED, "all") if viewer.sees_all else _COUNTED
    return tuple(CountedView(key, names[key], found.get(key, 0), found.get(f"simulated_{key}", 0)) for key in keys)
