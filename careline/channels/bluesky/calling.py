"""Calls to an account's server: the session, its renewal, and what a refusal means.

An access token lasts two hours and a refresh token is replaced by each refresh (com.atproto.server.refreshSession, lexicons of 2026-08-20); a
password may be exchanged 30 times in five minutes (docs.bsky.app/docs/advanced-guides/rate-limits, read 2026-11-22), so it is used only to
connect and when the refresh token has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec

from careline.channels.base import ChannelView, Renewed, Tools
from careline.channels.bluesky import wire
from careline.errors import ChannelError
from careline.kit import clock, http

CHAT: Final = {"atproto-proxy": "did:web:api.bsky.chat#bsky_chat"}
HOST: Final = "https://bsky.social"
_ENDED: Final = {"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired"}
_CLOSED_TO_US: Final = {"Bad token method", "Bad token scope"}
_LOST: Final = {"AccountTakedown", "AccountDeactivated", "AccountSuspended", "AuthFactorTokenRequired"}
_WORDS: Final[Mapping[str, str]] = {
    "RecordNotFound": "message_gone",
    "InvalidConvo": "thread_gone",
    "ConvoLocked": "thread_gone",
    "MessagesDisabled": "recipient_closed",
    "NotFollowedBySender": "recipient_closed",
    "BlockedActor": "customer_blocked_us",
    "BlockedSubject": "recipient_closed",
    "RecipientNotFound": "customer_gone",
    "BlobTooLarge": "too_large",
    "PayloadTooLarge": "too_large",
}
T = TypeVar("T")
Query = Sequence[tuple[str, str]]


async def open_session(channel: ChannelView, tools: Tools) -> wire.Session:
    """A session for the app password. Raises ChannelError."""
    body = {
        "identifier": channel.setting("handle").strip().removeprefix("@"),
        "password": channel.secrets.get("app_password", ""),
    }
    address = f"{_typed_host(channel)}/xrpc/com.atproto.server.createSession"
    return await _session(tools, address, {"content-type": "application/json"}, msgspec.json.encode(body))


async def renewed(channel: ChannelView, tools: Tools) -> Renewed:
    """Fresh tokens: by the refresh token, or by the app password where that one has ended. Raises ChannelError."""
    address = f"{host_of(channel)}/xrpc/com.atproto.server.refreshSession"
    try:
        session = await _session(
            tools, address, {"authorization": f"Bearer {channel.secrets.get('refresh_jwt', '')}"}, b""
        )
    except ChannelError as ended:
        if not ended.unauthorised:
            raise
        session = await open_session(channel, tools)
    return Renewed(secrets_of(session))


def secrets_of(session: wire.Session) -> dict[str, str]:
    """What is kept of a session."""
    return {"access_jwt": session.access_jwt, "refresh_jwt": session.refresh_jwt}


async def _session(tools: Tools, address: str, headers: Mapping[str, str], body: bytes) -> wire.Session:
    try:
        answer = await http.send_once(tools.http, "POST", address, headers=headers, body=body)
    except ChannelError as broken:
        broken.outcome_unknown = False
        raise
    if answer.status != 200:
        raise _refused(answer)
    return read(answer, wire.Session)


def host_of(channel: ChannelView) -> str:
    """Where the account lives: what its DID document said, else the address that was typed."""
    return channel.setting("pds") or _typed_host(channel)


def _typed_host(channel: ChannelView) -> str:
    return (channel.setting("server") or HOST).strip().rstrip("/")


class Caller:
    """One piece of work on an account. Renews an ended session once, through `tools.renew`."""

    def __init__(self, channel: ChannelView, tools: Tools) -> None:
        self.channel = channel
        self._tools = tools

    async def ask(self, method: str, kind: type[T], *query: tuple[str, str]) -> T:
        """A query. Raises ChannelError, never with an unknown outcome."""
        return await self._call("GET", f"{method}?{urlencode(query)}", b"", kind, {})

    async def upload(self, content: bytes, content_type: str) -> wire.Uploaded:
        """A file that nothing names yet."""
        return await self._call(
            "POST", "com.atproto.repo.uploadBlob", content, wire.Uploaded, {"content-type": content_type}
        )

    async def do(self, method: str, body: Mapping[str, object], kind: type[T]) -> T:
        """A procedure. Raises ChannelError; what broke midway has an unknown outcome."""
        return await self._call(
            "POST", method, msgspec.json.encode(body), kind, {"content-type": "application/json"}, is_act=True
        )

    async def _call(
        self, verb: str, path: str, body: bytes, kind: type[T], headers: Mapping[str, str], *, is_act: bool = False
    ) -> T:
        try:
            answer = await self._once(verb, path, body, headers)
            if _has_ended(answer):
                self.channel = await self._tools.renew(self.channel, lambda present: renewed(present, self._tools))
                answer = await self._once(verb, path, body, headers)
            if answer.status != 200:
                raise _refused(answer)
            return read(answer, kind)
        except ChannelError as refused:
            refused.outcome_unknown = refused.outcome_unknown and is_act
            raise

    async def _once(self, verb: str, path: str, body: bytes, headers: Mapping[str, str]) -> http.Answer:
        own = {"authorization": f"Bearer {self.channel.secrets.get('access_jwt', '')}", "user-agent": "Careline"}
        proxied = CHAT if path.startswith("chat.") else {}
        return await http.send_once(
            self._tools.http,
            verb,
            f"{host_of(self.channel)}/xrpc/{path}",
            headers={**own, **proxied, **headers},
            body=body,
        )


def read(answer: http.Answer, kind: type[T]) -> T:
    """The body of a success. One that cannot be read leaves the outcome open. Raises ChannelError."""
    try:
        return msgspec.json.decode(answer.body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise ChannelError("answer_unreadable", "Bluesky's answer could not be read.", outcome_unknown=True) from broken


def _has_ended(answer: http.Answer) -> bool:
    word = _word(answer)
    return answer.status in {400, 401} and word.error in _ENDED and word.message not in _CLOSED_TO_US


def _word(answer: http.Answer) -> wire.Refusal:
    try:
        return msgspec.json.decode(answer.body, type=wire.Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return wire.Refusal()


def _refused(answer: http.Answer) -> ChannelError:
    """A status that is no success, in the outbox's terms. The platform's sentence may repeat our words, so it is not kept."""
    word = _word(answer)
    if word.message in _CLOSED_TO_US:
        return ChannelError("no_private_access", "The app password does not allow direct messages.", permanent=True)
    if answer.status == 401 or word.error in _ENDED or word.error in _LOST:
        return ChannelError("unauthorised", "Bluesky no longer accepts our session.", unauthorised=True)
    if answer.status == 429:
        return ChannelError("rate_limited", "Bluesky asks us to slow down.", retry_after_s=_retry_after_s(answer))
    if word.error == "InvalidSwap":
        return ChannelError("changed_meanwhile", "Somebody else changed it at the same moment.")
    if answer.status >= 500:
        return ChannelError("platform_failed", f"Bluesky failed with {answer.status}.", outcome_unknown=True)
    code = _WORDS.get(word.error, "refused")
    return ChannelError(code, f"Bluesky refused with {answer.status}.", permanent=True)


def _retry_after_s(answer: http.Answer) -> float | None:
    """Retry-After, or RateLimit-Reset as seconds since 1970 (draft-polli-ratelimit-headers-02, named by the rate limit page, read 2026-11-22)."""
    after, reset = (answer.headers.get(name, "")[:12] for name in ("retry-after", "ratelimit-reset"))
    if after.isascii() and after.isdigit():
        return float(after)
    return max(0.0, float(reset) - clock.epoch_s()) if reset.isascii() and reset.isdigit() else None
