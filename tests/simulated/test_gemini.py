"""Native Gemini and its OpenAI-compatible layer, over plain HTTP: the shapes SDKs depend on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from openai import BadRequestError, OpenAI

from tests.simulated_provider import SimulatedProvider

KEY = "sim-gemini-key-0001"
PRO = "/v1beta/models/gemini-3-pro-preview"
WEATHER = {
    "name": "get_weather",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
}


@pytest.fixture
def gemini(provider: SimulatedProvider) -> Iterator[httpx2.Client]:
    headers = {"x-goog-api-key": KEY}
    with httpx2.Client(base_url=provider.base_url, headers=headers, timeout=20, trust_env=False) as client:
        yield client


def says(text: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def test_generate_content_counts_thoughts_apart(provider: SimulatedProvider, gemini: httpx2.Client) -> None:
    answer = gemini.post(
        f"{PRO}:generateContent", json=says("[[tokens:9]] [[reasoning:5]] [[cached:2]]")
    ).json()
    candidate = answer["candidates"][0]
    assert candidate["content"]["role"] == "model"
    assert candidate["content"]["parts"][0]["text"].startswith("[simulated] ")
    assert candidate["finishReason"] == "STOP"
    usage = answer["usageMetadata"]
    assert (usage["candidatesTokenCount"], usage["thoughtsTokenCount"]) == (9, 5)
    assert usage["cachedContentTokenCount"] == 2
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + 14
    billed = provider.bill().rows[0]
    assert (billed.dialect, billed.usage.output_tokens, billed.usage.reasoning_tokens) == ("gemini", 14, 5)


def test_a_stream_with_alt_sse_has_only_data_lines(gemini: httpx2.Client) -> None:
    answer = gemini.post(f"{PRO}:streamGenerateContent?alt=sse", json=says("[[tokens:6]]"))
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = answer.text.removesuffix("\n\n").split("\n\n")
    assert all(block.startswith("data: {") for block in blocks)
    chunks = [json.loads(block.removeprefix("data: ")) for block in blocks]
    counts = [chunk["usageMetadata"]["candidatesTokenCount"] for chunk in chunks]
    assert counts == [1, 2, 3, 4, 5, 6, 6]
    assert ["finishReason" in chunk["candidates"][0] for chunk in chunks] == [False] * 6 + [True]


def test_a_stream_without_alt_is_one_json_array(gemini: httpx2.Client) -> None:
    answer = gemini.post(f"{PRO}:streamGenerateContent", json=says("[[tokens:6]]"))
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.json()) == 7
    assert answer.text.startswith("[{")


def test_the_new_default_version_and_the_key_in_the_query_work(provider: SimulatedProvider) -> None:
    with httpx2.Client(base_url=provider.base_url, trust_env=False) as client:
        answer = client.post(f"/v1/models/gemini-3-flash-preview:generateContent?key={KEY}", json=says("hi"))
        listed = client.get(f"/v1/models?key={KEY}").json()
    assert answer.status_code == 200
    assert listed["models"][0]["name"].startswith("models/gemini-3")


def test_function_calls_come_whole_and_signed(gemini: httpx2.Client) -> None:
    body = says("[[tools:2]]") | {"tools": [{"functionDeclarations": [WEATHER]}]}
    answer = gemini.post(f"{PRO}:streamGenerateContent?alt=sse", json=body).text
    chunks = [json.loads(line[6:]) for line in answer.splitlines() if line]
    parts = [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
    calls = [part for part in parts if "functionCall" in part]
    assert [call["functionCall"]["args"] for call in calls] == [{"city": "simulated"}] * 2
    assert all(call["thoughtSignature"] for call in calls)


def test_a_call_without_its_signature_is_refused_on_gemini_3(gemini: httpx2.Client) -> None:
    call: dict[str, Any] = {"functionCall": {"name": "get_weather", "args": {"city": "x"}}}
    result = {"functionResponse": {"name": "get_weather", "response": {"output": "rain"}}}
    turns = [
        {"role": "user", "parts": [{"text": "[[tool]]"}]},
        {"role": "model", "parts": [call]},
        {"role": "user", "parts": [result]},
    ]
    refused = gemini.post(f"{PRO}:generateContent", json={"contents": turns})
    assert refused.status_code == 400
    assert "thought_signature" in refused.json()["error"]["message"]
    call["thoughtSignature"] = "c2ln"
    answer = gemini.post(f"{PRO}:generateContent", json={"contents": turns}).json()
    assert answer["candidates"][0]["content"]["parts"][0]["text"].startswith("[simulated] ")


def test_snake_case_fields_are_the_same_fields(gemini: httpx2.Client) -> None:
    body = says("[[tokens:50]]") | {"generation_config": {"max_output_tokens": 5}}
    answer = gemini.post(f"{PRO}:generateContent", json=body).json()
    assert answer["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert answer["usageMetadata"]["candidatesTokenCount"] == 5


def test_json_answers_satisfy_their_schema(gemini: httpx2.Client) -> None:
    config = {
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT", "required": ["n"], "properties": {"n": {"type": "INTEGER"}}},
    }
    answer = gemini.post(f"{PRO}:generateContent", json=says("x") | {"generationConfig": config}).json()
    assert json.loads(answer["candidates"][0]["content"]["parts"][0]["text"]) == {"n": 0}


def test_counting_is_free_and_agrees_with_the_bill(
    provider: SimulatedProvider, gemini: httpx2.Client
) -> None:
    counted = gemini.post(f"{PRO}:countTokens", json=says("how long is this")).json()["totalTokens"]
    answered = gemini.post(f"{PRO}:generateContent", json=says("how long is this")).json()
    assert counted == answered["usageMetadata"]["promptTokenCount"] == 4 + 4
    assert provider.bill().totals.rows == 1


def test_embed_content(provider: SimulatedProvider, gemini: httpx2.Client) -> None:
    body = {"content": {"parts": [{"text": "four"}]}, "outputDimensionality": 16}
    answer = gemini.post("/v1beta/models/gemini-embedding-001:embedContent", json=body).json()
    assert len(answer["embedding"]["values"]) == 16
    assert provider.bill().rows[0].usage.input_tokens == 1


def test_models(gemini: httpx2.Client) -> None:
    names = [model["name"] for model in gemini.get("/v1beta/models").json()["models"]]
    assert "models/gemini-3-pro-preview" in names
    assert not any("gpt" in name or "claude" in name for name in names)
    assert gemini.get(PRO).json()["outputTokenLimit"] == 65_536


@pytest.mark.parametrize(
    ("path", "body", "status", "name"),
    [
        (f"{PRO}:generateContent", {}, 400, "INVALID_ARGUMENT"),
        (f"{PRO}:generateContent", {"contents": []}, 400, "INVALID_ARGUMENT"),
        (
            f"{PRO}:generateContent",
            {"contents": [{"role": "robot", "parts": [{"text": "x"}]}]},
            400,
            "INVALID_ARGUMENT",
        ),
        (f"{PRO}:generateContent", {"contents": [{"parts": []}]}, 400, "INVALID_ARGUMENT"),
        (f"{PRO}:generateContent", {"contents": [{"parts": [{}]}]}, 400, "INVALID_ARGUMENT"),
        (f"{PRO}:generateContent", {"contents": [{"parts": [{"text": 5}]}]}, 400, "INVALID_ARGUMENT"),
        (f"{PRO}:generateContent", says("x") | {"temperature": 1}, 400, "INVALID_ARGUMENT"),
        (
            f"{PRO}:generateContent",
            says("x") | {"generationConfig": {"temperature": 3}},
            400,
            "INVALID_ARGUMENT",
        ),
        (f"{PRO}:generateContent", says("x") | {"generationConfig": {"heat": 1}}, 400, "INVALID_ARGUMENT"),
        ("/v1beta/models/gpt-5.4:generateContent", says("x"), 404, "NOT_FOUND"),
        ("/v1beta/models/gemini-embedding-001:generateContent", says("x"), 404, "NOT_FOUND"),
        (f"{PRO}:predict", {}, 404, "NOT_FOUND"),
        (f"{PRO}:generateContent", says("[[fault:http-401]]"), 401, "UNAUTHENTICATED"),
        (f"{PRO}:generateContent", says("[[fault:http-429-quota]]"), 429, "RESOURCE_EXHAUSTED"),
        (f"{PRO}:generateContent", says("[[fault:http-503]]"), 503, "UNAVAILABLE"),
    ],
)
def test_refusals_have_googles_shape(
    gemini: httpx2.Client, path: str, body: dict[str, Any], status: int, name: str
) -> None:
    answer = gemini.post(path, json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (status, status, name)


def test_a_wrong_key_is_400_and_a_missing_one_403(provider: SimulatedProvider) -> None:
    url = f"{provider.base_url}{PRO}:generateContent"
    wrong = httpx2.post(url, json=says("x"), headers={"x-goog-api-key": "AIza-wrong"}, trust_env=False)
    missing = httpx2.post(url, json=says("x"), trust_env=False)
    assert wrong.status_code == 400
    assert wrong.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    assert "AIza" not in wrong.text
    assert (missing.status_code, missing.json()["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_a_mid_stream_error_begins_with_the_key_error(gemini: httpx2.Client) -> None:
    body = says("[[fault:error-event]] [[tokens:8]]")
    text = gemini.post(f"{PRO}:streamGenerateContent?alt=sse", json=body).text
    assert text.rstrip().splitlines()[-1].startswith('data: {"error":{"code":500')
    assert "finishReason" not in text


def test_the_compatible_layer_speaks_openai_and_wraps_its_errors(provider: SimulatedProvider) -> None:
    base_url = f"{provider.base_url}/v1beta/openai/"
    with OpenAI(base_url=base_url, api_key=KEY, max_retries=0) as client:
        answer = client.chat.completions.create(
            model="gemini-3-flash-preview", messages=[{"role": "user", "content": "hi"}]
        )
        assert (answer.choices[0].message.content or "").startswith("[simulated] ")
        assert "models/gemini-3-pro-preview" in [model.id for model in client.models.list()]
        with pytest.raises(BadRequestError) as caught:
            client.chat.completions.create(model="gemini-3-flash-preview", messages=[])
    body = caught.value.response.json()
    assert isinstance(body, list)
    assert body[0]["error"]["status"] == "INVALID_ARGUMENT"
