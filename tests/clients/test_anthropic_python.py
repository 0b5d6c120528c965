"""The official Anthropic SDK on an upstream of every kind."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic
from anthropic.types import Message, TextBlock, ToolUseBlock, Usage
from pydantic import BaseModel

from tests.clients.billing import Meter
from tests.clients.conftest import BROKEN, MODELS, PNG, upstream_body
from tests.served import Served
from tests.simulated_provider import SimulatedProvider

TOOL = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
LIMIT = 4_000


class Town(BaseModel):
    name: str
    people: int


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The SDK warns of models whose end has been announced."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@pytest.fixture
def client(laidian: Served) -> Iterator[Anthropic]:
    with Anthropic(base_url=laidian.base_url, api_key=laidian.key, max_retries=0) as client:
        yield client


def say(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if isinstance(block, TextBlock))


def told(usage: Usage) -> dict[str, int]:
    cached = usage.cache_read_input_tokens or 0
    details = getattr(usage, "output_tokens_details", None)
    return {
        "input": usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0),
        "output": usage.output_tokens,
        "cached": cached,
        "reasoning": (details.thinking_tokens or 0) if details else 0,
    }


def test_it_answers_with_a_system_prompt(
    client: Anthropic, model: str, meter: Meter, provider: SimulatedProvider
):
    answer = client.messages.with_raw_response.create(
        model=model,
        max_tokens=LIMIT,
        system="You are a lighthouse.",
        messages=say("[[say:hello]] [[cached:2]]"),
    )
    message = answer.parse()
    assert (text_of(message), message.stop_reason) == ("[simulated] hello", "end_turn")
    assert message.model == model
    assert "You are a lighthouse." in upstream_body(provider)
    record = meter.same(**told(message.usage))
    assert record.cached_input == 2
    assert record.request_id == answer.headers["x-request-id"]


def test_it_streams(client: Anthropic, model: str, meter: Meter):
    with client.messages.stream(model=model, max_tokens=LIMIT, messages=say("[[say:hello]]")) as stream:
        texts = list(stream.text_stream)
        message = stream.get_final_message()
    assert "".join(texts) == text_of(message) == "[simulated] hello"
    meter.same(**told(message.usage))


async def test_the_async_client(laidian: Served, model: str, meter: Meter):
    async with AsyncAnthropic(base_url=laidian.base_url, api_key=laidian.key, max_retries=0) as client:
        message = await client.messages.create(model=model, max_tokens=LIMIT, messages=say("[[say:hello]]"))
        meter.same(**told(message.usage))
        async with client.messages.stream(
            model=model, max_tokens=LIMIT, messages=say("[[say:hello]]")
        ) as stream:
            streamed = await stream.get_final_message()
    assert text_of(streamed) == text_of(message) == "[simulated] hello"
    meter.check(requests=2)


def test_the_older_key_header_works_too(laidian: Served, model: str, meter: Meter):
    headers = {"x-api-key": laidian.key, "Authorization": anthropic.Omit()}
    with Anthropic(
        base_url=laidian.base_url, api_key="unused", default_headers=headers, max_retries=0
    ) as client:
        assert client.messages.create(model=model, max_tokens=LIMIT, messages=say("hi")).content
    meter.check(requests=1)


def test_the_beta_client_works_and_its_flags_reach_anthropic_alone(
    client: Anthropic, model: str, meter: Meter, provider: SimulatedProvider
):
    message = client.beta.messages.create(
        model=model, max_tokens=LIMIT, messages=say("[[say:hello]]"), betas=["context-1m-2025-08-07"]
    )
    assert message.content[0].text == "[simulated] hello"  # type: ignore[union-attr]
    sent = provider.requests()[-1].headers.get("anthropic-beta")
    assert sent == ("context-1m-2025-08-07" if model.startswith("claude") else None)
    meter.check(requests=1)


def test_it_calls_tools_in_parallel_and_takes_their_results(client: Anthropic, model: str, meter: Meter):
    question = say("the weather in two towns [[tools:2]]")
    with client.messages.stream(model=model, max_tokens=LIMIT, messages=question, tools=[TOOL]) as stream:
        events = list(stream)
        message = stream.get_final_message()
    assert message.stop_reason == "tool_use"
    calls = [block for block in message.content if isinstance(block, ToolUseBlock)]
    assert [(call.name, call.input) for call in calls] == [("weather", {"city": "simulated"})] * 2
    assert any(event.type == "input_json" for event in events)
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": '{"celsius":21}'} for call in calls]
    final = client.messages.create(
        model=model,
        max_tokens=LIMIT,
        tools=[TOOL],
        messages=[
            *question,
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": results},
        ],
    )
    assert text_of(final)
    meter.same(**told(final.usage))
    meter.check(requests=2)


def test_it_gives_structured_outputs(client: Anthropic, model: str, meter: Meter):
    message = client.messages.parse(model=model, max_tokens=LIMIT, messages=say("a town"), output_format=Town)
    assert isinstance(message.parsed_output, Town)
    meter.same(**told(message.usage))


def test_it_sees_pictures(client: Anthropic, model: str, meter: Meter, provider: SimulatedProvider):
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    content = [picture, {"type": "text", "text": "what is it?"}]
    message = client.messages.create(
        model=model, max_tokens=LIMIT, messages=[{"role": "user", "content": content}]
    )
    assert PNG in upstream_body(provider)
    assert meter.same(**told(message.usage)).input > 85


def test_thinking_is_counted(client: Anthropic, model: str, meter: Meter):
    message = client.messages.create(
        model=model,
        max_tokens=LIMIT,
        thinking={"type": "enabled", "budget_tokens": 1024},
        messages=say("[[reasoning:7]] [[say:hello]]"),
    )
    assert text_of(message) == "[simulated] hello"
    record = meter.records()[-1]
    assert record.reasoning == 7
    assert record.output + record.reasoning == message.usage.output_tokens


def test_it_stops_at_a_word_and_at_the_limit(client: Anthropic, model: str, meter: Meter):
    stopped = client.messages.create(
        model=model, max_tokens=LIMIT, stop_sequences=["two"], messages=say("[[say:one two three]]")
    )
    assert text_of(stopped) == "[simulated] one "
    assert stopped.stop_reason in ("stop_sequence", "end_turn")  # only Anthropic tells them apart
    meter.same(**told(stopped.usage))
    cut = client.messages.create(model=model, max_tokens=20, messages=say("[[tokens:50]]"))
    assert cut.stop_reason == "max_tokens"
    assert meter.same(**told(cut.usage)).output == 20


def test_a_count_that_was_made_here_says_so(laidian: Served, model: str):
    client = Anthropic(base_url=laidian.base_url, auth_token=laidian.key, max_retries=0)
    raw = client.messages.with_raw_response.count_tokens(
        model=model, messages=[{"role": "user", "content": "hello"}]
    )
    theirs = model == MODELS["anthropic"]
    assert raw.headers.get("x-laidian-estimated") == (None if theirs else "tokens")


def test_counting_tokens_is_free(client: Anthropic, model: str, meter: Meter):
    assert client.messages.count_tokens(model=model, messages=say("how long is this?")).input_tokens > 0
    assert all(record.amount_nano == 0 for record in meter.check())


def test_models_are_listed_in_its_own_form(client: Anthropic):
    listed = {model.id: model for model in client.models.list()}
    assert {"gpt-5.4", "gpt-5.4-mini"} <= set(listed)
    assert listed["gpt-5.4"].type == "model"


def test_the_callers_errors_have_the_sdks_classes(client: Anthropic, laidian: Served, meter: Meter):
    ask = {"max_tokens": LIMIT, "messages": say("hi")}
    with pytest.raises(anthropic.AuthenticationError) as denied:
        client.with_options(api_key="sk-wrong").messages.create(model="gpt-5.4", **ask)
    assert "sk-wrong" not in str(denied.value)
    with pytest.raises(anthropic.NotFoundError) as unknown:
        client.messages.create(model="claude-0", **ask)
    assert unknown.value.body["error"]["type"] == "not_found_error"  # type: ignore[index]
    with pytest.raises(anthropic.RateLimitError) as spent:
        client.with_options(api_key=laidian.keys[1], max_retries=2).messages.create(model="gpt-5.4", **ask)
    headers = spent.value.response.headers
    assert (headers["x-should-retry"], headers.get("retry-after")) == ("false", None)
    assert meter.check() == []


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("fault", ["http-500", "http-529", "http-502-html", "junk", "error-200"])
def test_an_upstream_that_fails_before_its_answer_is_a_server_error(
    client: Anthropic, model: str, fault: str, provider: SimulatedProvider
):
    provider.fault(fault)
    with pytest.raises(anthropic.InternalServerError) as failed:
        client.messages.create(model=model, max_tokens=LIMIT, messages=say("hi"))
    assert failed.value.body["type"] == "error"  # type: ignore[index]
    assert "sim-000" not in str(failed.value)
    provider.clear_faults()


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("fault", BROKEN)
def test_a_stream_that_breaks_off_is_never_a_short_answer(
    client: Anthropic, model: str, fault: str, meter: Meter
):
    text = f"[[fault:{fault}]] [[tokens:40]]"
    with (
        pytest.raises(anthropic.APIError),
        client.messages.stream(model=model, max_tokens=LIMIT, messages=say(text)) as stream,
    ):
        stream.until_done()
    assert meter.records()[-1].ended == "upstream_fault"
