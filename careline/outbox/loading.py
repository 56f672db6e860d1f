"""A claimed delivery as its network wants it: one Outgoing, complete, with files read only when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from careline.channels import access, registry
from careline.channels.base import Outgoing, OutgoingFile, TemplateUse
from careline.channels.capabilities import Surface, Threading
from careline.channels.models import Channel
from careline.files import storing
from careline.outbox.models import Delivery
from careline.outbox.parting import reply_to_of, text_of
from careline.people.models import Identity
from careline.threads.models import Attachment, Message
from careline.threads.starting import wire_key
from careline.workspaces.models import Agent

REFERENCES_KEPT = 20


def load_outgoing(delivery_id: int, attempt: int) -> Outgoing:
    """Nine statements at most. Raises Delivery.DoesNotExist."""
    delivery = Delivery.objects.select_related("message", "message__thread").get(id=delivery_id)
    message, thread = delivery.message, delivery.message.thread
    if thread is None:
        raise Delivery.DoesNotExist
    facts = {str(key): str(value) for key, value in delivery.facts.items() if isinstance(value, str | int)}
    return Outgoing(
        delivery_id=delivery.id,
        idempotency_key=delivery.idempotency_key,
        attempt=attempt,
        surface=message.surface,
        thread_id=thread.id,
        thread_key=wire_key(thread),
        recipient=delivery.recipient,
        text=text_of(delivery) + (_signature(message) if delivery.parts == 1 else ""),
        author_kind="machine" if delivery.author_kind == "machine" else "human",
        html=message.html,
        subject=facts.get("subject", thread.subject),
        reply_to=reply_to_of(delivery, _threading(message)) if delivery.parts > 1 else message.reply_to,
        references=_references(thread.id, message),
        to=_addresses(delivery.facts.get("to")),
        copied=_addresses(delivery.facts.get("copied")),
        files=tuple(
            _file(attachment)
            for attachment in Attachment.objects.select_related("file").filter(message=message).order_by("id")
            if delivery.part == 1
        ),
        agent_name=message.author_name,
        language=message.language,
        facts=facts,
        written_at=message.at,
        answers_comment=facts.get("from_message", ""),
        template=_template(delivery.facts.get("template")),
    )


def _template(kept: object) -> TemplateUse | None:
    return msgspec.convert(kept, TemplateUse) if kept else None


def _signature(message: Message) -> str:
    """What a letter ends with: the agent's own signature, else the brand's, below the usual `-- ` line (RFC 3676, section 4.3).

    Only where letters are written (mail threading), and only below what a human wrote.
    """
    row = access.channels_by_id([message.channel_id or 0]).get(message.channel_id or 0)
    if row is None or message.author_agent_id is None or not _writes_letters(row, message.surface):
        return ""
    own = Agent.objects.filter(id=message.author_agent_id).values_list("signature", flat=True).first() or ""
    words = (own or row.brand.mail_signature or row.brand.sign_off).strip()
    return f"\n\n-- \n{words}" if words and words not in message.text else ""


def _writes_letters(row: Channel, surface: str) -> bool:
    found = _surface(row, surface)
    return found is not None and found.threading.model == "email_refs"


def _threading(message: Message) -> Threading | None:
    row = access.channels_by_id([message.channel_id or 0]).get(message.channel_id or 0)
    found = _surface(row, message.surface) if row else None
    return found.threading if found else None


def _surface(row: Channel, name: str) -> Surface | None:
    surfaces = registry.network(row.network).effective(access.view_channel(row)).surfaces
    return next((one for one in surfaces if one.name == name), None)


def _references(thread_id: int, message: Message) -> tuple[str, ...]:
    earlier = (
        Message.objects.filter(thread_id=thread_id, platform_id__isnull=False, id__lt=message.id)
        .order_by("-at")
        .values_list("platform_id", flat=True)
    )
    return tuple(str(one) for one in reversed(list(earlier[:REFERENCES_KEPT])))


def _addresses(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def _file(attachment: Attachment) -> OutgoingFile:
    stored = attachment.file
    return OutgoingFile(
        name=attachment.name,
        content_type=stored.content_type if stored else "application/octet-stream",
        size_bytes=stored.size_bytes if stored else 0,
        read=_reader(attachment.workspace_id, attachment.file_id or 0),
        content_id=attachment.content_id,
        alt_text=attachment.alt_text,
    )


def _reader(workspace_id: int, file_id: int) -> Callable[[], Awaitable[bytes]]:
    async def read() -> bytes:
        return (await asyncio.to_thread(storing.read_file, workspace_id, file_id))[1]

    return read


def recipient_of(identity: Identity) -> str:
    """What a delivery to this identity is addressed to."""
    return identity.key
