"""What a feed can do: it is read, and nothing else. The page it came from is where we answer."""

from __future__ import annotations

from typing import Final

from careline.channels.capabilities import (
    Capabilities,
    DeleteRule,
    EditRule,
    IdentityRule,
    Inbound,
    Lifecycle,
    Outbound,
    Surface,
    Threading,
)


def _surface(name: str) -> Surface:
    return Surface(
        name=name,
        visibility="public",
        reply_rule="none",
        threading=Threading("tree"),
        identity=IdentityRule(key="author in the feed", scope="channel"),
        edit=EditRule(in_event=True),
        delete=DeleteRule(in_event=True, duty="on_event"),
        answer_here=False,
        clock="public",
    )


CAPABILITIES: Final = Capabilities(
    proof="A",
    surfaces=(_surface("post"), _surface("comment")),
    auth=("none",),
    inbound=Inbound(
        modes=("poll",),
        verify="none",
        signed_bytes="none",
        ordered="per_thread",
        batch=True,
        dedupe_key="item id and its version",
        gap="cursor",
        self_echo=True,
    ),
    outbound=Outbound(unknown_outcome="never_retry", rate_signal="none", max_tries=1),
    lifecycle=Lifecycle(health_check=True),
)
