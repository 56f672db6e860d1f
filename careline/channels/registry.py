"""Which networks are installed: found by the entry point group `careline.networks`, so that one can come from another package."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import entry_points

import structlog

from careline.channels.base import Network
from careline.errors import NotFound
from careline.kit.places import place_of

GROUP = "careline.networks"
_extra: dict[str, Network] = {}
_log = structlog.get_logger()


@lru_cache(maxsize=1)
def _installed() -> dict[str, Network]:
    found: dict[str, Network] = {}
    for point in entry_points(group=GROUP):
        try:
            network = point.load()
        except ImportError as missing:
            # A network of another package that cannot be loaded must not take the others down.
            _log.error("network_refused", entry_point=point.name, reason=place_of(missing))
            continue
        if not isinstance(network, Network):
            _log.error("network_refused", entry_point=point.name, reason="not a careline.channels.base.Network")
            continue
        found[network.slug] = network
    return found


def networks() -> dict[str, Network]:
    """All networks by slug."""
    return {**_installed(), **_extra}


def network(slug: str) -> Network:
    """One network. Raises NotFound('network_unknown')."""
    found = _extra.get(slug) or networks().get(slug)
    if found is None:
        raise NotFound("network_unknown", f"No network named {slug} is installed.")
    return found


def add_for_tests(one: Network) -> None:
    """Let a test bring a network of its own."""
    _extra[one.slug] = one
