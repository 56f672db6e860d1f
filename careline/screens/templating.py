"""The Jinja2 environment of all screens: where templates lie, and the few functions every template may call."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from careline.channels.registry import networks
from careline.screens import assets, avatars, tickets
from careline.screens.navigation import other_screens
from careline.workspaces.roles import may

SCREENS = Path(__file__).resolve().parent
# Sign-in pages are Django templates (django-allauth's own); they stay with the other engine.
_DJANGO_TEMPLATES = {"accounts"}


def template_folders() -> list[Path]:
    """The shared folder first, then one per screen: `screens/<screen>/templates/<screen>/...`."""
    own = sorted(path for path in SCREENS.glob("*/templates") if path.parent.name not in _DJANGO_TEMPLATES)
    return [SCREENS / "templates", *own]


def environment(**options: Any) -> Environment:
    """Django asks for this once. Text is escaped, names must exist, words follow the request's language."""
    made = Environment(
        loader=FileSystemLoader(template_folders()),
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=bool(options.get("auto_reload")) or settings.DEBUG,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_callables(  # type: ignore[attr-defined] # added by jinja2.ext.i18n
        translation.gettext,
        translation.ngettext,
        newstyle=True,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
    )
    made.globals.update(_functions())
    made.filters.update(
        {
            "time": render_time,
            "language": language_name,
            "compact": compact_number,
            "bytes": readable_size,
            "straight": straight,
        }
    )
    return made


# Embeddings, overrides and isolates: unicode.org/reports/tr9, revision 50, section 2, read 2026-11-22.
_TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))


def straight(text: str) -> str:
    """A name where no element can isolate it (a title, a label for ears, words around it): without what turns its neighbours round."""
    return text.translate(_TURNING)


def _functions() -> dict[str, object]:
    return {
        "static": assets.static_url,
        "stylesheets": assets.stylesheets,
        "module_scripts": assets.module_scripts,
        "import_map": assets.import_map,
        "url": _url,
        "icon": render_icon,
        "network_icon": network_icon,
        "network_name": network_name,
        "may": may,
        "other_screens": other_screens,
        "stream_ticket": tickets.stream_ticket,
        "initials": avatars.initials,
        "hue": avatars.hue,
        "locale": translation.get_language,
        "is_rtl": translation.get_language_bidi,
    }


def _url(name: str, **parts: object) -> str:
    return reverse(name, kwargs=parts)


def fragment(template: str, macro: str, *arguments: object, **named: object) -> Markup:
    """Render one macro outside a page: for answers and pushes. Its template may hold only macros (it is cached)."""
    return Markup(getattr(load_template(template).module, macro)(*arguments, **named))  # noqa: S704 - the macro escaped its values


def load_template(name: str) -> Template:
    """A template ready to be rendered; kept from the first call on."""
    from django.template import engines

    return engines["jinja"].env.get_template(name)  # type: ignore[no-any-return,attr-defined] # the backend's environment is untyped


def render_icon(name: str, label: str = "") -> Markup:
    """An icon of the sprite. Without a label it is decoration and hidden from readers."""
    return _icon(assets.static_url("icons/sprite.svg"), name, label)


@lru_cache(maxsize=1024, typed=True)
def _icon(sprite: str, name: str, label: str) -> Markup:
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"></use></svg>').format(said, sprite, name)


def render_time(at: datetime | None, form: str = "clock") -> Markup:
    """A moment for the browser to format in the reader's own zone and language. `form` is one of js/time.js."""
    if at is None:
        return Markup("")
    stamp = at.astimezone(UTC).isoformat(timespec="seconds")
    # Digits, and a form our own templates name: nothing to escape, and a timeline has one or two of these a message.
    return Markup(f'<time datetime="{stamp}" data-form="{form}">{stamp[:16].replace("T", " ")}</time>')  # noqa: S704


def network_icon(slug: str) -> str:
    """The sprite's name for a network; the plain speech bubble for one that is not installed."""
    found = networks().get(slug)
    return assets.icon_name(found.icon if found else "chat")


def network_name(slug: str) -> str:
    """A network's name in the reader's language, or its slug when it is not installed."""
    found = networks().get(slug)
    return translation.gettext(found.name) if found else slug


def language_name(code: str) -> str:
    """A language in the reader's language: `es` is Spanish in English and español in Spanish. Unknown codes stay."""
    if not code:
        return ""
    from babel import Locale, UnknownLocaleError

    try:
        named = Locale.parse(code, sep="-").get_display_name(translation.get_language() or "en")
    except (ValueError, UnknownLocaleError):
        return code
    return named or code


def compact_number(value: int) -> str:
    """4100 is 4,100 or 4.100; a million and more is short (1.2M)."""
    from babel.numbers import format_compact_decimal, format_decimal

    spoken = translation.get_language() or "en"
    return (
        format_compact_decimal(value, locale=spoken, fraction_digits=1)
        if value >= 1_000_000
        else format_decimal(value, locale=spoken)
    )


def readable_size(size_bytes: int) -> str:
    """A file's size in kB or MB."""
    from babel.numbers import format_decimal

    spoken = translation.get_language() or "en"
    if size_bytes >= 1_000_000:
        return f"{format_decimal(size_bytes / 1_000_000, '0.0', locale=spoken)} MB"
    return f"{max(1, round(size_bytes / 1000))} kB"
