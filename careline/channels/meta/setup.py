"""Connecting an account of Meta's: the fields all its products ask for, what a token is good for and for how long, and subscribing.

Sources: developers.facebook.com/docs/graph-api/reference/debug_token and .../app/subscriptions (v26.0), read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from careline.channels.base import ChannelView, SettingField, Tools
from careline.channels.meta.calling import GRAPH, Graph, base_of
from careline.errors import ChannelError
from careline.kit import clock, ids


def _(text: str) -> str:
    """Marks a text for the catalogue; the screen that shows it translates."""
    return text


APP_ID: Final = SettingField("app_id", _("App ID"), hint=_("Meta for Developers, your app, App settings, Basic."))
APP_SECRET: Final = SettingField(
    "app_secret", _("App secret"), "secret", hint=_("On the same page. Every delivery is signed with it.")
)
API: Final = SettingField(
    "api", _("API address"), "address", required=False, default=GRAPH, hint=_("With its version. Leave it unless told.")
)


class Token(msgspec.Struct, frozen=True):
    """What debug_token says. Times are seconds since 1970, 0 for never."""

    is_valid: bool = False
    app_id: str = ""
    type: str = ""
    profile_id: str = ""
    expires_at: int = 0
    data_access_expires_at: int = 0
    scopes: tuple[str, ...] = ()

    @property
    def end_at(self) -> datetime | None:
        """When a person must have renewed it; None for never."""
        ends = [at for at in (self.expires_at, self.data_access_expires_at) if at]
        return clock.from_epoch(min(ends)) if ends else None


class _Debugged(msgspec.Struct, frozen=True):
    data: Token


class Subscription(msgspec.Struct, frozen=True):
    object: str
    callback_url: str = ""
    active: bool = True


class _Subscriptions(msgspec.Struct, frozen=True):
    data: tuple[Subscription, ...] = ()


class Done(msgspec.Struct, frozen=True):
    """Most acts are answered so."""

    success: bool = True


def app_graph(channel: ChannelView, tools: Tools) -> Graph:
    """Calls in the app's own name."""
    token = f"{channel.setting('app_id').strip()}|{channel.secrets.get('app_secret', '')}"
    return Graph(channel, tools, base=base_of(channel), token=token)


async def inspect(channel: ChannelView, tools: Tools, needed: Sequence[str]) -> Token:
    """The token, valid, of this app, with the permissions needed. Raises ChannelError."""
    asked = {"input_token": channel.secrets.get("token", "")}
    token = (await app_graph(channel, tools).get("debug_token", _Debugged, **asked)).data
    if not token.is_valid:
        raise ChannelError("token_refused", "Meta does not accept this token.", unauthorised=True)
    if token.app_id != channel.setting("app_id").strip():
        raise ChannelError("app_wrong", "The token belongs to another app.", permanent=True)
    missing = [scope for scope in needed if scope not in token.scopes]
    if missing:
        raise ChannelError("permissions_missing", ", ".join(missing), permanent=True)
    return token


async def subscription(channel: ChannelView, tools: Tools, topic: str) -> Subscription | None:
    """Where this app's news of one product goes. Raises ChannelError."""
    graph = app_graph(channel, tools)
    found = await graph.get(f"{channel.setting('app_id').strip()}/subscriptions", _Subscriptions)
    return next((one for one in found.data if one.object == topic and one.active), None)


async def subscribe(
    channel: ChannelView, hook_url: str, tools: Tools, *, topic: str, fields: Sequence[str], may_differ: bool = False
) -> None:
    """Let the app's news of one product come to `hook_url`. Meta knocks there at once.

    An app has one address for a product: another's is never taken away. `may_differ`: it may stay, an account's own address
    goes before it. Raises ChannelError.
    """
    found = await subscription(channel, tools, topic)
    if found is not None and found.callback_url != hook_url:
        if may_differ:
            return
        raise ChannelError("app_serves_another", "This app delivers to another address.", permanent=True)
    body = {
        "object": topic,
        "callback_url": hook_url,
        "fields": ",".join(fields),
        "verify_token": channel.secrets.get("verify_token", ""),
        "include_values": True,
    }
    await hook_call(app_graph(channel, tools), f"{channel.setting('app_id').strip()}/subscriptions", body)


async def hook_call(graph: Graph, path: str, body: dict[str, object]) -> None:
    """An act in which Meta knocks at our address. Raises ChannelError("hook_refused") where it finds nobody there."""
    try:
        await graph.post(path, body, Done, is_act=False)
    except ChannelError as refused:
        if refused.permanent and refused.code == "refused":
            raise ChannelError("hook_refused", "Meta does not reach our address.", permanent=True) from refused
        raise


def verify_token(channel: ChannelView) -> dict[str, str]:
    """The secret of the handshake: kept, or made."""
    return {"verify_token": channel.secrets.get("verify_token") or ids.new_token()}
