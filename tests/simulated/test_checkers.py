"""A good body with any one thing in it changed is a prompt or a refusal; no checker ever breaks on it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laidian.simulated.anthropic_checks import messages_prompt
from laidian.simulated.directives import read_directives
from laidian.simulated.gemini_checks import content_prompt
from laidian.simulated.generation import compose, parts, prompt_tokens
from laidian.simulated.models import MODELS
from laidian.simulated.openai_chat_checks import chat_prompt
from laidian.simulated.openai_responses_checks import responses_prompt
from laidian.simulated.values import Prompt, Refusal

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
CHAT: dict[str, Any] = {
    "model": "gpt-5.4",
    "messages": [
        {"role": "system", "content": [{"type": "text", "text": "json"}]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "hi [[tools:2]] [[cached:3]] [[reasoning:2]]"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
                {"type": "file", "file": {"file_id": "f"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "x"},
        {"role": "user", "content": "[[tools:2]]"},
    ],
    "tools": [
        {"type": "function", "function": {"name": "f", "parameters": SCHEMA}},
        {"type": "custom", "custom": {"name": "g"}},
    ],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": SCHEMA}},
    "stream": True,
    "stream_options": {"include_usage": True},
    "max_completion_tokens": 40,
    "stop": ["a"],
    "n": 2,
}  # fmt: skip
RESPONSES: dict[str, Any] = {
    "model": "gpt-5.4",
    "instructions": "x",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "[[tools:2]]"},
                {"type": "input_image", "image_url": "https://x"},
                {"type": "input_file", "file_data": "x"},
            ],
        },
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "x"}]},
        {"type": "reasoning", "summary": []},
    ],
    "tools": [{"type": "function", "name": "f", "parameters": SCHEMA}, {"type": "web_search"}],
    "tool_choice": {"type": "function", "name": "f"},
    "text": {"format": {"type": "json_schema", "name": "n", "strict": True, "schema": SCHEMA}},
    "max_output_tokens": 16,
    "service_tier": "flex",
}
MESSAGES: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 40,
    "system": [{"type": "text", "text": "x"}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "[[tool]]"}, {"type": "image", "source": {}}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "x"}]}
            ],
        },
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": "[[tools:2]]"},
    ],
    "tools": [{"name": "f", "input_schema": SCHEMA}, {"type": "web_search_20250305", "name": "web_search"}],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    "stop_sequences": ["x"],
    "temperature": 0.5,
}
CONTENT: dict[str, Any] = {
    "systemInstruction": {"parts": [{"text": "x"}]},
    "contents": [
        {"role": "user", "parts": [{"text": "x"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "c2ln"}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": 1}}}]},
        {"role": "user", "parts": [{"text": "[[tools:2]]"}]},
    ],
    "tools": [{"functionDeclarations": [{"name": "f", "parameters": SCHEMA}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {
        "maxOutputTokens": 30,
        "candidateCount": 2,
        "temperature": 1,
        "stopSequences": ["x"],
        "responseMimeType": "application/json",
        "responseSchema": SCHEMA,
    },
    "serviceTier": "flex",
}

BODIES: dict[str, tuple[dict[str, Any], Callable[[dict[str, Any]], Prompt]]] = {
    "chat": (CHAT, chat_prompt),
    "responses": (RESPONSES, responses_prompt),
    "messages": (MESSAGES, lambda body: messages_prompt(body, "2023-06-01")),
    "gemini": (CONTENT, lambda body: content_prompt(body, MODELS["gemini-3-pro-preview"], stream=True)),
}
anything: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 1, 2.5, "", "x", [], {}, [None], [[]], [{}], {"x": None}, {"type": "x"}]),
    st.sampled_from([{"type": []}, {"type": {}}, {"$ref": "#/x"}, {"enum": {}}, {"text": None}, 10**400, 1e300]),
    st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=2), max_leaves=3),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [path] if path else []
    for key, item in inner:
        found += places(item, (*path, key))
    return found


def changed(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    body = copy.deepcopy(body)
    holder: Any = body
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = copy.deepcopy(value)
    return body


def removed(body: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    body = copy.deepcopy(body)
    holder: Any = body
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    return body


def answer(prompt: Prompt) -> None:
    """What follows a prompt must not break either, and its steps must add up to its usage."""
    composed = compose(prompt, read_directives(prompt.last_user_text), MODELS["gpt-5.4"], 1, 0)
    steps = list(parts(composed, 3))
    assert steps[-1].output_tokens == composed.usage.output_tokens
    assert composed.usage.input_tokens == prompt_tokens(prompt) > 0


@pytest.mark.parametrize("name", sorted(BODIES))
def test_the_good_body_is_a_prompt(name: str) -> None:
    body, check = BODIES[name]
    answer(check(body))


@pytest.mark.parametrize("name", sorted(BODIES))
def test_whatever_is_left_out_nothing_breaks(name: str) -> None:
    body, check = BODIES[name]
    ended = [outcome(check, removed(body, path)) for path in places(body)]
    assert {"prompt", "refusal"} == set(ended)


@pytest.mark.parametrize("name", sorted(BODIES))
@settings(max_examples=300)
@given(data=st.data())
def test_whatever_is_changed_nothing_breaks(name: str, data: st.DataObject) -> None:
    body, check = BODIES[name]
    path = data.draw(st.sampled_from(places(body)))
    assert outcome(check, changed(body, path, data.draw(anything))) in ("prompt", "refusal")


def outcome(check: Callable[[dict[str, Any]], Prompt], body: dict[str, Any]) -> str:
    try:
        answer(check(body))
    except Refusal as refusal:
        return "refusal" if refusal.status in (400, 403, 404) and refusal.message else "a bad refusal"
    return "prompt"
