"""A real Careline with one mailbox connected, for journeys of whole mails. `seed` runs inside that installation."""

from __future__ import annotations

import json
from pathlib import Path

from tests.servers.mail import PASSWORD, MailServers
from tests.servers.processes import Careline

SUPPORT = "service@support.test"
OWNER, OWNER_PASSWORD = "olga@air.test", "a long pass phrase for tests"
_SEED = """
import json, os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
import django
django.setup()
from careline import upgrading
upgrading.prepare_database()
from datetime import timedelta
from careline.channels import access
from careline.channels.models import Channel, Connection
from careline.events.recording import unit_of_work
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.threads.models import Message, Thread
from careline.workspaces.models import Account, Agent, Brand, Team, Workspace
given = json.loads(sys.argv[1])
with unit_of_work():
    air = Workspace.objects.create(slug="air", name="Air")
    brand = Brand.objects.create(workspace=air, name="Air")
    team = Team.objects.create(workspace=air, name="Care")
    account = Account.objects.create_user(given["owner"], given["owner_password"], name="Olga")
    agent = Agent.objects.create(workspace=air, account=account, name="Olga", role="owner")
    link = Connection.objects.create(workspace=air, network="email", name="Mail", sealed_secrets=access.seal_secrets({"password": given["password"]}))
    channel = Channel.objects.create(
        workspace=air, connection=link, network="email", account_key=given["address"], name=given["address"], handle=given["address"], brand=brand, team=team,
        undo_s=0, settings={"address": given["address"], "user": given["address"], "imap_host": "127.0.0.1", "imap_port": given["imap"], "imap_security": "none",
                            "smtp_host": "127.0.0.1", "smtp_port": given["smtp"], "smtp_security": "none", "send_per_minute": "6000"})
    for number in range(given["letters"]):
        thread = Thread.objects.create(workspace_id=air.id, channel_id=channel.id, key=f"letter-{number}", surface="email", subject=f"Letter {number}")
        message = Message.objects.create(workspace_id=air.id, thread=thread, channel_id=channel.id, direction="outbound", surface="email",
                                         text=f"letter number {number}", at=clock.now())
        Delivery.objects.create(workspace_id=air.id, channel_id=channel.id, thread_id=thread.id, message=message, recipient=f"c{number}@cust.test",
                                not_before=clock.now() + timedelta(seconds=1.5 * number), idempotency_key=f"letter-{number}", facts={"subject": f"Letter {number}", "to": [f"c{number}@cust.test"]})
print(json.dumps({"workspace": air.id, "agent": agent.id, "channel": channel.id}))
"""


def desk_with_mailbox(folder: Path, servers: MailServers, *, letters: int = 0) -> Careline:
    """Not started yet."""
    careline = Careline(folder / "data")
    careline.data.mkdir(parents=True)
    given = {
        "owner": OWNER,
        "owner_password": OWNER_PASSWORD,
        "password": PASSWORD,
        "address": SUPPORT,
        "imap": str(servers.imap_port),
        "smtp": str(servers.smtp_port),
        "letters": letters,
    }
    careline.run(json.dumps(given), code=_SEED)
    return careline
