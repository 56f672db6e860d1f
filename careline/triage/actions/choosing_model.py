"""Naming a language model for second opinions, or none any more. Its key is sealed; whoever changes it stands in the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.utils.translation import gettext as _

from careline.channels.access import open_secrets, seal_secrets
from careline.errors import InputRefused
from careline.events.recording import unit_of_work
from careline.triage.models import TriageSettings
from careline.triage.protocol import Asked, Judged
from careline.triage.queries import settings_of
from careline.triage.second_opinion import Asker, Endpoint, Opinions, ask_openai, messages_for, opinion_schema
from careline.workspaces.audit import record_audit
from careline.workspaces.checking import record_settings_change
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


@dataclass(frozen=True)
class ModelChoice:
    """`base_url` '' asks nobody. `api_key` None keeps the one that is sealed. `below` 0 to 1; the others are limits a day (UTC)."""

    base_url: str
    model: str
    api_key: str | None
    below: float
    daily_calls: int
    daily_tokens: int


def choose_model(viewer: Viewer, choice: ModelChoice) -> None:
    """From the next batch on. Raises InputRefused with the field's name."""
    check_may(viewer.role, "manage_workspace")
    check_choice(choice)
    with unit_of_work() as work:
        found, _made = TriageSettings.objects.select_for_update().get_or_create(workspace_id=viewer.workspace_id)
        found.llm = _columns(choice) | ({"spent": found.llm["spent"]} if "spent" in found.llm else {})
        if choice.api_key or not choice.base_url:
            found.llm_secret = seal_secrets({"api_key": choice.api_key or ""}) if choice.base_url else b""
        found.save(update_fields=["llm", "llm_secret"])
        facts = {"host": urlsplit(choice.base_url).hostname or "", "model": choice.model}
        record_audit(
            work,
            "triage_model_changed",
            workspace_id=viewer.workspace_id,
            agent_id=viewer.agent_id,
            facts={**facts},
        )
        record_settings_change(work, viewer.workspace_id, "triage")


def check_choice(choice: ModelChoice) -> None:
    """Refuse an address that is none, a model without a name, and limits out of range."""
    if not choice.base_url:
        return
    parts = urlsplit(choice.base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputRefused("address_wrong", _("Write an address such as http://127.0.0.1:11434/v1."), field="base_url")
    if not choice.model.strip():
        raise InputRefused("model_missing", _("Name the model as its server calls it."), field="model")
    if not 0 < choice.below <= 1:
        raise InputRefused("share_wrong", _("Enter a confidence between 1 and 100 percent."), field="below")


def _columns(choice: ModelChoice) -> dict[str, Any]:
    if not choice.base_url:
        return {}
    return {
        "base_url": choice.base_url.rstrip("/"),
        "model": choice.model.strip(),
        "below": choice.below,
        "daily_calls": choice.daily_calls,
        "daily_tokens": choice.daily_tokens,
    }


def try_model(viewer: Viewer, choice: ModelChoice, ask: Asker = ask_openai) -> str:
    """Ask it about one sentence of ours. Returns '' when it answered as it must, else why not, in words."""
    check_may(viewer.role, "manage_workspace")
    check_choice(choice)
    key = choice.api_key
    if key is None:
        key = open_secrets(bytes(settings_of(viewer.workspace_id).llm_secret)).get("api_key", "")
    endpoint = Endpoint(choice.base_url, choice.model, key or "")
    try:
        content, _tokens = ask(
            endpoint, messages_for([(Asked(1, "Where is my suitcase?"), Judged(1, ()))]), opinion_schema(1)
        )
    except OSError as error:
        return _WORDS.get(
            str(error), lambda: _("The server did not answer as expected. Is it running, and is the model loaded?")
        )()
    return (
        ""
        if reads(content)
        else _("It answered, but not in the form asked for. Choose a model that can return JSON by a schema.")
    )


def reads(content: str) -> bool:
    """Whether an answer is what was asked for."""
    try:
        return bool(msgspec.json.decode(content.encode(), type=Opinions).texts)
    except msgspec.DecodeError:
        return False


# By the error's name in the openai client, 3.54.
_WORDS = {
    "APIConnectionError": lambda: _("Nobody answers at this address."),
    "APITimeoutError": lambda: _("It took longer than five seconds."),
    "AuthenticationError": lambda: _("It refuses the key."),
    "NotFoundError": lambda: _("It does not know this model, or the address lacks its last part (often /v1)."),
    "RateLimitError": lambda: _("It says that the limit of the key is reached."),
}
