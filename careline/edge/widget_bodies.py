"""What the widget's page may post, typed and checked; anything else is refused with the field named."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta
from starlette.requests import Request

from careline.channels.webchat import inbound, setup, visitors
from careline.channels.webchat.visitors import SiteUser
from careline.edge.bodies import read_body
from careline.edge.doors import Frame
from careline.errors import InputRefused

BODY_LIMIT_BYTES = 64 * 1024
T = TypeVar("T")
ClientId = Annotated[str, Meta(pattern=rf"^{inbound.CLIENT_ID.pattern}$")]
Email = Annotated[str, Meta(max_length=254, pattern=r"^([^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+)?$")]


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Opening(_Body, frozen=True):
    """What a page view begins with: the page's ticket, the tokens the browser kept, and the site's user."""

    page: str
    tokens: Annotated[tuple[Annotated[str, Meta(max_length=4000)], ...], Meta(max_length=visitors.MOST_TOKENS)] = ()
    user: SiteUser = SiteUser()


class Saying(_Body, frozen=True):
    """A message. `website` is a trap: people never see that field."""

    client_id: ClientId
    text: str = ""
    files: Annotated[
        tuple[Annotated[str, Meta(max_length=1000)], ...], Meta(max_length=setup.CHAT.attachments.per_message)
    ] = ()
    name: Annotated[str, Meta(max_length=160)] = ""
    email: Email = ""
    page: Annotated[str, Meta(max_length=1000)] = ""
    website: str = ""


class Seen(_Body, frozen=True):
    """One answer that arrived: its platform id and the receipt that came with it."""

    id: Annotated[str, Meta(max_length=200)]
    receipt: Annotated[str, Meta(max_length=64)]


class Receipts(_Body, frozen=True):
    """Answers that were delivered or read."""

    state: Literal["delivered", "read"]
    seen: Annotated[tuple[Seen, ...], Meta(max_length=50)]


class Address(_Body, frozen=True):
    """Where the visitor wants answers when away."""

    email: Email


async def read(request: Request, kind: type[T]) -> T:
    """The body as `kind`. Raises TooLarge, InputRefused."""
    body = await read_body(request, BODY_LIMIT_BYTES)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as wrong:
        raise InputRefused("body_wrong", str(wrong), field=_field_of(wrong)) from wrong
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise InputRefused("body_wrong", "This is not JSON.", status=400) from wrong


def _field_of(wrong: msgspec.ValidationError) -> str:
    """The field msgspec names at the end: "... - at `$.email`"."""
    _, marked, path = str(wrong).rpartition("$.")
    return path.strip("`") if marked else ""


def check_saying(saying: Saying) -> None:
    """Raises InputRefused for an empty, over-long or automatic message."""
    if saying.website:
        raise InputRefused(
            "looks_automatic", "This looks automatic. If you are a person, reload the page and try again."
        )
    if not saying.text.strip() and not saying.files:
        raise InputRefused("text_missing", "Write something first.", field="text")
    if len(saying.text) > setup.LONGEST_TEXT:
        raise InputRefused("text_too_long", f"At most {setup.LONGEST_TEXT} characters.", field="text")


def page_of(page: str, host: str) -> str:
    """The page the visitor is on, as an address without query, and only on the site the chat was opened on."""
    parts = urlsplit(page)
    return f"{host}{parts.path}"[:400] if f"{parts.scheme}://{parts.netloc}".lower() == host else host


def parse_number(text: str, field: str) -> int:
    """A number of an address. Raises InputRefused."""
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise InputRefused("number_wrong", "This is not a number.", field=field, status=400)
    return int(text)


class _Presence(msgspec.Struct, frozen=True):
    case: str | int = ""
    typing: bool = False
    mode: str = ""


def case_typed_in(frame: Frame) -> int | None:
    """The case an agent types a private answer in; None for any other frame."""
    if frame.type != "presence":
        return None
    try:
        said = msgspec.json.decode(frame.body, type=_Presence)
    except msgspec.DecodeError:
        return None
    is_writing = said.typing and said.mode == "private" and str(said.case).isascii() and str(said.case).isdigit()
    return int(said.case) if is_writing else None
