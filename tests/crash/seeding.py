"""Fills a fresh installation for the crash test: one simulated account, and answers waiting in the outbox. Run as a program in that installation."""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta


def seed(
    hook_secret: str, token: str, api: str, sending: str, replies: list[dict[str, str]], spread_s: float
) -> dict[str, str]:
    """Make workspace, channel and queued deliveries. `replies`: thread key, recipient and text, in the order in which they must arrive."""
    from careline.channels import access
    from careline.channels.models import Channel, Connection
    from careline.events.recording import unit_of_work
    from careline.kit import clock
    from careline.outbox.models import Delivery
    from careline.threads.models import Message, Thread
    from careline.workspaces.models import Brand, Team, Workspace

    with unit_of_work():
        air = Workspace.objects.create(slug="air", name="Aurora Air")
        brand = Brand.objects.create(workspace=air, name="Aurora Air")
        team = Team.objects.create(workspace=air, name="Social")
        sealed = access.seal_secrets({"hook_secret": hook_secret, "token": token})
        connection = Connection.objects.create(
            workspace=air, network="simulated", name="Simulated", sealed_secrets=sealed
        )
        settings = {"api": api, "sending": sending, "gap_check_s": "0"}
        channel = Channel.objects.create(
            workspace=air,
            connection=connection,
            network="simulated",
            account_key="aurora",
            name="@aurora",
            brand=brand,
            team=team,
            is_simulated=True,
            settings=settings,
        )
        threads: dict[str, Thread] = {}
        for number, reply in enumerate(replies):
            thread = threads.get(reply["thread"]) or Thread.objects.create(
                workspace_id=air.id, channel_id=channel.id, key=reply["thread"], surface="dm"
            )
            threads[reply["thread"]] = thread
            message = Message.objects.create(
                workspace_id=air.id,
                thread=thread,
                channel_id=channel.id,
                direction="outbound",
                surface="dm",
                text=reply["text"],
                at=clock.now(),
            )
            Delivery.objects.create(
                workspace_id=air.id,
                channel_id=channel.id,
                thread_id=thread.id,
                message=message,
                recipient=reply["recipient"],
                idempotency_key=reply["key"],
                not_before=clock.now() + timedelta(seconds=spread_s * number / max(1, len(replies))),
            )
    return {"hook": f"/hooks/simulated/{connection.hook_token}"}


def main() -> None:
    """Arguments: the JSON of `seed`'s arguments."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
    import django

    django.setup()
    from careline import upgrading

    upgrading.prepare_database()
    print(json.dumps(seed(**json.loads(sys.argv[1]))))


if __name__ == "__main__":
    main()
