"""The real journal, digest and outbox around a rig's network: rules that need rows run through them.

Tests only; imports floors above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from careline.channels import access, registry
from careline.channels.base import ModerationAct
from careline.channels.conformance.acting import with_tools
from careline.channels.conformance.rig import Platform, Rig
from careline.channels.models import Channel, Connection
from careline.errors import ChannelError
from careline.events.recording import unit_of_work
from careline.intake import journal
from careline.intake.digest import digest_pending
from careline.intake.models import JournalRow
from careline.kit import clock, ids
from careline.outbox import claiming, moderating, settling
from careline.outbox.claiming import Claim
from careline.outbox.loading import load_outgoing
from careline.outbox.models import Delivery, Moderation
from careline.outbox.moderating import WantedAct
from careline.outbox.parting import cuts_of
from careline.people import naming
from careline.people.naming import Question
from careline.threads.models import Message, Thread
from careline.workspaces.models import Brand, Workspace


class Core:
    """A workspace with the rig's channels connected, and the network registered in place of any other of its name."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._leave = registry_with(rig)
        slug = f"conformance-{ids.new_id()}"
        self.workspace = Workspace.objects.create(slug=slug, name="Conformance")
        self.brand = Brand.objects.create(workspace=self.workspace, name="Aurora Air")
        self.connection = Connection.objects.create(
            workspace=self.workspace,
            network=rig.network.slug,
            name="Conformance",
            sealed_secrets=access.seal_secrets({**rig.connection.secrets, **rig.channel.secrets}),
        )
        self.channels = {key: self._channel(key) for key in rig.connection.accounts}

    def close(self) -> None:
        """Take the network out of the registry again."""
        self._leave()

    def _channel(self, account_key: str) -> Channel:
        return Channel.objects.create(
            workspace=self.workspace,
            connection=self.connection,
            network=self.rig.network.slug,
            account_key=account_key,
            name=account_key,
            brand=self.brand,
            settings=dict(self.rig.channel.settings),
            history_before=clock.from_epoch(0),
            undo_s=0,
        )

    @property
    def channel(self) -> Channel:
        """The rig's own channel, as it stands."""
        return Channel.objects.get(id=self.channels[self.rig.channel.account_key].id)

    # ---- in

    def receive(self, events: Iterable[bytes]) -> None:
        """Journal what the network cuts out of these events, and digest it."""
        parts = [self.rig.fetch(event) for event in events]
        rows = [
            journal.row_of(self.workspace.id, self.channels[part.account_key or self.rig.channel.account_key].id, part)
            for part in parts
        ]
        journal.write_rows(rows)
        digest_pending()

    def messages(self, **narrowed: object) -> list[Message]:
        """Messages of the workspace by the platform's time."""
        return list(Message.objects.filter(workspace_id=self.workspace.id, **narrowed).order_by("at", "id"))

    def reasons(self) -> list[str]:
        """Why journal rows became no message, in the order they came."""
        rows = JournalRow.objects.filter(workspace_id=self.workspace.id).exclude(reason="").order_by("id")
        return list(rows.values_list("reason", flat=True))

    def ask_names(self) -> None:
        """One round of asking who came without a name: claim, ask, keep."""
        mine = {one.id for one in self.channels.values()}
        for question in naming.due_questions():
            if question.channel_id in mine and naming.claim(question):
                self._ask_name(question)

    def _ask_name(self, question: Question) -> None:
        channel = access.view_of(question.channel_id)
        try:
            facts = with_tools(lambda tools: self.rig.network.who_is(question.author, channel, tools))
        except ChannelError as error:
            naming.keep_error(question, error)
        else:
            naming.keep_answer(question, facts)

    # ---- out

    def queue(self, heard: Message, text: str, surface: str) -> Delivery:
        """Our answer to a message, ready to be sent."""
        identity = heard.author_identity
        answer = Message.objects.create(
            workspace_id=self.workspace.id,
            thread=heard.thread,
            channel_id=heard.channel_id,
            case_id=heard.case_id,
            direction="outbound",
            surface=surface,
            is_public=heard.is_public,
            author_name="Ana",
            text=text,
            reply_to=heard.platform_id or "",
            at=clock.now(),
        )
        return Delivery.objects.create(
            workspace_id=self.workspace.id,
            channel_id=heard.channel_id or 0,
            thread_id=heard.thread_id or 0,
            message=answer,
            recipient=identity.key if identity else "",
            idempotency_key=ids.new_token(),
        )

    def point_at(self, platform: Platform) -> None:
        """Send to this platform from now on."""
        where = platform.channel
        Channel.objects.filter(connection=self.connection).update(settings=dict(where.settings))
        sealed = access.seal_secrets({**self.rig.connection.secrets, **where.secrets})
        Connection.objects.filter(id=self.connection.id).update(sealed_secrets=sealed)

    def send_due(self) -> int:
        """One round of the sender: claim, send, settle. Gives how many attempts were made."""
        claims = claiming.claim_due()
        for claim in claims:
            self._attempt(claim)
        return len(claims)

    def send_until_settled(self, deliveries: list[Delivery], rounds: int = 4) -> None:
        """Rounds of the sender, some time apart, with a question about whatever is unknown after each."""
        for number in range(rounds * len(deliveries)):
            with clock.travel(timedelta(minutes=number * 30)):
                self.send_due()
                for delivery in deliveries:
                    delivery.refresh_from_db()
                    if delivery.state == "unknown":
                        self.ask_about(delivery)

    def rename(self, heard: Message, platform: Platform) -> Message:
        """The message as the listening platform knows it, where it knows one: there it can be answered."""
        standing = getattr(platform, "standing", None)
        if standing is None or heard.thread is None:
            return heard
        there = standing(heard.surface, ours=False)
        taken = Thread.objects.filter(channel_id=heard.channel_id or 0, key=there.thread_key).exclude(
            id=heard.thread.id
        )
        if taken.exists():  # in private somebody else's conversation stays theirs
            return heard
        heard.platform_id, heard.thread.key = there.platform_id, there.thread_key
        heard.thread.save(update_fields=["key"])
        heard.save(update_fields=["platform_id"])
        return heard

    def queue_parts(self, heard: Message, text: str, parts: list[str]) -> list[Delivery]:
        """Our answer as several posts, ready to be sent."""
        first = self.queue(heard, text, heard.surface)
        cuts = cuts_of(text, parts)
        Delivery.objects.filter(id=first.id).update(parts=len(parts), text_start=cuts[0][0], text_end=cuts[0][1])
        rest = [
            Delivery.objects.create(
                workspace_id=self.workspace.id,
                channel_id=first.channel_id,
                thread_id=first.thread_id,
                message=first.message,
                recipient=first.recipient,
                idempotency_key=ids.new_token(),
                part=number,
                parts=len(parts),
                text_start=start,
                text_end=end,
            )
            for number, (start, end) in enumerate(cuts[1:], start=2)
        ]
        return [first, *rest]

    def queue_act(self, act: ModerationAct) -> Moderation:
        """An act on a message of ours or theirs that stands on the platform, ready to go out."""
        thread = Thread.objects.create(
            workspace_id=self.workspace.id, channel_id=self.channel.id, key=act.thread_key, surface=act.surface
        )
        message = Message.objects.create(
            workspace_id=self.workspace.id,
            thread=thread,
            channel_id=self.channel.id,
            direction="outbound" if act.verb == "delete" else "inbound",
            surface=act.surface,
            platform_id=act.platform_id,
            text="words",
            at=clock.now(),
        )
        with unit_of_work() as work:
            wanted = WantedAct(act.verb, act.platform_id, act.emoji)
            return moderating.queue_moderation(work, message, wanted, agent_id=0, case_id=0)

    def act_due(self) -> None:
        """One round of acts: claim, do, settle."""
        for claim in moderating.claim_due_moderations():
            act = moderating.load_act(claim)
            channel = access.view_channel(access.channels_by_id([claim.channel_id])[claim.channel_id])
            try:
                done = with_tools(lambda tools: self.rig.network.moderate(act, channel, tools))  # noqa: B023 - run at once
            except ChannelError as error:
                moderating.settle_moderation_error(claim, error)
            else:
                moderating.settle_moderated(claim, done)

    def _attempt(self, claim: Claim) -> None:
        outgoing = load_outgoing(claim.delivery_id, claim.attempt)
        channel = access.view_channel(access.channels_by_id([claim.channel_id])[claim.channel_id])
        rules = self.rig.network.effective(channel).outbound
        try:
            sent = with_tools(lambda tools: self.rig.network.send(outgoing, channel, tools))
        except ChannelError as error:
            settling.settle_error(claim, error, max_tries=rules.max_tries, unknown_rule=rules.unknown_outcome)
        else:
            settling.settle_sent(claim, sent)

    def ask_about(self, delivery: Delivery) -> None:
        """Look an unknown outcome up, where the network can be asked."""
        outgoing = load_outgoing(delivery.id, delivery.tries)
        channel = access.view_channel(access.channels_by_id([delivery.channel_id])[delivery.channel_id])
        if self.rig.network.effective(channel).outbound.unknown_outcome == "lookup":
            found = with_tools(lambda tools: self.rig.network.look_up(outgoing, channel, tools))
            settling.settle_found(delivery.id, found)


def registry_with(rig: Rig) -> Callable[[], None]:
    """Register the rig's network for a while. Gives the way back."""
    before = registry._extra.get(rig.network.slug)
    registry.add_for_tests(rig.network)

    def leave() -> None:
        registry._extra.pop(rig.network.slug, None)
        if before is not None:
            registry.add_for_tests(before)

    return leave
