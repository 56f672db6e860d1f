"""Calls to an account's server: the token, the pace it asks for, and what a refusal means.

A token does not end by itself (docs.joinmastodon.org/client/token, read 2026-11-22). 300 calls in five minutes for a token, 30 uploads and 30
deletions in half an hour; X-RateLimit-Reset is a time in ISO 8601 (docs.joinmastodon.org/api/rate-limits; config/initializers/rack_attack.rb
of mastodon/mastodon; read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec

from careline.channels.base import ChannelView, Tools
from careline.channels.mastodon import wire
from careline.errors import ChannelError
from careline.kit import clock, http

KEPT_FOR_ANSWERS: Final = 60
"""Calls of a window that reading leaves to what people write."""
_T = TypeVar("_T")


class Caller:
    """One piece of work on an account."""

    def __init__(self, channel: ChannelView, tools: Tools) -> None:
        self.channel = channel
        self._tools = tools
        self.pause_s = 0.0
        """How long reading should rest, by what the last answer said is left."""

    async def ask(self, path: str, kind: type[_T], *query: tuple[str, str]) -> _T:
        """A question. Raises ChannelError, never with an unknown outcome."""
        try:
            return await self.do("GET", f"{path}?{urlencode(query)}" if query else path, kind)
        except ChannelError as refused:
            refused.outcome_unknown = False
            raise

    async def do(
        self, verb: str, path: str, kind: type[_T], *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> _T:
        """An act. Raises ChannelError; what broke midway has an unknown outcome."""
        answer = await self.send(verb, path, body, headers or {})
        if answer.status == 206:
            raise ChannelError("file_processing", "The server still works on the file.")
        return read(answer, kind)

    async def send(self, verb: str, path: str, body: bytes, headers: Mapping[str, str]) -> http.Answer:
        """One request; its success, whole. Raises ChannelError."""
        typed = {"content-type": "application/json"} if body else {}
        whole = {**self._own_headers(), **typed, **headers}
        answer = await http.send_once(
            self._tools.http, verb, f"{host_of(self.channel)}{path}", headers=whole, body=body
        )
        left = answer.headers.get("x-ratelimit-remaining", "")
        self.pause_s = (_reset_s(answer) or 0.0) if left.isdecimal() and int(left) < KEPT_FOR_ANSWERS else 0.0
        if not 200 <= answer.status < 300:
            raise _refused(answer)
        return answer

    def lines(self, path: str) -> AsyncIterator[bytes]:
        """Lines of the stream, from the host that the server names for it. Raises ChannelError."""
        named = self.channel.setting("streaming").rstrip("/").replace("ws", "http", 1)
        return self._tools.http.lines(f"{named or host_of(self.channel)}{path}", headers=self._own_headers())

    def _own_headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.channel.secrets.get('access_token', '')}", "user-agent": "Careline"}


def host_of(channel: ChannelView) -> str:
    """The server's address, as typed or with the https:// that was left out."""
    typed = channel.setting("server").strip().rstrip("/")
    return typed if "://" in typed else f"https://{typed}"


def read(answer: http.Answer, kind: type[_T]) -> _T:
    """The body of a success. One that cannot be read leaves the outcome open. Raises ChannelError."""
    try:
        return msgspec.json.decode(answer.body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise ChannelError(
            "answer_unreadable", "The server's answer could not be read.", outcome_unknown=True
        ) from broken


def _refused(answer: http.Answer) -> ChannelError:
    """A status that is no success, in the outbox's terms. The server's sentence may repeat our words, so it is not kept."""
    said = _word(answer).lower()
    if answer.status == 401 or (answer.status == 403 and "disabled" in said):
        return ChannelError("token_refused", "The server does not accept this token.", unauthorised=True)
    if answer.status == 403:
        code = "permissions_missing" if "scope" in said else "rights_missing"
        return ChannelError(code, "The token may not do this.", permanent=True)
    if answer.status in {404, 410}:
        return ChannelError("message_gone", "It is no longer there.", permanent=True)
    if answer.status == 413:
        return ChannelError("too_large", "The server refused the file as too large.", permanent=True)
    if answer.status == 429:
        return ChannelError("rate_limited", "The server asks us to slow down.", retry_after_s=_reset_s(answer))
    if answer.status >= 500 or answer.status < 400:
        return ChannelError("platform_failed", f"The server failed with {answer.status}.", outcome_unknown=True)
    code = "text_too_long" if "character limit" in said or "too long" in said else "refused"
    return ChannelError(code, f"The server refused with {answer.status}.", permanent=True)


def _word(answer: http.Answer) -> str:
    try:
        return msgspec.json.decode(answer.body, type=wire.Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _reset_s(answer: http.Answer) -> float | None:
    """Seconds to wait: Retry-After, else X-RateLimit-Reset, which is a time; some servers write it as seconds since 1970."""
    after, reset = (answer.headers.get(name, "")[:40] for name in ("retry-after", "x-ratelimit-reset"))
    if after.isascii() and after.isdigit():
        return float(after)
    if reset.isascii() and reset.isdigit():
        return max(0.0, float(reset) - clock.epoch_s())
    try:
        at = datetime.fromisoformat(reset)
    except ValueError:
        return None
    return max(0.0, at.timestamp() - clock.epoch_s())
