"""The Jinja2 environment of all screens."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment


def environment(**options: Any) -> Environment:
    """Django asks for this once."""
    return Environment(autoescape=True, **{key: value for key, value in options.items() if key != "autoescape"})
