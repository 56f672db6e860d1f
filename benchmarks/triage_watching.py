"""`python -m benchmarks.triage_watching [UNITS]`: how long a look at all units takes, with five weeks of history, cold and warm, and what it keeps in memory."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta

MESSAGES_A_UNIT = 5  # fewer are not worth judging
HISTORY_EVERY_BUCKETS = 24


def main(units: int = 1000) -> None:
    """Builds the house in a folder that is thrown away, then looks three times."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CARELINE_DATA"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        workspace_id = _fill(units)
        _look(workspace_id, units)


def _fill(units: int) -> int:
    from careline.channels.models import Channel, Connection
    from careline.events.recording import unit_of_work
    from careline.kit import clock
    from careline.kit.bulk import insert_rows
    from careline.people.models import Identity, Person
    from careline.threads.models import Message, Thread
    from careline.triage.models import Bucket, Judgement
    from careline.triage.watching.counting import bucket_of
    from careline.workspaces.models import Brand, Workspace

    now = clock.now()
    workspace = Workspace.objects.create(slug="bench", name="Bench", zone="Europe/Madrid")
    brand = Brand.objects.create(workspace=workspace, name="Bench")
    connection = Connection.objects.create(workspace=workspace, network="generic", name="Bench")
    channel = Channel.objects.create(
        workspace=workspace, connection=connection, network="generic", account_key="bench", name="Bench", brand=brand
    )
    thread = Thread.objects.create(workspace_id=workspace.id, channel_id=channel.id, key="bench", surface="post")
    place = f"channel:{channel.id}"
    with unit_of_work():
        begin = bucket_of(now - timedelta(weeks=5))
        for unit in range(units):
            insert_rows(
                Bucket(
                    workspace_id=workspace.id, place=place, topic=str(unit), language="en", count=1,
                    began_at=begin + timedelta(minutes=5 * bucket),
                )
                for bucket in range(unit % HISTORY_EVERY_BUCKETS, 5 * 2016, HISTORY_EVERY_BUCKETS)
            )  # fmt: skip
        people = [Person(workspace_id=workspace.id) for _ in range(MESSAGES_A_UNIT)]
        insert_rows(people)
        identities = [
            Identity(workspace_id=workspace.id, person=one, network="generic", scope="b", key=str(one.id))
            for one in people
        ]
        insert_rows(identities)
        messages = [
            Message(
                workspace_id=workspace.id, thread=thread, channel_id=channel.id, direction="inbound", at=now,
                author_identity=identity, text=text, received_at=now - timedelta(minutes=30),
            )
            for number, text in enumerate(_texts(units))
            for identity in [identities[number % MESSAGES_A_UNIT]]
        ]  # fmt: skip
        insert_rows(messages)
        insert_rows(
            Judgement(
                message=message, workspace_id=workspace.id,
                verdicts=[
                    {"name": "topic", "value": str(number // MESSAGES_A_UNIT), "confidence": 0.9},
                    {"name": "language", "value": "en", "confidence": 0.9},
                ],
            )
            for number, message in enumerate(messages)
        )  # fmt: skip
    return workspace.id


def _texts(units: int) -> Iterator[str]:
    words = ["delay", "bag", "seat", "refund", "strike", "crew", "gate", "queue", "hotel", "miles", "meal", "visa"]
    for number in range(units * MESSAGES_A_UNIT):
        yield " ".join(words[(number * step + number // 7) % len(words)] for step in range(3, 14)) + f" {number}"


def _look(workspace_id: int, units: int) -> None:
    from careline.triage.models import Spike
    from careline.triage.watching.watcher import Watcher

    watcher = Watcher()
    for name in ("cold: a day's words read and clustered, histories loaded", "warm, the first follow", "warm"):
        watcher._looked_at = None
        before, before_cpu = time.perf_counter(), time.process_time()
        watcher.look([workspace_id], {})
        print(
            f"{units:,} units, {name}: {time.perf_counter() - before:.2f} s, processor {time.process_time() - before_cpu:.2f} s"
        )
    print(
        f"spikes fired: {Spike.objects.count()}; resident at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB"
    )


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:]))
