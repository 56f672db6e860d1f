"""For the Django templates of sign-in: the same style sheets, icons and addresses the Jinja2 screens use."""

from __future__ import annotations

from django import template
from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString

from careline.screens import assets
from careline.screens.accounts.mailing import is_configured

register = template.Library()


@register.simple_tag
def house_stylesheets() -> tuple[str, ...]:
    """Addresses of all style sheets."""
    return assets.stylesheets()


@register.simple_tag
def house_static(path: str) -> str:
    """A static file's address with its content hash."""
    return assets.static_url(path)


@register.simple_tag
def house_icon(name: str) -> SafeString:
    """A decorative icon of the sprite."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        assets.static_url("icons/sprite.svg"),
        name,
    )


@register.simple_tag
def mail_is_configured() -> bool:
    """Whether system mail can leave."""
    return is_configured()


@register.filter
def widget_kind(bound: BoundField) -> str:
    """The kind of a form field's control: checkbox, select, textarea or input."""
    name = type(bound.field.widget).__name__.lower()
    return next((kind for kind in ("checkbox", "textarea", "select", "radio", "hidden") if kind in name), "input")


@register.filter
def without_placeholder(bound: BoundField) -> BoundField:
    """The same field: its label already says what the placeholder would repeat, and a label does not vanish while
    typing.
    """
    bound.field.widget.attrs.pop("placeholder", None)
    return bound
