"""The core: Django under WSGI behind the guard, as an ASGI application."""

from __future__ import annotations

from typing import Any


def build_core() -> Any:
    """Django under WSGI in two small pools: the desk's, and one thread for slow password pages.

    Two or three threads: with eight on pages that need the processor, the interpreter lock halved throughput and tripled latency (ARCHITECTURE.md).
    """
    from a2wsgi import WSGIMiddleware
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    from careline.edge.guard import CoreGuard

    wsgi: Any = get_wsgi_application()
    desk: Any = WSGIMiddleware(wsgi, workers=3)
    passwords: Any = WSGIMiddleware(wsgi, workers=1)
    return CoreGuard(
        desk,
        passwords,
        limit_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        trusted_proxies=settings.TRUSTED_PROXIES,
    )
