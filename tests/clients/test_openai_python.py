"""The official OpenAI SDK, both of its text APIs, on an upstream of every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types import CompletionUsage
from openai.types.responses import Response, ResponseUsage
from pydantic import BaseModel

from tests.clients.billing import Meter
from tests.clients.conftest import BROKEN, PNG, upstream_body
from tests.served import Served
from tests.simulated_provider import SimulatedProvider

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
CHAT_TOOL = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS, "strict": True}}
TOOL = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": True}
PICTURE = f"data:image/png;base64,{PNG}"


class Town(BaseModel):
    name: str
    people: int


@pytest.fixture
def client(laidian: Served) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{laidian.base_url}/v1", api_key=laidian.key, max_retries=0) as client:
        yield client


def say(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def chat_told(usage: CompletionUsage | None) -> dict[str, int]:
    assert usage is not None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    cached = usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens
    reasoning = usage.completion_tokens_details and usage.completion_tokens_details.reasoning_tokens
    return {
        "input": usage.prompt_tokens,
        "output": usage.completion_tokens,
        "cached": cached or 0,
        "reasoning": reasoning or 0,
    }


def told(usage: ResponseUsage | None) -> dict[str, int]:
    assert usage is not None
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    return {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cached": usage.input_tokens_details.cached_tokens,
        "reasoning": usage.output_tokens_details.reasoning_tokens,
    }


# Chat completions


def test_chat_answers_with_a_system_prompt(
    client: OpenAI, model: str, meter: Meter, provider: SimulatedProvider
):
    messages = [{"role": "system", "content": "You are a lighthouse."}, *say("[[say:hello]] [[cached:2]]")]
    completion = client.chat.completions.create(model=model, messages=messages)
    assert completion.choices[0].message.content == "[simulated] hello"
    assert (completion.model, completion.choices[0].finish_reason) == (model, "stop")
    assert "You are a lighthouse." in upstream_body(provider)
    record = meter.same(**chat_told(completion.usage))
    assert record.cached_input == 2
    assert record.request_id == completion._request_id


def test_a_chat_stream_says_the_usage_only_to_who_asks(client: OpenAI, model: str, meter: Meter):
    stream = client.chat.completions.create(model=model, messages=say("[[say:hello]]"), stream=True)
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "[simulated] hello"
    assert all(chunk.usage is None for chunk in chunks)
    assert [chunk.choices[0].delta.role for chunk in chunks].count("assistant") == 1
    stream = client.chat.completions.create(
        model=model, messages=say("hello"), stream=True, stream_options={"include_usage": True}
    )
    usages = [chunk.usage for chunk in stream if chunk.usage is not None]
    assert len(usages) == 1
    meter.same(**chat_told(usages[0]))
    meter.check(requests=2)


async def test_chat_through_the_async_client(laidian: Served, model: str, meter: Meter):
    async with AsyncOpenAI(base_url=f"{laidian.base_url}/v1", api_key=laidian.key, max_retries=0) as client:
        completion = await client.chat.completions.create(model=model, messages=say("[[say:hello]]"))
        assert completion.choices[0].message.content == "[simulated] hello"
        meter.same(**chat_told(completion.usage))
        async with client.chat.completions.stream(model=model, messages=say("[[say:hello]]")) as stream:
            streamed = await stream.get_final_completion()
    assert streamed.choices[0].message.content == "[simulated] hello"
    meter.check(requests=2)


def test_chat_calls_tools_in_parallel_and_takes_their_results(client: OpenAI, model: str, meter: Meter):
    question = say("the weather in two towns [[tools:2]]")
    with client.chat.completions.stream(model=model, messages=question, tools=[CHAT_TOOL]) as stream:
        events = list(stream)
        completion = stream.get_final_completion()
    assert completion.choices[0].finish_reason == "tool_calls"
    message = completion.choices[0].message
    assert message.tool_calls is not None
    assert [call.function.name for call in message.tool_calls] == ["weather", "weather"]
    assert all(json.loads(call.function.arguments) == {"city": "simulated"} for call in message.tool_calls)
    assert len({call.id for call in message.tool_calls}) == 2
    assert any(event.type == "tool_calls.function.arguments.delta" for event in events)
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": '{"celsius":21}'} for call in message.tool_calls
    ]
    said = message.model_dump(exclude_none=True, exclude={"parsed"})
    for call in said["tool_calls"]:
        call.pop("index", None)
        call["function"].pop("parsed_arguments", None)
    final = client.chat.completions.create(
        model=model, messages=[*question, said, *results], tools=[CHAT_TOOL]
    )
    assert final.choices[0].message.content
    meter.same(**chat_told(final.usage))
    meter.check(requests=2)


def test_chat_gives_structured_outputs(client: OpenAI, model: str, meter: Meter):
    completion = client.chat.completions.parse(model=model, messages=say("a town"), response_format=Town)
    assert isinstance(completion.choices[0].message.parsed, Town)
    meter.same(**chat_told(completion.usage))


def test_chat_sees_pictures(client: OpenAI, model: str, meter: Meter, provider: SimulatedProvider):
    content = [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    completion = client.chat.completions.create(model=model, messages=[{"role": "user", "content": content}])
    assert PNG in upstream_body(provider)
    assert meter.same(**chat_told(completion.usage)).input > 85


def test_chat_counts_reasoning_apart(client: OpenAI, model: str, meter: Meter):
    completion = client.chat.completions.create(
        model=model, messages=say("[[reasoning:7]]"), reasoning_effort="high"
    )
    assert meter.same(**chat_told(completion.usage)).reasoning == 7


def test_chat_stops_at_a_word_and_at_the_limit(client: OpenAI, model: str, meter: Meter):
    stopped = client.chat.completions.create(model=model, messages=say("[[say:one two three]]"), stop=["two"])
    assert stopped.choices[0].message.content == "[simulated] one "
    assert stopped.choices[0].finish_reason == "stop"
    meter.same(**chat_told(stopped.usage))
    cut = client.chat.completions.create(model=model, messages=say("[[tokens:50]]"), max_completion_tokens=20)
    assert cut.choices[0].finish_reason == "length"
    assert meter.same(**chat_told(cut.usage)).output == 20


# Responses


def test_responses_answer_with_instructions(
    client: OpenAI, model: str, meter: Meter, provider: SimulatedProvider
):
    response = client.responses.create(
        model=model, instructions="You are a lighthouse.", input="[[say:hello]] [[cached:2]]"
    )
    assert (response.output_text, response.status) == ("[simulated] hello", "completed")
    assert "You are a lighthouse." in upstream_body(provider)
    record = meter.same(**told(response.usage))
    assert record.cached_input == 2
    assert record.request_id == response._request_id


def test_responses_stream_in_the_order_the_sdk_enforces(client: OpenAI, model: str, meter: Meter):
    with client.responses.stream(model=model, input="[[say:hello]]") as stream:
        events = list(stream)
        response = stream.get_final_response()
    assert response.output_text == "[simulated] hello"
    assert [event.type for event in events][:2] == ["response.created", "response.in_progress"]
    assert events[-1].type == "response.completed"
    meter.same(**told(response.usage))


async def test_responses_through_the_async_client(laidian: Served, model: str, meter: Meter):
    async with AsyncOpenAI(base_url=f"{laidian.base_url}/v1", api_key=laidian.key, max_retries=0) as client:
        response = await client.responses.create(model=model, input="[[say:hello]]")
        meter.same(**told(response.usage))
        texts = [
            event.delta
            async for event in await client.responses.create(
                model=model, input="[[say:hello]]", stream=True, store=False
            )
            if event.type == "response.output_text.delta"
        ]
    assert "".join(texts) == response.output_text == "[simulated] hello"
    meter.check(requests=2)


def test_responses_call_tools_in_parallel_and_take_their_results(client: OpenAI, model: str, meter: Meter):
    question = say("the weather in two towns [[tools:2]] [[reasoning:3]]")
    with client.responses.stream(
        model=model, input=question, tools=[TOOL], store=False, include=["reasoning.encrypted_content"]
    ) as stream:
        events = list(stream)
        response: Response = stream.get_final_response()
    calls = [item for item in response.output if item.type == "function_call"]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [
        ("weather", {"city": "simulated"})
    ] * 2
    assert any(event.type == "response.function_call_arguments.delta" for event in events)
    said = [
        item.model_dump(exclude_none=True, exclude={"parsed_arguments", "status"}) for item in response.output
    ]
    results = [
        {"type": "function_call_output", "call_id": call.call_id, "output": '{"celsius":21}'}
        for call in calls
    ]
    final = client.responses.create(
        model=model, input=[*question, *said, *results], tools=[TOOL], store=False
    )
    assert final.output_text
    meter.same(**told(final.usage))
    meter.check(requests=2)


def test_responses_give_structured_outputs(client: OpenAI, model: str, meter: Meter):
    response = client.responses.parse(model=model, input="a town", text_format=Town)
    assert isinstance(response.output_parsed, Town)
    meter.same(**told(response.usage))


def test_responses_see_pictures(client: OpenAI, model: str, meter: Meter, provider: SimulatedProvider):
    content = [
        {"type": "input_text", "text": "what is it?"},
        {"type": "input_image", "image_url": PICTURE, "detail": "auto"},
    ]
    response = client.responses.create(model=model, input=[{"role": "user", "content": content}])
    assert PNG in upstream_body(provider)
    assert meter.same(**told(response.usage)).input > 85


def test_responses_count_reasoning_apart(client: OpenAI, model: str, meter: Meter):
    response = client.responses.create(model=model, input="[[reasoning:7]]", reasoning={"effort": "high"})
    assert meter.same(**told(response.usage)).reasoning == 7


def test_responses_cut_at_the_limit_are_incomplete(client: OpenAI, model: str, meter: Meter):
    response = client.responses.create(model=model, input="[[tokens:50]]", max_output_tokens=20)
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert meter.same(**told(response.usage)).output == 20


# Errors


def call(client: OpenAI, api: str, model: str, text: str) -> None:
    if api == "chat":
        client.chat.completions.create(model=model, messages=say(text))
    else:
        client.responses.create(model=model, input=text)


def read_stream(client: OpenAI, api: str, model: str, text: str) -> None:
    if api == "chat":
        list(client.chat.completions.create(model=model, messages=say(text), stream=True))
    else:
        with client.responses.stream(model=model, input=text) as stream:
            stream.until_done()
            assert stream.get_final_response().status == "completed"


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_the_callers_errors_have_the_sdks_classes(client: OpenAI, laidian: Served, api: str, meter: Meter):
    with pytest.raises(openai.AuthenticationError) as denied:
        call(client.with_options(api_key="sk-wrong"), api, "gpt-5.4", "hi")
    assert denied.value.code == "invalid_api_key"
    with pytest.raises(openai.NotFoundError) as unknown:
        call(client, api, "gpt-5.44", "hi")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.RateLimitError) as spent:
        call(client.with_options(api_key=laidian.keys[1], max_retries=2), api, "gpt-5.4", "hi")
    assert spent.value.code == "insufficient_quota"
    assert spent.value.response.headers["x-should-retry"] == "false"
    assert meter.check() == []


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("fault", ["http-500", "http-502-html", "junk", "error-200"])
def test_an_upstream_that_fails_before_its_answer_is_a_502(
    client: OpenAI, model: str, api: str, fault: str, provider: SimulatedProvider
):
    provider.fault(fault)
    with pytest.raises(openai.InternalServerError) as failed:
        call(client, api, model, "hi")
    assert (failed.value.status_code, failed.value.code) == (502, "upstream_error")
    assert "sim-000" not in str(failed.value)
    assert "html" not in str(failed.value)
    provider.clear_faults()


def test_the_sdk_rides_over_a_rate_limit_and_is_charged_once(
    client: OpenAI, model: str, meter: Meter, provider: SimulatedProvider
):
    """Waits the second that the upstream named, since the relay hands it on."""
    provider.fault("http-429", times=1)
    completion = client.with_options(max_retries=2).chat.completions.create(
        model=model, messages=say("[[say:hello]]")
    )
    meter.same(**chat_told(completion.usage))
    limited, answered = meter.check(requests=2)
    assert (limited.status, limited.error_code, limited.amount_nano) == (429, "rate_limit_exceeded", 0)
    assert answered.ended == "complete"


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("fault", BROKEN)
def test_a_stream_that_breaks_off_is_never_a_short_answer(
    client: OpenAI, model: str, api: str, fault: str, meter: Meter
):
    with pytest.raises((openai.APIError, RuntimeError)):
        read_stream(client, api, model, f"[[fault:{fault}]] [[tokens:40]]")
    record = meter.records()[-1]
    assert (record.ended, record.error_code) == ("upstream_fault", "upstream_error")
    assert record.input > 0


# The other operations


def test_models_lists_every_upstreams_models(client: OpenAI):
    listed = {model.id for model in client.models.list()}
    assert {"gpt-5.4", "gpt-5.4-mini"} <= listed


def test_embeddings_and_pictures(client: OpenAI, meter: Meter):
    embedded = client.embeddings.create(model="text-embedding-3-small", input=["hello there", "you"])
    assert len(embedded.data) == 2
    meter.same(input=embedded.usage.prompt_tokens, output=0)
    drawn = client.images.generate(model="gpt-image-2", prompt="a harbour", size="1024x1024")
    assert drawn.usage is not None
    record = meter.same(input=drawn.usage.input_tokens, output=drawn.usage.output_tokens)
    assert record.image_output > 0
    meter.check(requests=2)
