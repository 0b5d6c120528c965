"""Gemini requests in one spelling: Google's JSON takes `system_instruction` for `systemInstruction`, and documents show both.

Renames field names of the protocol to camelCase where it reads a request, and nothing else. The rule a newcomer would break: what
belongs to the caller (arguments, responses, JSON Schemas, labels) keeps its own names, underscores and all.
"""

from __future__ import annotations

import re

import msgspec

from laidian.errors import BadRequest

_SNAKE = re.compile(rb'"[a-z][a-z0-9]*(?:_[a-z0-9]+)+"\s*:')
_UNDERSCORE = re.compile(r"_([a-z0-9])")
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Shape(msgspec.Struct, frozen=True):
    """Which fields of an object are again objects of the protocol, or lists of them."""

    fields: dict[str, Shape] = {}


_LEAF = Shape()
_BLOB = _LEAF
_RESPONSE = Shape({"parts": Shape({"inlineData": _BLOB, "fileData": _BLOB})})
_PART = Shape({"inlineData": _BLOB, "fileData": _BLOB, "functionCall": _LEAF, "functionResponse": _RESPONSE})
_CONTENT = Shape({"parts": _PART})
_TOOL = Shape({"functionDeclarations": _LEAF})
_TOOL_CONFIG = Shape({"functionCallingConfig": _LEAF})
_CONFIG = Shape({"thinkingConfig": _LEAF, "imageConfig": _LEAF, "speechConfig": _LEAF})
REQUEST = Shape(
    {
        "contents": _CONTENT,
        "systemInstruction": _CONTENT,
        "tools": _TOOL,
        "toolConfig": _TOOL_CONFIG,
        "generationConfig": _CONFIG,
    }
)
"""A generateContent body."""


def respelled(raw: bytes, shape: Shape = REQUEST) -> bytes:
    """The same JSON with the protocol's names in camelCase; the very same bytes when they are. Raises BadRequest for a name given twice."""
    if not _SNAKE.search(raw):
        return raw
    start = raw.lstrip()[:1]
    if start == b"[":
        items = [msgspec.Raw(respelled(bytes(item), shape)) for item in _decode_list(raw)]
        return msgspec.json.encode(items)
    if start != b"{":
        return raw
    fields: dict[str, msgspec.Raw] = {}
    for name, value in _decode_object(raw).items():
        camel = _camel(name)
        if camel in fields:
            raise BadRequest(
                f"`{camel}` stands twice, once with underscores. Send it once.",
                param=camel,
                code="duplicate_field",
            )
        inner = shape.fields.get(camel)
        fields[camel] = value if inner is None else msgspec.Raw(respelled(bytes(value), inner))
    return msgspec.json.encode(fields)


def _camel(name: str) -> str:
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name) if "_" in name[1:] else name
