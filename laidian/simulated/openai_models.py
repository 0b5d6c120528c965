"""OpenAI's model list. `GET /v1/models` is shared by three vendors; the other two claim theirs by header first."""

from __future__ import annotations

import re

from .call import Call, Operation
from .models import Model, find_model, models_of
from .openai_errors import bearer, model_not_found, openai_error
from .values import JsonObject


async def list_models(call: Call, match: re.Match[str]) -> None:
    await call.begin("")
    await call.answer({"object": "list", "data": [_entry(model) for model in models_of("openai")]})


async def show_model(call: Call, match: re.Match[str]) -> None:
    model = find_model(match["model"], "openai")
    if model is None:
        raise model_not_found(match["model"])
    await call.begin(model.id)
    await call.answer(_entry(model))


def _entry(model: Model) -> JsonObject:
    return {"id": model.id, "object": "model", "created": model.created_s, "owned_by": "simulated"}


OPERATIONS = (
    Operation(
        "GET", re.compile(r"/v1/models"), list_models, "openai-models", openai_error, bearer, billed=False
    ),
    Operation(
        "GET",
        re.compile(r"/v1/models/(?P<model>.+)"),
        show_model,
        "openai-models",
        openai_error,
        bearer,
        billed=False,
    ),
)
