"""Reads of how an account signs in. Each states its statements."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession


def second_factors(account_id: int) -> list[str]:
    """Kinds of second factors set up: totp, webauthn, recovery_codes. One statement."""
    return sorted(set(Authenticator.objects.filter(user_id=account_id).values_list("type", flat=True)))


def has_second_factor(account_ids: list[int]) -> set[int]:
    """Which of these accounts ask for more than a password. One statement."""
    real = Authenticator.objects.filter(user_id__in=account_ids).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return set(real.values_list("user_id", flat=True))


def count_sessions(account_id: int) -> int:
    """Sessions known. One statement."""
    return UserSession.objects.filter(user_id=account_id).count()
