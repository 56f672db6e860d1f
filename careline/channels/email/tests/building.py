"""What the e-mail tests are made of: a channel with a known key, and short ways to make and read a mail."""

from __future__ import annotations

from pathlib import Path

from careline.channels.base import ChannelView, Happening, Part, Said
from careline.channels.email import NETWORK

KEY = b"k" * 32
OWN = "help@aurora.example"
FIXTURES = Path(__file__).parent / "fixtures"


def channel(**settings: object) -> ChannelView:
    """Aurora's mailbox; it trusts mx.aurora.example."""
    given = {"address": OWN, "authserv_id": "mx.aurora.example", **settings}
    return ChannelView(7, 1, "email", OWN, "Help", OWN, given, {}, brand_name="Aurora", signing_key=KEY)


def happenings(raw: bytes, **settings: object) -> list[Happening]:
    """What a bare mail says."""
    return NETWORK.normalise(Part(OWN, "event", "order", raw), channel(**settings))


def said(raw: bytes, **settings: object) -> Said:
    """The one message in a mail."""
    found = [one for one in happenings(raw, **settings) if isinstance(one, Said)]
    assert len(found) == 1
    return found[0]


def mail(body: str = "Hola", **headers: str) -> bytes:
    """A small plain mail; underscores in names stand for dashes, an empty value leaves a header out."""
    given = {
        "From": "Marta Ruiz <marta@cliente.example>",
        "To": OWN,
        "Subject": "Mi maleta",
        "Message-ID": "<m1@cliente.example>",
        "Date": "Mon, 09 Nov 2026 10:30:00 +0100",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    return f"{head}\r\n{body}\r\n".encode()
