"""Reading what was sent: the same strictness for HTTP bodies and for structs built by the command line.

Every use case that takes a change begins with `checked`, so that no bound of the schema depends on who calls.
"""

from __future__ import annotations

import difflib
import re
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from laidian.domain.money import parse_multiplier, parse_usd
from laidian.errors import BadRequest

T = TypeVar("T", bound=msgspec.Struct)

_PLACE = re.compile(r" - at `(?:key` in `)?\$\.?([^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")


def checked(change: T) -> T:
    """The change itself. Raises BadRequest when a value is outside what its type allows."""
    kind = type(change)
    try:
        return msgspec.convert(msgspec.to_builtins(change), kind)
    except msgspec.ValidationError as error:
        raise problem(error, kind) from None


def decoded(body: bytes, kind: type[T]) -> T:
    """A JSON body as a struct. Raises BadRequest that names the field."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise problem(error, kind) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not valid JSON: {error}.", code="invalid_json") from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply.", code="invalid_json") from None


def problem(error: msgspec.ValidationError, kind: type[msgspec.Struct]) -> BadRequest:
    """A sentence with the field and what it may hold; what was sent is never repeated, since it may be a secret in the wrong place."""
    text = str(error)
    place = _PLACE.search(text)
    param = place[1] if place and place[1] else None
    if unknown := _UNKNOWN.search(text):
        return _unknown_field(unknown[1], param, kind)
    said = _PLACE.sub("", text)
    if said.startswith("Invalid enum value"):
        possible = _literals(get_type_hints(kind).get(param or ""))
        said = (
            f"it must be one of {', '.join(possible)}" if possible else "it is none of the values there are"
        )
    where = f"The field `{param}`" if param else "The body"
    return BadRequest(f"{where} cannot be used: {said}.", param=param)


def _unknown_field(name: str, param: str | None, kind: type[msgspec.Struct]) -> BadRequest:
    shown = name[:64]
    if param is not None:
        return BadRequest(f"There is no field `{shown}` in `{param}`.", param=param)
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(known)}."
    return BadRequest(f"There is no field `{shown}` here. {hint}", param=shown)


def _literals(kind: Any) -> list[str]:
    """The texts that a type allows, wherever in it they are named."""
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    return [text for part in get_args(kind) for text in _literals(part)]


def amount(text: str, param: str, *, allow_negative: bool = False) -> int:
    """Nano-USD. Raises BadRequest with the sentence of `parse_usd`."""
    try:
        return parse_usd(text, allow_negative=allow_negative)
    except ValueError as error:
        raise BadRequest(str(error), param=param) from None


def amount_or_none(text: str | None, param: str) -> int | None:
    return None if text is None else amount(text, param)


def multiplier(text: str) -> int:
    """Parts per million."""
    try:
        return parse_multiplier(text)
    except ValueError as error:
        raise BadRequest(str(error), param="multiplier") from None


def plain(text: str, param: str) -> str:
    """A free text that a terminal can show. Raises BadRequest."""
    if not text.isprintable():
        raise BadRequest(
            f"The text in {param} has characters that do not print; leave them out.", param=param
        )
    return text


def printable(texts: tuple[str, ...] | list[str], param: str) -> None:
    """Raises BadRequest when a model name or pattern could not be shown."""
    for text in texts:
        if not text.isprintable() or text != text.strip():
            raise BadRequest(
                f"{text[:40]!a} in {param} has blanks around it or characters that do not print.", param=param
            )
