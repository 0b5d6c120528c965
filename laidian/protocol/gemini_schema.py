"""The two schema dialects of Gemini: Google's own subset of OpenAPI (`parameters`, `responseSchema`) and JSON Schema.

Reads the first into JSON Schema, and makes JSON Schema fit for Google, which does not know `const` (protocol.md 6.3). What needs no change
stays the very same text. The rule a newcomer would break: a property may be called `type`, `const` or `nullable`; only
positions that hold a schema are looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Object = dict[str, Json]

_ONE = ("items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else")
_MANY = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")

_WORDS = {
    "any_of": "anyOf", "additional_properties": "additionalProperties", "max_items": "maxItems", "min_items": "minItems",
    "max_length": "maxLength", "min_length": "minLength", "max_properties": "maxProperties",
    "min_properties": "minProperties", "defs": "$defs", "ref": "$ref",
}  # fmt: skip
"""OpenAPI subset to JSON Schema, both spellings of Google's JSON."""
_LEFT_OUT = ("propertyOrdering", "property_ordering", "nullable", "example")
_COUNTS = ("maxItems", "minItems", "maxLength", "minLength", "maxProperties", "minProperties")
"""int64 in Google's JSON, so often strings."""

_decode: Callable[[bytes], Object] = msgspec.json.Decoder(dict[str, Any]).decode


def to_json_schema(raw: bytes) -> bytes:
    """OpenAPI's upper-case types and `nullable` as JSON Schema says them. Raises msgspec.DecodeError when it is no object."""
    schema = _decode(raw)
    converted = _openapi(schema)
    return raw if converted == schema else msgspec.json.encode(converted)


def to_gemini(raw: bytes) -> bytes:
    """JSON Schema that Google takes: `const` as an enumeration of one. Raises msgspec.DecodeError when it is no object."""
    schema = _decode(raw)
    return msgspec.json.encode(_without_const(schema)) if b'"const"' in raw else raw


def _openapi(schema: Object) -> Object:
    found: Object = {}
    for name, value in schema.items():
        if name in _LEFT_OUT or (name == "format" and value == "enum"):
            continue
        word = _WORDS.get(name, name)
        if word == "type" and isinstance(value, str):
            if value != "TYPE_UNSPECIFIED":
                found[word] = value.lower() if value.isupper() else value
        elif word in _COUNTS and isinstance(value, str) and value.isascii() and value.isdigit():
            found[word] = int(value)
        else:
            found[word] = value
    if "example" in schema:
        found.setdefault("examples", [schema["example"]])
    found = _inside(found, _openapi)
    return _nullable(found) if schema.get("nullable") is True else found


def _nullable(schema: Object) -> Object:
    kind, choices, enum = schema.get("type"), schema.get("anyOf"), schema.get("enum")
    if isinstance(kind, str) and kind != "null":
        schema["type"] = [kind, "null"]
        if isinstance(enum, list) and None not in enum:
            schema["enum"] = [*enum, None]
    elif isinstance(choices, list):
        schema["anyOf"] = [*choices, {"type": "null"}]
    return schema


def _without_const(schema: Object) -> Object:
    found = dict(schema)
    if "const" in found:
        value = found.pop("const")
        found.setdefault("enum", [value])
    return _inside(found, _without_const)


def _inside(schema: Object, change: Callable[[Object], Object]) -> Object:
    """The schema with `change` applied to every schema directly inside it."""
    found = dict(schema)
    for name in _ONE:
        value = found.get(name)
        if isinstance(value, dict):
            found[name] = change(value)
    for name in _MANY:
        several = found.get(name)
        if isinstance(several, list):
            found[name] = [change(one) if isinstance(one, dict) else one for one in several]
    for name in _NAMED:
        named = found.get(name)
        if isinstance(named, dict):
            found[name] = {key: change(one) if isinstance(one, dict) else one for key, one in named.items()}
    return found
