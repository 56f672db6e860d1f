"""A workspace's language model: its endpoint from the settings, its key sealed, and what the day has cost."""

from __future__ import annotations

from datetime import datetime

from careline.channels.access import open_secrets
from careline.triage.models import TriageSettings
from careline.triage.second_opinion import Endpoint, Spent


def endpoint_of(settings: TriageSettings) -> Endpoint | None:
    """The endpoint, or None where none is chosen."""
    chosen = settings.llm
    if not chosen.get("base_url") or not chosen.get("model"):
        return None
    return Endpoint(
        base_url=str(chosen["base_url"]),
        model=str(chosen["model"]),
        api_key=open_secrets(bytes(settings.llm_secret)).get("api_key", ""),
        below=float(chosen.get("below", 0.6)),
        daily_calls=int(chosen.get("daily_calls", 1000)),
        daily_tokens=int(chosen.get("daily_tokens", 1_000_000)),
        timeout_s=float(chosen.get("timeout_s", 5.0)),
    )


def spent_today(settings: TriageSettings, now: datetime) -> Spent:
    """Calls and tokens of this UTC day."""
    spent = settings.llm.get("spent") or {}
    if spent.get("day") != now.date().isoformat():
        return Spent()
    return Spent(int(spent.get("calls", 0)), int(spent.get("tokens", 0)))


def spent_row(spent: Spent, now: datetime) -> dict[str, object]:
    """What is kept of it."""
    return {"day": now.date().isoformat(), "calls": spent.calls, "tokens": spent.tokens}
