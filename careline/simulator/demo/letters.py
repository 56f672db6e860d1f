"""What other networks would have brought: raw mails, chat words and notes of the desk, as their own doors journal
them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from careline.channels.base import ChannelView, Part
from careline.kit import ids
from careline.simulator.mailroom import Writer, compose_mail
from careline.simulator.records import Persona


def mail_part(channel: ChannelView, person: Persona, address: str, subject: str, text: str, at: datetime) -> Part:
    """A customer's mail, vouched for by the brand's own mail server."""
    from careline.channels.email.inbound import make_part
    from careline.channels.email.wire import Envelope

    writer = Writer(person.name, address, channel.setting("authserv_id"))
    mail = compose_mail(writer, to=channel.setting("address"), subject=subject, text=text, at=at)
    return make_part(channel.account_key, Envelope(received_at=at, size_bytes=len(bytes(mail))), bytes(mail))


def chat_part(channel: ChannelView, person: Persona, text: str, at: datetime) -> Part:
    """A visitor's words in the widget."""
    from careline.channels.webchat.wire import Spoken

    visitor = f"demo{ids.new_id():x}"
    spoken = Spoken(visitor, f"demo{ids.new_id():x}", text, at, name=person.name, page="/help")
    platform_id = f"said:{spoken.visitor}:{spoken.client_id}"
    return Part(channel.account_key, platform_id, f"visitor:{visitor}", msgspec.json.encode(spoken))


def note_part(channel: ChannelView, person: Persona, text: str, at: datetime, *, phone: str, by: str) -> Part:
    """A call that an agent wrote down; the number was verified."""
    from careline.channels.intake_form.wire import Note

    note = Note(f"demo{ids.new_id():x}", "phone", text, at, person.name, phone=phone, is_verified=True, logged_by=by)
    return Part(channel.account_key, f"note:{note.id}", f"note:{note.id}", msgspec.json.encode(note))
