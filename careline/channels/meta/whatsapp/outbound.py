"""From Careline to WhatsApp: texts, files, templates and reactions.

Source: developers.facebook.com/documentation/business-messaging/whatsapp/messages/* and .../templates/, read 2026-11-22; the request examples of
Meta's OpenAPI description v23.0 (2025-11-21).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from careline.channels.base import (
    ChannelView,
    FileSource,
    MessageTemplate,
    Moderated,
    ModerationAct,
    Outgoing,
    OutgoingFile,
    Sent,
    TemplateUse,
    Tools,
)
from careline.channels.capabilities import AttachmentKind
from careline.channels.meta.calling import Graph
from careline.channels.meta.setup import Done
from careline.channels.meta.whatsapp import wire
from careline.channels.meta.whatsapp.inbound import FILE
from careline.channels.meta.whatsapp.rules import (
    AUDIO,
    CAPABILITIES,
    CAPTION_CHARS,
    IMAGES,
    TEMPLATE_MEDIA,
    VIDEOS,
)
from careline.errors import ChannelError
from careline.kit import counting
from careline.kit.multipart import Upload

MOST_PAGES: Final = 10
_PHONE: Final = re.compile(r"\+?[0-9]{6,15}")
_PARTS: Final = {"HEADER", "FOOTER", "BUTTONS"}
# Buttons that take a value at each sending: a coupon's code, a one-time password (whatsapp/templates/, read 2026-11-22).
_ASKING_BUTTONS: Final = {"COPY_CODE", "OTP"}
_PARAMETER: Final = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
Body = dict[str, object]


async def send(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
    """Hand over one message; then what it answers is marked as read. Raises ChannelError."""
    content = await _content(outgoing, channel, tools)
    body = {**_envelope(outgoing), **content}
    graph = Graph(channel, tools)
    answer = await graph.post(f"{channel.account_key}/messages", body, wire.Answer)
    if not answer.messages:
        raise ChannelError("answer_unreadable", "WhatsApp named no message.", outcome_unknown=True)
    await _mark_read(outgoing.reply_to, channel, graph)
    reached = answer.contacts[0].wa_id if answer.contacts else ""
    return Sent(answer.messages[0].id, thread_key=outgoing.thread_key or reached or outgoing.recipient.lstrip("+"))


def _envelope(outgoing: Outgoing) -> Body:
    """`biz_opaque_callback_data` comes back with each sign of arrival, so an unknown outcome is settled by it.

    Nothing is quoted: between two people that would only repeat their words.
    """
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_addressed(outgoing.thread_key or outgoing.recipient),
        "biz_opaque_callback_data": outgoing.idempotency_key,
    }


def _addressed(key: str) -> Body:
    """A number as `to`, a business-scoped id as `recipient`."""
    return {"to": key.removeprefix("+")} if _PHONE.fullmatch(key) else {"recipient": key}


async def _content(outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Body:
    if outgoing.template is not None:
        return {"type": "template", "template": await _template(outgoing, outgoing.template, channel, tools)}
    if not outgoing.files:
        if not CAPABILITIES.surface("dm").text.fits(outgoing.text):
            raise ChannelError("text_too_long", "At most 4096 characters.", permanent=True)
        return {"type": "text", "text": {"body": outgoing.text, "preview_url": True}}
    if counting.measure(outgoing.text, "utf16") > CAPTION_CHARS:
        raise ChannelError("caption_too_long", "At most 1024 characters with a file.", permanent=True)
    return await _file(outgoing.files[0], outgoing.text, channel, tools)


async def _template(outgoing: Outgoing, use: TemplateUse, channel: ChannelView, tools: Tools) -> Body:
    """The file of the heading first; numbered parameters go by their place, named ones with their name."""
    heading = [await _heading(outgoing.files, use.media, channel, tools)] if use.media else []
    components = [*heading, *_filled(use)]
    body: Body = {"name": use.name, "language": {"code": use.language.replace("-", "_"), "policy": "deterministic"}}
    return {**body, "components": components} if components else body


async def _heading(files: Sequence[OutgoingFile], media: AttachmentKind, channel: ChannelView, tools: Tools) -> Body:
    """Uploaded like any file, and named by its id; a document by its name too, which the customer reads."""
    if not files:
        raise ChannelError("template_wrong", "This template begins with a file, and there is none.", permanent=True)
    file = files[0]
    shown = {
        "id": await _uploaded(file, channel, tools),
        **({"filename": file.name} if media.kind == "document" else {}),
    }
    return {"type": "header", "parameters": [{"type": media.kind, media.kind: shown}]}


def _filled(use: TemplateUse) -> list[Body]:
    named = not all(name.isdecimal() for name in use.parameters)
    given = [
        {"type": "text", "parameter_name": name if named else None, "text": value}
        for name, value in zip(use.parameters, use.values, strict=True)
    ]
    filled = [{key: value for key, value in one.items() if value is not None} for one in given]
    return [{"type": "body", "parameters": filled}] if filled else []


async def _file(file: OutgoingFile, text: str, channel: ChannelView, tools: Tools) -> Body:
    """Sound bears no caption, so with words it goes as a document."""
    kind = _kind(file.content_type, has_text=bool(text))
    named = {"filename": file.name} if kind == "document" else {}
    shown = {"id": await _uploaded(file, channel, tools), **named, **({"caption": text} if text else {})}
    return {"type": kind, kind: shown}


async def _uploaded(file: OutgoingFile, channel: ChannelView, tools: Tools) -> str:
    """The id under which WhatsApp keeps it."""
    form = Upload("file", file.name, file.content_type, await file.read())
    fields = {"messaging_product": b"whatsapp", "type": file.content_type.encode()}
    return (await Graph(channel, tools).upload(f"{channel.account_key}/media", fields, form, wire.Accepted)).id


def _kind(content_type: str, *, has_text: bool) -> str:
    if content_type in IMAGES:
        return "image"
    if content_type in VIDEOS:
        return "video"
    return "audio" if content_type in AUDIO and not has_text else "document"


async def _mark_read(message_id: str, channel: ChannelView, graph: Graph) -> None:
    """The customer sees that what we answer was read. Best effort: the answer is out already."""
    if not message_id:
        return
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
    try:
        await graph.post(f"{channel.account_key}/messages", body, Done, is_act=False)
    except ChannelError:
        return


async def moderate(act: ModerationAct, channel: ChannelView, tools: Tools) -> Moderated:
    """React, or take it back: a business has one reaction on a message."""
    if act.verb not in {"react", "unreact"}:
        raise ChannelError("no_moderation", "WhatsApp cannot do that.", permanent=True)
    body = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_addressed(act.thread_key),
        "type": "reaction",
        "reaction": {"message_id": act.platform_id, "emoji": act.emoji if act.verb == "react" else ""},
    }
    await Graph(channel, tools).post(f"{channel.account_key}/messages", body, wire.Answer)
    return Moderated()


async def locate_file(address: str, channel: ChannelView, tools: Tools) -> FileSource:
    """An address that lives five minutes and wants the token."""
    graph = Graph(channel, tools)
    place = await graph.get(address.removeprefix(FILE), wire.MediaPlace, phone_number_id=channel.account_key)
    return FileSource(
        place.url, {"authorization": f"Bearer {channel.secrets.get('token', '')}", "user-agent": "Careline"}
    )


async def templates(channel: ChannelView, tools: Tools) -> tuple[MessageTemplate, ...]:
    """Approved ones whose parameters stand in their body, and whose heading is words or a file. Raises ChannelError."""
    graph, found, after = Graph(channel, tools), list[MessageTemplate](), ""
    for _ in range(MOST_PAGES):
        query = {"fields": "name,language,status,category,components,parameter_format", "limit": "100"}
        path = f"{channel.setting('waba_id')}/message_templates"
        page = await graph.get(path, wire.Templates, **query, **({"after": after} if after else {}))
        found += [_offered(one) for one in page.data if one.status == "APPROVED" and _is_fillable(one)]
        after = page.paging.cursors.after if page.paging.next else ""
        if not after:
            break
    return tuple(found)


def _is_fillable(template: wire.Template) -> bool:
    """A place or a GIF in the heading, cards, or a parameter outside the body, would need what the composer does not ask for."""
    return all(_is_plain(one) for one in template.components if one.type.upper() != "BODY")


def _is_plain(part: wire.Component) -> bool:
    if part.type.upper() not in _PARTS or part.format not in {"", "TEXT", *TEMPLATE_MEDIA}:
        return False
    wants_more = any(_PARAMETER.search(one.url) or one.type.upper() in _ASKING_BUTTONS for one in part.buttons)
    return not wants_more and not _PARAMETER.search(part.text)


def _offered(template: wire.Template) -> MessageTemplate:
    parts = {one.type.upper(): one for one in template.components}
    body = _PARAMETER.sub(r"{{\1}}", parts["BODY"].text) if "BODY" in parts else ""
    parameters = tuple(dict.fromkeys(_PARAMETER.findall(body)))
    return MessageTemplate(
        key=f"{template.name}:{template.language}",
        name=template.name,
        language=template.language.replace("_", "-"),
        body=body,
        parameters=parameters,
        examples=_examples(parts["BODY"], parameters) if "BODY" in parts else (),
        category=template.category.lower(),
        heading=parts["HEADER"].text if "HEADER" in parts else "",
        footer=parts["FOOTER"].text if "FOOTER" in parts else "",
        buttons=tuple(one.text for one in parts["BUTTONS"].buttons) if "BUTTONS" in parts else (),
        media=TEMPLATE_MEDIA.get(parts["HEADER"].format) if "HEADER" in parts else None,
    )


def _examples(body: wire.Component, parameters: tuple[str, ...]) -> tuple[str, ...]:
    by_place = dict(zip(parameters, (body.example.body_text or ((),))[0], strict=False))
    named = {one.param_name: one.example for one in body.example.body_text_named_params}
    return tuple({**by_place, **named}.get(name, "") for name in parameters)


def address_problem(value: str) -> str:
    """Digits with their country, or a business-scoped id."""
    is_id = re.fullmatch(r"[A-Z]{2}\.[A-Za-z0-9.]{1,140}", value.strip())
    return "" if is_id or _PHONE.fullmatch(re.sub(r"[\s()./-]", "", value)) else "address_wrong"
