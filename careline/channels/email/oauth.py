"""Access tokens for XOAUTH2: fetched with a refresh token or as an application, kept in memory until shortly before
they end.

Sources: Google "OAuth 2.0 Mechanism" (developers.google.com/gmail/imap/xoauth2-protocol) and Microsoft "Authenticate an
IMAP, POP or SMTP connection using OAuth" (learn.microsoft.com), both read 2026-11-21.
"""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import urlencode

import aiohttp
import msgspec

from careline.channels.base import ChannelView, Renewed, Tools
from careline.errors import CarelineError, ChannelError
from careline.kit import clock

GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
MICROSOFT_TOKEN_URL = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"  # noqa: S105 - an address
MICROSOFT_SCOPE = "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access"
MICROSOFT_APPLICATION_SCOPE = "https://outlook.office365.com/.default"
_RENEW_BEFORE_S = 120
_MAX_CACHED = 2000
_PERMANENT = frozenset(
    {
        "invalid_grant",
        "invalid_client",
        "unauthorized_client",
        "invalid_scope",
        "access_denied",
        "unsupported_grant_type",
    }
)


class _Answer(msgspec.Struct):
    access_token: str = ""
    expires_in: int = 3600
    refresh_token: str = ""
    error: str = ""


class _Token(msgspec.Struct, frozen=True):
    value: str
    until_s: float


_cache: dict[str, _Token] = {}


async def access_token(channel: ChannelView, tools: Tools) -> str:
    """A token that is good for at least two minutes. Raises ChannelError: `unauthorised` where the refresh token or app
    was refused.
    """
    known = _known(channel)
    if known or not channel.secrets.get("oauth_refresh_token"):
        return known or await _fetch_and_remember(channel, tools)
    # A refresh token may be good for one use: renewed by one task at a time, and the new one stored before it is needed.
    renewed = await tools.renew(channel, lambda present: _renew(present, tools))
    return _known(renewed) or await _fetch_and_remember(renewed, tools)


def _known(channel: ChannelView) -> str:
    token = _cache.get(_cache_name(channel))
    return token.value if token is not None and token.until_s - _RENEW_BEFORE_S > clock.epoch_s() else ""


async def _fetch_and_remember(channel: ChannelView, tools: Tools) -> str:
    return _remember(channel, await _fetch(channel, tools))


async def _renew(channel: ChannelView, tools: Tools) -> Renewed:
    answer = await _fetch(channel, tools)
    changed = {"oauth_refresh_token": answer.refresh_token} if answer.refresh_token else {}
    _remember(msgspec.structs.replace(channel, secrets={**channel.secrets, **changed}), answer)
    return Renewed(changed)


def _remember(channel: ChannelView, answer: _Answer) -> str:
    if len(_cache) >= _MAX_CACHED:
        _cache.clear()
    _cache[_cache_name(channel)] = _Token(answer.access_token, clock.epoch_s() + answer.expires_in)
    return answer.access_token


def forget_token(channel: ChannelView) -> None:
    """Drop a token the server refused, so that the next try fetches a new one."""
    _cache.pop(_cache_name(channel), None)


def _cache_name(channel: ChannelView) -> str:
    parts = [
        token_url(channel),
        channel.setting("oauth_client_id"),
        *(channel.secrets.get(name, "") for name in ("oauth_client_secret", "oauth_refresh_token")),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def token_url(channel: ChannelView) -> str:
    """Where tokens come from: a provider's address, or the one that was typed."""
    provider = channel.setting("oauth_provider")
    if provider == "google":
        return GOOGLE_TOKEN_URL
    if provider == "microsoft":
        return MICROSOFT_TOKEN_URL.format(tenant=channel.setting("oauth_tenant").strip() or "common")
    return channel.setting("oauth_token_url").strip()


def _form(channel: ChannelView) -> dict[str, str]:
    refresh = channel.secrets.get("oauth_refresh_token", "")
    form = {
        "client_id": channel.setting("oauth_client_id"),
        "client_secret": channel.secrets.get("oauth_client_secret", ""),
    }
    is_microsoft = channel.setting("oauth_provider") == "microsoft"
    if refresh:
        scope = channel.setting("oauth_scope") or (MICROSOFT_SCOPE if is_microsoft else "")
        form |= {"grant_type": "refresh_token", "refresh_token": refresh, "scope": scope}
    else:
        scope = channel.setting("oauth_scope") or (MICROSOFT_APPLICATION_SCOPE if is_microsoft else "")
        form |= {"grant_type": "client_credentials", "scope": scope}
    return {name: value for name, value in form.items() if value}


async def _fetch(channel: ChannelView, tools: Tools) -> _Answer:
    url = token_url(channel)
    if not url:
        raise ChannelError(
            "oauth_incomplete", "The address that gives out tokens is missing.", permanent=True, unauthorised=True
        )
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    try:
        response = await tools.http.request(
            "POST", url, headers=headers, body=urlencode(_form(channel)).encode(), limit_bytes=256 * 1024
        )
    except (CarelineError, aiohttp.ClientError, TimeoutError, OSError) as failed:
        raise ChannelError("oauth_unreachable", "The sign-in service could not be reached.") from failed
    try:
        answer = msgspec.json.decode(response.body, type=_Answer)
    except msgspec.DecodeError:
        answer = _Answer()
    if response.status == 200 and answer.access_token:
        return answer
    if answer.error in _PERMANENT or response.status in {400, 401, 403}:
        raise ChannelError(
            "oauth_refused", f"The sign-in service refused: {answer.error or response.status}.", unauthorised=True
        )
    raise ChannelError("oauth_failed", f"The sign-in service answered {response.status}.")


def xoauth2(user: str, token: str) -> bytes:
    """The SASL XOAUTH2 response, base64. For a shared mailbox `user` is its address, the token its delegate's."""
    return base64.b64encode(f"user={user}\x01auth=Bearer {token}\x01\x01".encode())
