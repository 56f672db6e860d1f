"""Judges requests, answers and events by Matrix's own description (Client-Server API v1.18, `specs/matrix/data` beside the project)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

PLACE: Final = Path(__file__).resolve().parents[5] / "shared" / "specs" / "matrix" / "data"
ABSENT: Final = "The description of Matrix is absent: ../shared/specs/matrix/data"
_FILES: Final = [
    "account-data",
    "authed-content-repo",
    "content-repo",
    "create_room",
    "directory",
    "joining",
    "list_joined_rooms",
    "login",
    "logout",
    "message_pagination",
    "redaction",
    "refresh",
    "relations",
    "room_send",
    "room_state",
    "rooms",
    "sync",
    "typing",
    "versions",
    "wellknown",
    "whoami",
]
Json = dict[str, Any]


def is_here() -> bool:
    return PLACE.exists()


def need() -> None:
    """For tests that mean nothing without it."""
    if not is_here():
        pytest.skip(ABSENT)


def complaints(verb: str, url: str, body: bytes, content_type: str) -> list[str]:
    """What is wrong with a request; nothing when it is as described."""
    found = _operation(verb, urlsplit(url).path)
    if found is None:
        return [f"{verb} {url}: no such request"]
    where, operation, values = found
    parameters = [_resolved(one, where) for one in operation.get("parameters", [])]
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    wrong = [f"{url}: {name} unknown" for name in query if name not in {one["name"] for one in parameters}]
    for one in parameters:
        given = {**query, **values}.get(one["name"])
        if given is None:
            wrong += [f"{url}: {one['name']} missing"] if one.get("required") else []
        else:
            wrong += _faults(_typed(given, one["schema"]), one["schema"], where, f"{url}: {one['name']}")
    takes = operation.get("requestBody")
    wrong += _body(_resolved(takes, where) if takes else None, body, content_type, where, url)
    return wrong + _sent_event(values, body)


def fault_of_answer(verb: str, url: str, status: int, body: bytes) -> list[str]:
    """What is wrong with an answer of the fake's."""
    found = _operation(verb, urlsplit(url).path)
    if found is None:
        return []
    where, operation, _ = found
    answer = _resolved(operation["responses"].get(str(status), {}), where)
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    return _faults(json.loads(body), schema, where, f"{status} of {url}") if schema else []


def fault_of_event(event: Mapping[str, Any]) -> list[str]:
    """Whether an event is as its schema says."""
    kind, content = event["type"], event.get("content", {})
    names = [f"{kind}${content.get('msgtype')}.yaml", f"{kind}.yaml"]
    place = next((one for one in (PLACE / "event-schemas" / "schema" / name for name in names) if one.exists()), None)
    if place is None or not content:
        return []
    return _faults(dict(event), _loaded(place), place, f"event {kind}")


def described(name: str, path: str, verb: str = "get") -> Json:
    """One operation of one file."""
    found: Json = _loaded(PLACE / "api" / "client-server" / f"{name}.yaml")["paths"][path][verb]
    return found


def examples() -> Iterator[tuple[str, Json]]:
    """Every example event of the specification, put together from its pieces."""
    folder = PLACE / "event-schemas" / "examples"
    for place in sorted(folder.glob("*.yaml")):
        yield place.stem, _put_together(_loaded(place), folder)


def _put_together(example: Json, folder: Path) -> Json:
    """An example may begin with another (`$ref`), as the specification's own tools join them."""
    base = example.get("$ref")
    rest = {name: value for name, value in example.items() if name != "$ref"}
    if not base:
        return rest
    below = _put_together(json.loads((folder / base).read_text()), (folder / base).parent)
    return {**below, **rest}


def _resolved(one: Json, where: Path) -> Json:
    """A part of an operation may stand in the components of its file."""
    found: Any = one
    if "$ref" in one:
        found = _loaded(where)
        for step in one["$ref"].removeprefix("#/").split("/"):
            found = found[step]
    return dict(found)


def _body(described: Json | None, body: bytes, content_type: str, where: Path, url: str) -> list[str]:
    if described is None:
        return [f"{url}: takes no body"] if body else []
    if "application/json" not in described["content"]:
        return [] if body else [f"{url}: no body"]
    if content_type != "application/json":
        return [f"{url}: {content_type}"]
    return _faults(json.loads(body), described["content"]["application/json"]["schema"], where, f"{url}: body")


def _sent_event(values: Mapping[str, str], body: bytes) -> list[str]:
    """What stands in a message is described by its event's schema, not by the request's."""
    if "eventType" not in values or "txnId" not in values:
        return []
    about = {"event_id": "$e:x.test", "room_id": values["roomId"], "sender": "@us:x.test", "origin_server_ts": 1}
    return fault_of_event({"type": values["eventType"], "content": json.loads(body), **about})


@cache
def _operations() -> list[tuple[str, re.Pattern[str], Path, Json]]:
    found = []
    for name in _FILES:
        place = PLACE / "api" / "client-server" / f"{name}.yaml"
        described = _loaded(place)
        base = described["servers"][0]["variables"]["basePath"]["default"]
        for template, verbs in described["paths"].items():
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]*)", re.escape(f"{base.rstrip('/')}{template}"))
            found += [
                (verb.upper(), re.compile(pattern), place, operation)
                for verb, operation in verbs.items()
                if verb in {"get", "put", "post", "delete"}
            ]
    return found


def _operation(verb: str, path: str) -> tuple[Path, Json, dict[str, str]] | None:
    for known, pattern, place, operation in _operations():
        matched = pattern.fullmatch(path)
        if matched and known == verb:
            return place, operation, {name: unquote(value) for name, value in matched.groupdict().items()}
    return None


def _typed(given: str, schema: Json) -> Any:
    kinds = schema.get("type")
    return int(given) if kinds == "integer" and given.isdigit() else given == "true" if kinds == "boolean" else given


def _faults(value: Any, schema: Json, where: Path, name: str) -> list[str]:
    whole = {"components": _loaded(where).get("components", {}), **schema, "$id": where.as_uri()}
    found = Draft202012Validator(whole, registry=_registry()).iter_errors(value)
    return [f"{name}: {one.message[:200]}" for one in found]


@cache
def _registry() -> Registry[Any]:
    def retrieve(uri: str) -> Resource[Any]:
        return Resource.from_contents(_loaded(Path(unquote(urlsplit(uri).path))), default_specification=DRAFT202012)

    return Registry(retrieve=retrieve)  # type: ignore[call-arg] # an attrs class with an alias


@cache
def _loaded(place: Path) -> Json:
    found: Json = yaml.load(place.read_text(), Loader=yaml.CSafeLoader)
    return found
