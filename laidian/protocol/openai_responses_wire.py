"""The JSON of Responses requests as structs, tolerant of what it does not know.

Shapes are those of openai-python 3.54.0 (types/responses, read 2026-11-22). One struct stands for all input items and one for all
tools, `type` says which fields count: the union has 30 members and grows monthly.
The rule a newcomer would break: schemas, grammars and arguments stay raw, so that no spelling of theirs is lost.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Raw

from laidian.errors import BadRequest
from laidian.protocol.document import Fields, said

T = TypeVar("T")


class InputAudio(msgspec.Struct):
    data: str = ""
    format: str = ""


class Part(msgspec.Struct):
    """A content part of a message, of a tool's output or of a reasoning item."""

    type: str = "input_text"
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    input_audio: InputAudio | None = None


class Tool(msgspec.Struct):
    type: str = ""
    name: str | None = None
    description: str | None = None
    parameters: Raw = Raw()
    strict: bool | None = None
    format: Raw = Raw()
    tools: tuple[Tool, ...] | None = None
    """Of a namespace."""
    filters: Raw = Raw()
    user_location: Raw = Raw()
    search_context_size: Raw = Raw()


class Item(msgspec.Struct):
    type: str | None = None
    role: str | None = None
    content: str | tuple[Part, ...] | None = None
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: Raw = Raw()
    """A string for functions, an object for tool search."""
    input: Raw = Raw()
    output: Raw = Raw()
    """A string or parts for functions, an object for computers."""
    summary: tuple[Part, ...] | None = None
    encrypted_content: str | None = None
    result: Raw = Raw()
    output_format: str | None = None
    tools: tuple[Tool, ...] | None = None


class ChosenTool(msgspec.Struct):
    type: str = ""
    name: str | None = None


class ToolChoice(msgspec.Struct):
    type: str = ""
    name: str | None = None
    mode: str | None = None
    tools: tuple[ChosenTool, ...] | None = None


class Reasoning(msgspec.Struct):
    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None
    """The older name of `summary`."""
    mode: str | None = None
    context: str | None = None


class TextFormat(msgspec.Struct):
    type: str = "text"
    name: str | None = None
    description: str | None = None
    schema: Raw = Raw()
    strict: bool | None = None


class TextConfig(msgspec.Struct):
    format: TextFormat | None = None
    verbosity: str | None = None


def read(fields: Fields, name: str, kind: type[T]) -> T | None:
    """A structured field; None when missing or null. Raises BadRequest with the path inside it."""
    raw = fields.raw.get(name)
    value = None if raw is None else said(raw)
    return None if value is None else read_value(value, name, kind)


def read_value(value: bytes, name: str, kind: type[T]) -> T:
    """A value that stands at `name`. Raises BadRequest with the path inside it."""
    try:
        return msgspec.json.decode(value, type=kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        where = (name + place.rstrip("`"))[:200]
        raise BadRequest(f"`{where}` is wrong: {what[:200]}.", param=where, code="invalid_type") from None
    except RecursionError:
        raise BadRequest(f"`{name}` is nested too deeply.", param=name) from None
    except msgspec.DecodeError as error:
        raise BadRequest(f"`{name}` is not valid JSON: {str(error)[:120]}.", param=name) from None


def read_content(raw: bytes, name: str) -> str | tuple[Part, ...]:
    """A string or content parts. Raises BadRequest with the path inside it."""
    if raw.startswith(b'"'):
        return read_value(raw, name, str)
    return read_value(raw, name, tuple[Part, ...])


def cannot(name: str, why: str) -> BadRequest:
    """What a field gets that another protocol cannot be told."""
    return BadRequest(
        f"`{name}` cannot be carried to the upstream of this model, which speaks another protocol: {why}.",
        param=name,
        code="unsupported_parameter",
    )


def missing(name: str) -> BadRequest:
    return BadRequest(f"`{name}` is missing.", param=name, code="missing_required_parameter")
