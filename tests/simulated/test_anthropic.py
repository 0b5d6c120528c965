"""Anthropic's Messages API over plain HTTP: shapes, stream order, and what its versions refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.simulated_provider import SimulatedProvider

KEY = "sim-anthropic-key-01"
TOOL = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}  # fmt: skip


@pytest.fixture
def anthropic(provider: SimulatedProvider) -> Iterator[httpx2.Client]:
    headers = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
    with httpx2.Client(base_url=provider.base_url, headers=headers, timeout=20, trust_env=False) as client:
        yield client


def says(text: str, **more: Any) -> dict[str, Any]:
    message = {"role": "user", "content": text}
    return {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [message], **more}


def events_of(text: str) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_input_tokens_leave_the_cache_out_and_the_bill_does_not(
    provider: SimulatedProvider, anthropic: httpx2.Client
) -> None:
    answer = anthropic.post("/v1/messages", json=says("[[cached:3]] [[cache_write:2]] [[tokens:8]]")).json()
    usage = answer["usage"]
    billed = provider.bill().rows[0].usage
    assert answer["content"][0]["text"].startswith("[simulated] ")
    assert answer["stop_reason"] == "end_turn"
    assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (3, 2)
    assert usage["input_tokens"] + 5 == billed.input_tokens
    assert (billed.cached_input_tokens, billed.cache_write_tokens, billed.output_tokens) == (3, 2, 8)


def test_the_stream_has_anthropics_order_and_cumulative_usage(anthropic: httpx2.Client) -> None:
    text = anthropic.post("/v1/messages?beta=true", json=says("[[tokens:6]]", stream=True)).text
    events = events_of(text)
    assert [name for name, _ in events] == [
        "message_start",
        "ping",
        "content_block_start",
        *["content_block_delta"] * 6,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert all(data["type"] == name for name, data in events)
    assert events[0][1]["message"]["usage"]["output_tokens"] == 1
    assert events[-2][1]["usage"]["output_tokens"] == 6
    assert "[DONE]" not in text


def test_tool_use_streams_one_block_per_call(anthropic: httpx2.Client) -> None:
    body = says("[[tools:2]]", tools=[TOOL], stream=True)
    events = events_of(anthropic.post("/v1/messages", json=body).text)
    starts = [data for name, data in events if name == "content_block_start"]
    assert [data["index"] for data in starts] == [0, 1]
    assert {data["content_block"]["type"] for data in starts} == {"tool_use"}
    for index in (0, 1):
        deltas = [
            data["delta"] for name, data in events if name == "content_block_delta" and data["index"] == index
        ]
        assert json.loads("".join(delta["partial_json"] for delta in deltas)) == {"city": "simulated"}
    assert [data["index"] for name, data in events if name == "content_block_stop"] == [0, 1]
    assert events[-2][1]["delta"]["stop_reason"] == "tool_use"


def test_a_tool_result_ends_the_turn(anthropic: httpx2.Client) -> None:
    first = anthropic.post("/v1/messages", json=says("[[tool]]", tools=[TOOL])).json()
    turn = [
        {"role": "user", "content": "[[tool]]"},
        {"role": "assistant", "content": first["content"]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": first["content"][0]["id"], "content": "rain"}],
        },
    ]
    body = says("", tools=[TOOL]) | {"messages": turn}
    answer = anthropic.post("/v1/messages", json=body).json()
    assert answer["stop_reason"] == "end_turn"
    refused = anthropic.post("/v1/messages", json=body | {"messages": turn[:2]})
    assert refused.status_code == 400
    assert "tool_result" in refused.json()["error"]["message"]


def test_a_stop_sequence_is_named(anthropic: httpx2.Client) -> None:
    answer = anthropic.post("/v1/messages", json=says("[[say:one END two]]", stop_sequences=["END"])).json()
    assert (answer["stop_reason"], answer["stop_sequence"]) == ("stop_sequence", "END")


def test_counting_is_free(provider: SimulatedProvider, anthropic: httpx2.Client) -> None:
    body = {
        "model": "claude-sonnet-4-5",
        "messages": [{"role": "user", "content": "12345678"}],
        "system": "1234",
    }
    assert anthropic.post("/v1/messages/count_tokens", json=body).json() == {"input_tokens": 3 + 8}
    assert provider.bill().totals.rows == 0


def test_the_model_list_depends_on_the_version_header(anthropic: httpx2.Client) -> None:
    listed = anthropic.get("/v1/models").json()
    assert {model["type"] for model in listed["data"]} == {"model"}
    assert (listed["has_more"], listed["first_id"]) == (False, listed["data"][0]["id"])
    assert anthropic.get("/v1/models/claude-opus-4-5").json()["created_at"].endswith("Z")
    assert anthropic.get("/v1/models/gpt-5.4").json()["error"]["type"] == "not_found_error"


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"max_tokens": None}, 400, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": 0}, 400, "max_tokens: Input should be greater"),
        ({"messages": []}, 400, "messages: at least one message is required"),
        ({"messages": [{"role": "robot", "content": "x"}]}, 400, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, 400, "messages.0.content: Field required"),
        ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, 400, "messages.0.content.0"),
        ({"temperature": 1.5}, 400, "temperature"),
        ({"stream": 1}, 400, "stream: Input should be a valid boolean"),
        ({"frequency_penalty": 1}, 400, "frequency_penalty: Extra inputs are not permitted"),
        ({"tool_choice": {"type": "tool", "name": "x"}}, 400, "Tool 'x' not found"),
        ({"model": "gpt-5.4"}, 404, "model: gpt-5.4"),
        ({"messages": [{"role": "user", "content": "[[fault:http-529]]"}]}, 529, "Overloaded"),
    ],
)
def test_refusals_have_anthropics_shape(
    anthropic: httpx2.Client, change: dict[str, Any], status: int, message: str
) -> None:
    answer = anthropic.post("/v1/messages", json=says("x") | change)
    body = answer.json()
    assert answer.status_code == status
    assert (body["type"], set(body["error"])) == ("error", {"type", "message"})
    assert message in body["error"]["message"]
    assert body["request_id"] == answer.headers["request-id"]


def test_a_required_field_that_is_absent_is_named(anthropic: httpx2.Client) -> None:
    for name in ("model", "max_tokens", "messages"):
        body = says("x")
        del body[name]
        assert (
            anthropic.post("/v1/messages", json=body).json()["error"]["message"] == f"{name}: Field required"
        )


def test_the_version_is_required_and_the_new_one_refuses_sampling(anthropic: httpx2.Client) -> None:
    new = {"anthropic-version": "2026-10-21"}
    assert anthropic.post("/v1/messages", json=says("x"), headers=new).status_code == 200
    assert anthropic.post("/v1/messages", json=says("x", temperature=1), headers=new).status_code == 400
    assert anthropic.post("/v1/messages", json=says("x", temperature=1)).status_code == 200
    del anthropic.headers["anthropic-version"]
    missing = anthropic.post("/v1/messages", json=says("x"))
    assert missing.json()["error"]["message"] == "anthropic-version: header is required"


def test_credentials(provider: SimulatedProvider) -> None:
    url = f"{provider.base_url}/v1/messages"
    version = {"anthropic-version": "2023-06-01"}
    bearer = httpx2.post(
        url, json=says("x"), headers=version | {"authorization": f"Bearer {KEY}"}, trust_env=False
    )
    wrong = httpx2.post(
        url, json=says("x"), headers=version | {"x-api-key": "sk-ant-secret"}, trust_env=False
    )
    missing = httpx2.post(url, json=says("x"), headers=version, trust_env=False)
    assert bearer.status_code == 200
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (401, "authentication_error")
    assert missing.status_code == 401
    assert "sk-ant" not in wrong.text


def test_a_mid_stream_error_is_an_error_event(anthropic: httpx2.Client) -> None:
    body = says("[[fault:error-event]] [[tokens:8]]", stream=True)
    events = events_of(anthropic.post("/v1/messages", json=body).text)
    assert events[-1][0] == "error"
    assert events[-1][1]["error"]["type"] == "api_error"
    assert "message_stop" not in [name for name, _ in events]
