"""OpenAI moderations: free, and nothing is ever flagged unless the text says `[[flag]]`."""

from __future__ import annotations

import re

from .call import Call, Operation
from .openai_checks import Rule, check_parameters, maybe_string, mistyped, need_object
from .openai_errors import bearer, openai_error, openai_model
from .values import Json, JsonObject

PARAMETERS = {"input": Rule("any", required=True), "model": Rule("string")}
CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
_FLAG = "[[flag]]"


async def answer_moderations(call: Call, match: re.Match[str]) -> None:
    body = call.object()
    check_parameters(body, PARAMETERS)
    model = openai_model(
        maybe_string(body, "model") or "omni-moderation-latest", "moderation", "v1/moderations"
    )
    texts = _texts(body["input"])
    await call.begin(model.id)
    results: list[Json] = [_result(_FLAG in text) for text in texts]
    await call.answer({"id": f"modr-sim{call.number:08d}", "model": model.id, "results": results})


def _texts(value: Json) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise mistyped("input", "one of a string, an array of strings, or an array of objects", value)
    if all(isinstance(item, str) for item in value):
        return [str(item) for item in value]
    parts = [need_object(f"input[{place}]", item) for place, item in enumerate(value)]
    return ["".join(maybe_string(part, "text") or "" for part in parts)]


def _result(flagged: bool) -> JsonObject:
    hit = flagged
    return {
        "flagged": flagged,
        "categories": {name: hit and name == "violence" for name in CATEGORIES},
        "category_scores": {name: 0.99 if hit and name == "violence" else 0.0 for name in CATEGORIES},
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }


OPERATIONS = (
    Operation(
        "POST",
        re.compile(r"/v1/moderations"),
        answer_moderations,
        "openai-moderations",
        openai_error,
        bearer,
        billed=False,
    ),
)
