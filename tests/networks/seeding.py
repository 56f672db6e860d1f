"""Runs before the server: a workspace with Olga (owner) and Ana, a brand and a team, and no channel. Prints the session keys as JSON."""

from __future__ import annotations

import json


def main() -> None:
    """Everything, once."""
    import django

    django.setup()
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from careline.events.recording import unit_of_work
    from careline.workspaces.models import Account

    with unit_of_work():
        make_house()
    keys = {}
    for account in Account.objects.all():
        session = SessionStore()
        session["_auth_user_id"] = str(account.pk)
        session["_auth_user_backend"] = "allauth.account.auth_backends.AuthenticationBackend"
        session["_auth_user_hash"] = account.get_session_auth_hash()
        session.create()
        keys[account.name] = session.session_key
    print(json.dumps(keys))


def make_house() -> None:
    """One team, one brand."""
    from careline.workspaces.models import Account, Agent, Brand, Team, Workspace

    air = Workspace.objects.create(slug="air", name="Aurora Air", zone="Europe/Madrid")
    team = Team.objects.create(workspace=air, name="Care")
    for name, role in (("Olga", "owner"), ("Ana", "agent")):
        account = Account.objects.create_user(f"{role}@air.example", name=name, locale="en")
        Agent.objects.create(workspace=air, account=account, name=name, role=role).teams.add(team)
    Brand.objects.create(workspace=air, name="Aurora Air")
