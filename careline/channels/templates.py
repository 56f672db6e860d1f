"""Approved texts of platforms that want them after a window: asked for at every connected account, kept, offered to agents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

import msgspec
from django.utils.translation import gettext as _

from careline.channels import access, registry
from careline.channels.base import ChannelView, MessageTemplate, TemplateUse, Tools
from careline.channels.capabilities import AttachmentKind
from careline.channels.models import Channel, Template
from careline.clocks import leases
from careline.errors import ChannelError, InputRefused, NotFound, Unavailable
from careline.events.recording import unit_of_work
from careline.kit import ids
from careline.kit.connections import refresh_connections

SCAN_S = 10.0
ASKED_EVERY_S: Final = 900.0
P = ParamSpec("P")
T = TypeVar("T")


class Templates:
    """Runs in the network loop: every account that needs approved texts is asked for them each quarter of an hour."""

    def __init__(self, tools: Tools, pool: ThreadPoolExecutor) -> None:
        self._tools = tools
        self._pool = pool

    async def run(self) -> None:
        """For ever."""
        while True:
            for channel in await self._in_thread(due_channels):
                await self._ask(channel)
            await asyncio.sleep(SCAN_S)

    async def _ask(self, channel: ChannelView) -> None:
        """A platform that is away keeps what is known."""
        try:
            found = await registry.network(channel.network).templates(channel, self._tools)
        except (ChannelError, Unavailable):
            return
        await self._in_thread(keep_templates, channel, found)

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def run() -> T:
            refresh_connections()
            return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)


def due_channels() -> list[ChannelView]:
    """Accounts to ask now, taken for this process by a lease that nobody gives back. Two statements, and one for each that uses templates."""
    wanted = [channel for channel in access.awake_channels() if _uses_templates(channel)]
    return [one for one in wanted if _take(one.id)]


def _uses_templates(channel: ChannelView) -> bool:
    surfaces = registry.network(channel.network).effective(channel).surfaces
    return any(one.templates_required_after_window or one.initiate == "template" for one in surfaces)


def _take(channel_id: int) -> bool:
    owner = f"{leases.OWNER}-{ids.new_token(6)}"
    return bool(leases.take([f"templates:{channel_id}"], lasts_s=ASKED_EVERY_S, owner=owner))


def keep_templates(channel: ChannelView, found: Sequence[MessageTemplate]) -> None:
    """What the platform has now, instead of what it had. The ids of those that stay, stay."""
    with unit_of_work():
        known = {(row.key, row.language): row for row in Template.objects.filter(channel_id=channel.id)}
        named = {(one.key, one.language): one for one in found}
        Template.objects.filter(id__in=[row.id for place, row in known.items() if place not in named]).delete()
        for place, one in named.items():
            row = known.get(place) or Template(workspace_id=channel.workspace_id, channel_id=channel.id)
            _fill(row, one).save()


def _fill(row: Template, one: MessageTemplate) -> Template:
    row.key, row.name, row.language, row.body = one.key, one.name, one.language, one.body
    row.parameters, row.examples, row.buttons = list(one.parameters), list(one.examples), list(one.buttons)
    row.category, row.heading, row.footer = one.category[:40], one.heading[:300], one.footer[:300]
    row.media = msgspec.to_builtins(one.media) if one.media else {}
    return row


def templates_of(channel: Channel, language: str) -> list[Template]:
    """Those of an account: in this language first, then by name. One statement."""
    rows = Template.objects.filter(workspace_id=channel.workspace_id, channel=channel)
    return sorted(
        rows, key=lambda row: (row.language.partition("-")[0] != language.partition("-")[0], row.name, row.language)
    )


def media_of(row: Template) -> AttachmentKind | None:
    """The kind of file a template begins with."""
    return msgspec.convert(row.media, AttachmentKind) if row.media else None


def fill_template(channel: Channel, template_id: int, values: Sequence[str]) -> tuple[str, TemplateUse]:
    """The words, and what is sent. Raises NotFound for a foreign one, InputRefused where a value is missing. One statement."""
    row = Template.objects.filter(workspace_id=channel.workspace_id, channel=channel, id=template_id).first()
    if row is None:
        raise NotFound("template_not_found", _("This template is no longer approved. Choose another."))
    given = [" ".join(value.split()) for value in values]
    if len(given) != len(row.parameters) or not all(given):
        raise InputRefused("template_value_missing", _("Fill in every field of the template."), field="values")
    as_one = MessageTemplate(row.key, row.name, row.language, row.body, tuple(row.parameters))
    words = as_one.filled(dict(zip(row.parameters, given, strict=True)))
    use = TemplateUse(row.key, row.name, row.language, tuple(row.parameters), tuple(given), media_of(row))
    return "\n".join(part for part in (row.heading, words, row.footer) if part), use
