"""Calls to the X API: whose token goes along, its renewal, and what a refusal means.

Sources, read 2026-11-22: docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token (an access token lasts two hours; a confidential client
shows id and secret as basic authentication); docs.x.com/x-api/fundamentals/response-codes-and-errors; .../rate-limits (x-rate-limit-reset, seconds
since 1970). The words of refusals are as public issues report them; X documents only the statuses.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from careline.channels.base import ChannelView, Renewed, Tools
from careline.channels.x import wire
from careline.errors import ChannelError
from careline.kit import clock, http, multipart
from careline.kit.multipart import Upload

API: Final = "https://api.x.com"
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
T = TypeVar("T")
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# What stands in the words of a refusal -> our code. The first that fits counts.
_WORDS: Final = (
    ("duplicate content", "duplicate_text"),
    ("not been mentioned", "not_summoned"),
    ("mentioned or quoted", "not_summoned"),
    ("permission to dm", "recipient_closed"),
    ("cannot send messages to this user", "recipient_closed"),
    ("deleted or not visible", "message_gone"),
    ("too long", "text_too_long"),
    ("suspended", "account_locked"),
    ("locked", "account_locked"),
    ("crc", "hook_refused"),
    ("webhook url", "hook_refused"),
)


class _Answered(msgspec.Struct, frozen=True):
    data: msgspec.Raw = msgspec.Raw(b"{}")


def address(channel: ChannelView, path: str) -> str:
    return f"{(channel.setting('api') or API).strip().rstrip('/')}{path}"


async def renewed(channel: ChannelView, tools: Tools) -> Renewed:
    """Tokens for the refresh token, which works once. Raises ChannelError, never with an unknown outcome."""
    secrets = channel.secrets
    form = {"grant_type": "refresh_token", "refresh_token": secrets.get("refresh_token", "")}
    pair = f"{quote(channel.setting('client_id').strip())}:{quote(secrets.get('client_secret', ''))}"
    headers = {"content-type": FORM, "authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    try:
        answer = await http.send_once(
            tools.http, "POST", address(channel, "/2/oauth2/token"), headers=headers, body=urlencode(form).encode()
        )
    except ChannelError as broken:
        broken.outcome_unknown = False
        raise
    if answer.status in {400, 401, 403}:
        raise ChannelError("token_refused", "X does not accept the refresh token.", unauthorised=True)
    if answer.status != 200:
        raise refusal(answer)
    return Renewed({name: value for name, value in msgspec.structs.asdict(read(answer, wire.Tokens)).items() if value})


class Caller:
    """One piece of work on an account. Renews an ended token once, through `tools.renew`, unless nobody would keep the new ones."""

    def __init__(self, channel: ChannelView, tools: Tools, *, renews: bool = True) -> None:
        self.channel = channel
        self._tools = tools
        self._renews = renews and bool(channel.secrets.get("refresh_token"))

    async def page(self, path: str, **query: object) -> wire.Page:
        """A list. `_` in names stands for the dot of X's field parameters. Raises ChannelError, never with an unknown outcome."""
        asked = {
            name.replace("__", "."): ",".join(value) if isinstance(value, tuple) else str(value)
            for name, value in query.items()
            if value
        }
        return read(await self._call("GET", f"{path}?{urlencode(asked, safe=',')}"), wire.Page)

    async def get(self, path: str, kind: type[T]) -> T:
        """One thing. Raises ChannelError, never with an unknown outcome."""
        return _data(await self._call("GET", path), kind)

    async def do(self, method: str, path: str, body: Mapping[str, object] | None, kind: type[T]) -> T:
        """An act. Raises ChannelError; what broke midway has an unknown outcome."""
        content = b"" if body is None else msgspec.json.encode(body)
        return _data(await self._call(method, path, content, JSON, is_act=True), kind)

    async def prepare(self, path: str, body: Mapping[str, object] | None, kind: type[T], *files: Upload) -> T:
        """Something that nothing names yet, so a broken try leaves no outcome open."""
        mime, content = JSON, b"" if body is None else msgspec.json.encode(body)
        if files:
            fields = {name: str(value).encode() for name, value in (body or {}).items()}
            mime, content = multipart.encode(fields, files)
        return _data(await self._call("POST", path, content, mime), kind)

    async def as_app(self, method: str, path: str, kind: type[T], body: Mapping[str, object] | None = None) -> T:
        """In the app's own name. Raises ChannelError, never with an unknown outcome."""
        content = b"" if body is None else msgspec.json.encode(body)
        answer = await self._once(method, path, content, JSON, "app_bearer", is_act=False)
        if answer.status == 401:
            raise ChannelError("app_token_refused", "X does not accept the app's bearer token.", permanent=True)
        return read(answer, kind)

    async def _call(
        self, method: str, path: str, body: bytes = b"", mime: str = JSON, *, is_act: bool = False
    ) -> http.Answer:
        answer = await self._once(method, path, body, mime, "access_token", is_act=is_act)
        if answer.status == 401 and self._renews:
            self.channel = await self._tools.renew(self.channel, lambda present: renewed(present, self._tools))
            answer = await self._once(method, path, body, mime, "access_token", is_act=is_act)
        if answer.status >= 300:
            error = refusal(answer)
            error.outcome_unknown = error.outcome_unknown and is_act
            raise error
        return answer

    async def _once(self, method: str, path: str, body: bytes, mime: str, secret: str, *, is_act: bool) -> http.Answer:
        headers = {"authorization": f"Bearer {self.channel.secrets.get(secret, '')}", "user-agent": "Careline"}
        typed = {"content-type": mime} if body else {}
        try:
            return await http.send_once(
                self._tools.http, method, address(self.channel, path), headers={**headers, **typed}, body=body
            )
        except ChannelError as broken:
            broken.outcome_unknown = broken.outcome_unknown and is_act
            raise


def read(answer: http.Answer, kind: type[T]) -> T:
    """The body of a success; one that cannot be read leaves the outcome open. Raises ChannelError."""
    if answer.status >= 300:
        raise refusal(answer)
    try:
        return msgspec.json.decode(answer.body or b"{}", type=kind)
    except _UNREADABLE as broken:
        raise ChannelError("answer_unreadable", "X's answer could not be read.", outcome_unknown=True) from broken


def _data(answer: http.Answer, kind: type[T]) -> T:
    told = read(answer, _Answered)
    return read(http.Answer(answer.status, answer.headers, bytes(told.data), answer.url), kind)


def refusal(answer: http.Answer) -> ChannelError:
    """A refusal in the outbox's terms."""
    status = answer.status
    if status == 401:
        return ChannelError("token_refused", "X does not accept the account's token.", unauthorised=True)
    if status == 402:
        return ChannelError("credits_used_up", "The X developer account has no credits left.", permanent=True)
    if status == 429:
        return ChannelError("rate_limited", "X asks us to slow down.", retry_after_s=_retry_after_s(answer))
    if status >= 500:
        return ChannelError("platform_failed", f"X failed with {status}.", outcome_unknown=True)
    if status == 404:
        return ChannelError("message_gone", "X no longer has it.", permanent=True)
    said = _words(answer)
    code = next((code for words, code in _WORDS if words in said), "rights_missing" if status == 403 else "refused")
    return ChannelError(code, f"X refused with {status}.", permanent=True)


def _words(answer: http.Answer) -> str:
    try:
        told = msgspec.json.decode(answer.body, type=wire.Refusal)
    except _UNREADABLE:
        return ""
    return f"{told.title} {told.detail} {told.reason}".lower()


def _retry_after_s(answer: http.Answer) -> float | None:
    """Retry-After, or the end of the limit that is used up: the day's of the user or app, else the quarter of an hour's."""
    headers = answer.headers
    after = headers.get("retry-after", "")[:9]
    if after.isascii() and after.isdigit():
        return float(after)
    days = ("x-user-limit-24hour", "x-app-limit-24hour")
    used_up = [f"{name}-reset" for name in days if headers.get(f"{name}-remaining") == "0"]
    ends = [headers.get(name, "")[:12] for name in used_up or ("x-rate-limit-reset",)]
    known = [float(end) for end in ends if end.isascii() and end.isdigit()]
    return max(0.0, max(known) - clock.epoch_s()) if known else None
