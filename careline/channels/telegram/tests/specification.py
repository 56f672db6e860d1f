"""Judges requests by the Bot API's own description (Bot API 10.1, `specs/telegram/api.json` beside the project): methods, parameters, types."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

PLACE = Path(__file__).resolve().parents[5] / "shared" / "specs" / "telegram" / "api.json"
ABSENT = "The description of the Bot API is absent: ../shared/specs/telegram/api.json"
_PLAIN = {"Integer": int, "String": str, "Boolean": bool, "Float": (int, float)}


def is_here() -> bool:
    return PLACE.exists()


def need() -> None:
    """For tests that mean nothing without it."""
    if not is_here():
        pytest.skip(ABSENT)


@cache
def described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PLACE.read_text())
    assert found["version"] == "Bot API 10.1"
    return found


def complaints(method: str, parameters: dict[str, Any], files: frozenset[str] = frozenset()) -> list[str]:
    """What is wrong with a request; nothing when it is as described. `files` are the fields of a multipart call that hold bytes."""
    known = described()["methods"].get(method)
    if known is None:
        return [f"{method}: no such method"]
    return list(_fields(method, known.get("fields", []), parameters, files))


def fault_of(kind: str, value: Any) -> list[str]:
    """What is wrong with an object of that type, such as an Update."""
    return _type(kind, [kind], value, frozenset())


def _fields(where: str, fields: list[dict[str, Any]], given: dict[str, Any], files: frozenset[str]) -> list[str]:
    by_name = {one["name"]: one for one in fields}
    wrong = [f"{where}.{name}: unknown" for name in given if name not in by_name]
    wrong += [f"{where}.{name}: missing" for name, one in by_name.items() if one["required"] and name not in given]
    for name, value in given.items():
        if name in by_name:
            wrong += _type(f"{where}.{name}", by_name[name]["types"], value, files)
    return wrong


def _type(where: str, kinds: list[str], value: Any, files: frozenset[str]) -> list[str]:
    tries = [_one(where, kind, value, files) for kind in kinds]
    return [] if any(not one for one in tries) else min(tries, key=len)


def _one(where: str, kind: str, value: Any, files: frozenset[str]) -> list[str]:
    if kind.startswith("Array of "):
        if not isinstance(value, list):
            return [f"{where}: no list"]
        return [wrong for one in value for wrong in _one(where, kind.removeprefix("Array of "), one, files)]
    if kind in _PLAIN:
        is_right = isinstance(value, _PLAIN[kind]) and (kind == "Boolean") == isinstance(value, bool)
        named = isinstance(value, str) and value.startswith("attach://")
        if named and value.removeprefix("attach://") not in files:
            return [f"{where}: names a file that is not there"]
        return [] if is_right else [f"{where}: {value!r} is no {kind}"]
    if kind == "InputFile":
        named = isinstance(value, str) and value.removeprefix("attach://") in files
        return [] if named else [f"{where}: no file"]
    described_type = described()["types"][kind]
    if described_type.get("subtypes"):
        return _type(where, described_type["subtypes"], value, files)
    if not isinstance(value, dict):
        return [f"{where}: no {kind}"]
    return _fields(where, described_type.get("fields", []), value, files)
