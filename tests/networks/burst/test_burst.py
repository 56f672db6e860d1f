"""A mixed burst over every network at once: 20,000 events, many of them twice, none in order; afterwards every word is there exactly once."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from careline.channels import access, registry
from careline.channels.conformance import Rig, Words
from careline.channels.conformance.core import registry_with
from careline.channels.models import Channel, Connection
from careline.intake import digest, journal
from careline.intake.digest import digest_pending
from careline.intake.journal import NewRow
from careline.intake.models import JournalRow
from careline.kit import clock, ids
from careline.threads.models import Message, Tombstone
from careline.workspaces.models import Brand, Workspace
from tests.figures import tell

EVENTS = 20_000
BATCH = 250
THREADS = 40


class Spoken(NamedTuple):
    """What one network's customers did, and what must stand in the end: text by platform id is not known here, so texts are unique."""

    events: list[bytes]
    standing: set[str]
    gone: int


def rig_of(slug: str, folder: Path) -> Rig:
    """The rig that the network's own conformance tests use."""
    package = importlib.import_module(type(registry.network(slug)).__module__.removesuffix(".network"))
    tests = importlib.import_module(f"{package.__name__}.tests")
    modules = [importlib.import_module(f"{tests.__name__}.{one.name}") for one in pkgutil.iter_modules(tests.__path__)
               if one.name in {"rig", "test_conformance"}]  # fmt: skip
    found = [
        one
        for module in modules
        for _, one in inspect.getmembers(module, inspect.isclass)
        if one.__module__ == module.__name__
        and {"say", "fetch", "listening"} <= set(dir(one))
        and one.__name__.endswith("Rig")
    ]
    chosen: Any = next(one for one in found if not one.__name__.startswith("Listening"))
    rig: Rig = (
        chosen(folder) if any(p.default is p.empty for p in inspect.signature(chosen).parameters.values()) else chosen()
    )
    return rig


def speak(rig: Rig, wanted: int, chance: random.Random) -> Spoken:
    """About `wanted` events: words, some changed, some taken back, some told twice."""
    events: list[bytes] = []
    standing: set[str] = set()
    begin, number, gone = clock.now() - timedelta(days=1), 0, 0
    while len(events) < wanted:
        number += 1
        text = f"{rig.network.slug} number {number} says hello"
        words = Words(f"{number:05}", begin + timedelta(seconds=number), text, f"t{number % THREADS}")
        events.append(rig.say(words))
        fate = chance.random()
        if fate < 0.1 and (edited := rig.edit(words, f"{text}, edited")) is not None:
            events.append(edited)
            text = f"{text}, edited"
        elif fate < 0.2 and (deleted := rig.delete(words)) is not None:
            events.append(deleted)
            text, gone = "", gone + 1
        if text:
            standing.add(text)
        events += [chance.choice(events[-3:])] if chance.random() < 0.15 else []
    return Spoken(events, standing, gone)


@pytest.fixture
def rigs(tmp_path: Path) -> Iterator[dict[str, Rig]]:
    """One for each network there is."""
    found = {slug: rig_of(slug, tmp_path) for slug in sorted(registry.networks()) if slug != "testnet"}
    leave = [registry_with(rig) for rig in found.values()]
    yield found
    for one in leave:
        one()


def connect(workspace: Workspace, brand: Brand, rig: Rig) -> dict[str, int]:
    """The rig's accounts, as channels."""
    sealed = access.seal_secrets({**rig.connection.secrets, **rig.channel.secrets})
    connection = Connection.objects.create(
        workspace=workspace, network=rig.network.slug, name=rig.network.slug, sealed_secrets=sealed
    )
    return {
        key: Channel.objects.create(
            workspace=workspace, connection=connection, network=rig.network.slug, account_key=key, name=key, brand=brand,
            settings=dict(rig.channel.settings), history_before=clock.from_epoch(0), undo_s=0,
        ).id
        for key in rig.connection.accounts
    }  # fmt: skip


@pytest.mark.django_db
def test_twenty_thousand_events_over_all_networks_end_with_exact_counts(rigs: dict[str, Rig]) -> None:
    chance = random.Random(20_000)
    workspace = Workspace.objects.create(slug=f"burst-{ids.new_id()}", name="Burst")
    brand = Brand.objects.create(workspace=workspace, name="Aurora Air")
    spoken: dict[str, Spoken] = {}
    rows: list[NewRow] = []
    for slug, rig in rigs.items():
        channels = connect(workspace, brand, rig)
        spoken[slug] = speak(rig, EVENTS // len(rigs) + 1, chance)
        parts = [rig.fetch(event) for event in spoken[slug].events]
        rows += [
            journal.row_of(workspace.id, channels[one.account_key or rig.channel.account_key], one) for one in parts
        ]
    assert len(rows) >= EVENTS
    chance.shuffle(rows)
    for at in range(0, len(rows), BATCH):
        journal.write_rows(rows[at : at + BATCH])
        digest_pending()
    digest._rearm_waiting()  # as the digest does by itself: what came before its message gets another look
    digest_pending()

    named = dict(Channel.objects.filter(workspace=workspace).values_list("id", "network"))
    why = JournalRow.objects.exclude(reason="").values_list("channel_id", "state", "reason", "detail")
    assert not {
        (named[one], *rest) for one, *rest in why if rest[0] != 1 or rest[1] not in {"deleted_by_author", "duplicate"}
    }
    for slug, said in spoken.items():
        channels_of = Channel.objects.filter(workspace=workspace, network=slug).values("id")
        stand = Message.objects.filter(channel_id__in=channels_of, deleted_at__isnull=True).values_list(
            "text", flat=True
        )
        assert Counter(stand) == Counter(said.standing), slug
        assert Tombstone.objects.filter(channel_id__in=channels_of).count() == said.gone, slug
    assert not Message.objects.filter(workspace_id=workspace.id, deleted_at__isnull=False).exclude(text="").exists()
    words, gone = sum(len(one.standing) for one in spoken.values()), sum(one.gone for one in spoken.values())
    tell(f"burst: {len(rows)} events of {len(rigs)} networks, {words} words stand once, {gone} taken back")
