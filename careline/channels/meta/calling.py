"""One call of the Graph API: its address, its proof, and what its refusals mean.

Sources: developers.facebook.com/docs/graph-api/guides/error-handling; .../business-messaging/whatsapp/support/error-codes (updated 2026-05-15);
.../docs/messenger-platform/error-codes (updated 2026-03-18); .../docs/graph-api/guides/secure-requests (the proof); all read 2026-11-22.
Where a page gives no number (the time after which a limit ends) the headers decide. Subcode 2534022 is Instagram's closed window (public reports of 2026-06
and 2026-07). In no document that could be read, and so unsure: subcodes 2018108, 2534025, 1545041, 1893016 and 33, codes 10900, 10901 and 10903; a wrong one costs
a less exact word, for all of them are final.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from careline.channels.base import ChannelView, Tools
from careline.errors import ChannelError
from careline.kit import http, multipart
from careline.kit.multipart import Upload

GRAPH: Final = "https://graph.facebook.com/v26.0"
T = TypeVar("T")
_RATE: Final = {4, 17, 32, 341, 613, 80001, 80002, 80006, 80007, 80008, 130429, 131048, 131056, 133016}
_ENDED: Final = {0, 102, 190}
_RIGHTS: Final = {3, 10, 131005, *range(200, 300)}
# Subcodes say more than codes, so they are asked first.
_SUBCODES: Final[Mapping[int, str]] = {
    2018278: "window_closed",
    2018065: "window_closed",
    2018108: "recipient_closed",
    2018001: "customer_gone",
    2018109: "too_large",
    2534022: "window_closed",
    2534025: "comment_answered",
    1545041: "recipient_closed",
    1893016: "comment_answered",
    33: "message_gone",
}
_CODES: Final[Mapping[int, str]] = {
    131047: "window_needs_template",
    131026: "customer_gone",
    131049: "held_back",
    131050: "recipient_closed",
    131042: "payment_missing",
    131045: "number_not_registered",
    133010: "number_not_registered",
    131031: "account_locked",
    368: "account_locked",
    131052: "file_refused",
    131053: "file_refused",
    132000: "template_wrong",
    132001: "template_wrong",
    132005: "template_wrong",
    132007: "template_wrong",
    132012: "template_wrong",
    132015: "template_paused",
    132016: "template_paused",
    551: "recipient_closed",
    803: "message_gone",
    10900: "comment_answered",
    10901: "window_closed",
    10903: "recipient_closed",
}


class Fault(msgspec.Struct, frozen=True):
    """Why a call was refused. The sentences may repeat our words or name people, so they are not kept."""

    code: int = 0
    error_subcode: int = 0
    is_transient: bool = False


class Refusal(msgspec.Struct, frozen=True):
    error: Fault


class _Usage(msgspec.Struct, frozen=True):
    estimated_time_to_regain_access: int = 0


def base_of(channel: ChannelView, default: str = GRAPH) -> str:
    """Where this account's API answers, with its version."""
    return (channel.setting("api") or default).strip().rstrip("/")


def proof(token: str, secret: str) -> str:
    """appsecret_proof: hex HMAC-SHA256 of the token under the app's secret."""
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


class Graph:
    """Calls with one token. `is_proven` adds the proof that we hold the app's secret, where the host knows it."""

    def __init__(
        self, channel: ChannelView, tools: Tools, *, base: str = "", token: str = "", is_proven: bool = True
    ) -> None:
        self._tools = tools
        self._base = base or base_of(channel)
        self._token = token or channel.secrets.get("token", "")
        secret = channel.secrets.get("app_secret", "")
        self._proof = {"appsecret_proof": proof(self._token, secret)} if is_proven and secret and not token else {}

    async def get(self, path: str, kind: type[T], **query: str) -> T:
        """A question. Raises ChannelError, never with an unknown outcome."""
        return await self._call("GET", path, b"", kind, query, is_act=False)

    async def post(self, path: str, body: Mapping[str, object], kind: type[T], *, is_act: bool = True) -> T:
        """An act; `is_act` False where repeating it is harmless. None values are left out. Raises ChannelError."""
        given = {name: value for name, value in body.items() if value is not None}
        return await self._call("POST", path, msgspec.json.encode(given), kind, {}, is_act=is_act)

    async def upload(self, path: str, fields: Mapping[str, bytes], file: Upload, kind: type[T]) -> T:
        """A file that nothing names yet: a broken upload leaves no outcome open."""
        mime, form = multipart.encode(fields, [file])
        return await self._call("POST", path, form, kind, {}, is_act=False, mime=mime)

    async def delete(self, path: str, **query: str) -> None:
        """What is gone already is gone. Raises ChannelError."""
        try:
            await self._call("DELETE", path, b"", object, query, is_act=True)
        except ChannelError as refused:
            if refused.code != "message_gone":
                raise

    async def _call(
        self,
        method: str,
        path: str,
        body: bytes,
        kind: type[T],
        query: Mapping[str, str],
        *,
        is_act: bool,
        mime: str = "application/json",
    ) -> T:
        asked = urlencode({**query, **self._proof})
        address = f"{self._base}/{quote(path, safe='/:')}{'?' + asked if asked else ''}"
        headers = {"authorization": f"Bearer {self._token}", "content-type": mime, "user-agent": "Careline"}
        try:
            return read(await http.send_once(self._tools.http, method, address, headers=headers, body=body), kind)
        except ChannelError as broken:
            broken.outcome_unknown = broken.outcome_unknown and is_act
            raise


def read(answer: http.Answer, kind: type[T]) -> T:
    """The body of a success; one that cannot be read leaves the outcome open. Raises ChannelError."""
    if answer.status >= 300:
        raise refusal(answer)
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise ChannelError("answer_unreadable", "Meta's answer could not be read.", outcome_unknown=True) from broken


def refusal(answer: http.Answer) -> ChannelError:
    """A refusal in the outbox's terms."""
    fault = _fault(answer)
    code = _SUBCODES.get(fault.error_subcode) or _CODES.get(fault.code, "")
    said = f"Meta refused with {answer.status}, code {fault.code}, subcode {fault.error_subcode}."
    if code:
        return ChannelError(code, said, permanent=True)
    if fault.code in _RATE or answer.status == 429:
        return ChannelError("rate_limited", said, retry_after_s=_retry_after_s(answer))
    if answer.status == 401 or (fault.code in _ENDED and answer.status < 500):
        return ChannelError("token_refused", said, unauthorised=True)
    if fault.code in _RIGHTS:
        return ChannelError("rights_missing", said, permanent=True)
    if answer.status >= 500 or fault.is_transient:
        return ChannelError("platform_failed", said, outcome_unknown=True)
    return ChannelError("refused", said, permanent=True)


def failure_of(code: int, subcode: int = 0) -> str:
    """The word for a fault that comes later, by webhook."""
    return _SUBCODES.get(subcode) or _CODES.get(code) or ("rate_limited" if code in _RATE else f"meta_{code}")


def _fault(answer: http.Answer) -> Fault:
    try:
        return msgspec.json.decode(answer.body, type=Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Fault(code=-1)


def _retry_after_s(answer: http.Answer) -> float | None:
    """Retry-After; else the minutes that X-Business-Use-Case-Usage names (docs/graph-api/overview/rate-limiting, read 2026-11-22)."""
    after = answer.headers.get("retry-after", "")[:9]
    if after.isascii() and after.isdigit():
        return float(after)
    try:
        usage = msgspec.json.decode(
            answer.headers.get("x-business-use-case-usage", "{}"), type=dict[str, tuple[_Usage, ...]]
        )
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    minutes = max((one.estimated_time_to_regain_access for many in usage.values() for one in many), default=0)
    return 60.0 * minutes if minutes else None
