"""The sender: claims, sends, settles; looks up what is unknown; takes over from senders that died. Runs in the network loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import ParamSpec, TypeVar

import structlog

from careline.channels import access, registry
from careline.channels.base import ChannelView, Moderated, ModerationAct, Network, Outgoing, Tools
from careline.clocks import leases
from careline.clocks.models import Lease
from careline.errors import ChannelError
from careline.kit import clock, crashing
from careline.kit.connections import refresh_connections
from careline.outbox import claiming, moderating, settling
from careline.outbox.claiming import Claim
from careline.outbox.loading import load_outgoing
from careline.outbox.models import Attempt, Delivery
from careline.outbox.moderating import ModerationClaim

POLL_S = 0.25
RENEW_S = 5.0
LOOK_UP_EVERY_S = 5.0
# A request of a sender that died can still be on its way into the platform: ask only after it must have arrived.
LOOK_UP_AGE_S = 4.0
# Long enough for 25 MB over a slow line; the network itself says sooner when nothing moves.
SEND_TIMEOUT_S = 240.0
_log = structlog.get_logger()
P = ParamSpec("P")
T = TypeVar("T")


class Sender:
    """One per worker process. `tools` is the network loop's guarded client."""

    def __init__(self, tools: Tools, pool: ThreadPoolExecutor, *, alone: bool) -> None:
        self._tools = tools
        self._pool = pool
        self._alone = alone
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False

    def nudge(self) -> None:
        """Something may be due. Call from the loop's own thread."""
        self._wake.set()

    async def run(self) -> None:
        """Until `stop`."""
        keeper = asyncio.create_task(self._keep())
        try:
            await self._in_thread(self._recover)
            while not self._stopping:
                await self._round()
        finally:
            keeper.cancel()

    async def stop(self) -> None:
        """Take nothing new, let what is on the wire finish for some seconds, give the lease back."""
        self._stopping = True
        self._wake.set()
        if self._running:
            await asyncio.wait(self._running, timeout=8)
        await self._in_thread(leases.give_back, [claiming.owner_lease()])

    async def _round(self) -> None:
        claims: list[Claim] = []
        acts: list[ModerationClaim] = []
        try:
            claims = await self._in_thread(claiming.claim_due)
            acts = await self._in_thread(moderating.claim_due_moderations)
        except Exception as error:  # the worker loop: a database hiccup must not end the sender
            _log.error("claim_failed", error=type(error).__name__)
        for claim in claims:
            self._spawn(self._send(claim))
        for act in acts:
            self._spawn(self._moderate(act))
        if not claims and not acts:
            try:
                await asyncio.wait_for(self._wake.wait(), POLL_S)
            except TimeoutError:
                pass
            self._wake.clear()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            _log.error("send_task_failed", error=type(task.exception()).__name__)

    async def _send(self, claim: Claim) -> None:
        outgoing, channel, network = await self._in_thread(_load, claim)
        rules = network.effective(channel).outbound
        try:
            sent = await asyncio.wait_for(network.send(outgoing, channel, self._tools), SEND_TIMEOUT_S)
        except ChannelError as error:
            await self._in_thread(
                settling.settle_error, claim, error, max_tries=rules.max_tries, unknown_rule=rules.unknown_outcome
            )
        except Exception as error:  # the worker loop: whatever an adapter raises, we cannot know whether it was posted
            _log.error("send_failed", network=network.slug, delivery=claim.delivery_id, error=type(error).__name__)
            unknown = ChannelError("adapter_failed", type(error).__name__, outcome_unknown=True)
            await self._in_thread(
                settling.settle_error, claim, unknown, max_tries=rules.max_tries, unknown_rule=rules.unknown_outcome
            )
        else:
            crashing.pass_point("send.answered")
            await self._in_thread(settling.settle_sent, claim, sent)

    async def _moderate(self, claim: ModerationClaim) -> None:
        try:
            done = await asyncio.wait_for(self._act(claim), SEND_TIMEOUT_S)
        except ChannelError as error:
            await self._in_thread(moderating.settle_moderation_error, claim, error)
        except Exception as error:  # the worker loop: whatever an adapter raises, we cannot know whether it was done
            _log.error("moderation_failed", channel=claim.channel_id, error=type(error).__name__)
            unknown = ChannelError("adapter_failed", type(error).__name__, outcome_unknown=True)
            await self._in_thread(moderating.settle_moderation_error, claim, unknown)
        else:
            crashing.pass_point("moderate.answered")
            await self._in_thread(moderating.settle_moderated, claim, done)

    async def _act(self, claim: ModerationClaim) -> Moderated:
        act, channel, network = await self._in_thread(_load_act, claim)
        if act.verb != "edit":
            return await network.moderate(act, channel, self._tools)
        platform_id, outgoing = await self._in_thread(moderating.load_edit, claim)
        await network.edit(platform_id, outgoing, channel, self._tools)
        return Moderated()

    async def _look_up(self, delivery_id: int) -> None:
        loaded = await self._in_thread(_load_unknown, delivery_id)
        if loaded is None:
            return
        outgoing, channel, network = loaded
        if network.effective(channel).outbound.unknown_outcome != "lookup":
            return
        try:
            found = await asyncio.wait_for(network.look_up(outgoing, channel, self._tools), SEND_TIMEOUT_S)
        except (ChannelError, TimeoutError, OSError):
            return
        await self._in_thread(settling.settle_found, delivery_id, found)

    async def _keep(self) -> None:
        """Renew our lease, adopt what dead senders left, ask again about what is unknown."""
        last_look_up_s = 0.0
        while True:
            try:
                await self._in_thread(leases.take, [claiming.owner_lease()], lasts_s=claiming.OWNER_LEASE_S)
                await self._in_thread(self._recover)
                if clock.epoch_s() - last_look_up_s >= LOOK_UP_EVERY_S:
                    last_look_up_s = clock.epoch_s()
                    for delivery_id in await self._in_thread(_unknown_ids):
                        await self._look_up(delivery_id)
            except Exception as error:  # the worker loop
                _log.error("sender_keep_failed", error=type(error).__name__)
            await asyncio.sleep(RENEW_S)

    def _recover(self) -> None:
        """What is on the wire of a sender whose lease is over. Alone on the database, every other sender is dead at once."""
        sends = list(
            Attempt.objects.filter(ended_at__isnull=True, delivery__state="sending")
            .exclude(owner=leases.OWNER)
            .select_related("delivery")
        )
        acts = moderating.abandoned_moderations()
        dead = self._dead({one.owner for one in (*sends, *acts)})
        for attempt in sends:
            if attempt.owner in dead:
                settling.settle_abandoned(
                    attempt.delivery_id, safe_retry=_is_safe_to_repeat(attempt.delivery.channel_id)
                )
        for act in acts:
            if act.owner in dead:
                moderating.settle_abandoned_moderation(act)

    def _dead(self, owners: set[str]) -> set[str]:
        """Those whose lease is over."""
        if self._alone or not owners:
            return owners
        names = {claiming.owner_lease(owner): owner for owner in owners}
        alive = Lease.objects.filter(what__in=names, expires_at__gt=clock.now()).values_list("what", flat=True)
        return owners - {names[what] for what in alive}

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def run() -> T:
            refresh_connections()
            return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)


def _load(claim: Claim) -> tuple[Outgoing, ChannelView, Network]:
    outgoing = load_outgoing(claim.delivery_id, claim.attempt)
    channel = access.view_channel(access.channels_by_id([claim.channel_id])[claim.channel_id])
    return outgoing, channel, registry.network(channel.network)


def _load_act(claim: ModerationClaim) -> tuple[ModerationAct, ChannelView, Network]:
    channel = access.view_channel(access.channels_by_id([claim.channel_id])[claim.channel_id])
    return moderating.load_act(claim), channel, registry.network(channel.network)


def _load_unknown(delivery_id: int) -> tuple[Outgoing, ChannelView, Network] | None:
    delivery = Delivery.objects.filter(id=delivery_id, state="unknown").first()
    if delivery is None:
        return None
    return _load(Claim(delivery.id, 0, delivery.tries, delivery.channel_id))


def _unknown_ids() -> list[int]:
    settled_at = clock.now() - timedelta(seconds=LOOK_UP_AGE_S)
    unknown = Delivery.objects.filter(state="unknown").exclude(attempts__started_at__gt=settled_at)
    return list(unknown.order_by("-id").values_list("id", flat=True)[:50])


def _is_safe_to_repeat(channel_id: int) -> bool:
    row = access.channels_by_id([channel_id]).get(channel_id)
    return row is not None and claiming.outbound_rules(row).unknown_outcome == "safe_retry"
