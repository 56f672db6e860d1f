"""Sign-ins, sign-outs, passwords and second factors in the audit log of every workspace the account works in."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.signals import password_changed, password_reset, password_set, user_logged_in
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.http import HttpRequest

from careline.events.recording import unit_of_work
from careline.workspaces.actions.staffing import end_sessions
from careline.workspaces.audit import Fact, record_audit
from careline.workspaces.models import Account, Agent

MAX_ADDRESS = 60


def record_failure(request: HttpRequest, email: str, *, method: str) -> None:
    """A failed sign-in: in the workspaces of the account it was tried on, or nobody's when there is no such account."""
    account = Account.objects.filter(email=email.strip().lower()).first()
    record(request, account, "sign_in_failed", {"method": method})


def record(
    request: HttpRequest | None, account: Account | None, verb: str, facts: dict[str, Fact] | None = None
) -> None:
    """One audit row per workspace of the account, after whatever transaction runs now."""
    account_id = account.id if account is not None else None
    said = {**(facts or {}), "address": _address(request)}
    transaction.on_commit(lambda: _write(account_id, verb, said))


def _write(account_id: int | None, verb: str, facts: dict[str, Fact]) -> None:
    nobody: list[tuple[int | None, int | None]] = [(None, None)]
    agents = Agent.objects.filter(account_id=account_id or 0, is_active=True).values_list("workspace_id", "id")
    with unit_of_work() as work:
        for workspace_id, agent_id in [*agents] or nobody:
            # A failed attempt names the account it was tried on, but nobody acted as that agent.
            actor = None if verb == "sign_in_failed" else agent_id
            subject = f"agent:{agent_id}" if agent_id else ""
            record_audit(
                work,
                verb,
                workspace_id=workspace_id,
                agent_id=actor,
                account_id=account_id,
                subject=subject,
                facts=facts,
            )


def listen() -> None:
    """Connect to allauth's signals; called once when Django is ready."""
    user_logged_in.connect(_on_sign_in, dispatch_uid="careline.sign_in")
    user_logged_out.connect(_on_sign_out, dispatch_uid="careline.sign_out")
    for signal, handler in (
        (password_changed, _on_password_changed),
        (password_set, _on_password_changed),
        (password_reset, _on_password_reset),
        (authenticator_added, _on_factor_added),
        (authenticator_reset, _on_factor_added),
        (authenticator_removed, _on_factor_removed),
        (authentication_failed, _on_factor_failed),
    ):
        signal.connect(handler, dispatch_uid=f"careline.{handler.__name__}.{id(signal)}")


def _on_sign_in(request: HttpRequest, user: Account, **_: Any) -> None:
    methods = [str(one.get("method", "")) for one in get_authentication_records(request, user)]
    record(request, user, "sign_in", {"method": "+".join(dict.fromkeys(methods)) or "password"})


def _on_sign_out(request: HttpRequest, user: Account | None, **_: Any) -> None:
    if user is not None:
        record(request, user, "sign_out")


def _on_password_changed(request: HttpRequest, user: Account, **_: Any) -> None:
    end_sessions([user.id], keep_key=request.session.session_key or "")
    record(request, user, "password_changed")


def _on_password_reset(request: HttpRequest, user: Account, **_: Any) -> None:
    end_sessions([user.id])
    record(request, user, "password_reset")


def _on_factor_added(request: HttpRequest, user: Account, authenticator: Authenticator, **_: Any) -> None:
    record(request, user, "second_factor_added", {"kind": str(authenticator.type)})


def _on_factor_removed(request: HttpRequest, user: Account, authenticator: Authenticator, **_: Any) -> None:
    record(request, user, "second_factor_removed", {"kind": str(authenticator.type)})


def _on_factor_failed(request: HttpRequest, user: Account, **_: Any) -> None:
    record(request, user, "sign_in_failed", {"method": "mfa"})


def _address(request: HttpRequest | None) -> str:
    return (request.META.get("REMOTE_ADDR") or "")[:MAX_ADDRESS] if request is not None else ""
