"""Google's OpenAI-compatible layer under /v1beta/openai: OpenAI's bodies, Gemini's models, Google's errors in an
array of one. Only a Bearer credential is read there."""

from __future__ import annotations

import re

from .call import Call, Operation
from .gemini_errors import API_KEY_INVALID, compatible_error
from .generation import generate
from .models import Model, find_model, models_of
from .openai_chat import ChatShape, asks_usage
from .openai_chat_checks import chat_prompt
from .openai_checks import check_parameters
from .openai_embeddings import PARAMETERS, embed
from .openai_errors import CREDENTIAL_START
from .values import Event, Json, Refusal
from .wire import Exchange


async def answer_chat(call: Call, match: re.Match[str]) -> None:
    body = call.object()
    call.model = str(body.get("model", ""))
    prompt = chat_prompt(body)
    await generate(call, _model(prompt.model), prompt, _Shape(call, asks_usage(body), signatures=True))


async def answer_embeddings(call: Call, match: re.Match[str]) -> None:
    body = call.object()
    call.model = str(body.get("model", ""))
    check_parameters(body, PARAMETERS)
    await embed(call, body, _model(call.model, "embedding"))


async def list_models(call: Call, match: re.Match[str]) -> None:
    await call.begin("")
    entries: list[Json] = [
        {"id": f"models/{model.id}", "object": "model", "created": model.created_s, "owned_by": "simulated"}
        for model in models_of("google")
    ]
    await call.answer({"object": "list", "data": entries})


class _Shape(ChatShape):
    def error_event(self, refusal: Refusal) -> Event:
        return Event(compatible_error(refusal, ""))


def _model(name: str, kind: str = "chat") -> Model:
    model = find_model(name.removeprefix("models/"), "google")
    if model is None or model.kind != kind:
        raise Refusal(
            404,
            f"models/{name} is not found for API version v1main, or is not supported for generateContent.",
        )
    return model


def _bearer(exchange: Exchange) -> str:
    scheme, _, credential = exchange.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise Refusal(400, "Missing or invalid Authorization header.")
    if not credential.strip().startswith(CREDENTIAL_START):
        raise Refusal(400, "API key not valid. Please pass a valid API key.", kind=API_KEY_INVALID)
    return credential.strip()


OPERATIONS = (
    Operation(
        "POST",
        re.compile(r"/v1beta/openai/chat/completions"),
        answer_chat,
        "gemini-compatible",
        compatible_error,
        _bearer,
    ),
    Operation(
        "POST",
        re.compile(r"/v1beta/openai/embeddings"),
        answer_embeddings,
        "gemini-compatible",
        compatible_error,
        _bearer,
    ),
    Operation(
        "GET",
        re.compile(r"/v1beta/openai/models"),
        list_models,
        "gemini-compatible",
        compatible_error,
        _bearer,
        billed=False,
    ),
)
