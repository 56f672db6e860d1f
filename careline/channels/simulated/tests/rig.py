"""The simulated network's rig: its platform is the real simulator, on loopback, with a ledger of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from careline.channels.base import ChannelView, ConnectionView, HookRequest, Network, Outgoing, Part
from careline.channels.conformance import Fault, Standing, Words
from careline.channels.simulated import NETWORK
from careline.kit import clock, ids, signing
from careline.simulator import running
from careline.simulator.behaviour import Behaviour
from careline.simulator.behaviour import Fault as PlatformFault
from careline.simulator.records import Account, App, Persona

SECRET = "whsec_" + "c2ltdWxhdGVkLXNlY3JldC1mb3ItdGVzdHM="
TOKEN = "token-of-the-app"
_FAULTS: dict[Fault, PlatformFault] = {
    "rate_limited": PlatformFault("rate_limit", retry_after="7"),
    "rate_limited_silently": PlatformFault("rate_limit"),
    "failing": PlatformFault("failing_after"),
    "cut": PlatformFault("cut_after"),
    "revoked": PlatformFault("unauthorised"),
    "refused": PlatformFault("closed"),
}
_PEOPLE = {
    "marta": {"id": "u_marta", "handle": "@martarg", "name": "Marta Ruiz"},
    "otro": {"id": "u_otro", "handle": "@otro", "name": "Otro"},
    "us": {"id": "aurora", "handle": "@aurora", "name": "Aurora Air"},
}


class SimulatedPlatform:
    """The simulator, as the rules know a platform."""

    def __init__(self, world: running.Running, channel: ChannelView) -> None:
        self._world = world
        self._placed: dict[tuple[str, bool], Standing] = {}
        self.channel = msgspec.structs.replace(channel, settings={**channel.settings, "api": f"{world.address}/api"})

    def plan(self, fault: Fault) -> None:
        self._world.simulator.temper.plan(_FAULTS[fault])

    def posted(self) -> list[str]:
        return [one.text for one in self._world.simulator.ledger.messages(origin="api")]

    def standing(self, surface: str, *, ours: bool) -> Standing:
        found = self._placed.get((surface, ours))
        if found is None:
            found = self._placed[surface, ours] = self._place(surface, ours=ours)
        return found

    def _place(self, surface: str, *, ours: bool) -> Standing:
        platform = self._world.simulator.platform
        if surface == "dm":
            thread = platform.dm_thread("aurora", "u_marta").id
        else:
            begun = (
                platform.own_post("aurora", "Vuelos a Lima")
                if surface == "comment"
                else platform.post("aurora", "u_marta", "Hola @aurora")
            )
            thread = begun.thread
        said = platform.reply(thread, "aurora" if ours else "u_marta", "words")
        return Standing(said.id, thread, said.author_id)

    def done_to(self, platform_id: str) -> frozenset[str]:
        row = self._world.simulator.ledger.message(platform_id)
        assert row is not None
        done = {"hidden": row.hidden_at, "liked": row.liked_at, "deleted": row.deleted_at}
        ours = row.reactions.get(row.account, "")
        return frozenset(name for name, at in done.items() if at is not None) | ({ours} if ours else set())

    def commented(self) -> Standing:
        said = self._world.simulator.platform.post("aurora", "u_otro", "Esto es intolerable")
        return Standing(said.id, said.thread, "u_otro")

    def stranger(self, surface: str) -> bytes:
        return msgspec.json.encode(
            {
                "id": f"ev-{ids.new_id()}",
                "account": "aurora",
                "kind": "message.created",
                "at": _at(),
                "thread": "dm_aurora_u_otro",
                "conversation": {"place": surface, "author_id": "u_otro", "root_id": "dm_aurora_u_otro"},
                "message": {"id": f"m-{ids.new_id()}", "author": {"id": "u_otro"}, "text": "hola"},
            }
        )

    def called(self, surface: str) -> str:
        return "Otro"

    def names_asked(self) -> int:
        return sum(1 for one in self._world.simulator.ledger.requests() if one.outcome == "asked_name")

    def plan_naming(self, fault: Fault) -> None:
        self.plan(fault)

    def happen_unseen(self, words: Words) -> None:
        self._world.simulator.platform.dm("aurora", "u_marta", words.text)


class SimulatedRig:
    """One rig for each way the account can behave after an unknown outcome."""

    signed_headers = ("webhook-id", "webhook-timestamp", "webhook-signature")

    def __init__(self, folder: Path, *, network: Network = NETWORK, sending: str = "lookup") -> None:
        self.network = network
        self._folder = folder
        self._sending = sending
        self.connection = ConnectionView(
            1, 1, "simulated", {"hook_secret": SECRET, "token": TOKEN}, {"aurora": 7, "aurora_help": 8}
        )
        settings = {
            "api": "http://127.0.0.1:9/api",
            "sending": sending,
            "templates": True,
            "gap_check_s": 0.05,
            "account": "aurora",
        }
        self.channel = ChannelView(7, 1, "simulated", "aurora", "Aurora", "@aurora", settings, {"token": TOKEN})

    def say(self, words: Words) -> bytes:
        place = "dm" if words.author != "otro" else "post"
        conversation = {
            "place": place,
            "author_id": "u_marta",
            "author_name": "Marta Ruiz",
            "root_id": f"root-{words.thread}",
        }
        message = {
            "id": f"m-{words.key}",
            "author": _PEOPLE[words.author],
            "text": words.text,
            "client_key": words.client_key,
        }
        return self._event("message.created", words, at=words.at, conversation=conversation, message=message)

    def edit(self, of: Words, text: str) -> bytes | None:
        return self._event("message.edited", of, at=of.at, message_id=f"m-{of.key}", text=text)

    def delete(self, of: Words) -> bytes | None:
        return self._event("message.deleted", of, at=of.at, message_id=f"m-{of.key}")

    def receipt(self, platform_id: str, idempotency_key: str, state: str) -> bytes | None:
        of = Words(f"receipt-{state}", _at())
        return self._event(
            "receipt.changed", of, at=of.at, message_id=platform_id, client_key=idempotency_key, state=state
        )

    def novelty(self) -> bytes | None:
        return self._event("hologram.opened", Words("new", _at()), at=_at())

    def _event(self, kind: str, of: Words, **more: object) -> bytes:
        account = list(self.connection.accounts)[of.account]
        return msgspec.json.encode(
            {"id": f"ev-{kind}-{of.key}", "account": account, "kind": kind, "thread": of.thread, **more}
        )

    def deliver(self, events: list[bytes], *, at_s: int | None = None, secret: str = "") -> HookRequest | None:
        body = msgspec.json.encode({"delivery": "d-1", "events": [msgspec.Raw(one) for one in events]})
        return HookRequest(
            "POST", "/hooks/simulated/t", signing.webhook_headers(secret or SECRET, "d-1", body, at_s=at_s), body
        )

    def fetch(self, event: bytes) -> Part:
        request = self.deliver([event])
        assert request is not None
        return self.network.split(request, self.connection)[0]

    def foreign(self) -> bytes:
        return b'{"object":"page","entry":[{"id":"1","changes":[]}]}'

    def outgoing(self, channel: ChannelView, text: str, *, surface: str = "", attempt: int = 1) -> Outgoing:
        chosen = surface or "post"
        thread = "dm_aurora_u_marta" if chosen == "dm" else "t1"
        return Outgoing(
            delivery_id=1,
            idempotency_key="key-1",
            attempt=attempt,
            surface=chosen,
            thread_id=1,
            thread_key=thread,
            recipient="u_marta",
            text=text,
            author_kind="human",
            reply_to="" if chosen == "dm" else "root-t1",
        )

    @contextmanager
    def listening(self) -> Iterator[SimulatedPlatform]:
        path = self._folder / f"ledger-{len(list(self._folder.iterdir()))}.sqlite3"
        world = running.start(path, behaviour=Behaviour(pushes=False, receipts="none", echoes=False))
        try:
            self._people(world)
            yield SimulatedPlatform(world, self.channel)
        finally:
            world.stop()

    def _people(self, world: running.Running) -> None:
        """Marta has spoken in public and in private, so that either can be answered."""
        ledger, platform = world.simulator.ledger, world.simulator.platform
        accounts = [Account(key, "app", key, f"@{key}", self._sending) for key in self.connection.accounts]
        ledger.save_app(App("app", "http://127.0.0.1:9/hook", SECRET, TOKEN), accounts)
        platform.join(Persona("u_marta", "@martarg", "Marta Ruiz"))
        platform.join(Persona("u_otro", "@otro", "Otro"))
        platform.open_thread("aurora", "t1", "u_marta", "Otra vez sin puntos", root_id="root-t1")


def _at() -> datetime:
    return clock.now().replace(microsecond=0)
