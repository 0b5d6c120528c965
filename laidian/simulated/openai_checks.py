"""Checks of OpenAI request bodies, in OpenAI's words.

A table of rules says which top-level parameters exist and what they may hold; nested checks use the same
small functions. Optional parameters may be null. Everything here raises Refusal (400) with `param` and `code`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .values import Json, JsonObject, Refusal

Kind = Literal["string", "integer", "number", "boolean", "array", "object", "any"]

_ARTICLES: dict[Kind, str] = {
    "string": "a string",
    "integer": "an integer",
    "number": "a decimal",
    "boolean": "a boolean",
    "array": "an array",
    "object": "an object",
    "any": "anything",
}


class Rule(msgspec.Struct, frozen=True):
    kind: Kind
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()
    """For strings: all there are; empty means any."""
    required: bool = False


def check_parameters(body: JsonObject, rules: dict[str, Rule]) -> None:
    """Raises Refusal for the first parameter that is missing, unknown, mistyped or out of range."""
    for name, rule in rules.items():
        if rule.required and name not in body:
            raise missing(name)
    for name, value in body.items():
        rule = rules.get(name)
        if rule is None:
            raise Refusal(400, f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
        if value is None and not rule.required:
            continue
        check_value(name, value, rule)


def check_value(param: str, value: Json, rule: Rule) -> None:
    """Raises Refusal when the value is not what the rule says."""
    if not _is(value, rule.kind):
        raise mistyped(param, _ARTICLES[rule.kind], value)
    if rule.values and isinstance(value, str) and value not in rule.values:
        raise bad_value(param, value, rule.values)
    if rule.kind in ("integer", "number") and isinstance(value, (int, float)):
        _check_range(param, value, rule)


def missing(param: str) -> Refusal:
    return Refusal(
        400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
    )


def mistyped(param: str, expected: str, value: Json) -> Refusal:
    message = f"Invalid type for '{param}': expected {expected}, but got {_article(value)} instead."
    return Refusal(400, message, param=param, code="invalid_type")


def bad_value(param: str, value: Json, values: tuple[str, ...]) -> Refusal:
    known = ", ".join(f"'{item}'" for item in values)
    message = f"Invalid value: '{value}'. Supported values are: {known}."
    return Refusal(400, message, param=param, code="invalid_value")


def invalid(param: str | None, message: str, code: str | None = "invalid_value") -> Refusal:
    return Refusal(400, message, param=param, code=code)


def need_object(param: str, value: Json) -> JsonObject:
    if isinstance(value, dict):
        return value
    raise mistyped(param, "an object", value)


def need_array(param: str, value: Json, of: str = "an array") -> list[Json]:
    if isinstance(value, list):
        return value
    raise mistyped(param, of, value)


def need_string(param: str, holder: JsonObject, name: str) -> str:
    """The string under that name; `param` is the holder's path."""
    path = f"{param}.{name}" if param else name
    if name not in holder:
        raise missing(path)
    value = holder[name]
    if isinstance(value, str):
        return value
    raise mistyped(path, "a string", value)


def maybe_string(holder: JsonObject, name: str) -> str | None:
    value = holder.get(name)
    return value if isinstance(value, str) else None


def maybe_integer(holder: JsonObject, name: str) -> int | None:
    value = holder.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def maybe_object(holder: JsonObject, name: str) -> JsonObject:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _check_range(param: str, value: float | int, rule: Rule) -> None:
    word = "integer" if rule.kind == "integer" else "decimal"
    if rule.low is not None and value < rule.low:
        message = f"Invalid '{param}': {word} below minimum value. Expected a value >= {rule.low:g}, but got {value} instead."
        raise Refusal(400, message, param=param, code=f"{word}_below_min_value")
    if rule.high is not None and value > rule.high:
        message = f"Invalid '{param}': {word} above maximum value. Expected a value <= {rule.high:g}, but got {value} instead."
        raise Refusal(400, message, param=param, code=f"{word}_above_max_value")


def _is(value: Json, kind: Kind) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case "any":
            return True


def _article(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal"
        case str():
            return "a string"
        case list():
            return "an array"
        case dict():
            return "an object"
