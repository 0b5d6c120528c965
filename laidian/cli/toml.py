"""Settings written as TOML, which Python only reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec


def toml_lines(plain: Mapping[str, Any]) -> Iterator[str]:
    """Tables of plain values, arrays of such tables. null is left out, as TOML has none."""
    first = True
    for name, content in plain.items():
        tables: list[dict[str, Any]] = [content] if isinstance(content, dict) else content
        for values in tables:
            if not first:
                yield ""
            first = False
            yield f"[{toml_key(name)}]" if isinstance(content, dict) else f"[[{toml_key(name)}]]"
            yield from (
                f"{toml_key(key)} = {toml_value(value)}" for key, value in values.items() if value is not None
            )


def toml_key(name: str) -> str:
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else toml_value(name)


def toml_value(value: Any) -> str:
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return "{" + ", ".join(f"{toml_value(key)} = {toml_value(one)}" for key, one in pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(one) for one in cast("list[Any]", value)) + "]"
    if isinstance(value, str):
        # A JSON string is a TOML string, but for DEL, which TOML wants escaped.
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007F")
    return msgspec.json.encode(value).decode()
