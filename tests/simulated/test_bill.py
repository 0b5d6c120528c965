"""The bill: what a provider would charge, however the exchange ended."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from tests.simulated.test_faults import request_in
from tests.simulated_provider import BilledUsage, SimulatedProvider

KEY = "sim-test-key-000001"


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-5.4", "messages": [{"role": "user", "content": text}], **more}


def test_a_row_says_who_what_and_how_it_ended(provider: SimulatedProvider, http: httpx2.Client) -> None:
    body = chat("[[tokens:11]] [[reasoning:4]] [[cached:2]]", service_tier="flex")
    answer = http.post("/v1/chat/completions", json=body, headers={"x-client-request-id": "mine-1"})
    row = provider.bill().rows[0]
    assert row.request_id == "mine-1"
    assert row.provider_request_id == answer.headers["x-request-id"]
    assert (row.seq, row.dialect, row.model, row.key_prefix) == (1, "openai-chat", "gpt-5.4", KEY[:8])
    assert (row.stream, row.ended, row.status, row.fault) == (False, "complete", 200, None)
    assert row.service_tier == "flex"
    usage = answer.json()["usage"]
    assert row.usage == BilledUsage(
        input_tokens=usage["prompt_tokens"], cached_input_tokens=2, output_tokens=15, reasoning_tokens=4
    )


@pytest.mark.parametrize(
    "dialect", ["openai-chat", "openai-responses", "anthropic", "gemini", "gemini-array"]
)
async def test_a_client_that_hangs_up_mid_stream_pays_for_what_was_made_until_then(
    provider: SimulatedProvider, dialect: str
) -> None:
    text = "[[tokens:40]] [[pace:25]]"
    path, body, headers = request_in(dialect, text, stream=True)
    async with httpx2.AsyncClient(base_url=provider.base_url, trust_env=False) as client:
        headers = {"authorization": f"Bearer {KEY}", **headers}
        async with client.stream("POST", path, json=body, headers=headers) as answer:
            assert answer.status_code == 200
            chunks = answer.aiter_raw()
            seen = b""
            while b"ed] " not in seen:
                seen += await anext(chunks)
            await chunks.aclose()
    row = (await asyncio.to_thread(provider.bill, rows=1)).rows[0]
    assert (row.ended, row.status) == ("client_gone", 200)
    assert 3 <= row.usage.output_tokens <= 12
    assert row.output_tokens_sent == row.usage.output_tokens
    assert row.usage.input_tokens > 0


async def test_a_client_that_leaves_before_the_first_byte_pays_for_its_input(
    provider: SimulatedProvider,
) -> None:
    async with httpx2.AsyncClient(base_url=provider.base_url, trust_env=False) as client:
        headers = {"authorization": f"Bearer {KEY}"}
        request = client.post("/v1/chat/completions", json=chat("[[delay:20000]]"), headers=headers)
        waiting = asyncio.create_task(request)
        await asyncio.to_thread(provider.requests, count=1)
        waiting.cancel()
    row = (await asyncio.to_thread(provider.bill, rows=1)).rows[0]
    assert (row.ended, row.status, row.usage.output_tokens) == ("client_gone", 0, 0)
    assert row.usage.input_tokens == 4 + 4


async def test_a_picture_that_was_not_waited_for_costs_its_prompt(provider: SimulatedProvider) -> None:
    async with httpx2.AsyncClient(base_url=provider.base_url, trust_env=False) as client:
        headers = {"authorization": f"Bearer {KEY}"}
        request = client.post("/v1/images/generations", json={"prompt": "[[delay:20000]]"}, headers=headers)
        waiting = asyncio.create_task(request)
        await asyncio.to_thread(provider.requests, count=1)
        waiting.cancel()
    row = (await asyncio.to_thread(provider.bill, rows=1)).rows[0]
    assert row.usage == BilledUsage(input_tokens=4 + 4)


def test_totals_are_the_sum_of_the_rows(provider: SimulatedProvider, http: httpx2.Client) -> None:
    http.post("/v1/chat/completions", json=chat("one"))
    http.post("/v1/chat/completions", json=chat("two", model="gpt-5.5", stream=True)).read()
    http.post("/v1/chat/completions", json=chat("three", temperature=9))
    http.post("/v1/embeddings", json={"model": "text-embedding-3-small", "input": "four"})
    bill = provider.bill()
    assert (bill.totals.rows, bill.totals.charged, len(bill.rows)) == (4, 3, 4)
    assert bill.totals.usage.input_tokens == sum(row.usage.input_tokens for row in bill.rows)
    assert bill.totals.usage.output_tokens == sum(row.usage.output_tokens for row in bill.rows)
    assert set(bill.totals.by_model) == {"gpt-5.4", "gpt-5.5", "text-embedding-3-small"}
    assert bill.totals.by_key_prefix == {KEY[:8]: bill.totals.usage}


def test_deleting_the_bill_starts_it_anew(provider: SimulatedProvider, http: httpx2.Client) -> None:
    http.post("/v1/chat/completions", json=chat("one"))
    assert http.delete("/simulated/bill").status_code == 200
    assert provider.bill().rows == []
    assert provider.bill().totals.rows == 0
    http.post("/v1/chat/completions", json=chat("two"))
    assert [row.seq for row in provider.bill().rows] == [1]


async def test_a_hundred_at_once_are_a_hundred_rows(provider: SimulatedProvider) -> None:
    limits = httpx2.Limits(max_connections=30)
    async with httpx2.AsyncClient(
        base_url=provider.base_url, trust_env=False, limits=limits, timeout=30
    ) as client:
        headers = {"authorization": f"Bearer {KEY}"}
        answers = await asyncio.gather(
            *(
                client.post("/v1/chat/completions", json=chat(f"[[tokens:{n}]]"), headers=headers)
                for n in range(1, 101)
            )
        )
    assert {answer.status_code for answer in answers} == {200}
    bill = await asyncio.to_thread(provider.bill, rows=100)
    assert bill.totals.usage.output_tokens == sum(range(1, 101))
    assert len({answer.json()["id"] for answer in answers}) == 100


def test_the_bill_keeps_no_credential(provider: SimulatedProvider, http: httpx2.Client) -> None:
    http.post("/v1/chat/completions", json=chat("x"))
    assert KEY[8:] not in http.get("/simulated/bill").text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/simulated/nothing", 404),
        ("PUT", "/simulated/bill", 405),
        ("DELETE", "/simulated/health", 405),
    ],
)
def test_the_control_api_refuses_in_sentences(
    http: httpx2.Client, method: str, path: str, status: int
) -> None:
    answer = http.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["message"].endswith(".")
