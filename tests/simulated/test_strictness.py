"""What the providers refuse, the simulated ones refuse: same status, same `param`, same `code`."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.simulated_provider import SimulatedProvider

HELLO = [{"role": "user", "content": "hello"}]
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}

CHAT: list[tuple[dict[str, Any], str | None, str | None]] = [
    ({"messages": HELLO}, "model", "missing_required_parameter"),
    ({"model": "gpt-5.4"}, "messages", "missing_required_parameter"),
    ({"model": 5, "messages": HELLO}, "model", "invalid_type"),
    ({"model": None, "messages": HELLO}, "model", "invalid_type"),
    ({"model": "gpt-5.4", "messages": "hello"}, "messages", "invalid_type"),
    ({"model": "gpt-5.4", "messages": []}, "messages", "empty_array"),
    ({"model": "gpt-5.4", "messages": ["hello"]}, "messages[0]", "invalid_type"),
    ({"messages": [{"content": "x"}]}, "messages[0].role", "missing_required_parameter"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role", "invalid_value"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
    ({"messages": [{"role": "user", "content": None}]}, "messages[0].content", "invalid_type"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "invalid_type"),
    (
        {"messages": [{"role": "user", "content": [{"type": "video"}]}]},
        "messages[0].content[0].type",
        "invalid_value",
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        "messages[0].content[0].text",
        "missing_required_parameter",
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "http://x"}]}]},
        "messages[0].content[0].image_url",
        "invalid_type",
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        "messages[0].content[0].image_url.url",
        "invalid_value",
    ),
    (
        {"messages": [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        "messages[0].content[0].type",
        "invalid_value",
    ),
    ({"messages": [{"role": "tool", "tool_call_id": "c1", "content": "x"}]}, "messages[0].role", None),
    ({"messages": [{"role": "assistant", "content": None, "tool_calls": [CALL]}]}, "messages", None),
    ({"temperature": 2.5}, "temperature", "decimal_above_max_value"),
    ({"temperature": -1}, "temperature", "decimal_below_min_value"),
    ({"temperature": "hot"}, "temperature", "invalid_type"),
    ({"top_p": 1.1}, "top_p", "decimal_above_max_value"),
    ({"n": 0}, "n", "integer_below_min_value"),
    ({"n": 1.5}, "n", "invalid_type"),
    ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
    ({"max_tokens": 5, "max_completion_tokens": 5}, "max_tokens", "invalid_parameter_combination"),
    ({"stream": "yes"}, "stream", "invalid_type"),
    ({"stream_options": {"include_usage": True}}, "stream_options", None),
    (
        {"stream": True, "stream_options": {"include_everything": True}},
        "stream_options.include_everything",
        "unknown_parameter",
    ),
    ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "array_above_max_length"),
    ({"stop": [1]}, "stop[0]", "invalid_type"),
    ({"reasoning_effort": "enormous"}, "reasoning_effort", "invalid_value"),
    ({"service_tier": "gold"}, "service_tier", "invalid_value"),
    ({"top_logprobs": 3}, "top_logprobs", "invalid_value"),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "missing_required_parameter"),
    (
        {"tools": [{"type": "function", "function": {"name": "no spaces"}}]},
        "tools[0].function.name",
        "invalid_value",
    ),
    ({"tool_choice": "auto"}, "tool_choice", None),
    ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}}, "tool_choice", None),
    ({"response_format": {"type": "yaml"}}, "response_format.type", "invalid_value"),
    ({"response_format": {"type": "json_object"}}, "messages", None),
    (
        {"response_format": {"type": "json_schema"}},
        "response_format.json_schema",
        "missing_required_parameter",
    ),
    (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "strict": True, "schema": {"type": "object", "properties": {}}},
            }
        },
        "response_format",
        None,
    ),
    ({"max_output_tokens": 5}, "max_output_tokens", "unknown_parameter"),
    ({"x_unheard_of": 1}, "x_unheard_of", "unknown_parameter"),
    ({"messages": [{"role": "user", "content": "[[fault:no-such]]"}]}, None, None),
    ({"messages": [{"role": "user", "content": "[[tokens:many]]"}]}, None, None),
]


@pytest.mark.parametrize(("change", "param", "code"), CHAT)
def test_chat_refuses_in_openais_words(
    provider: SimulatedProvider,
    http: httpx2.Client,
    change: dict[str, Any],
    param: str | None,
    code: str | None,
) -> None:
    whole = "model" in change or change == {"messages": HELLO}
    body = change if whole else {"model": "gpt-5.4", "messages": HELLO, **change}
    answer = http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    row = provider.bill().rows[0]
    assert (row.ended, row.status, row.usage.input_tokens) == ("error", 400, 0)


def test_every_parameter_of_the_sdk_passes(http: httpx2.Client) -> None:
    body = {
        "model": "gpt-5.4",
        "messages": [{"role": "developer", "content": "json"}, *HELLO],
        "audio": {"format": "mp3", "voice": "x"},
        "frequency_penalty": -2,
        "functions": [],
        "logit_bias": {"50256": -100},
        "logprobs": True,
        "max_completion_tokens": 10,
        "metadata": {"a": "b"},
        "modalities": ["text"],
        "n": 1,
        "parallel_tool_calls": False,
        "prediction": {"type": "content", "content": "x"},
        "presence_penalty": 2,
        "prompt_cache_key": "k",
        "prompt_cache_options": {"mode": "implicit"},
        "prompt_cache_retention": "24h",
        "reasoning_effort": "minimal",
        "response_format": {"type": "json_object"},
        "safety_identifier": "s",
        "seed": 7,
        "service_tier": None,
        "stop": None,
        "store": False,
        "stream": False,
        "temperature": 0,
        "tool_choice": "auto",
        "tools": [TOOL],
        "top_logprobs": 20,
        "top_p": 1,
        "user": "u",
        "verbosity": "low",
        "web_search_options": {},
    }
    assert http.post("/v1/chat/completions", json=body).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b'{"model": "gpt-5.4", "messages": [], "temperature": NaN}',
        b'{"model": "gpt-5.4", "temperature": Infinity}',
        '{"model": "gpt-5.4"}'.encode("utf-16"),
        b'{"model": "\xff"}',
        b'{"model": "\\ud800"}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
    ],
)
def test_what_is_no_json_object_is_refused(http: httpx2.Client, body: bytes) -> None:
    answer = http.post("/v1/chat/completions", content=body)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]["message"]


def test_a_body_nested_as_deep_as_json_is_read_gets_an_answer(http: httpx2.Client) -> None:
    for depth in (100, 400, 900, 990, 2_000):
        schema = b'{"items":' * depth + b"{}" + b"}" * depth
        body = (
            b'{"model":"gpt-5.4","messages":[{"role":"user","content":"x"}],"response_format":'
            b'{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":' + schema + b"}}}"
        )
        answer = http.post("/v1/chat/completions", content=body)
        assert answer.status_code in (200, 400)
        assert answer.headers["x-simulated"] == "true"


def test_a_compressed_request_is_refused(http: httpx2.Client) -> None:
    answer = http.post("/v1/chat/completions", content=b"x", headers={"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")


def test_a_prompt_beyond_the_context_is_refused(http: httpx2.Client) -> None:
    body = {"model": "claude-opus-4-5", "messages": [{"role": "user", "content": "x" * 800_000}]}
    answer = http.post("/v1/chat/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "context_length_exceeded")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/chat/completions", 405, "method_not_supported"),
        ("DELETE", "/v1/models", 405, "method_not_supported"),
        ("POST", "/v1/videos", 404, None),
        ("GET", "/v2/models", 404, None),
        ("GET", "/v1/models/gpt-99", 404, "model_not_found"),
        ("GET", "/v1/models/some/model:tuned", 404, "model_not_found"),
    ],
)
def test_routes_and_methods(
    http: httpx2.Client, method: str, path: str, status: int, code: str | None
) -> None:
    answer = http.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["x-simulated"] == "true"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/chat/completions", {"model": "gpt-99", "messages": HELLO}, 404),
        ("/v1/chat/completions", {"model": "gpt-image-2", "messages": HELLO}, 404),
        ("/v1/chat/completions", {"model": "gemini-3-pro-preview", "messages": HELLO}, 404),
        ("/v1/responses", {"model": "claude-sonnet-4-5", "input": "x"}, 404),
        ("/v1/responses", {"model": "gpt-5.4"}, 400),
        ("/v1/responses", {"model": "gpt-5.4", "input": "x", "messages": HELLO}, 400),
        ("/v1/responses", {"model": "gpt-5.4", "input": [{"type": "mystery"}]}, 400),
        ("/v1/responses", {"model": "gpt-5.4", "input": "x", "previous_response_id": "resp_1"}, 400),
        ("/v1/responses", {"model": "gpt-5.4", "input": "x", "max_output_tokens": 15}, 400),
        ("/v1/responses", {"model": "gpt-5.4", "input": [{"type": "item_reference", "id": "i"}]}, 404),
        ("/v1/embeddings", {"model": "text-embedding-3-small"}, 400),
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": ""}, 400),
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": []}, 400),
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": [1.5]}, 400),
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "x", "dimensions": 9_999}, 400),
        ("/v1/embeddings", {"model": "gpt-5.4", "input": "x"}, 404),
        ("/v1/images/generations", {"model": "gpt-image-2"}, 400),
        ("/v1/images/generations", {"model": "gpt-image-2", "prompt": "x", "n": 11}, 400),
        ("/v1/images/generations", {"model": "gpt-image-2", "prompt": "x", "size": "big"}, 400),
        ("/v1/images/generations", {"model": "gpt-5.4", "prompt": "x"}, 404),
        ("/v1/moderations", {}, 400),
    ],
)
def test_other_bodies(http: httpx2.Client, path: str, body: dict[str, Any], status: int) -> None:
    answer = http.post(path, json=body)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("authorization", ["", "Basic abc", "sim-test-key-000001"])
def test_no_credential_is_401_and_costs_nothing(provider: SimulatedProvider, authorization: str) -> None:
    answer = httpx2.post(
        f"{provider.base_url}/v1/chat/completions",
        json={"model": "gpt-5.4", "messages": HELLO},
        headers={"authorization": authorization} if authorization else {},
        trust_env=False,
    )
    assert answer.status_code == 401
    assert "You didn't provide an API key" in answer.json()["error"]["message"]
    assert provider.bill().totals.charged == 0


def test_a_get_with_a_json_content_type_and_no_body_works(http: httpx2.Client) -> None:
    assert http.get("/v1/models", headers={"content-type": "application/json"}).status_code == 200


def test_the_journal_keeps_bytes_and_hides_credentials(
    provider: SimulatedProvider, http: httpx2.Client
) -> None:
    body = json.dumps({"model": "gpt-5.4", "messages": HELLO, "n": 1}).replace("1}", "1.0e0}").encode()
    http.post("/v1/chat/completions?x=1", content=body, headers={"x-odd": "a"})
    http.get("/v1beta/models?key=sim-test-key-000001", headers={"x-goog-api-key": "sim-test-key-000001"})
    seen = provider.requests(count=2)
    assert seen[0].body == body
    assert (seen[0].method, seen[0].path) == ("POST", "/v1/chat/completions?x=1")
    assert seen[0].headers["authorization"] == "Bearer sim-test"
    assert seen[1].path == "/v1beta/models?key=sim-test"
    assert "key-000001" not in repr(seen)
