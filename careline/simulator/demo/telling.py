"""Tells the past through the real rooms: platform, journal, digest and actions, each at its own time, without a
wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from careline.cases.actions.replying import Mode, Then, write_reply
from careline.cases.models import Case
from careline.channels import registry
from careline.channels.access import view_channel
from careline.channels.base import ChannelView, ConnectionView, HookRequest, Part, Said
from careline.channels.models import Channel
from careline.channels.simulated import wire
from careline.events.recording import unit_of_work
from careline.intake import journal
from careline.intake.digest import digest_pending
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.simulator.courier import delivery_body
from careline.simulator.demo.founding import Desk
from careline.simulator.platform import Platform
from careline.threads.models import Message


@contextmanager
def at_moment(at: datetime) -> Iterator[None]:
    """Everything inside happens at `at`."""
    with clock.travel(at - clock.now()):
        yield


class Telling:
    """One workspace and one platform, whose clocks go together.

    Nothing is delivered over HTTP, nothing is left to send.
    """

    def __init__(self, desk: Desk, platform: Platform) -> None:
        self.desk = desk
        self.platform = platform
        self._heard_seq = 0
        self._waiting: list[tuple[Channel, Part]] = []
        platform.echoes = False

    def view(self, key: str) -> ChannelView:
        """A channel as its network sees it."""
        return view_channel(self.desk.channels[key])

    def normalised(self, key: str, part: Part) -> Said:
        """The one message in a part, as its network reads it."""
        channel = self.view(key)
        (said,) = [one for one in registry.network(channel.network).normalise(part, channel) if isinstance(one, Said)]
        return said

    def bring(self, key: str, part: Part) -> None:
        """Something another network brought, to be heard with the rest."""
        self._waiting.append((self.desk.channels[key], part))

    def hear(self) -> None:
        """Journal and digest everything said since the last time."""
        rows = [journal.row_of(self.desk.workspace_id, channel.id, part) for channel, part in self._collect()]
        journal.write_rows(rows)
        digest_pending()

    def _collect(self) -> list[tuple[Channel, Part]]:
        network = registry.network("simulated")
        connection = self._connection()
        events = self.platform.ledger.events(after=self._heard_seq)
        collected, self._waiting = self._waiting, []
        if events:
            self._heard_seq = events[-1].seq
            request = HookRequest("POST", "", {}, delivery_body([one.body for one in events]))
            parts = network.split(request, connection)
            collected += [(self.desk.channels[part.account_key], part) for part in parts]
            self.platform.ledger.mark_acked([one.seq for one in events], 200)
        return collected

    def _connection(self) -> ConnectionView:
        accounts = {key: channel.id for key, channel in self.desk.channels.items() if channel.network == "simulated"}
        return ConnectionView(0, self.desk.workspace_id, "simulated", {}, accounts)

    def cases_of(self, platform_ids: list[str]) -> dict[str, Case]:
        """The case each message joined, by the platform's id."""
        rows = Message.objects.filter(workspace_id=self.desk.workspace_id, platform_id__in=platform_ids)
        case_of = dict(rows.exclude(case_id=None).values_list("platform_id", "case_id"))
        cases = {case.id: case for case in Case.objects.filter(id__in=set(case_of.values()))}
        return {str(platform_id): cases[case_id] for platform_id, case_id in case_of.items() if case_id is not None}

    def answer(self, case: Case, agent: str, text: str, at: datetime, *, then: Then = "stay") -> Message:
        """An agent answers where the customer spoke last."""
        heard = Message.objects.filter(case_id=case.id, direction="inbound").order_by("-at").first()
        assert heard is not None
        mode: Mode = "public" if heard.is_public else "private"
        with at_moment(at):
            return write_reply(
                self.desk.agents[agent], case.number, thread_id=heard.thread_id or 0, text=text, mode=mode, then=then
            )

    def settle(self) -> None:
        """What agents wrote since the last time stands on the platform and is sent. A unit of work for all."""
        deliveries = list(
            Delivery.objects.select_related("message", "message__thread")
            .filter(workspace_id=self.desk.workspace_id, state__in=["held", "queued"])
            .order_by("id")
        )
        keys = {channel.id: key for key, channel in self.desk.channels.items()}
        with unit_of_work() as work:
            for delivery in deliveries:
                self._settle(delivery, keys[delivery.channel_id])
                facts = {"state": delivery.state}
                work.record_event(
                    delivery.workspace_id,
                    "delivery.changed",
                    delivery_id=delivery.id,
                    case_id=delivery.case_id,
                    facts=facts,
                )
            Delivery.objects.bulk_update(deliveries, ["state", "platform_id", "sent_at", "delivered_at", "read_at"])
            Message.objects.bulk_update([one.message for one in deliveries], ["platform_id"])

    def _settle(self, delivery: Delivery, key: str) -> None:
        message = delivery.message
        delivery.state, delivery.sent_at = "sent", message.at
        if self.desk.channels[key].network == "simulated":
            delivery.platform_id = self._post(delivery, key)
        else:
            delivery.platform_id = f"answer:{delivery.idempotency_key}"
        if not message.is_public:
            delivery.state = "read"
            delivery.delivered_at, delivery.read_at = message.at, message.at + timedelta(seconds=40)
        message.platform_id = delivery.platform_id

    def _post(self, delivery: Delivery, key: str) -> str:
        message, thread = delivery.message, delivery.message.thread
        assert thread is not None
        app = self.platform.ledger.apps()[0]
        new = wire.NewMessage(
            account=key,
            place="reply" if message.is_public else "dm",
            text=message.text,
            client_key=delivery.idempotency_key,
            thread=thread.key,
            to=delivery.recipient,
            reply_to=message.reply_to,
        )
        with at_moment(message.at):
            return self.platform.accept(app, new)[0].id
