"""Texts people see: collected from Python, Jinja2 and Django templates, merged into the catalogues, compiled. Run as `python -m tests.words [--check]`."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "careline"
LOCALES = ("es",)
KEYWORDS = {
    "_": None,
    "_now": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
# Texts of Django and django-allauth that people meet on our screens. Their own Spanish says usted, ours says tú, and ours wins.
BORROWED: tuple[str | tuple[str, str], ...] = (
    "This account is currently inactive.",
    "The email address and/or password you specified are not correct.",
    "Please type your current password.",
    "Invalid login.",
    "Too many failed login attempts. Try again later.",
    "Be patient, you are sending too many requests.",
    "Use your password",
    "Use authenticator app or code",
    "You must type the same password each time.",
    "Forgot your password?",
    "Current Password",
    "New Password",
    "New Password (again)",
    "Authenticator code",
    "Master key",
    "Backup key",
    "Key nr. {number}",
    "Passwordless",
    "Enabling passwordless operation allows you to sign in using just this key, but imposes additional requirements"
    " such as biometrics or PIN protection.",
    "Security key added.",
    "Security key removed.",
    "Password successfully changed.",
    "Password successfully set.",
    "Enter a valid value.",
    "Enter a valid URL.",
    "Enter a valid integer.",
    "Enter a valid email address.",
    "Enter a number.",
    "Enter a valid date.",
    "Enter a valid time.",
    "Enter a valid date/time.",
    "Ensure this value is less than or equal to %(limit_value)s.",
    "Ensure this value is greater than or equal to %(limit_value)s.",
    (
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
    ),
    (
        "Ensure this value has at least %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at least %(limit_value)d characters (it has %(show_value)d).",
    ),
    "Select a valid choice. %(value)s is not one of the available choices.",
    "Select a valid choice. That choice is not one of the available choices.",
    (
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
    ),
    (
        "Your password must contain at least %(min_length)d character.",
        "Your password must contain at least %(min_length)d characters.",
    ),
    "The password is too similar to the %(verbose_name)s.",
    "Your password can’t be too similar to your other personal information.",
    "Your password can’t be a commonly used password.",
    # Mails that tell of a change to an account.
    "You are receiving this mail because the following change was made to your account:",
    "If you do not recognize this change then please take proper security precautions immediately. The change to your"
    " account originates from:\n\n- IP address: %(ip)s\n- Browser: %(user_agent)s\n- Date: %(timestamp)s",
    "Password Reset",
    "Your password has been reset.",
    "Password Changed",
    "Your password has been changed.",
    "Password Set",
    "Your password has been set.",
    "New Recovery Codes Generated",
    "A new set of Two-Factor Authentication recovery codes has been generated.",
    "Authenticator App Activated",
    "Authenticator app activated.",
    "Authenticator App Deactivated",
    "Authenticator app deactivated.",
    "Security Key Added",
    "A new security key has been added.",
    "Security Key Removed",
    "A security key has been removed.",
)
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}")
Found = tuple[str, int, object, str | None]


def texts() -> Iterator[Found]:
    """(file, line, message or (singular, plural), context) of every marked text."""
    for path in sorted(PACKAGE.rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if "/tests/" in name or "/migrations/" in name or path.name == "conftest.py":
            continue
        method, content = _source(path)
        if method is None:
            continue
        options = {"newstyle_gettext": "true", "trimmed": "false"}
        for line, message, _comments, context in extract(method, io.BytesIO(content), KEYWORDS, (), options):
            yield name, line, message, context
    for borrowed in BORROWED:
        yield "tests/words.py", 1, borrowed, None


def _source(path: Path) -> tuple[str | None, bytes]:
    if path.suffix == ".py":
        return "python", path.read_bytes()
    if path.suffix not in {".html", ".txt", ".jinja"} or "templates" not in path.parts:
        return None, b""
    if "accounts" in path.parts:
        return "python", templatize(path.read_text(), origin=str(path)).encode()
    return "jinja2", path.read_bytes()


def collect() -> Catalog:
    """A catalogue of everything, without translations."""
    catalog = Catalog(project="Careline", charset="utf-8")
    for name, line, message, context in texts():
        catalog.add(message, locations=[(name, line)], context=context)  # type: ignore[arg-type] # str or a pair of them
    return catalog


def catalogue_path(locale: str) -> Path:
    """Where a language's catalogue lies."""
    return PACKAGE / "locale" / locale / "LC_MESSAGES" / "django.po"


def merged(locale: str) -> Catalog:
    """The present catalogue of a language, brought up to date with the sources. New texts are empty, never guessed."""
    path = catalogue_path(locale)
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=locale)
    else:
        catalog = Catalog(locale=locale, project="Careline", charset="utf-8")
    catalog.update(collect(), no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    return catalog


def problems(locale: str) -> list[str]:
    """What keeps a language from being complete: untranslated texts, lost placeholders."""
    found = []
    for message in merged(locale):
        if not message.id:
            continue
        said = message.string if isinstance(message.string, tuple | list) else (message.string,)
        asked = message.id if isinstance(message.id, tuple | list) else (message.id,)
        if not all(said) or message.fuzzy:
            found.append(f"{locale}: not translated: {asked[0]!r}")
        elif _placeholders(asked) != _placeholders(said):
            found.append(f"{locale}: other placeholders: {asked[0]!r}")
    return found


def _placeholders(texts: Iterable[str | None]) -> set[str]:
    """What is filled in, in any of the forms: one of several forms may do without its number."""
    return {one for text in texts for one in _PLACEHOLDER.findall(text or "")}


def compiled(catalog: Catalog) -> bytes:
    """The .mo of a catalogue, the same at every run: it carries no moment of its making."""
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def save(locale: str) -> Catalog:
    """Write .po and .mo."""
    catalog = merged(locale)
    path = catalogue_path(locale)
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    write_po(out, catalog, width=160, sort_output=True, no_location=True, include_previous=False, omit_header=False)
    # A date that changes at every run would make every run a change.
    lines = [
        line
        for line in out.getvalue().split(b"\n")
        if not line.startswith((b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Generated-By'))
    ]
    path.write_bytes(b"\n".join(lines))
    with path.open("rb") as file:
        path.with_suffix(".mo").write_bytes(compiled(read_po(file, locale=locale)))
    return catalog


def main() -> int:
    """Update, or with --check only judge. 1 when a language is not complete."""
    if "--check" not in sys.argv:
        for locale in LOCALES:
            print(f"{locale}: {len(save(locale))} texts")
    found = [line for locale in LOCALES for line in problems(locale)]
    for line in found[:40]:
        print(line)
    print(f"{len(found)} to do")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
