"""A real Careline with one web chat, and beside it, on another port, a plain HTML site that carries the chat.

Run as a program: `desk.py <desk port> <site port>`. The site's port also takes what a test wants done at the desk: POST /act with
{"what": "answer", "text": ...} lets Ana answer the newest case, and so on. It prints READY when both listen.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

SITE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Aurora Air</title><h1>Aurora Air</h1><p id="text">Fly with us. {filler}</p><a href="/two?{query}">Another page</a>
<script async src="http://127.0.0.1:{desk}/widget/{key}.js"{attributes}></script></html>"""
KEY = "aurora-chat-key"


def seed(site: str) -> None:
    """The workspace, Ana, and a chat that only `site` may show."""
    from careline.channels import access
    from careline.channels.models import Channel, Connection
    from careline.events.recording import unit_of_work
    from careline.workspaces.models import Account, Agent, Brand, Team, Workspace

    with unit_of_work():
        air = Workspace.objects.create(slug="air", name="Aurora Air", zone="Europe/Madrid")
        brand = Brand.objects.create(workspace=air, name="Aurora Air")
        team = Team.objects.create(workspace=air, name="Care")
        ana = Agent.objects.create(
            workspace=air, account=Account.objects.create_user("ana@air.example"), name="Ana", role="agent"
        )
        ana.teams.add(team)
        Agent.objects.create(
            workspace=air, account=Account.objects.create_user("olga@air.example"), name="Olga", role="owner"
        )
        sealed = access.seal_secrets({"identity_secret": "known to the site"})
        connection = Connection.objects.create(
            workspace=air, network="webchat", name="Chat", hook_token=KEY, sealed_secrets=sealed
        )
        Channel.objects.create(
            workspace=air, connection=connection, network="webchat", account_key="chat", name="Chat", brand=brand, team=team,
            undo_s=0, settings={"origins": site, "title": "Aurora Air"},
        )  # fmt: skip
        phone = Connection.objects.create(workspace=air, network="intake_form", name="Phone")
        Channel.objects.create(
            workspace=air, connection=phone, network="intake_form", account_key="phone", name="Phone and counter",
            brand=brand, team=team, settings={"region": "ES"},
        )  # fmt: skip


def wait_quiet(within_s: float = 10.0, for_s: float = 0.3) -> None:
    """What the last test's visitor said while leaving is heard before the desk is emptied: afterwards it would be the next test's."""
    from careline.intake.models import JournalRow

    end_s = time.monotonic() + within_s
    quiet_since_s, known = time.monotonic(), -1
    while time.monotonic() < min(end_s, quiet_since_s + for_s):
        count = JournalRow.objects.count()
        if count != known or JournalRow.objects.filter(state=JournalRow.NEW).exists():
            quiet_since_s, known = time.monotonic(), count
        time.sleep(0.05)


def empty(site: str) -> None:
    """As after `seed`: nobody has said anything."""
    from careline.cases.models import Case
    from careline.channels.models import Channel
    from careline.clocks.models import Clock
    from careline.intake.models import JournalRow
    from careline.outbox.models import Delivery
    from careline.people.models import Person
    from careline.threads.models import Message, Thread

    for model in (Delivery, Message, Thread, Case, Clock, JournalRow, Person):
        model.objects.all().delete()
    Channel.objects.filter(network="webchat").update(calendar=None, settings={"origins": site, "title": "Aurora Air"})


def act(wanted: dict[str, Any]) -> Any:
    """What the test asks of the desk."""
    from careline.cases.actions.replying import write_reply
    from careline.cases.models import Case
    from careline.channels.models import Channel
    from careline.threads.models import Attachment, Message, Thread
    from careline.workspaces.models import Agent, Calendar
    from careline.workspaces.sight import viewer_of

    match wanted["what"]:
        case "reset":
            wait_quiet()
            empty(wanted["site"])
        case "answer":
            ana = viewer_of(Agent.objects.select_related("workspace", "account").get(name="Ana"))
            case = Case.objects.order_by("-id")[0]
            thread = Thread.objects.filter(bound_case_id=case.id).order_by("-id")[0]
            file_ids = list(Attachment.objects.values_list("file_id", flat=True)) if wanted.get("with_file") else []
            write_reply(ana, case.number, thread_id=thread.id, text=wanted["text"], mode="private", file_ids=file_ids)
        case "sign_in":
            from importlib import import_module

            from django.conf import settings
            from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

            account = Agent.objects.select_related("account").get(name=wanted["name"]).account
            session = import_module(settings.SESSION_ENGINE).SessionStore()
            session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(account.pk), settings.AUTHENTICATION_BACKENDS[0]
            session[HASH_SESSION_KEY] = account.get_session_auth_hash()
            session.save()
            return [settings.SESSION_COOKIE_NAME, session.session_key]
        case "case":
            return Case.objects.order_by("-id")[0].number
        case "said":
            rows = Message.objects.filter(direction="inbound").order_by("at", "id")
            return [
                {"text": row.text, "name": row.author_name, "files": row.attachments.count(), "facts": row.facts}
                for row in rows
            ]
        case "states":
            from careline.outbox.models import Delivery

            return list(Delivery.objects.order_by("id").values_list("state", flat=True))
        case "close_office":
            channel = Channel.objects.get(network="webchat")
            channel.calendar = Calendar.objects.create(
                workspace=channel.workspace, name="Office", zone="Europe/Madrid", hours={"0": [["09:00", "09:01"]]}
            )
            channel.save()
        case "set":
            channel = Channel.objects.get(network="webchat")
            channel.settings = {**channel.settings, **wanted["settings"]}
            channel.save()
    return None


async def run(desk_port: int, site_port: int) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse, Response
    from starlette.routing import Route

    from careline.serving import House, build

    async def page(request: Request) -> Response:
        attributes = "".join(f' data-{name}="{value}"' for name, value in request.query_params.items())
        filler = "Words of the page. " * 400
        text = SITE.format(desk=desk_port, key=KEY, attributes=attributes, query=request.url.query, filler=filler)
        address = f"http://127.0.0.1:{desk_port}"
        policy = {"content-security-policy": f"default-src 'none'; script-src {address}; frame-src {address}"}
        return HTMLResponse(text, headers=policy if request.url.path == "/strict" else None)

    async def take_act(request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(act, json.loads(await request.body())))

    site = Starlette(routes=[Route("/act", take_act, methods=["POST"]), Route("/{path:path}", page)])
    options: dict[str, Any] = {
        "host": "127.0.0.1",
        "log_config": None,
        "access_log": False,
        "timeout_graceful_shutdown": 1,
    }
    house = House(frozenset({"web", "worker"}))
    from careline.intake import widget_door

    widget_door.CHANNEL_CACHE_S = widget_door.AVAILABILITY_CACHE_S = 0.1
    servers = [
        uvicorn.Server(uvicorn.Config(build(house), port=desk_port, **options)),
        uvicorn.Server(uvicorn.Config(site, port=site_port, **options)),
    ]
    tasks = [asyncio.create_task(server.serve()) for server in servers]
    while not all(server.started for server in servers):
        await asyncio.sleep(0.05)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


def main() -> None:
    desk_port, site_port = int(sys.argv[1]), int(sys.argv[2])
    import django

    django.setup()
    from careline import logging_setup, upgrading

    logging_setup.configure("json", "warning")
    upgrading.prepare_database()
    seed(f"http://127.0.0.1:{site_port}")
    asyncio.run(run(desk_port, site_port))


if __name__ == "__main__":
    main()
