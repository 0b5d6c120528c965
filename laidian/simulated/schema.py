"""The smallest JSON value that satisfies a JSON schema, for tool arguments and structured answers.

Knows what structured outputs allow: types, enum, const, anyOf, oneOf, allOf, $ref, required, minItems,
bounds, lengths and common formats. `pattern` is not honoured: a text of the right length is given.
"""

from __future__ import annotations

import math

from .values import Json, JsonObject

_FORMATS: dict[str, str] = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "PT1S",
    "email": "simulated@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/",
}
_DEEPEST = 32


def minimal(schema: JsonObject) -> Json:
    """A value that satisfies the schema; an empty schema is satisfied by an empty object."""
    return _value(schema, schema, 0)


def _value(schema: Json, root: JsonObject, depth: int) -> Json:
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    if isinstance(reference := schema.get("$ref"), str):
        return _value(_resolve(reference, root), root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if isinstance(values := schema.get("enum"), list) and values:
        return values[0]
    for word in ("anyOf", "oneOf"):
        if isinstance(variants := schema.get(word), list) and variants:
            return _value(variants[0], root, depth + 1)
    if isinstance(parts := schema.get("allOf"), list):
        return _value(_merged(schema, parts, root), root, depth + 1)
    return _typed(schema, root, depth)


def _typed(schema: JsonObject, root: JsonObject, depth: int) -> Json:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((item for item in kind if item != "null"), "null")
    match kind.lower() if isinstance(kind, str) else "object":
        case "string":
            return _text(schema)
        case "integer":
            return math.ceil(_number(schema))
        case "number":
            return _number(schema)
        case "boolean":
            return False
        case "null":
            return None
        case "array":
            length = _whole(schema.get("minItems"))
            return [_value(schema.get("items", {}), root, depth + 1) for _ in range(length)]
        case _:
            return _object(schema, root, depth)


def _object(schema: JsonObject, root: JsonObject, depth: int) -> JsonObject:
    required = schema.get("required")
    properties = schema.get("properties")
    if not isinstance(required, list):
        return {}
    known = properties if isinstance(properties, dict) else {}
    return {name: _value(known.get(name, {}), root, depth + 1) for name in required if isinstance(name, str)}


def _text(schema: JsonObject) -> str:
    name = schema.get("format")
    if isinstance(name, str) and name in _FORMATS:
        return _FORMATS[name]
    text = "simulated".ljust(_whole(schema.get("minLength")), ".")
    longest = schema.get("maxLength")
    return text[: _whole(longest)] if isinstance(longest, int) else text


def _number(schema: JsonObject) -> float | int:
    low: float | int = 0
    minimum, above, maximum = (schema.get(word) for word in ("minimum", "exclusiveMinimum", "maximum"))
    if isinstance(maximum, (int, float)) and maximum < 0:
        low = maximum
    if isinstance(minimum, (int, float)):
        low = minimum
    if isinstance(above, (int, float)) and not isinstance(above, bool):
        low = math.floor(above) + 1
    step = schema.get("multipleOf")
    if isinstance(step, (int, float)) and step > 0:
        low = math.ceil(low / step) * step
    return low


def _merged(schema: JsonObject, parts: list[Json], root: JsonObject) -> JsonObject:
    merged: JsonObject = {name: value for name, value in schema.items() if name != "allOf"}
    properties: JsonObject = {}
    required: list[Json] = []
    for part in [schema, *parts]:
        if isinstance(part, dict) and isinstance(reference := part.get("$ref"), str):
            part = _resolve(reference, root)
        if not isinstance(part, dict):
            continue
        merged |= {name: value for name, value in part.items() if name != "allOf"}
        if isinstance(found := part.get("properties"), dict):
            properties |= found
        if isinstance(names := part.get("required"), list):
            required += names
    if properties or required:
        merged |= {"properties": properties, "required": required}
    return merged


def _resolve(reference: str, root: JsonObject) -> Json:
    found: Json = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return found


def _whole(value: Json) -> int:
    return max(value, 0) if isinstance(value, int) and not isinstance(value, bool) else 0
