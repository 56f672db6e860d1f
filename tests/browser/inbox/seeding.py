"""Runs before the server: a workspace with Ana and Ben, a shop's channel by the generic API, snippets, and signed-in sessions.

Run as a program in a Careline environment: `python -m tests.browser.inbox.seeding <shop address>`. Prints the session keys as JSON.
"""

from __future__ import annotations

import json
import sys

TOKEN = "shop-hook-token"
SECRET = "whsec_c2hvcC1zZWNyZXQtc2hvcC1zZWNyZXQtMTIzNA=="


def main(shop: str) -> None:
    """Everything, once."""
    import django

    django.setup()
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from careline.events.recording import unit_of_work
    from careline.workspaces.models import Account

    with unit_of_work():
        make_house(shop)
    keys = {}
    for account in Account.objects.all():
        session = SessionStore()
        session["_auth_user_id"] = str(account.pk)
        session["_auth_user_backend"] = "allauth.account.auth_backends.AuthenticationBackend"
        session["_auth_user_hash"] = account.get_session_auth_hash()
        session.create()
        keys[account.name] = session.session_key
    print(json.dumps(keys))


def make_house(shop: str) -> None:
    """Ana and Ben in one team; two channels of the shop, one with eight seconds to take back."""
    from careline.cases.models import CaseField, Tag
    from careline.channels.access import seal_secrets
    from careline.channels.models import Channel, Connection
    from careline.knowledge.models import Snippet
    from careline.workspaces.models import Account, Agent, Brand, Team, Workspace

    air = Workspace.objects.create(slug="air", name="Aurora Air", zone="Europe/Madrid")
    team = Team.objects.create(workspace=air, name="Care")
    for name, role, locale in (("Ana", "agent", "en"), ("Ben", "lead", "en"), ("Inés", "agent", "es")):
        account = Account.objects.create_user(f"{role}-{locale}@air.example", name=name, locale=locale)
        Agent.objects.create(workspace=air, account=account, name=name, role=role).teams.add(team)
    brand = Brand.objects.create(workspace=air, name="Aurora Air")
    connection = Connection.objects.create(
        workspace=air, network="generic", name="Shop", hook_token=TOKEN, sealed_secrets=seal_secrets({"secret": SECRET})
    )
    Channel.objects.create(
        workspace=air, connection=connection, network="generic", account_key="shop", name="Shop", handle="@shop", brand=brand,
        team=team, undo_s=8, settings={"account": "shop", "outbound_url": shop},
    )  # fmt: skip
    Tag.objects.create(workspace_id=air.id, name="points")
    CaseField.objects.create(workspace_id=air.id, key="booking", label="Booking reference", pattern="[A-Z0-9]{6}")
    Snippet.objects.create(
        workspace_id=air.id,
        shortcut="hello",
        name="Greeting",
        texts={
            "en": "Hello {{person.first_name}}, this is {{agent.first_name}}.",
            "es": "Hola {{person.first_name}}, soy {{agent.first_name}}.",
        },
    )


if __name__ == "__main__":
    main(sys.argv[1])
