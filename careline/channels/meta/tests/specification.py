"""Judges requests by Meta's own descriptions, read from `../shared/specs/meta`.

WhatsApp: the OpenAPI description v23.0 (2025-11-21). As published it refuses all 50 of its own request examples, because members of `allOf` forbid
each other's properties; without those `additionalProperties` it judges by message type, and 32 of its examples pass. What it still refuses of its own
are examples with placeholders that break its own patterns. Graph products: the descriptions behind Meta's SDKs (2026-04-15): edges, parameters, types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FOLDER: Final = Path(__file__).resolve().parents[5] / "shared" / "specs" / "meta"
ABSENT: Final = "Meta's descriptions are absent: ../shared/specs/meta"
MESSAGES: Final = "/{Version}/{Phone-Number-ID}/messages"
HOOKS: Final = "/whatsapp/webhooks"
# Common to every edge (developers.facebook.com/docs/graph-api/overview and .../guides/secure-requests, read 2026-11-22).
_EVERYWHERE: Final = {
    "appsecret_proof",
    "fields",
    "limit",
    "after",
    "since",
    "until",
    "order",
    "filter",
    "access_token",
}


def is_here() -> bool:
    return FOLDER.is_dir()


def need() -> None:
    """For tests that mean nothing without them."""
    if not is_here():
        pytest.skip(ABSENT)


@cache
def openapi() -> dict[str, Any]:
    text = (FOLDER / "business-messaging-api_v23.0.yaml").read_text()
    found: dict[str, Any] = json.loads(json.dumps(yaml.load(text, Loader=yaml.CSafeLoader), default=str))
    _loosen(found)
    return found


def _loosen(node: Any) -> None:
    if isinstance(node, dict):
        for member in node.get("allOf", []):
            if isinstance(member, dict):
                member.pop("additionalProperties", None)
        for value in node.values():
            _loosen(value)
    elif isinstance(node, list):
        for value in node:
            _loosen(value)


@cache
def _registry() -> Registry[Any]:
    resource = Resource.from_contents(openapi(), default_specification=DRAFT202012)
    return Registry().with_resource("urn:meta", resource)


def examples(path: str) -> dict[str, Any]:
    """Meta's own bodies by name."""
    content = openapi()["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return {name: one["value"] for name, one in content["examples"].items()}


def message_complaints(body: Mapping[str, Any]) -> list[str]:
    """What is wrong with a body for `messages`, by its type; a sign of reading has a schema of its own."""
    if "status" in body:
        named = {"messaging_product", "status", "message_id", "typing_indicator"}
        return [f"messages.{name}: unknown" for name in body if name not in named]
    mapping = openapi()["components"]["schemas"]["Message"]["discriminator"]["mapping"]
    kind = str(body.get("type", "text"))
    if kind not in mapping:
        return [f"messages: no such type {kind}"]
    # `recipient` names people without a number: newer than this description (business-scoped user IDs, Meta 2026).
    judged = {("to" if name == "recipient" else name): value for name, value in body.items()}
    wrong = _complaints("messages", mapping[kind], judged)
    return wrong + [one for part in body.get("template", {}).get("components", []) for one in _part_complaints(part)]


def _complaints(where: str, schema: str, value: Any) -> list[str]:
    validator = Draft202012Validator({"$ref": f"urn:meta{schema}"}, registry=_registry())
    return [f"{where}.{'.'.join(map(str, one.path))}: {one.message[-160:]}" for one in validator.iter_errors(value)]


def _part_complaints(part: Mapping[str, Any]) -> list[str]:
    """A template's heading or body, and each of its parameters, by the schema its type names: a validator does not follow discriminators."""
    schemas = openapi()["components"]["schemas"]
    parts, parameters = (schemas[name]["discriminator"]["mapping"] for name in ("TemplateComponent", "ParameterObject"))
    if part.get("type") not in parts:
        return [f"template: no part {part.get('type')}"]
    wrong = _complaints("template", parts[part["type"]], part)
    for one in part.get("parameters", []):
        known = one.get("type") in parameters
        wrong += _complaints(f"template.{part['type']}", parameters[one["type"]], one) if known else [f"no type {one}"]
    return wrong


@cache
def _idl(name: str) -> dict[tuple[str, str], dict[str, str]]:
    apis = json.loads((FOLDER / "sdk-codegen" / f"{name}.json").read_text())["apis"]
    return {
        (one["method"], (one.get("endpoint") or "").strip("/")): {p["name"]: p["type"] for p in one["params"]}
        | {f"!{p['name']}": "" for p in one["params"] if p.get("required")}
        for one in apis
    }


@cache
def _fields(name: str) -> frozenset[str]:
    found = json.loads((FOLDER / "sdk-codegen" / f"{name}.json").read_text())["fields"]
    return frozenset(one["name"] for one in found)


@cache
def _enums() -> dict[str, list[str]]:
    found = json.loads((FOLDER / "sdk-codegen" / "enum_types.json").read_text())
    return {one["name"]: one["values"] for one in found}


def edge_complaints(node: str, method: str, edge: str, given: Mapping[str, Any]) -> list[str]:
    """What is wrong with a call of an edge of a node: the edge, the parameters' names and types, the fields asked for."""
    known = _idl(node).get((method, edge))
    if known is None:
        return [f"{node}: no {method} {edge}"]
    names = {name for name in known if not name.startswith("!")}
    wrong = [f"{node}/{edge}.{name}: unknown" for name in given if name not in names | _EVERYWHERE]
    wrong += [f"{node}/{edge}.{name[1:]}: missing" for name in known if name.startswith("!") and name[1:] not in given]
    wrong += [
        one
        for name, value in given.items()
        if name in names
        for one in _type(f"{node}/{edge}.{name}", known[name], value)
    ]
    if not edge and method == "GET" and "fields" in given:
        wrong += [f"{node}.{one}: no such field" for one in _asked(str(given["fields"])) if one not in _fields(node)]
    return wrong


def _asked(fields: str) -> list[str]:
    flat = re.sub(r"\{[^{}]*\}", "", re.sub(r"\{[^{}]*\}", "", fields))
    return [one.partition(".")[0].strip() for one in flat.split(",") if one.strip()]


def _type(where: str, kind: str, value: Any) -> Iterator[str]:
    inner = re.fullmatch(r"list<(.+)>", kind)
    if inner is not None:
        many = value.split(",") if isinstance(value, str) else value
        yield from (one for each in many for one in _type(where, inner[1], each))
    elif kind.endswith("_enum_param"):
        if _enums().get(kind) and value not in _enums()[kind]:
            yield f"{where}: {value} is none of {_enums()[kind]}"
    elif kind == "bool" and not isinstance(value, bool):
        yield f"{where}: no truth value"
    elif kind == "string" and not isinstance(value, str):
        yield f"{where}: no text"
