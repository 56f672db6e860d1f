"""Runs before the server: a workspace with Ana and Inés, and an account on the simulated network.

`main(<platform address>)` prints the session keys as JSON.
"""

from __future__ import annotations

import json

TOKEN = "aurora-hook-token"
SECRET = "whsec_c2ltdWxhdGVkLXNlY3JldC1mb3ItdGVzdHM="
APP_TOKEN = "token-of-the-app"


def main(platform: str) -> None:
    """Everything, once."""
    import django

    django.setup()
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from careline.events.recording import unit_of_work
    from careline.workspaces.models import Account

    with unit_of_work():
        make_house(platform)
    keys = {}
    for account in Account.objects.all():
        session = SessionStore()
        session["_auth_user_id"] = str(account.pk)
        session["_auth_user_backend"] = "allauth.account.auth_backends.AuthenticationBackend"
        session["_auth_user_hash"] = account.get_session_auth_hash()
        session.create()
        keys[account.name] = session.session_key
    print(json.dumps(keys))


def make_house(platform: str) -> None:
    """One team, one account whose answers leave at once."""
    from careline.channels.access import seal_secrets
    from careline.channels.models import Channel, Connection
    from careline.workspaces.models import Account, Agent, Brand, Team, Workspace

    air = Workspace.objects.create(slug="air", name="Aurora Air", zone="Europe/Madrid")
    team = Team.objects.create(workspace=air, name="Care")
    for name, role, locale in (("Ana", "agent", "en"), ("Inés", "agent", "es"), ("Tina", "trainee", "en")):
        account = Account.objects.create_user(f"{role}-{locale}@air.example", name=name, locale=locale)
        Agent.objects.create(workspace=air, account=account, name=name, role=role).teams.add(team)
    secrets = {"hook_secret": SECRET, "token": APP_TOKEN}
    connection = Connection.objects.create(
        workspace=air, network="simulated", name="Aurora", hook_token=TOKEN, sealed_secrets=seal_secrets(secrets)
    )
    Channel.objects.create(
        workspace=air, connection=connection, network="simulated", account_key="aurora", name="Aurora", handle="@aurora",
        brand=Brand.objects.create(workspace=air, name="Aurora Air"), team=team, undo_s=0, is_simulated=True,
        settings={"account": "aurora", "api": f"{platform}/api", "gap_check_s": 1, "templates": True},
    )  # fmt: skip
