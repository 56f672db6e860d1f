"""Structured logs: key=value or JSON lines, event names constant, never message text or secrets.

An exception's message may quote a customer (a database names the row it refused), so errors of any library are logged by type and places alone.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, Final

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from careline.kit.places import place_of

_HOUSE: Final = str(Path(__file__).resolve().parent.parent) + "/"
_FRAMES_SHOWN: Final = 12
# Long parts of a path are tickets, tokens and keys.
_TOKEN: Final = re.compile(r"(?<=[/=])[\w.~:%-]{20,}")
_BLANK: Final = re.compile(r"<(?:(\w+):)?(\w+)>")
_SAID_OF_STRANGERS: Final = 2  # parts of an address that leads nowhere


def configure(log_format: str, level: str) -> None:
    """`console` for people, `json` for machines; standard library records take the same way out."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        say_places,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[keep_first_line, *shared],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    threading.excepthook = _log_thread


def say_places(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """An exception becomes its type, place and frames (file and line); its words stay out."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = place_of(error)
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_SHOWN:]
        event["frames"] = " < ".join(
            f"{frame.filename.removeprefix(_HOUSE)}:{frame.lineno}" for frame in reversed(frames)
        )
    return event


def keep_first_line(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Other libraries' records: what follows the first line quotes errors, and long parts of addresses are secrets."""
    said = str(event.get("event", "")).split("\n", 1)[0]
    request = getattr(event.get("_record"), "request", None)
    if request is not None and hasattr(request, "resolver_match"):
        said = said.replace(request.path, _shape_of(request))
    event["event"] = _TOKEN.sub("...", said)
    return event


def _shape_of(request: Any) -> str:
    """A Django request's address with its numbers and its workspace, and without what somebody typed into it: that may be a customer's address."""
    match = request.resolver_match
    if match is None:
        parts = request.path.split("/")
        return "/".join(parts[: _SAID_OF_STRANGERS + 1]) + ("/..." if len(parts) > _SAID_OF_STRANGERS + 1 else "")
    return "/" + _BLANK.sub(
        lambda blank: str(match.kwargs[blank[2]]) if blank[1] in {"int", "slug"} else "...", match.route
    )


def _log_thread(ended: threading.ExceptHookArgs) -> None:
    name = ended.thread.name if ended.thread is not None else ""
    structlog.get_logger().error("thread_failed", thread=name, exc_info=ended.exc_value)
