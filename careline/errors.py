"""Every error Careline raises on purpose, drawn as one tree; each message is for a human, each code for a machine.

CarelineError(code, message, status)
├── InputRefused            400 / 422   a person or a program sent something that cannot be used; `field` names it
├── SignInRequired          401         no or wrong credentials, or a wrong signature
├── Forbidden               403         the role lacks the verb (never used for rows of another workspace: those are NotFound)
├── NotFound                404         also every row of another workspace
├── Conflict                409         something changed since it was read
├── TooLarge                413         a body over its limit
├── RateLimited             429         try again after `retry_after_s`
├── Unavailable             503         a queue is over its mark; the caller should repeat
├── ForeignPayload          400         a delivery that is not of this network or account (receiving)
├── UnknownEvent            202         a delivery of a kind this version does not know: accepted and counted (receiving)
└── ChannelError            502         a platform refused or failed (sending): `permanent`, `retry_after_s`, `outcome_unknown`, `unauthorised`
"""

from __future__ import annotations


class CarelineError(Exception):
    """Base of the tree. `code` is stable and for machines, `message` is translated and says what to do next."""

    status = 500

    def __init__(self, code: str, message: str = "", *, status: int | None = None) -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message or code
        if status is not None:
            self.status = status


class InputRefused(CarelineError):
    """Input that cannot be used; `field` names the form field or JSON key where there is one."""

    status = 422

    def __init__(self, code: str, message: str = "", *, field: str = "", status: int | None = None) -> None:
        super().__init__(code, message, status=status)
        self.field = field


class SignInRequired(CarelineError):
    status = 401


class Forbidden(CarelineError):
    status = 403


class NotFound(CarelineError):
    status = 404

    def __init__(self, code: str = "not_found", message: str = "") -> None:
        super().__init__(code, message)


class Conflict(CarelineError):
    status = 409


class TooLarge(CarelineError):
    status = 413


class RateLimited(CarelineError):
    status = 429

    def __init__(self, code: str, message: str = "", *, retry_after_s: float) -> None:
        super().__init__(code, message)
        self.retry_after_s = retry_after_s


class Unavailable(CarelineError):
    status = 503


class ForeignPayload(CarelineError):
    status = 400

    def __init__(self, message: str = "") -> None:
        super().__init__("foreign_payload", message)


class UnknownEvent(CarelineError):
    status = 202

    def __init__(self, message: str = "") -> None:
        super().__init__("unknown_event", message)


class ChannelError(CarelineError):
    """A platform did not take what we sent.

    `permanent`: trying again cannot help. `retry_after_s`: the platform's own word, seconds. `outcome_unknown`: it may or may
    not have been posted; never repeat without looking for its echo. `unauthorised`: our token or password no longer works.
    """

    status = 502

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        permanent: bool = False,
        retry_after_s: float | None = None,
        outcome_unknown: bool = False,
        unauthorised: bool = False,
    ) -> None:
        super().__init__(code, message)
        self.permanent = permanent
        self.retry_after_s = retry_after_s
        self.outcome_unknown = outcome_unknown
        self.unauthorised = unauthorised
