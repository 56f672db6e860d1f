"""The whole application for servers other than ours: `careline.asgi:application`."""

from __future__ import annotations

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")


def __getattr__(name: str) -> Any:
    """`application` is built on first use, so that importing this module starts nothing."""
    if name != "application":
        raise AttributeError(name)
    django.setup()
    from careline.serving import House, build

    return build(House(frozenset({"web", "worker"})))
