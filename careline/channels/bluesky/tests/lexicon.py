"""Bluesky's own schemas (lexicons), read from `../shared`, and a judge of what crosses the wire by them (atproto.com/specs/lexicon, read 2026-11-22)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import regex

FOLDER: Final = Path(__file__).resolve().parents[5] / "shared" / "specs" / "bluesky" / "lexicons"
IS_HERE: Final = FOLDER.is_dir()
ABSENT: Final = "the lexicons of Bluesky are not beside the project (../shared/specs/bluesky)"
_FORMATS: Final[Mapping[str, str]] = {
    "did": r"did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]",
    "handle": r"([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?",
    "at-uri": r"at://[a-zA-Z0-9._:%-]+(/[a-zA-Z0-9.-]+(/[a-zA-Z0-9._~:-]{1,512})?)?",
    "nsid": r"[a-zA-Z]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9-]+)+\.[a-zA-Z][a-zA-Z0-9]*",
    "record-key": r"[a-zA-Z0-9._~:-]{1,512}",
    "tid": r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}",
    "cid": r"[a-zA-Z0-9+=]{8,256}",
    "uri": r"[a-z][a-z0-9.+-]*:\S+",
    "language": r"[a-z]{2,3}(-[a-zA-Z0-9]+)*",
}


class Wrong(AssertionError):
    """Something is not as its lexicon says."""


@lru_cache
def _document(nsid: str) -> dict[str, Any]:
    path = FOLDER.joinpath(*nsid.split(".")).with_suffix(".json")
    if not path.is_file():
        raise Wrong(f"there is no lexicon {nsid}")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def check_request(method: str, query: Mapping[str, list[str]], body: object) -> None:
    """Raises Wrong unless a call is as its lexicon says, records included."""
    main = _document(method)["defs"]["main"]
    parameters = main.get("parameters", {"type": "params", "properties": {}})
    _check_parameters(method, parameters, query)
    if main["type"] == "procedure" and main.get("input", {}).get("schema"):
        _check(method, main["input"]["schema"], body, method)
        if isinstance(body, dict) and "record" in body:
            check_record(body["collection"], body["record"])


def check_record(nsid: str, record: object) -> None:
    """Raises Wrong unless a record is as its lexicon says."""
    if not isinstance(record, dict) or record.get("$type") != nsid:
        raise Wrong(f"{nsid}: $type is missing or another")
    _check(nsid, _document(nsid)["defs"]["main"]["record"], record, nsid)


def check_answer(method: str, answer: object) -> None:
    """Raises Wrong unless an answer is as its lexicon says: the fake is judged, too."""
    output = _document(method)["defs"]["main"].get("output")
    if output and output.get("schema"):
        _check(method, output["schema"], answer, method)


def _check_parameters(nsid: str, schema: dict[str, Any], query: Mapping[str, list[str]]) -> None:
    known = schema["properties"]
    for name in set(query) - set(known):
        raise Wrong(f"{nsid}: there is no parameter {name}")
    for name in schema.get("required", []):
        if name not in query:
            raise Wrong(f"{nsid}: {name} is missing")
    for name, values in query.items():
        value: object = values if known[name]["type"] == "array" else values[0]
        _check(nsid, known[name], int(values[0]) if known[name]["type"] == "integer" else value, name)


def _check(nsid: str, schema: dict[str, Any], value: Any, at: str) -> None:
    _KINDS[schema["type"]](nsid, schema, value, at)


def _object(nsid: str, schema: dict[str, Any], value: Any, at: str) -> None:
    if not isinstance(value, dict):
        raise Wrong(f"{at}: not an object")
    for name in schema.get("required", []):
        if name not in value:
            raise Wrong(f"{at}: {name} is missing")
    for name, item in value.items():
        known = schema.get("properties", {}).get(name)
        if known is None:
            if name != "$type":
                raise Wrong(f"{at}: there is no {name}")
        elif item is not None or name not in schema.get("nullable", []):
            _check(nsid, known, item, f"{at}.{name}")


def _array(nsid: str, schema: dict[str, Any], value: Any, at: str) -> None:
    if not isinstance(value, list) or not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**9):
        raise Wrong(f"{at}: not an array of that length")
    for number, item in enumerate(value):
        _check(nsid, schema["items"], item, f"{at}[{number}]")


def _string(nsid: str, schema: dict[str, Any], value: Any, at: str) -> None:
    if not isinstance(value, str):
        raise Wrong(f"{at}: not a string")
    graphemes = len(regex.findall(r"\X", value))
    if not schema.get("minLength", 0) <= len(value.encode()) <= schema.get("maxLength", 10**9):
        raise Wrong(f"{at}: {len(value.encode())} bytes")
    if not schema.get("minGraphemes", 0) <= graphemes <= schema.get("maxGraphemes", 10**9):
        raise Wrong(f"{at}: {graphemes} graphemes")
    _check_format(schema.get("format", ""), value, at)


def _check_format(name: str, value: str, at: str) -> None:
    if name == "datetime":
        if not value.endswith("Z") or "T" not in value or datetime.fromisoformat(value).utcoffset() is None:
            raise Wrong(f"{at}: not a time")
    elif name == "at-identifier":
        if not any(regex.fullmatch(_FORMATS[one], value) for one in ("did", "handle")):
            raise Wrong(f"{at}: not a {name}")
    elif name and not regex.fullmatch(_FORMATS[name], value):
        raise Wrong(f"{at}: not a {name}")


def _integer(nsid: str, schema: dict[str, Any], value: Any, at: str) -> None:
    if not isinstance(value, int) or not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        raise Wrong(f"{at}: not such a number")


def _boolean(nsid: str, schema: dict[str, Any], value: Any, at: str) -> None:
    if not isinstance(value, bool):
        raise Wrong(f"{at}: not true or false")


def _unknown(nsid: str, schema: dict[str, Any], value: Any, at: str) -> None:
    if not isinstance(value, dict):
        raise Wrong(f"{at}: not an object")


def _blob(nsid: str, schema: dict[str, Any], value: Any, at: str) -> None:
    if not isinstance(value, dict) or value.get("$type") != "blob" or "$link" not in value.get("ref", {}):
        raise Wrong(f"{at}: not a blob")
    if value["size"] > schema.get("maxSize", value["size"]):
        raise Wrong(f"{at}: {value['size']} bytes")
    if not any(regex.fullmatch(one.replace("*", ".*"), value["mimeType"]) for one in schema.get("accept", ["*"])):
        raise Wrong(f"{at}: {value['mimeType']}")


def _union(nsid: str, schema: dict[str, Any], value: Any, at: str) -> None:
    if not isinstance(value, dict) or "$type" not in value:
        raise Wrong(f"{at}: $type is missing")
    names = {_full(nsid, one) for one in schema["refs"]}
    if value["$type"] not in names:
        raise Wrong(f"{at}: {value['$type']} is none of {sorted(names)}")
    _follow(value["$type"], value, at)


def _ref(nsid: str, schema: dict[str, Any], value: Any, at: str) -> None:
    _follow(_full(nsid, schema["ref"]), value, at)


def _full(nsid: str, ref: str) -> str:
    return f"{nsid}{ref}" if ref.startswith("#") else ref.removesuffix("#main")


def _follow(name: str, value: Any, at: str) -> None:
    nsid, _, part = name.partition("#")
    _check(nsid, _document(nsid)["defs"][part or "main"], value, at)


_KINDS: Final[Mapping[str, Callable[[str, dict[str, Any], Any, str], None]]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "boolean": _boolean,
    "unknown": _unknown,
    "blob": _blob,
    "union": _union,
    "ref": _ref,
    "cid-link": _unknown,
}
