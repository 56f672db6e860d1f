"""The core (Django, behind the guard) as ASGI, and the whole application for servers other than ours: `careline.asgi:application`."""

from __future__ import annotations

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")


def build_core() -> Any:
    """Django under WSGI in two small pools: the desk's, and one thread for slow password pages.

    Two or three threads: with eight on pages that need the processor, the interpreter lock halved throughput and tripled latency (ARCHITECTURE.md).
    """
    from a2wsgi import WSGIMiddleware
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    from careline.edge.guard import CoreGuard

    wsgi = get_wsgi_application()
    return CoreGuard(
        WSGIMiddleware(wsgi, workers=3),
        WSGIMiddleware(wsgi, workers=1),
        limit_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        trusted_proxies=settings.TRUSTED_PROXIES,
    )


def __getattr__(name: str) -> Any:
    """`application` is built on first use, so that importing this module starts nothing."""
    if name != "application":
        raise AttributeError(name)
    django.setup()
    from careline.serving import House, build

    return build(House(frozenset({"web", "worker"})))


