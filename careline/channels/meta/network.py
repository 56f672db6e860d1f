"""What the networks of Meta do alike: each names its product and says how its news is cut."""

from __future__ import annotations

from collections.abc import Iterable

from careline.channels.base import ConnectionView, HookAnswer, HookRequest, Network, Part
from careline.channels.meta import hooks


class MetaNetwork(Network):
    """A product of Meta's. `topic` is the `object` of its deliveries."""

    topic: str

    def verify(self, request: HookRequest, connection: ConnectionView) -> None:
        hooks.check_signature(request, connection)

    def answer_challenge(self, request: HookRequest, connection: ConnectionView) -> HookAnswer | None:
        return hooks.answer_challenge(request, connection)

    def split(self, request: HookRequest, connection: ConnectionView) -> list[Part]:
        return hooks.split(request, connection, self.topic, self.cut)

    def cut(self, entry: hooks.Entry) -> Iterable[Part]:
        """One account's news as journal rows. May raise what `hooks.UNREADABLE` names."""
        raise NotImplementedError
