"""Careline's rules for django-allauth: nobody signs up, failures are audited, second-factor secrets are sealed, mail
speaks the reader's language.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from careline.kit import crypto
from careline.screens.accounts import auditing
from careline.workspaces.models import Account


class AccountAdapter(DefaultAccountAdapter):
    """Accounts come from the first run or an invitation; the e-mail address is changed by an administrator's command
    alone.
    """

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The peer's address as the edge saw it (it alone reads proxy headers); behind a socket there is none."""
        return request.META.get("REMOTE_ADDR") or "127.0.0.1"

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A wrong password or an unknown address. allauth's own limits come first, so these rows are bounded too."""
        auditing.record_failure(request, str(credentials.get("email", "")), method="password")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In the language of the account the mail goes to, whoever asked for it."""
        locale = Account.objects.filter(email=email.strip().lower()).values_list("locale", flat=True).first()
        with translation.override(locale or translation.get_language()):
            super().send_mail(template_prefix, email, {**context, "desk_url": settings.BASE_URL})

    def get_reset_password_from_key_url(self, key: str) -> str:
        """From the configured address: a forged Host header must never end up in somebody's mail."""
        return f"{settings.BASE_URL}/accounts/password/reset/key/{key}/"


class MfaAdapter(DefaultMFAAdapter):
    """TOTP seeds and recovery seeds are encrypted with the installation's key."""

    def encrypt(self, text: str) -> str:
        return _box().close(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _box().open(encrypted_text.encode()).decode()


def _box() -> crypto.Box:
    return crypto.Box(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
