"""Judges requests and answers by X's own OpenAPI description 2.167, and lends its examples of deliveries: `../shared/specs/x`.

Neither is under a licence that lets it stand in this repository. Two things of the description are bent: the key `x-twitter-scope` and other
extensions are ignored, and the token endpoint, which it only names as an address, is judged by X's page on refresh tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FOLDER: Final = Path(__file__).resolve().parents[5] / "shared" / "specs" / "x"
ABSENT: Final = "X's description and examples are absent: ../shared/specs/x"
TOKEN_PATH: Final = "/2/oauth2/token"
_REFRESH: Final = {"grant_type", "refresh_token"}


def is_here() -> bool:
    return FOLDER.is_dir()


def need() -> None:
    """For tests that mean nothing without them."""
    if not is_here():
        pytest.skip(ABSENT)


@cache
def openapi() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "openapi.json").read_text())
    return found


@cache
def examples() -> dict[str, dict[str, Any]]:
    """X's examples of deliveries, by kind of event."""
    told = json.loads((FOLDER / "xaa_event_payload_examples.json").read_text())["examples"]
    return {one["title"]: one["example"] for one in told}


@cache
def _registry() -> Registry[Any]:
    return Registry().with_resource("urn:x", Resource.from_contents(openapi(), default_specification=DRAFT202012))


def _complaints(schema: Mapping[str, Any], value: Any, where: str) -> list[str]:
    absolute = json.loads(json.dumps(schema).replace('"#/', '"urn:x#/'))
    found = Draft202012Validator(absolute, registry=_registry()).iter_errors(value)
    return [f"{where}{'.'.join(map(str, one.path))}: {one.message[:200]}" for one in found]


@cache
def _routes() -> list[tuple[re.Pattern[str], str]]:
    paths = sorted(openapi()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{[^}]+\}", "([^/]+)", path)), path) for path in paths]


def operation(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    """The description of a call; None for a call that X does not know."""
    for pattern, name in _routes():
        known = openapi()["paths"][name].get(method.lower())
        if known is not None and pattern.fullmatch(path):
            return name, known
    return None


def complaints(
    method: str, path: str, query: Mapping[str, str], body: Any, mime: str, scheme: str, form: Mapping[str, str]
) -> list[str]:
    """What is wrong with a request: call, token, parameters, body."""
    if path == TOKEN_PATH:
        return [] if set(form) == _REFRESH and scheme == "Basic" else [f"{path}: {sorted(form)} {scheme}"]
    found = operation(method, path)
    if found is None:
        return [f"no {method} {path}"]
    name, known = found
    where = f"{method} {name} "
    wrong = [] if any(scheme in one for one in known["security"]) else [f"{where}does not take {scheme}"]
    parameters = [_resolved(one) for one in known.get("parameters", [])]
    wrong += _path_complaints(name, path, parameters, where)
    wrong += _query_complaints(query, parameters, where)
    return wrong + _body_complaints(known, body, mime, where)


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = openapi()
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def _path_complaints(name: str, path: str, parameters: list[dict[str, Any]], where: str) -> list[str]:
    names = re.findall(r"\{([^}]+)\}", name)
    pattern = next(pattern for pattern, known in _routes() if known == name)
    match = pattern.fullmatch(path)
    values = dict(zip(names, match.groups() if match else (), strict=True))
    schemas = {one["name"]: one["schema"] for one in parameters if one["in"] == "path"}
    return [wrong for one in names for wrong in _complaints(schemas[one], values[one], f"{where}{one} ")]


def _query_complaints(query: Mapping[str, str], parameters: list[dict[str, Any]], where: str) -> list[str]:
    known = {one["name"]: one for one in parameters if one["in"] == "query"}
    wrong = [f"{where}{name}: no such parameter" for name in query if name not in known]
    wrong += [f"{where}{name}: missing" for name, one in known.items() if one.get("required") and name not in query]
    for name, text in query.items():
        if name in known:
            schema = _resolved(known[name]["schema"])
            kind = schema.get("type")
            value: Any = text.split(",") if kind == "array" else int(text) if kind == "integer" else text
            wrong += _complaints(schema, value, f"{where}{name} ")
    return wrong


def _body_complaints(known: dict[str, Any], body: Any, mime: str, where: str) -> list[str]:
    described = known.get("requestBody")
    if described is None:
        return [] if body is None else [f"{where}takes no body"]
    if body is None:
        return [f"{where}body: missing"] if described.get("required") else []
    kind = mime.partition(";")[0]
    if kind not in described["content"]:
        return [f"{where}does not take {kind}"]
    return _complaints(described["content"][kind]["schema"], body, where)


def answer_complaints(method: str, path: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer of our double."""
    found = operation(method, path)
    if found is None or status >= 300:
        return []
    described = found[1]["responses"].get(str(status))
    if described is None:
        return [f"{method} {found[0]} never answers {status}"]
    content = described.get("content", {}).get("application/json")
    return _complaints(content["schema"], body, f"{method} {found[0]} {status} ") if content else []
