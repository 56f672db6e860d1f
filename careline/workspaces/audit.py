"""The audit log: one row for each sign-in, role, secret, reveal, export or erasure, written in the same transaction as
the act. Never message text.
"""

from __future__ import annotations

from typing import Final

from careline.events.recording import UnitOfWork
from careline.workspaces.models import Audit

# Every verb there is, in the words the audit page explains it with (screens translate by verb).
AUDIT_VERBS: Final[dict[str, str]] = {
    "sign_in": "signed in",
    "sign_in_failed": "failed to sign in",
    "sign_out": "signed out",
    "password_changed": "changed a password",
    "password_reset": "reset a password",
    "reset_link_made": "made a password reset link",
    "second_factor_added": "added a second factor",
    "second_factor_removed": "removed a second factor",
    "owner_created": "created the workspace and its owner",
    "agent_invited": "invited an agent",
    "invitation_withdrawn": "withdrew an invitation",
    "agent_joined": "joined",
    "role_changed": "changed a role",
    "teams_changed": "changed an agent's teams",
    "agent_deactivated": "ended an agent's access",
    "agent_reactivated": "gave an agent access again",
    "workspace_changed": "changed workspace settings",
    "retention_changed": "changed how long things are kept",
    "triage_changed": "changed what triage does",
    "head_gone_back": "went back to an earlier version of what triage learned",
    "channel_connected": "connected a channel",
    "channel_changed": "changed a channel",
    "channel_secret_changed": "changed a channel's secrets",
    "channel_held": "held a channel",
    "channel_resumed": "resumed a channel",
    "channel_switched_off": "switched a channel off",
    "channel_switched_on": "switched a channel on",
    "partner_link_made": "made a partner's link",
    "partner_links_ended": "ended all partners' links",
    "dead_letter_revealed": "read a dead letter's raw bytes",
    "dead_letters_replayed": "replayed dead letters",
    "trace_read": "read a trace",
    "message_hidden": "hid a message from the public",
    "message_shown": "showed a hidden message again",
    "message_deleted": "deleted a message of ours",
    "triage_model_changed": "changed the language model triage may ask",
    "personal_revealed": "looked at hidden personal data",
    "message_edited": "edited a message of ours",
    "person_exported": "exported a person",
    "person_erased": "erased a person",
    "cases_exported": "exported cases",
    "audit_exported": "exported the audit log",
}

Fact = str | int | float | bool | None


def record_audit(
    work: UnitOfWork,
    verb: str,
    *,
    workspace_id: int | None,
    agent_id: int | None = None,
    account_id: int | None = None,
    subject: str = "",
    facts: dict[str, Fact] | None = None,
) -> None:
    """Append one row inside the caller's unit of work, which `work` proves.

    `verb` is one of AUDIT_VERBS; `subject` names the row touched (`agent:12`).

    Facts hold roles, ids, counts and addresses of machines; never secrets, never words of a customer. One statement.
    """
    if verb not in AUDIT_VERBS:
        raise KeyError(f"undocumented audit verb {verb!r}: add it to workspaces/audit.py")
    Audit.objects.create(
        workspace_id=workspace_id,
        agent_id=agent_id,
        account_id=account_id,
        verb=verb,
        subject=subject[:120],
        facts=facts or {},
    )
