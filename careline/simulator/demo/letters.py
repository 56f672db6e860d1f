"""What other networks would have brought: raw mails, chat words and notes of the desk, as their own doors journal
them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from careline.channels import registry
from careline.channels.base import ChannelView, ConnectionView, HookRequest, Part
from careline.kit import clock, ids
from careline.simulator.mailroom import Writer, compose_mail
from careline.simulator.records import Persona


def mail_part(channel: ChannelView, person: Persona, address: str, subject: str, text: str, at: datetime) -> Part:
    """A customer's mail that arrives at `at`, vouched for by the brand's own mail server, through the HTTP intake."""
    writer = Writer(person.name, address, channel.setting("authserv_id"))
    mail = compose_mail(writer, to=channel.setting("address"), subject=subject, text=text, at=at)
    pushed = HookRequest("POST", "", {"content-type": "message/rfc822"}, bytes(mail))
    mailbox = ConnectionView(0, channel.workspace_id, "email", {}, {channel.account_key: channel.id})
    with clock.travel(at - clock.now()):
        return registry.network("email").split(pushed, mailbox)[0]


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
