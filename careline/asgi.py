"""The whole application for servers other than ours: `careline.asgi:application`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")


def __getattr__(name: str) -> Any:
    """`application` is built on first use, so that importing this module starts nothing.

    The same checks as `careline serve` makes: one process on a SQLite database, the schema current, a copied database held.
    """
    if name != "application":
        raise AttributeError(name)
    import django
    from django.conf import settings

    from careline import logging_setup
    from careline.kit.sqlite import guarding

    logging_setup.configure(settings.LOG_FORMAT, settings.LOG_LEVEL)
    if not settings.DATABASE_URL:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        guarding.hold(Path(str(settings.DATABASES["default"]["NAME"])))
    django.setup()
    from careline import upgrading
    from careline.serving import House, build

    upgrading.prepare_database()
    return build(House(frozenset({"web", "worker"})))
