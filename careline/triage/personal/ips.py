"""Internet addresses: four numbers, or hexadecimal groups of which one has a letter (times look like the rest)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from careline.triage.personal.found import Found

_V4: Final = re.compile(r"(?<![\w.:-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w-]|\.[0-9])")
_V6: Final = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{3,37}(?![\w:])")
_VERSION: Final = re.compile(
    r"(?:\bv|version|versi[o]n|release|firmware|ios|android|chrome|build|app) ?:? ?$", re.IGNORECASE
)
_FEWEST_GROUPS = 3


def find_ips(text: str, regions: tuple[str, ...]) -> Iterator[Found]:
    """Addresses of a machine that may be a person's; not this machine's own, not versions."""
    for found in _V4.finditer(text):
        if _is_public(found.group()) and not _VERSION.search(text[max(0, found.start() - 12) : found.start()]):
            yield Found(*found.span(), "ip")
    for found in _V6.finditer(text):
        if _has_hex_groups(found.group()) and _is_public(found.group()):
            yield Found(*found.span(), "ip")


def _has_hex_groups(address: str) -> bool:
    groups = [group for group in address.split(":") if group]
    return len(groups) >= _FEWEST_GROUPS and any(not group.isdigit() for group in groups)


def _is_public(address: str) -> bool:
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (read.is_loopback or read.is_unspecified or read.is_multicast)
