"""Judges requests and answers by the OpenAPI description of Mastodon 4.7 beside the project (`specs/mastodon/schema.json`, read 2026-11-22).

It is generated from Mastodon's documentation (github.com/abraham/mastodon-openapi). Two quirks are set right here: a post with words and files
is of two kinds of its `oneOf` at once, and a header is said to be an object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

Json = dict[str, Any]
PLACE: Final = Path(__file__).resolve().parents[5] / "shared" / "specs" / "mastodon" / "schema.json"
ABSENT: Final = "The OpenAPI description of Mastodon is absent: ../shared/specs/mastodon/schema.json"
IS_HERE: Final = PLACE.exists()


class Wrong(Exception):
    """Something is not as described."""


def need() -> None:
    """For tests that mean nothing without it."""
    if not IS_HERE:
        pytest.skip(ABSENT)


@cache
def described() -> Json:
    found: Json = json.loads(PLACE.read_text())
    assert found["info"]["version"] == "4.7.0"
    return found


def check_request(verb: str, path: str, query: Mapping[str, list[str]], content_type: str, body: bytes) -> None:
    """Raises Wrong for a path, parameter or body that is not described. Of a form the body is its fields, as JSON."""
    operation = _operation(verb, path)
    allowed = {one["name"]: one["schema"] for one in operation.get("parameters", []) if one["in"] == "query"}
    for name, values in query.items():
        schema = allowed.get(name.removesuffix("[]"))
        if schema is None or (schema["type"] == "array") != name.endswith("[]"):
            raise Wrong(f"{verb} {path}: query {name}")
        for value in values:
            _judge(f"{verb} {path}?{name}", schema.get("items", schema), _as(schema.get("items", schema), value))
    if "requestBody" in operation and body:
        _check_body(f"{verb} {path}", operation["requestBody"]["content"], content_type.partition(";")[0], body)
    elif body:
        raise Wrong(f"{verb} {path}: a body")


def check_answer(verb: str, path: str, status: int, answer: object) -> None:
    """Raises Wrong for an answer of ours that the platform would not give."""
    responses = _operation(verb, path)["responses"]
    if str(status) not in responses:
        raise Wrong(f"{verb} {path}: answers {status}")
    content = responses[str(status)].get("content", {}).get("application/json")
    if content:
        _judge(f"{verb} {path} {status}", content["schema"], answer)


def example(name: str) -> Json:
    """One of the platform's own examples of an answer; the first of a list."""
    found = described()["components"]["examples"][name]["value"]
    one: Json = found[0] if isinstance(found, list) else found
    return one


def examples(schema: str) -> Iterator[tuple[str, Json]]:
    """Objects in the platform's own examples that are of this kind by its schema, with where they stand."""
    whole = described()
    for name, one in whole["components"]["examples"].items():
        yield from _found(name, one.get("value"), schema)
    for name, one in whole["components"]["schemas"].items():
        yield from _found(name, one.get("example"), schema)


def _found(where: str, value: object, schema: str) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        required = described()["components"]["schemas"][schema]["required"]
        if set(required) <= value.keys() | {"group_key"}:
            yield where, value
        for name, inner in value.items():
            yield from _found(f"{where}.{name}", inner, schema)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _found(f"{where}[{number}]", inner, schema)


def _operation(verb: str, path: str) -> Json:
    for template, operations in described()["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and verb.lower() in operations:
            found: Json = operations[verb.lower()]
            return found
    raise Wrong(f"{verb} {path}: no such call")


def _check_body(where: str, contents: Json, content_type: str, body: bytes) -> None:
    if content_type not in contents:
        raise Wrong(f"{where}: {content_type} is not taken")
    given = json.loads(body)
    schema = _of_one_kind(contents[content_type]["schema"], given)
    _judge(where, schema, given)
    unknown = given.keys() - set(_names(schema))
    if unknown:
        raise Wrong(f"{where}: {sorted(unknown)} are not described")


def _of_one_kind(schema: Json, given: Json) -> Json:
    kinds = [one.get("$ref", "") for one in schema.get("oneOf", [])]
    if "#/components/schemas/TextStatus" not in kinds:
        return schema
    return {"$ref": "#/components/schemas/" + ("MediaStatus" if given.get("media_ids") else "TextStatus")}


def _names(schema: Json) -> Iterator[str]:
    if "$ref" in schema:
        yield from _names(described()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    yield from schema.get("properties", {})
    for inner in (*schema.get("allOf", []), *schema.get("oneOf", [])):
        yield from _names(inner)


def _as(schema: Json, value: str) -> object:
    kind = schema.get("type")
    if kind == "boolean":
        return {"true": True, "false": False}.get(value, value)
    return int(value) if kind in {"integer", "number"} and value.isdigit() else value


def _judge(where: str, schema: Json, value: object) -> None:
    whole = {**schema, "components": described()["components"]}
    wrong = jsonschema.Draft202012Validator(whole)
    first = next(wrong.iter_errors(value), None)
    if first is not None:
        raise Wrong(f"{where}: {first.json_path}: {first.message[:200]}")
