"""The intake form as the registry sees it: it listens to people who listened, and never answers."""

from __future__ import annotations

import msgspec

from careline.channels.base import (
    Author,
    ChannelError,
    ChannelView,
    ForeignPayload,
    Happening,
    Network,
    Outgoing,
    Part,
    Said,
    Sent,
    SettingField,
    Tools,
)
from careline.channels.capabilities import Capabilities, IdentityRule, Inbound, Lifecycle, Outbound, Surface
from careline.channels.intake_form.wire import SURFACES, Note


def _surface(name: str) -> Surface:
    return Surface(
        name=name,
        visibility="private",
        reply_rule="none",
        identity=IdentityRule(key="phone", scope="channel"),
        answer_here=False,
        clock="log",
    )


def _(text: str) -> str:
    """Marks a text for the catalogue; the screen that shows it translates."""
    return text


class IntakeFormNetwork(Network):
    """Phone, counter and partner notes."""

    slug = "intake_form"
    name = _("Phone and counter")
    icon = "phone"
    fields = (
        SettingField(
            "region",
            _("Country of phone numbers written without prefix"),
            required=False,
            hint=_("Two letters, such as ES. Without it numbers must begin with +."),
        ),
    )
    capabilities = Capabilities(
        proof="A",
        surfaces=tuple(_surface(name) for name in SURFACES.values()),
        inbound=Inbound(
            modes=("form",), verify="none", signed_bytes="none", ordered="per_thread", dedupe_key="note id"
        ),
        outbound=Outbound(unknown_outcome="safe_retry", rate_signal="none", max_tries=1),
        lifecycle=Lifecycle(health_check=False),
    )

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        try:
            note = msgspec.json.decode(part.raw, type=Note)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
            raise ForeignPayload(f"Not a note of the form: {wrong}") from wrong
        return [_said(note)]

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        raise ChannelError(
            "no_answer_here",
            "A call or a visit cannot be answered here. Call back, or write on another channel.",
            permanent=True,
        )


def _said(note: Note) -> Said:
    key = f"note:{note.id}"
    return Said(
        platform_id=key,
        thread_key=key,
        surface=SURFACES[note.kind],
        author=Author(
            key=_author_key(note),
            handle=note.handle or note.phone or note.email,
            name=note.name,
            proven_keys=(("phone", note.phone),) if note.is_verified and note.phone else (),
        ),
        text=note.text,
        at=note.at,
        facts=_facts(note),
        on_behalf=True,
    )


def _author_key(note: Note) -> str:
    """The same number, address or handle is the same identity. A bare name proves nothing: each note gets its own."""
    for kind, value in (("phone", note.phone), ("email", note.email), ("handle", note.handle.lower())):
        if value:
            return f"{kind}:{value}"
    return f"note:{note.id}"


def _facts(note: Note) -> dict[str, str]:
    facts = {
        "logged_by": note.logged_by,
        "booking_reference": note.booking_reference,
        "field.booking_reference": note.booking_reference,
        "stated_phone": "" if note.is_verified else note.phone,
        "stated_email": note.email,
        "call_back_at": note.call_back_at.isoformat() if note.call_back_at else "",
    }
    return {name: value for name, value in facts.items() if value}


NETWORK = IntakeFormNetwork()
