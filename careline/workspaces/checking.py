"""Checks of what people type about workspaces and themselves; each refusal names its field and says what to do."""

from __future__ import annotations

from zoneinfo import available_timezones

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from careline.errors import InputRefused
from careline.events.recording import UnitOfWork
from careline.workspaces.models import LOCALES, Account


def check_email(email: str) -> str:
    """The address in lower case. Raises InputRefused for a malformed or taken one."""
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as refused:
        raise InputRefused(
            "email_wrong", _("Enter an e-mail address such as ana@example.com."), field="email"
        ) from refused
    if Account.objects.filter(email=address).exists():
        raise InputRefused(
            "email_taken", _("This e-mail address already has an account. Sign in with it."), field="email"
        )
    return address


def check_name(name: str, field: str, limit: int = 80) -> str:
    """The name without blanks around it. Raises InputRefused when empty or over `limit` characters."""
    if not name.strip():
        raise InputRefused("name_missing", _("Enter a name."), field=field)
    if len(name.strip()) > limit:
        raise InputRefused("name_long", _("Use at most %(limit)d characters.") % {"limit": limit}, field=field)
    return name.strip()


def check_locale(locale: str) -> None:
    """Raises InputRefused for a language without screens."""
    if locale not in dict(LOCALES):
        raise InputRefused("locale_unknown", _("Choose one of the languages offered."), field="locale")


def check_zone(zone: str, field: str = "zone") -> None:
    """Raises InputRefused for a name that is no time zone."""
    if zone not in available_timezones():
        raise InputRefused("zone_unknown", _("Choose a time zone such as Europe/Madrid."), field=field)


def check_password(password: str, account: Account, field: str = "password") -> None:
    """Raises InputRefused with every reason why the password is too weak."""
    try:
        validate_password(password, account)
    except ValidationError as weak:
        raise InputRefused("password_weak", " ".join(weak.messages), field=field) from weak


def record_settings_change(work: UnitOfWork, workspace_id: int, what: str) -> None:
    """The event every settings page records."""
    work.record_event(workspace_id, "settings.changed", facts={"what": what})
