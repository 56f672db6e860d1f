"""One call to the simulated platform's API: its address, its headers, and what its refusals mean.

The platform's rules: 503 means nothing was taken; any other 5xx and any cut connection leave the outcome open; 429 may
carry Retry-After; 403, 404 and 422 are final.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import msgspec

from careline.channels.base import ChannelView
from careline.channels.simulated import wire
from careline.errors import ChannelError
from careline.kit import clock, http

_T = TypeVar("_T")
_FINAL: Final = {
    400: "refused",
    403: "refused",
    404: "thread_gone",
    409: "refused",
    410: "thread_gone",
    413: "too_large",
    422: "refused",
}


def address(channel: ChannelView, path: str) -> str:
    """Absolute address of an API path."""
    return f"{channel.setting('api').rstrip('/')}/{path}"


def headers(channel: ChannelView) -> dict[str, str]:
    """Headers of an API call."""
    return {
        "authorization": f"Bearer {channel.secrets.get('token', '')}",
        "content-type": "application/json",
        "user-agent": "Careline",
    }


def read(answer: http.Answer, kind: type[_T]) -> _T:
    """The body of a success. One that cannot be read leaves the outcome open. Raises ChannelError."""
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise ChannelError(
            "answer_unreadable", "The platform's answer could not be read.", outcome_unknown=True
        ) from broken


def refusal(answer: http.Answer) -> ChannelError:
    """A status that is no success, in the outbox's terms."""
    word = _word(answer)
    if answer.status == 401:
        return ChannelError("unauthorised", "The platform no longer accepts our token.", unauthorised=True)
    if answer.status == 429:
        return ChannelError("rate_limited", "The platform asks us to slow down.", retry_after_s=retry_after_s(answer))
    if answer.status == 503:
        return ChannelError("platform_away", "The platform is away.", retry_after_s=retry_after_s(answer))
    if answer.status >= 500:
        return ChannelError("platform_failed", f"The platform failed with {answer.status}.", outcome_unknown=True)
    return ChannelError(
        word or _FINAL.get(answer.status, "refused"), f"The platform refused with {answer.status}.", permanent=True
    )


def _word(answer: http.Answer) -> str:
    try:
        return msgspec.json.decode(answer.body, type=wire.Refusal).error[:60]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def retry_after_s(answer: http.Answer) -> float | None:
    """Retry-After as seconds, number or date; None when absent. Source: RFC 9110 section 10.2.3, June 2022."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - clock.epoch_s())
    except (ValueError, TypeError):
        return None
