"""The real journal, digest and outbox around a rig's network: rules that need rows run through them.

Tests only; imports floors above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from careline.channels import access, registry
from careline.channels.conformance.acting import with_tools
from careline.channels.conformance.rig import Platform, Rig
from careline.channels.models import Channel, Connection
from careline.errors import ChannelError
from careline.intake import journal
from careline.intake.digest import digest_pending
from careline.intake.models import JournalRow
from careline.kit import clock, ids
from careline.outbox import claiming, settling
from careline.outbox.claiming import Claim
from careline.outbox.loading import load_outgoing
from careline.outbox.models import Delivery
from careline.threads.models import Message
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
