"""What is wrong with a field of the form, in words that say what to do."""

from __future__ import annotations

from django.utils.translation import gettext as _

from careline.channels.intake_form.forms import LONGEST_REFERENCE, LONGEST_TEXT, LONGEST_WHO, FormRefused

FIELDS = ("id", "who", "text", "kind", "at", "booking_reference", "call_back_at")


def problems_of(refused: FormRefused | None = None) -> dict[str, str]:
    """Words for every field, empty for those that are well."""
    found = {one.field: _words(one.field, one.code) for one in refused.problems} if refused is not None else {}
    return {name: found.get(name, "") for name in FIELDS}


def _words(field: str, code: str) -> str:
    named = {
        ("who", "missing"): _("Say who it was: a number, an address, a handle or a name."),
        ("who", "phone_invalid"): _(
            "This phone number cannot be dialled. Check it, or begin it with + and the country."
        ),
        ("text", "missing"): _("Write down what the customer said."),
        ("at", "in_future"): _("This lies in the future. Leave it empty for now."),
        ("at", "too_old"): _("This is more than a year ago."),
        ("call_back_at", "in_past"): _("This has passed. Choose a time that is still to come."),
        ("call_back_at", "too_far"): _("Choose a time within the next 60 days."),
        ("kind", "unknown"): _("Choose one of the values offered."),
        ("id", "malformed"): _("Reload this page and try again."),
    }
    general = {
        "too_long": _("This is too long: at most %(limit)d characters.") % {"limit": _longest(field)},
        "malformed": _("This is not a date and time."),
    }
    return named.get((field, code)) or general.get(code) or _("This cannot be used.")


def _longest(field: str) -> int:
    return {"who": LONGEST_WHO, "text": LONGEST_TEXT}.get(field, LONGEST_REFERENCE)
