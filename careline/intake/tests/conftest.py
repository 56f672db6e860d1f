"""A network whose raw words are the core's own happenings as JSON: the digest is tested without anybody's dialect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import pytest

from careline.channels import registry
from careline.channels.base import Author, ChannelView, Happening, Network, Outgoing, Part, Said, Sent, Tools
from careline.channels.capabilities import Capabilities, IdentityRule, Inbound, Outbound, Surface
from careline.channels.models import Channel
from careline.conftest import Air
from careline.intake import channel_facts, digest
from careline.intake.journal import row_of, write_rows
from careline.kit import clock, ids

SURFACES = (
    Surface(name="post", visibility="public", clock="public", private_surface="dm"),
    Surface(name="dm", visibility="private", clock="private"),
    Surface(name="email", visibility="private", clock="email", identity=IdentityRule(key="email", scope="global")),
)


class PlainNetwork(Network):
    """`normalise` decodes; `crash:` and `broken:` in a row stand for what adapters do wrong."""

    slug = "plain"
    name = "Plain"
    capabilities = Capabilities(
        proof="A", surfaces=SURFACES, inbound=Inbound(self_echo=True), outbound=Outbound(unknown_outcome="never_retry")
    )

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        if part.raw.startswith(b"broken:"):
            raise ZeroDivisionError
        return msgspec.json.decode(part.raw, type=list[Happening])

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        return Sent(platform_id=f"sent-{outgoing.delivery_id}")


@dataclass
class Mouth:
    """Says things on a channel and has them digested."""

    channel: Channel
    said: list[str] = field(default_factory=list)

    def happen(self, *happenings: Happening, event: str = "", order: str = "") -> str:
        """One journal row."""
        key = event or f"e{ids.new_id()}"
        order_key = order or getattr(happenings[0], "thread_key", "") or "none"
        part = Part(self.channel.account_key, key, order_key, msgspec.json.encode(list(happenings)))
        write_rows([row_of(self.channel.workspace_id, self.channel.id, part)])
        return key

    def say(self, text: str, **more: object) -> Said:
        """A message, digested at once."""
        said = self.prepare(text, **more)
        self.happen(said)
        digest.digest_pending()
        return said

    def prepare(
        self,
        text: str,
        *,
        author: str = "marta",
        thread: str = "t1",
        surface: str = "post",
        at: datetime | None = None,
        **more: object,
    ) -> Said:
        """A message, not said yet."""
        who = more.pop("by", None) or Author(author, handle=f"@{author}", name=author.title())
        platform_id = str(more.pop("platform_id", "") or f"m{ids.new_id()}")
        return Said(
            platform_id=platform_id,
            thread_key=thread,
            surface=surface,
            author=who,
            text=text,
            at=at or clock.now(),
            **more,
        )  # type: ignore[arg-type]


@pytest.fixture
def mouth(air: Air) -> Mouth:
    """Marta's mouth on a channel of the plain network, in team care."""
    return mouth_of(air)


def mouth_of(air: Air, **columns: object) -> Mouth:
    """A channel of the plain network."""
    registry.add_for_tests(PlainNetwork())
    channel_facts.forget()
    from careline.channels.models import Connection

    connection = Connection.objects.create(workspace=air.workspace, network="plain", name="Plain")
    channel = Channel.objects.create(
        workspace=air.workspace,
        connection=connection,
        network="plain",
        account_key="air",
        name="@air",
        brand_id=air.channel.brand_id,
        team=air.care,
        undo_s=0,
        **columns,
    )
    return Mouth(channel)


@pytest.fixture
def digesting() -> Callable[[], int]:
    """Digest what is new."""
    return digest.digest_pending
