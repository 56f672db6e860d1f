"""Web chat as the registry sees it. An answer is in the database already; sending it means letting the visitor's stream show it."""

from __future__ import annotations

from careline.channels.base import ChannelView, Happening, Network, Outgoing, Part, Sent, Tools
from careline.channels.webchat import inbound, setup, typing_board
from careline.kit import clock


class WebChatNetwork(Network):
    """The widget on a site."""

    slug = "webchat"
    name = "Web chat"
    icon = "message-circle"
    fields = setup.FIELDS
    capabilities = setup.CAPABILITIES

    def normalise(self, part: Part, channel: ChannelView) -> list[Happening]:
        return inbound.normalise(part)

    async def send(self, outgoing: Outgoing, channel: ChannelView, tools: Tools) -> Sent:
        """Idempotent: the id comes from the delivery. The stream shows a message once its delivery is sent, so undo and holds are kept."""
        return Sent(platform_id=f"answer:{outgoing.idempotency_key}", at=clock.now())

    def page_tag(self, base_url: str, hook_token: str) -> str:
        return setup.script_tag(base_url, hook_token)

    async def show_typing(self, thread_key: str, channel: ChannelView, tools: Tools) -> None:
        typing_board.tell(channel.id, thread_key)


NETWORK = WebChatNetwork()
