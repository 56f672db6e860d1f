"""What an administrator fills in to connect a simulated account, and the live check of it."""

from __future__ import annotations

from typing import Final

import msgspec

from careline.channels.base import ChannelView, Health, SettingField, Tools
from careline.channels.simulated import calling, wire
from careline.errors import CarelineError
from careline.kit import http

DEFAULT_GAP_CHECK_S: Final = 60.0


def _(text: str) -> str:
    """Marks a text for the catalogue; the screen that shows it translates."""
    return text


NAME: Final = _("Simulated network")

FIELDS: Final = (
    SettingField("account", _("Account"), hint=_("The account's key on the platform, for example aurora.")),
    SettingField(
        "handle", _("Handle"), required=False, hint=_("What customers write to name it, for example @aurora.")
    ),
    SettingField(
        "api",
        _("API address"),
        "address",
        hint=_("Where the simulated platform answers, for example http://127.0.0.1:8100/api"),
    ),
    SettingField("token", _("Access token"), "secret", hint=_("The bearer token the platform gave to this app.")),
    SettingField(
        "hook_secret", _("Hook secret"), "secret", hint=_("Begins with whsec_; every webhook is signed with it.")
    ),
    SettingField(
        "gap_check_s",
        _("Look for gaps every (seconds)"),
        "number",
        required=False,
        default="60",
        hint=_("0 trusts webhooks alone."),
    ),
    SettingField(
        "sending",
        _("After an unknown outcome"),
        "choice",
        required=False,
        default="lookup",
        choices=(
            ("lookup", _("ask the platform")),
            ("never_retry", _("wait for the echo or a person")),
            ("safe_retry", _("repeat: the platform recognises it")),
        ),
    ),
    SettingField(
        "templates",
        _("Approved templates after a window"),
        "flag",
        required=False,
        hint=_("When no window is open any more, only an approved text may be sent."),
    ),
)


def gap_check_s(channel: ChannelView) -> float:
    """Seconds between looks for gaps; 0 for never."""
    try:
        return max(0.0, float(channel.setting("gap_check_s") or DEFAULT_GAP_CHECK_S))
    except ValueError:
        return DEFAULT_GAP_CHECK_S


def sending(channel: ChannelView) -> str:
    """What the account does after an unknown outcome: lookup, never_retry or safe_retry."""
    return channel.setting("sending") or "lookup"


def wants_templates(channel: ChannelView) -> bool:
    """Whether this account may send approved texts when no window is open."""
    return channel.setting("templates") not in {"", "0", "False", "false"}


async def check(channel: ChannelView, tools: Tools) -> Health:
    """Whether the token works and serves this account."""
    try:
        answer = await http.send_once(
            tools.http, "GET", calling.address(channel, "me"), headers=calling.headers(channel), body=b""
        )
        if answer.status != 200:
            raise calling.refusal(answer)
        accounts = msgspec.json.decode(answer.body, type=wire.Me).accounts
    except (CarelineError, msgspec.DecodeError) as refused:
        return Health(ok=False, code=getattr(refused, "code", "answer_unreadable"), detail=str(refused)[:200])
    return (
        Health(ok=True)
        if channel.account_key in accounts
        else Health(ok=False, code="account_not_served", detail=channel.account_key)
    )
