"""What several OpenAI operations read of a request in the same way."""

from __future__ import annotations

from typing import overload

from laidian.errors import BadRequest
from laidian.protocol.document import Fields

MAX_MODEL_CHARS = 200


def named_model(fields: Fields) -> str:
    """The model's name. Raises BadRequest when it is missing or cannot be one."""
    return checked_model(fields.get("model", str))


def checked_model(model: str | None) -> str:
    """Raises BadRequest for a name that is missing, endless or unprintable."""
    if not model:
        raise BadRequest(
            "The request names no model. Set `model`; GET /v1/models lists yours.",
            param="model",
            code="missing_model",
        )
    if len(model) > MAX_MODEL_CHARS or not model.isprintable():
        raise BadRequest(
            f"`model` must be at most {MAX_MODEL_CHARS} printable characters.",
            param="model",
            code="invalid_value",
        )
    return model


@overload
def positive(fields: Fields, name: str, missing: int) -> int: ...
@overload
def positive(fields: Fields, name: str, missing: None = None) -> int | None: ...
def positive(fields: Fields, name: str, missing: int | None = None) -> int | None:
    """An integer of at least 1, or `missing`. Raises BadRequest naming the field."""
    number = fields.get(name, int)
    if number is None:
        return missing
    if number < 1:
        raise BadRequest(f"`{name}` must be at least 1; got {number}.", param=name, code="invalid_value")
    return number


def choices(fields: Fields, name: str = "n", most: int = 128) -> int:
    """How many answers are asked for. OpenAI's own bound of `n` is 128 (its OpenAPI document of 2026-08-21)."""
    number = positive(fields, name, 1)
    if number > most:
        raise BadRequest(f"`{name}` must be at most {most}; got {number}.", param=name, code="invalid_value")
    return number
