"""The official OpenAI SDK through a running instance, judged against the provider's own bill."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.served import Served
from tests.simulated_provider import SimulatedProvider

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture
def client(laidian: Served) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{laidian.base_url}/v1", api_key=laidian.key, max_retries=0) as client:
        yield client


def say(text: str) -> Any:
    return [{"role": "user", "content": text}]


def assert_billed(laidian: Served, provider: SimulatedProvider, requests: int) -> None:
    """Every record equals the provider's row of the same request, and there are as many."""
    rows = {row.request_id: row for row in provider.bill(rows=requests).rows}
    records = [record for record in laidian.records() if record.request_id in rows]
    assert len(records) == len(rows) == requests
    for record in records:
        billed = rows[record.request_id].usage
        assert record.input + record.cached_input == billed.input_tokens
        assert record.cached_input == billed.cached_input_tokens
        assert record.output + record.reasoning == billed.output_tokens
        assert record.reasoning == billed.reasoning_tokens
        assert record.usage_from == "upstream"


def test_sync_plain_and_stream(client: OpenAI, laidian: Served, provider: SimulatedProvider):
    plain = client.chat.completions.create(
        model="gpt-5.4", messages=say("hello [[cached:2]] [[reasoning:5]]")
    )
    assert plain.usage is not None
    stream = client.chat.completions.create(model="gpt-5.4", messages=say("hello"), stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text.startswith("[simulated]")
    assert_billed(laidian, provider, 2)


def test_a_client_that_asks_for_usage_gets_exactly_one_usage_chunk(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    stream = client.chat.completions.create(
        model="gpt-5.4", messages=say("hi"), stream=True, stream_options={"include_usage": True}
    )
    usages = [chunk.usage for chunk in stream if chunk.usage is not None]
    assert len(usages) == 1
    record = laidian.records()[-1]
    assert (record.input, record.output) == (usages[0].prompt_tokens, usages[0].completion_tokens)


async def test_twenty_async_streams_do_not_mix(laidian: Served, provider: SimulatedProvider):
    async with AsyncOpenAI(base_url=f"{laidian.base_url}/v1", api_key=laidian.key, max_retries=0) as client:

        async def one(number: int) -> str:
            stream = await client.chat.completions.create(
                model="gpt-5.4", messages=say(f"[[say:answer number {number}]]"), stream=True
            )
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

        texts = await asyncio.gather(*(one(number) for number in range(20)))
    for number, text in enumerate(texts):
        assert f"answer number {number}" in text
    assert_billed(laidian, provider, 20)


def test_parallel_tool_calls_arrive_whole_in_a_stream(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    with client.chat.completions.stream(
        model="gpt-5.4", messages=say("[[tools:2]]"), tools=[WEATHER], parallel_tool_calls=True
    ) as stream:
        completion = stream.get_final_completion()
    calls = completion.choices[0].message.tool_calls
    assert calls is not None
    assert [call.function.name for call in calls] == ["weather", "weather"]
    assert all("city" in json.loads(call.function.arguments) for call in calls)
    assert len({call.id for call in calls}) == 2
    assert_billed(laidian, provider, 1)


class Town(BaseModel):
    name: str
    people: int


def test_structured_outputs_parse(client: OpenAI, laidian: Served, provider: SimulatedProvider):
    completion = client.chat.completions.parse(model="gpt-5.4", messages=say("a town"), response_format=Town)
    assert isinstance(completion.choices[0].message.parsed, Town)
    assert_billed(laidian, provider, 1)


def test_several_choices_in_a_stream(client: OpenAI, laidian: Served, provider: SimulatedProvider):
    stream = client.chat.completions.create(model="gpt-5.4", messages=say("hi"), n=2, stream=True)
    indexes = [choice.index for chunk in stream for choice in chunk.choices]
    assert indexes[0] == 0
    assert set(indexes) == {0, 1}
    assert_billed(laidian, provider, 1)


def test_models_lists_what_works_and_shows_one(client: OpenAI):
    listed = {model.id for model in client.models.list()}
    assert {"gpt-5.4", "gpt-5.5"} <= listed
    model = client.models.retrieve("gpt-5.4")
    assert (model.id, model.object, model.owned_by, type(model.created)) == (
        "gpt-5.4",
        "model",
        "openai",
        int,
    )


def test_errors_have_the_sdks_own_classes(client: OpenAI, laidian: Served, provider: SimulatedProvider):
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="gpt-5.44", messages=say("hi"))
    assert unknown.value.code == "model_not_found"
    assert "gpt-5.4" in str(unknown.value)
    with pytest.raises(openai.AuthenticationError) as denied:
        client.with_options(api_key="sk-wrong").chat.completions.create(model="gpt-5.4", messages=say("hi"))
    assert denied.value.code == "invalid_api_key"
    assert "sk-wrong" not in str(denied.value)
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="gpt-5.4", messages=say("hi"), temperature=9)
    assert refused.value.param == "temperature"
    assert refused.value.request_id is not None
    assert laidian.record(refused.value.request_id).ended == "refused"
    assert provider.bill().totals.charged == 0
