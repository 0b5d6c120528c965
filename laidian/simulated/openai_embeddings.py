"""OpenAI embeddings: texts or token ids in, deterministic unit vectors out, as floats or base64."""

from __future__ import annotations

import base64
import hashlib
import math
import random
import re
import struct

import msgspec

from .call import Call, Operation, with_usage
from .models import Model
from .openai_checks import Rule, check_parameters, invalid, maybe_integer, mistyped
from .openai_errors import bearer, openai_error, openai_model
from .tokens import count_tokens
from .values import Json, JsonObject, Usage

PARAMETERS: dict[str, Rule] = {
    "input": Rule("any", required=True),
    "model": Rule("string", required=True),
    "dimensions": Rule("integer", 1),
    "encoding_format": Rule("string", values=("float", "base64")),
    "user": Rule("string"),
}
_MOST_INPUTS = 2_048
_EXPECTED = "one of a string, an array of strings, an array of integers, or an array of integer arrays"


async def answer_embeddings(call: Call, match: re.Match[str]) -> None:
    body = call.object()
    call.model = str(body.get("model", ""))
    check_parameters(body, PARAMETERS)
    await embed(call, body, openai_model(call.model, "embedding", "v1/embeddings"))


async def embed(call: Call, body: JsonObject, model: Model) -> None:
    """The same for a model that was found already."""
    dimensions = maybe_integer(body, "dimensions") or model.dimensions
    if dimensions > model.dimensions:
        message = f"Invalid 'dimensions': {model.id} makes at most {model.dimensions}, but got {dimensions}."
        raise invalid("dimensions", message)
    inputs = _inputs(body["input"])
    tokens = [_tokens(item) for item in inputs]
    for place, count in enumerate(tokens):
        if count > model.context_tokens:
            message = f"This model's maximum context length is {model.context_tokens} tokens, but input {place} has {count}."
            raise invalid(f"input[{place}]", message, "context_length_exceeded")
    await call.begin(model.id)
    await call.think(Usage(input_tokens=sum(tokens)))
    as_base64 = body.get("encoding_format") == "base64"
    usage = call.distorted({"prompt_tokens": sum(tokens), "total_tokens": sum(tokens)})
    answer: dict[str, Json] = {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": place,
                "embedding": _encoded(vector(item, dimensions), as_base64),
            }
            for place, item in enumerate(inputs)
        ],
        "model": model.id,
    }
    await call.answer(with_usage(answer, "usage", usage))


def vector(item: Json, dimensions: int) -> list[float]:
    """A unit vector that depends on the input alone."""
    draw = random.Random(hashlib.sha256(msgspec.json.encode(item)).digest())  # noqa: S311
    values = [draw.uniform(-1, 1) for _ in range(dimensions)]
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]


def _encoded(values: list[float], as_base64: bool) -> Json:
    if not as_base64:
        return [*values]
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def _inputs(value: Json) -> list[Json]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise mistyped("input", _EXPECTED, value)
    if not value:
        raise invalid("input", "Invalid 'input': input cannot be an empty array.", "empty_array")
    if all(_is_token(item) for item in value):
        return [value]
    if len(value) > _MOST_INPUTS:
        message = f"Invalid 'input': at most {_MOST_INPUTS} inputs, but got {len(value)}."
        raise invalid("input", message, "array_above_max_length")
    for place, item in enumerate(value):
        if item in ("", []):
            raise invalid(f"input[{place}]", f"Invalid 'input[{place}]': input cannot be empty.")
        tokens = isinstance(item, list) and all(_is_token(token) for token in item)
        if not isinstance(item, str) and not tokens:
            raise mistyped(f"input[{place}]", _EXPECTED, item)
    return value


def _is_token(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _tokens(item: Json) -> int:
    if isinstance(item, list):
        return len(item)
    return count_tokens(item) if isinstance(item, str) else 0


OPERATIONS = (
    Operation(
        "POST", re.compile(r"/v1/embeddings"), answer_embeddings, "openai-embeddings", openai_error, bearer
    ),
)
