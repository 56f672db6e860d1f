"""What agents decide for themselves: name, signature, languages, locale, zone, keys, rows, being here or away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from careline.errors import InputRefused, NotFound
from careline.events.recording import UnitOfWork, unit_of_work
from careline.workspaces.checking import check_locale, check_name, check_zone
from careline.workspaces.models import Account, Agent
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

LANGUAGE = re.compile(r"^[a-z]{2,3}$")
MAX_LANGUAGES = 12
MAX_SIGNATURE = 2000


@dataclass(frozen=True)
class Profile:
    """An agent's own settings; `zone` empty follows the workspace."""

    name: str
    locale: str
    zone: str
    languages: tuple[str, ...]
    signature: str
    shortcuts_on: bool
    compact_rows: bool


def set_away(viewer: Viewer, is_away: bool, *, agent_id: int | None = None) -> None:
    """Say that you are here or away; with `agent_id`, an admin says it of somebody. Work is released by whoever
    listens to the event.
    """
    who = agent_id or viewer.agent_id
    if who != viewer.agent_id:
        check_may(viewer.role, "manage_agents")
    with unit_of_work() as work:
        found = Agent.objects.select_for_update().filter(id=who, workspace_id=viewer.workspace_id).first()
        if found is None:
            raise NotFound("agent_not_found", _("There is no such agent here."))
        if found.is_away != is_away:
            Agent.objects.filter(id=who).update(is_away=is_away)
            _record_change(work, viewer.workspace_id, who, "away" if is_away else "available")


def change_profile(viewer: Viewer, profile: Profile) -> None:
    """Change your own settings. Raises InputRefused with the field's name."""
    name = check_name(profile.name, "name")
    check_locale(profile.locale)
    if profile.zone:
        check_zone(profile.zone)
    languages = check_languages(profile.languages)
    signature = profile.signature.strip()
    if len(signature) > MAX_SIGNATURE:
        raise InputRefused(
            "signature_long", _("Use at most %(limit)d characters.") % {"limit": MAX_SIGNATURE}, field="signature"
        )
    with unit_of_work() as work:
        Agent.objects.filter(id=viewer.agent_id, workspace_id=viewer.workspace_id).update(
            name=name,
            zone=profile.zone,
            languages=languages,
            signature=signature,
            shortcuts_on=profile.shortcuts_on,
            compact_rows=profile.compact_rows,
        )
        Account.objects.filter(id=viewer.account_id).update(locale=profile.locale, name=name)
        _record_change(work, viewer.workspace_id, viewer.agent_id, "profile")


def check_languages(languages: Sequence[str], field: str = "languages") -> list[str]:
    """Language codes, lower case, each once, order kept.

    Raises InputRefused for anything that is not an ISO 639 code.
    """
    wanted = list(dict.fromkeys(code.strip().lower() for code in languages if code.strip()))
    wrong = [code for code in wanted if not LANGUAGE.match(code)]
    if wrong or len(wanted) > MAX_LANGUAGES:
        raise InputRefused("language_wrong", _("Use language codes such as es, en, pt."), field=field)
    return wanted


def _record_change(work: UnitOfWork, workspace_id: int, agent_id: int, what: str) -> None:
    work.record_event(workspace_id, "agent.changed", agent_id=agent_id, facts={"what": what})
