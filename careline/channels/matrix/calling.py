"""Calls to the account's homeserver: its address, the token and its renewal, and what a refusal means.

Source: Matrix Client-Server API v1.18, "Standard error response", "Refreshing access tokens", "Rate limiting" (spec.matrix.org, read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from careline.channels.base import ChannelView, Renewed, Tools
from careline.channels.matrix import wire
from careline.errors import ChannelError, TooLarge
from careline.kit import http

CLIENT: Final = "/_matrix/client/v3"
JSON: Final = "application/json"
DUPLICATE: Final = "M_DUPLICATE_ANNOTATION"
TOO_LARGE: Final = "answer_too_large"
_ENDED: Final = frozenset(
    {"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_LOCKED", "M_USER_SUSPENDED"}
)
_WORDS: Final[Mapping[str, str]] = {
    "M_FORBIDDEN": "removed_from_chat",
    "M_GUEST_ACCESS_FORBIDDEN": "removed_from_chat",
    "M_NOT_FOUND": "thread_gone",
    "M_TOO_LARGE": "too_large",
    "M_CONSENT_NOT_GIVEN": "consent_missing",
}
T = TypeVar("T")


class Refused(ChannelError):
    """A refusal with the server's own code."""

    errcode: str = ""


def path(*pieces: str) -> str:
    """A path below the client API; every piece is one segment, whatever stands in it."""
    return "/".join((CLIENT, *(quote(piece, safe="") for piece in pieces)))


def host_of(channel: ChannelView) -> str:
    """Where the homeserver answers: what its server name pointed to, else what was typed."""
    return (channel.setting("base_url") or typed_host(channel)).rstrip("/")


def typed_host(channel: ChannelView) -> str:
    typed = channel.setting("homeserver").strip().rstrip("/")
    return typed if "://" in typed or not typed else f"https://{typed}"


class Caller:
    """One piece of work on an account. Renews an ended token once, through `tools.renew`."""

    def __init__(self, channel: ChannelView, tools: Tools) -> None:
        self.channel = channel
        self._tools = tools

    async def ask(self, where: str, kind: type[T], **query: str) -> T:
        """A question. Raises ChannelError, never with an unknown outcome."""
        try:
            return await self._call("GET", f"{where}?{urlencode(query)}" if query else where, b"", kind)
        except ChannelError as refused:
            refused.outcome_unknown = False
            raise

    async def find(self, where: str, kind: type[T], **query: str) -> T | None:
        """A question about something that need not be there. Raises ChannelError."""
        try:
            return await self.ask(where, kind, **query)
        except ChannelError as refused:
            if refused.permanent:
                return None
            raise

    async def do(self, verb: str, where: str, body: object, kind: type[T]) -> T:
        """An act. Raises ChannelError; what broke midway has an unknown outcome."""
        return await self._call(verb, where, b"" if body is None else msgspec.json.encode(body), kind)

    async def upload(self, name: str, content: bytes, content_type: str) -> str:
        """The mxc: address of a file that no message names yet."""
        where = f"/_matrix/media/v3/upload?{urlencode({'filename': name})}"
        return (await self._call("POST", where, content, wire.Named, content_type)).content_uri

    async def _call(self, verb: str, where: str, body: bytes, kind: type[T], content_type: str = JSON) -> T:
        answer = await self._once(verb, where, body, content_type)
        if answer.status == 401 and self.channel.secrets.get("refresh_token"):
            self.channel = await self._tools.renew(self.channel, lambda present: renewed(present, self._tools))
            answer = await self._once(verb, where, body, content_type)
        return read(answer, kind)

    async def _once(self, verb: str, where: str, body: bytes, content_type: str) -> http.Answer:
        token = self.channel.secrets.get("access_token", "")
        bearer = {"authorization": f"Bearer {token}"} if token else {}
        headers = {**bearer, "content-type": content_type, "user-agent": "Careline"}
        try:
            return await http.send_once(
                self._tools.http, verb, f"{host_of(self.channel)}{where}", headers=headers, body=body
            )
        except TooLarge as larger:
            raise Refused(TOO_LARGE, "The homeserver's answer is larger than we take.", permanent=True) from larger


async def renewed(channel: ChannelView, tools: Tools) -> Renewed:
    """A fresh token for the refresh token; a server may keep the old refresh token. Raises ChannelError."""
    caller = Caller(msgspec.structs.replace(channel, secrets={}), tools)
    try:
        told = await caller.do(
            "POST", path("refresh"), {"refresh_token": channel.secrets.get("refresh_token", "")}, wire.Login
        )
    except ChannelError as refused:
        refused.outcome_unknown = False
        raise
    return Renewed({"access_token": told.access_token, **_kept(told)})


def _kept(told: wire.Login) -> dict[str, str]:
    return {"refresh_token": told.refresh_token} if told.refresh_token else {}


def read(answer: http.Answer, kind: type[T]) -> T:
    """The body of a success; one that cannot be read leaves the outcome open. Raises ChannelError."""
    if answer.status >= 300:
        raise _refused(answer)
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise ChannelError("answer_unreadable", "The answer could not be read.", outcome_unknown=True) from broken


def _refused(answer: http.Answer) -> Refused:
    """A status that is no success, in the outbox's terms. The server's sentence may repeat our words, so it is not kept."""
    told = _told(answer)
    error = _judged(answer.status, told, answer)
    error.errcode = told.errcode
    return error


def _told(answer: http.Answer) -> wire.Refusal:
    try:
        return msgspec.json.decode(answer.body, type=wire.Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return wire.Refusal()


def _judged(status: int, told: wire.Refusal, answer: http.Answer) -> Refused:
    if status == 401 or told.errcode in _ENDED:
        return Refused("unauthorised", "The homeserver no longer accepts our token.", unauthorised=True)
    if status == 429 or told.errcode == "M_LIMIT_EXCEEDED":
        return Refused("rate_limited", "The homeserver asks us to slow down.", retry_after_s=_wait_s(told, answer))
    if status >= 500:
        return Refused("platform_failed", f"The homeserver failed with {status}.", outcome_unknown=True)
    code = _WORDS.get(told.errcode, "answer_unreadable" if not told.errcode else "refused")
    return Refused(code, f"The homeserver refused with {status} {told.errcode[:60]}.", permanent=True)


def _wait_s(told: wire.Refusal, answer: http.Answer) -> float | None:
    """`Retry-After` since v1.10, `retry_after_ms` before and beside it."""
    header = answer.headers.get("retry-after", "")[:9]
    if told.retry_after_ms > 0:
        return told.retry_after_ms / 1000
    return float(header) if header.isascii() and header.isdigit() else None
