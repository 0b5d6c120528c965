"""What stands beside OpenAI's Responses: counting a request's tokens, which is free, and compacting a conversation."""

from __future__ import annotations

import re

from .call import Call, Operation, with_usage
from .directives import read_directives
from .generation import prompt_tokens
from .openai_errors import bearer, openai_error, openai_model
from .openai_responses_checks import responses_prompt
from .values import JsonObject, Usage

COMPACTED_TOKENS = 7
"""Output tokens of every compacted conversation."""


async def count_input(call: Call, match: re.Match[str]) -> None:
    prompt = responses_prompt(call.object())
    model = openai_model(prompt.model, "chat", "v1/responses")
    await call.begin(model.id)
    await call.answer({"object": "response.input_tokens", "input_tokens": prompt_tokens(prompt)})


async def compact(call: Call, match: re.Match[str]) -> None:
    prompt = responses_prompt(call.object())
    model = openai_model(prompt.model, "chat", "v1/responses")
    await call.begin(model.id, fault=read_directives(prompt.last_user_text).fault)
    size = prompt_tokens(prompt)
    await call.think(Usage(input_tokens=size))
    call.usage = Usage(input_tokens=size, output_tokens=COMPACTED_TOKENS)
    usage = call.distorted(
        {
            "input_tokens": size,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": COMPACTED_TOKENS,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": size + COMPACTED_TOKENS,
        }
    )
    body: JsonObject = {
        "id": f"resp_sim{call.number:08d}",
        "object": "response.compaction",
        "created_at": call.started_s,
        "output": [
            {"id": f"cmp_sim{call.number:08d}", "type": "compaction", "encrypted_content": "c2ltdWxhdGVk"}
        ],
    }
    await call.answer(with_usage(body, "usage", usage))


OPERATIONS = (
    Operation(
        "POST",
        re.compile(r"/v1/responses/input_tokens"),
        count_input,
        "openai-input-tokens",
        openai_error,
        bearer,
        billed=False,
    ),
    Operation("POST", re.compile(r"/v1/responses/compact"), compact, "openai-compact", openai_error, bearer),
)
