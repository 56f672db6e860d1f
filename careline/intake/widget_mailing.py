"""Answers a visitor did not come back to read also go to the address they left, as one mail whose reply joins the same case.

The address is unproven: it gets what was answered in this very thread, nothing of the person's other conversations, and a few mails at most.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

from django.utils import translation
from django.utils.translation import gettext as _

from careline.cases.changing import changes_of
from careline.cases.models import Case
from careline.channels import access, registry
from careline.channels.capabilities import Surface
from careline.channels.models import Channel
from careline.channels.webchat.setup import mail_after_min
from careline.clocks.firing import on
from careline.clocks.models import Clock
from careline.clocks.setting import due, set_clocks
from careline.events.recording import UnitOfWork
from careline.intake.widget_history import stated_address
from careline.kit import clock
from careline.outbox.models import Delivery
from careline.threads.models import Message, Thread
from careline.threads.starting import start_thread

KIND: Final = "webchat_mail"
LOOK_EVERY: Final = timedelta(minutes=1)
# The address is looked after as long as an answer can be expected; every new message begins this anew.
LOOK_FOR: Final = timedelta(days=7)
MOST_MAILS: Final = 20
MAILED: Final = "mailed"


def look_after(thread: Thread) -> None:
    """Inside a unit of work: from now on, watch for answers that stay unread."""
    until = (clock.now() + LOOK_FOR).isoformat()
    set_clocks([due(thread.workspace_id, KIND, thread.id, clock.now() + LOOK_EVERY, facts={"until": until})])


@on(KIND)
def mail_unread(work: UnitOfWork, fired: Clock) -> None:
    """Mail what was sent and not read in time, then look again in a minute."""
    thread = Thread.objects.filter(id=fired.subject_id, workspace_id=fired.workspace_id).first()
    if thread is None or clock.now() > clock.parse_iso(str(fired.facts["until"])):
        return
    set_clocks([due(thread.workspace_id, KIND, thread.id, clock.now() + LOOK_EVERY, facts=fired.facts)])
    channel = access.channels_by_id([thread.channel_id]).get(thread.channel_id)
    address = stated_address(thread)
    if channel is None or not address:
        return
    unread = _unread(thread, mail_after_min(access.view_channel(channel)))
    found = _mail_channel(channel) if unread else None
    if found is not None:
        _mail(work, thread, address, unread, *found)


def _unread(thread: Thread, after_min: int) -> list[Delivery]:
    """Answers sent at least `after_min` ago, never read, never mailed: oldest first. One statement, and a lock on each."""
    if not after_min:
        return []
    sent_before = clock.now() - timedelta(minutes=after_min)
    waiting = Delivery.objects.select_for_update(of=("self",)).select_related("message").order_by("id")
    found = waiting.filter(thread_id=thread.id, state__in=["sent", "delivered"], sent_at__lte=sent_before)
    return [one for one in found if MAILED not in one.facts and one.message.deleted_at is None]


def _mail_channel(chat: Channel) -> tuple[Channel, Surface] | None:
    """A channel that may write first to an e-mail address: of the chat's own brand when there is one."""
    rows = (
        Channel.objects.select_related("connection", "brand")
        .filter(workspace_id=chat.workspace_id)
        .exclude(state="off")
    )
    own_first = sorted(rows, key=lambda row: (row.brand_id != chat.brand_id, row.id))
    for row in own_first:
        network = registry.networks().get(row.network)
        surfaces = network.effective(access.view_channel(row)).surfaces if network is not None else ()
        for surface in surfaces:
            if surface.identity.key == "email" and surface.initiate == "free" and not surface.is_public:
                return row, surface
    return None


def _mail(
    work: UnitOfWork, thread: Thread, address: str, unread: list[Delivery], channel: Channel, surface: Surface
) -> None:
    case_id = unread[-1].case_id or 0
    case = Case.objects.select_for_update().filter(id=case_id, workspace_id=thread.workspace_id).first()
    if case is None or Delivery.objects.filter(case_id=case.id, facts__has_key="webchat_thread").count() >= MOST_MAILS:
        return
    mail_thread = _thread(thread, case, channel, surface)
    message = Message.objects.create(
        workspace_id=thread.workspace_id,
        thread=mail_thread,
        channel_id=channel.id,
        case_id=case.id,
        direction="outbound",
        surface=surface.name,
        author_name=channel.brand.name,
        text=_text(unread, case.language or channel.workspace.locale),
        language=case.language,
        automatic="notification",
        facts={"to": [address], "webchat_thread": str(thread.id)},
        at=clock.now(),
    )
    Delivery.objects.create(
        workspace_id=thread.workspace_id,
        channel_id=channel.id,
        thread_id=mail_thread.id,
        case_id=case.id,
        message=message,
        recipient=address,
        author_kind="machine",
        idempotency_key=_key(unread),
        facts={"to": [address], "subject": mail_thread.subject, "webchat_thread": str(thread.id)},
    )
    for delivery in unread:
        delivery.facts = {**delivery.facts, MAILED: str(message.id)}
        delivery.save(update_fields=["facts"])
    for change in changes_of(work, [case], None):
        change.record("message.written", message_id=message.id, thread_id=mail_thread.id)


def _thread(thread: Thread, case: Case, channel: Channel, surface: Surface) -> Thread:
    """One mail conversation for one case and chat; its replies join the case because the thread is bound to it."""
    earlier = Delivery.objects.filter(case_id=case.id, channel_id=channel.id, facts__webchat_thread=str(thread.id))
    known = Thread.objects.filter(id__in=earlier.values("thread_id")).order_by("id").first()
    if known is not None:
        return known
    with translation.override(case.language or channel.workspace.locale):
        subject = _("Your chat with %(brand)s") % {"brand": channel.brand.name}
    return start_thread(thread.workspace_id, channel.id, surface.name, subject=subject, case_id=case.id)


def _text(unread: list[Delivery], language: str) -> str:
    with translation.override(language):
        before = _("You left the chat before this answer came:")
        after = _("Reply to this e-mail and the conversation goes on.")
    said = "\n\n".join(f"{one.message.author_name}: {one.message.text}" for one in unread)
    return f"{before}\n\n{said}\n\n{after}"


def _key(unread: list[Delivery]) -> str:
    named = ",".join(one.idempotency_key for one in unread)
    return f"webchat-mail:{hashlib.blake2b(named.encode(), digest_size=20).hexdigest()}"
