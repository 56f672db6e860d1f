"""The guided connection form's values: sorted by a network's own fields into settings and secrets, and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from careline.channels.base import Network, SettingField
from careline.errors import InputRefused

MAX_VALUE = 4000
FIELD_PREFIX = "set_"


@dataclass(frozen=True)
class Filled:
    """What the network's fields hold. A secret left empty on a change keeps the stored one."""

    settings: dict[str, object]
    secrets: dict[str, str]


def fill_fields(
    network: Network, values: Mapping[str, str], *, keep_secrets: Mapping[str, str] | None = None
) -> Filled:
    """Sort and check the values of `Network.fields`. Raises InputRefused; its field is `set_<name>`, as on the page."""
    settings: dict[str, object] = {}
    secrets: dict[str, str] = dict(keep_secrets or {})
    for field in network.fields:
        value = values.get(field.name, "").strip()
        if field.kind == "secret":
            if value or field.name not in secrets:
                secrets[field.name] = _check_value(field, value)
        else:
            settings[field.name] = _typed(field, _check_value(field, value))
    return Filled(settings, {name: value for name, value in secrets.items() if value})


def _check_value(field: SettingField, value: str) -> str:
    if field.kind == "flag":
        return value
    if not value and field.required:
        raise _refused(field, "value_missing", _("Fill in %(label)s.") % {"label": _(field.label)})
    if len(value) > MAX_VALUE:
        raise _refused(field, "value_long", _("Use at most %(limit)d characters.") % {"limit": MAX_VALUE})
    if value and field.choices and value not in dict(field.choices):
        raise _refused(field, "choice_unknown", _("Choose one of the values offered."))
    return value


def _typed(field: SettingField, value: str) -> object:
    if field.kind == "flag":
        return value in {"on", "1", "true", "yes"}
    if field.kind == "number" and value:
        if not value.isascii() or not value.isdigit():
            raise _refused(field, "number_wrong", _("Enter a whole number."))
        return int(value)
    if field.kind == "address" and value:
        _check_address(field, value)
    return value


def _check_address(field: SettingField, value: str) -> None:
    """An address is an e-mail address, a web address or a host name."""
    if "@" in value and "://" not in value:
        try:
            validate_email(value)
        except ValidationError as wrong:
            raise _refused(field, "email_wrong", _("Enter an e-mail address such as ana@example.com.")) from wrong
    elif "://" in value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
        raise _refused(field, "address_wrong", _("Enter an address that begins with https://."))


def _refused(field: SettingField, code: str, message: str) -> InputRefused:
    return InputRefused(code, message, field=f"{FIELD_PREFIX}{field.name}")
