"""WhatsApp's own words, typed, as far as Careline reads them. Nothing here is interpreted.

Source: developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference (messages/*, smb_message_echoes; updated May to
July 2026), .../business-scoped-user-ids, read 2026-11-22.
"""

from __future__ import annotations

import msgspec


class Metadata(msgspec.Struct, frozen=True):
    display_phone_number: str = ""
    phone_number_id: str = ""


class Profile(msgspec.Struct, frozen=True):
    name: str = ""
    username: str = ""


class Contact(msgspec.Struct, frozen=True):
    """Who writes. `wa_id` is their number, absent for some with a user name; `user_id` names them to this business alone."""

    profile: Profile = Profile()
    wa_id: str = ""
    user_id: str = ""


class Text(msgspec.Struct, frozen=True):
    body: str = ""


class Media(msgspec.Struct, frozen=True):
    id: str = ""
    caption: str = ""
    filename: str = ""
    mime_type: str = ""


class Location(msgspec.Struct, frozen=True):
    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


class CardName(msgspec.Struct, frozen=True):
    formatted_name: str = ""


class Phone(msgspec.Struct, frozen=True):
    phone: str = ""


class Card(msgspec.Struct, frozen=True):
    """A contact that was shared."""

    name: CardName = CardName()
    phones: tuple[Phone, ...] = ()


class Button(msgspec.Struct, frozen=True):
    """`type` and `url` are of a template's button; `url` may hold a parameter."""

    text: str = ""
    type: str = ""
    url: str = ""


class Choice(msgspec.Struct, frozen=True):
    title: str = ""
    description: str = ""
    body: str = ""


class Interactive(msgspec.Struct, frozen=True):
    """`nfm_reply` is a filled-in flow."""

    list_reply: Choice | None = None
    button_reply: Choice | None = None
    nfm_reply: Choice | None = None


class Reaction(msgspec.Struct, frozen=True):
    message_id: str
    emoji: str = ""


class Context(msgspec.Struct, frozen=True):
    """What is answered: a message, or a product of the catalogue."""

    id: str = ""


class Referral(msgspec.Struct, frozen=True):
    """The advertisement or post that led here."""

    source_url: str = ""
    headline: str = ""
    body: str = ""


class Item(msgspec.Struct, frozen=True):
    product_retailer_id: str = ""
    quantity: int = 0
    item_price: float = 0
    currency: str = ""


class Order(msgspec.Struct, frozen=True):
    text: str = ""
    product_items: tuple[Item, ...] = ()


class System(msgspec.Struct, frozen=True):
    type: str = ""
    wa_id: str = ""
    user_id: str = ""


class Changed(msgspec.Struct, frozen=True):
    """An edit, or a revocation, of an earlier message. Both only reach numbers that the Business app uses too."""

    original_message_id: str
    message: Message | None = None


class Message(msgspec.Struct, frozen=True):
    """`to` and `to_user_id` stand in echoes: what was written in the Business app."""

    type: str = ""
    id: str = ""
    timestamp: str = "0"
    sender: str = msgspec.field(name="from", default="")
    from_user_id: str = ""
    to: str = ""
    to_user_id: str = ""
    group_id: str = ""
    text: Text | None = None
    image: Media | None = None
    video: Media | None = None
    audio: Media | None = None
    document: Media | None = None
    sticker: Media | None = None
    location: Location | None = None
    contacts: tuple[Card, ...] = ()
    button: Button | None = None
    interactive: Interactive | None = None
    reaction: Reaction | None = None
    context: Context | None = None
    referral: Referral | None = None
    order: Order | None = None
    system: System | None = None
    edit: Changed | None = None
    revoke: Changed | None = None


class Details(msgspec.Struct, frozen=True):
    details: str = ""


class Problem(msgspec.Struct, frozen=True):
    code: int = 0
    title: str = ""
    error_data: Details = Details()


class Status(msgspec.Struct, frozen=True):
    """How a message of ours fares. `biz_opaque_callback_data` is what we sent along."""

    id: str
    status: str
    timestamp: str = "0"
    recipient_id: str = ""
    recipient_user_id: str = ""
    biz_opaque_callback_data: str = ""
    errors: tuple[Problem, ...] = ()


class Value(msgspec.Struct, frozen=True):
    """What a change holds. Messages and statuses stay raw: each becomes a journal row of its own."""

    metadata: Metadata = Metadata()
    contacts: tuple[Contact, ...] = ()
    messages: tuple[msgspec.Raw, ...] = ()
    message_echoes: tuple[msgspec.Raw, ...] = ()
    statuses: tuple[msgspec.Raw, ...] = ()


class Row(msgspec.Struct, frozen=True):
    """A journal row: one message or status, and who it is about."""

    kind: str
    event: msgspec.Raw
    contact: Contact = Contact()
    us: str = ""


class Accepted(msgspec.Struct, frozen=True):
    id: str


class Reached(msgspec.Struct, frozen=True):
    """The number as WhatsApp writes it, whatever was typed."""

    wa_id: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What a send is answered with."""

    messages: tuple[Accepted, ...]
    contacts: tuple[Reached, ...] = ()


class MediaPlace(msgspec.Struct, frozen=True):
    url: str


class Number(msgspec.Struct, frozen=True):
    """The account: a phone number."""

    id: str
    display_phone_number: str = ""
    verified_name: str = ""


class App(msgspec.Struct, frozen=True):
    id: str = ""


class Subscribed(msgspec.Struct, frozen=True):
    whatsapp_business_api_data: App = App()
    override_callback_uri: str = ""


class SubscribedApps(msgspec.Struct, frozen=True):
    data: tuple[Subscribed, ...] = ()


class NamedExample(msgspec.Struct, frozen=True):
    param_name: str = ""
    example: str = ""


class Examples(msgspec.Struct, frozen=True):
    """One value for each parameter: by place, or by name."""

    body_text: tuple[tuple[str, ...], ...] = ()
    body_text_named_params: tuple[NamedExample, ...] = ()


class Component(msgspec.Struct, frozen=True):
    type: str
    example: Examples = Examples()
    format: str = ""
    text: str = ""
    buttons: tuple[Button, ...] = ()


class Template(msgspec.Struct, frozen=True):
    name: str
    language: str
    status: str = ""
    category: str = ""
    components: tuple[Component, ...] = ()
    parameter_format: str = "POSITIONAL"


class Cursors(msgspec.Struct, frozen=True):
    after: str = ""


class Paging(msgspec.Struct, frozen=True):
    cursors: Cursors = Cursors()
    next: str = ""


class Templates(msgspec.Struct, frozen=True):
    data: tuple[Template, ...] = ()
    paging: Paging = Paging()
