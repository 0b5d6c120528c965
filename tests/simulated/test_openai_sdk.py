"""The official openai SDK against the simulated provider, as a person would use it."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

import openai
import pydantic
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.simulated_provider import SimulatedProvider

KEY = "sim-test-key-000001"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["C", "F"]}, "days": {"type": "integer", "minimum": 2}},
            "required": ["city", "unit", "days"],
        },
    },
}  # fmt: skip
CLOCK: Any = {
    "type": "function",
    "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}},
}


class Step(pydantic.BaseModel):
    explanation: str
    result: float


class Solution(pydantic.BaseModel):
    steps: list[Step]
    final: Step
    kind: str


@pytest.fixture
def client(provider: SimulatedProvider) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{provider.base_url}/v1", api_key=KEY, max_retries=0) as client:
        yield client


def user(text: str) -> Any:
    return [{"role": "user", "content": text}]


def test_a_plain_chat_is_labelled_and_counted(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="gpt-5.4", messages=user("hello"))
    answer = raw.parse()
    assert raw.headers["x-simulated"] == "true"
    assert raw.headers["x-request-id"].startswith("req_sim")
    assert answer.system_fingerprint == "simulated"
    text = answer.choices[0].message.content
    assert text is not None
    assert text.startswith("[simulated] ")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 2 + 4  # "hello" is 5 bytes; one message
    assert answer.usage.completion_tokens == len(text.encode()) // 4
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_the_same_prompt_gets_the_same_text_and_another_one_another(client: OpenAI) -> None:
    def ask(text: str) -> str | None:
        return client.chat.completions.create(model="gpt-5.4", messages=user(text)).choices[0].message.content

    assert ask("one") == ask("one")
    assert ask("one") != ask("two")


@pytest.mark.parametrize("tokens", [1, 2, 3, 4, 57])
def test_an_answer_is_exactly_as_long_as_the_directive_says(client: OpenAI, tokens: int) -> None:
    answer = client.chat.completions.create(model="gpt-5.4", messages=user(f"[[tokens:{tokens}]]"))
    assert answer.usage is not None
    assert answer.usage.completion_tokens == tokens
    assert len((answer.choices[0].message.content or "").encode()) == 4 * tokens


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_an_output_limit_ends_the_answer_with_length(client: OpenAI, name: str) -> None:
    limit: Any = {name: 7}
    answer = client.chat.completions.create(model="gpt-5.4", messages=user("[[tokens:50]]"), **limit)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 7


def test_reasoning_counts_against_the_output_limit(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-5.4", messages=user("[[reasoning:30]] [[tokens:9]]"), max_completion_tokens=35
    )
    assert answer.usage is not None
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens == 35
    assert answer.usage.completion_tokens_details.reasoning_tokens == 30
    assert answer.choices[0].finish_reason == "length"


def test_cached_tokens_never_exceed_the_prompt(client: OpenAI) -> None:
    for asked, expected in ((3, 3), (10_000, None)):
        answer = client.chat.completions.create(model="gpt-5.4", messages=user(f"[[cached:{asked}]]"))
        assert answer.usage is not None
        assert answer.usage.prompt_tokens_details is not None
        wanted = answer.usage.prompt_tokens if expected is None else expected
        assert answer.usage.prompt_tokens_details.cached_tokens == wanted


def test_a_stop_word_ends_the_text_before_it(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-5.4", messages=user("[[say:one two STOP three]]"), stop=["never", "STOP"]
    )
    assert answer.choices[0].message.content == "[simulated] one two "
    assert answer.choices[0].finish_reason == "stop"


def test_several_choices_differ_and_are_charged_together(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-5.4", messages=user("[[tokens:10]]"), n=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in answer.choices}) == 3
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 30


def test_the_service_tier_is_echoed(client: OpenAI) -> None:
    tiers = [
        client.chat.completions.create(model="gpt-5.4", messages=user("x"), service_tier=tier).service_tier
        for tier in ("auto", "flex", "priority")
    ]
    assert tiers == ["default", "flex", "priority"]


def test_a_stream_without_include_usage_carries_none(client: OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="gpt-5.4", messages=user("hi"), stream=True))
    assert all(len(chunk.choices) == 1 for chunk in chunks)
    assert all("usage" not in chunk.model_fields_set for chunk in chunks)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert all(chunk.choices[0].delta.role is None for chunk in chunks[1:])
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1


def test_a_stream_with_include_usage_carries_it_once_and_says_the_plain_answers_text(client: OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="gpt-5.4", messages=user("hi"), stream=True, stream_options={"include_usage": True}
        )
    )
    plain = client.chat.completions.create(model="gpt-5.4", messages=user("hi"))
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].choices == []
    assert chunks[-1].usage == plain.usage
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    assert text == plain.choices[0].message.content


def test_a_stream_of_several_choices_begins_with_the_first(client: OpenAI) -> None:
    with client.chat.completions.stream(model="gpt-5.4", messages=user("[[tokens:5]]"), n=2) as stream:
        final = stream.get_final_completion()
    assert len(final.choices) == 2
    assert all(len((choice.message.content or "").encode()) == 20 for choice in final.choices)


async def test_the_async_client_streams(provider: SimulatedProvider) -> None:
    async with AsyncOpenAI(base_url=f"{provider.base_url}/v1", api_key=KEY, max_retries=0) as client:
        stream = await client.chat.completions.create(
            model="gpt-5.5", messages=user("[[tokens:12]] [[chunk:4]]"), stream=True
        )
        texts = [chunk.choices[0].delta.content async for chunk in stream]
    assert [len(text.encode()) for text in texts if text] == [16, 16, 16]


def test_tools_are_called_with_arguments_that_satisfy_their_schema(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-5.4", messages=user("[[tools:3]]"), tools=[WEATHER, CLOCK]
    )
    message: Any = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls"
    assert message.content is None
    assert message.tool_calls is not None
    assert [call.function.name for call in message.tool_calls] == ["get_weather", "get_time", "get_weather"]
    assert json.loads(message.tool_calls[0].function.arguments) == {
        "city": "simulated",
        "unit": "C",
        "days": 2,
    }
    assert len({call.id for call in message.tool_calls}) == 3


def test_tools_are_not_called_unless_asked(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-5.4", messages=user("hi"), tools=[WEATHER])
    assert answer.choices[0].message.tool_calls is None
    answer = client.chat.completions.create(
        model="gpt-5.4", messages=user("[[tool]]"), tools=[WEATHER], tool_choice="none"
    )
    assert answer.choices[0].message.tool_calls is None


def test_a_forced_tool_is_called_alone_and_its_result_ends_the_turn(client: OpenAI) -> None:
    forced = client.chat.completions.create(
        model="gpt-5.4",
        messages=user("[[tools:2]]"),
        tools=[WEATHER, CLOCK],
        parallel_tool_calls=False,
        tool_choice={"type": "function", "function": {"name": "get_time"}},
    )
    calls: Any = forced.choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_time"]
    turn = [
        *user("[[tool]]"),
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [calls[0].model_dump()],
        },
        {"role": "tool", "tool_call_id": calls[0].id, "content": "12:00"},
    ]
    after = client.chat.completions.create(model="gpt-5.4", messages=turn, tools=[CLOCK])
    assert after.choices[0].finish_reason == "stop"
    assert after.choices[0].message.tool_calls is None


def test_streamed_tool_calls_put_their_arguments_together(client: OpenAI) -> None:
    with client.chat.completions.stream(
        model="gpt-5.4",
        messages=user("[[tools:2]]"),
        tools=[WEATHER, CLOCK],
    ) as stream:
        chunks = [event.chunk for event in stream if event.type == "chunk"]
        calls: Any = stream.get_final_completion().choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather", "get_time"]
    assert json.loads(calls[0].function.arguments)["days"] == 2
    assert json.loads(calls[1].function.arguments) == {}
    deltas = [call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or []]
    assert sum(call.id is not None for call in deltas) == 2
    assert len(deltas) > 4


def test_structured_outputs_parse(client: OpenAI) -> None:
    answer = client.chat.completions.parse(
        model="gpt-5.4",
        messages=user("solve"),
        response_format=Solution,
    )
    parsed = answer.choices[0].message.parsed
    assert parsed == Solution(steps=[], final=Step(explanation="simulated", result=0), kind="simulated")


def test_json_object_answers_an_object(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-5.4", messages=user("as json"), response_format={"type": "json_object"}
    )
    assert json.loads(answer.choices[0].message.content or "") == {"simulated": True}


def test_claude_models_answer_on_the_chat_path_too(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="claude-sonnet-4-5", messages=user("hi"))
    assert answer.model == "claude-sonnet-4-5"


def test_embeddings_agree_as_floats_and_as_base64(client: OpenAI) -> None:
    floats = client.embeddings.create(
        model="text-embedding-3-small", input=["one", "two words"], dimensions=8, encoding_format="float"
    )
    packed = client.embeddings.with_raw_response.create(
        model="text-embedding-3-small", input=["one", "two words"], dimensions=8, encoding_format="base64"
    )
    raw = json.loads(packed.content)["data"][1]["embedding"]
    unpacked = struct.unpack("<8f", base64.b64decode(raw))
    assert unpacked == pytest.approx(floats.data[1].embedding, abs=1e-6)
    assert sum(value * value for value in unpacked) == pytest.approx(1, abs=1e-5)
    assert floats.usage.prompt_tokens == 1 + 3


def test_embeddings_take_token_ids(client: OpenAI) -> None:
    one = client.embeddings.create(model="text-embedding-3-large", input=[1, 2, 3])
    two = client.embeddings.create(model="text-embedding-3-large", input=[[1, 2, 3], [4]])
    assert (one.usage.prompt_tokens, two.usage.prompt_tokens) == (3, 4)
    assert len(one.data[0].embedding) == 3072
    assert one.data[0].embedding == two.data[0].embedding


def test_an_image_is_a_png_with_usage_by_class(client: OpenAI) -> None:
    answer = client.images.generate(model="gpt-image-2", prompt="a hat", n=2, quality="low", size="1024x1024")
    assert answer.data is not None
    assert len(answer.data) == 2
    assert base64.b64decode(answer.data[0].b64_json or "").startswith(b"\x89PNG\r\n\x1a\n")
    assert answer.usage is not None
    assert answer.usage.input_tokens_details.text_tokens == 2 + 4
    assert answer.usage.output_tokens == 2 * 272
    assert answer.usage.output_tokens_details is not None
    assert answer.usage.output_tokens_details.image_tokens == 2 * 272


def test_streamed_images_come_in_parts_and_then_whole(client: OpenAI) -> None:
    stream = client.images.generate(model="gpt-image-2", prompt="a hat", stream=True, partial_images=2)
    kinds = [event.type for event in stream]
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]


def test_moderations_flag_what_says_so(client: OpenAI) -> None:
    answer = client.moderations.create(input=["kind words", "[[flag]]"])
    assert [result.flagged for result in answer.results] == [False, True]


def test_responses_plain(client: OpenAI) -> None:
    answer = client.responses.create(model="gpt-5.5", input="hi [[tokens:20]]", instructions="be brief")
    assert answer.status == "completed"
    assert answer.output_text.startswith("[simulated] ")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2 + 4 + 4 + 4, 20)


def test_responses_stream_passes_the_sdks_own_order_checks(client: OpenAI) -> None:
    with client.responses.stream(model="gpt-5.5", input="hi [[reasoning:5]] [[tokens:9]]") as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert final.usage is not None
    assert final.usage.output_tokens_details.reasoning_tokens == 5
    assert (
        final.output_text
        == client.responses.create(model="gpt-5.5", input="hi [[reasoning:5]] [[tokens:9]]").output_text
    )


def test_responses_stream_function_calls(client: OpenAI) -> None:
    tools: Any = [{"type": "function", "strict": False, **tool["function"]} for tool in (WEATHER, CLOCK)]
    with client.responses.stream(model="gpt-5.5", input="[[tools:2]]", tools=tools) as stream:
        final = stream.get_final_response()
    output: Any = final.output
    assert [item.type for item in output] == ["function_call", "function_call"]
    assert json.loads(output[0].arguments)["city"] == "simulated"


def test_responses_say_that_they_are_incomplete(client: OpenAI) -> None:
    with client.responses.stream(model="gpt-5.5", input="[[tokens:90]]", max_output_tokens=16) as stream:
        kinds = [event.type for event in stream]
    assert kinds[-1] == "response.incomplete"
    answer = client.responses.create(model="gpt-5.5", input="[[tokens:90]]", max_output_tokens=16)
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"


def test_responses_parse_structured_text(client: OpenAI) -> None:
    answer = client.responses.parse(model="gpt-5.5", input="solve", text_format=Solution)
    assert answer.output_parsed is not None
    assert answer.output_parsed.kind == "simulated"


def test_models_are_listed_and_shown(client: OpenAI) -> None:
    ids = [model.id for model in client.models.list()]
    assert {"gpt-5.4", "gpt-5.5", "gpt-image-2", "text-embedding-3-small"} <= set(ids)
    assert not any(name.startswith(("claude", "gemini")) for name in ids)
    assert client.models.retrieve("gpt-5.4").owned_by == "simulated"


def test_a_wrong_key_is_told_in_part_only(provider: SimulatedProvider) -> None:
    key = "sk-secret-not-simulated-wxyz"
    client = OpenAI(base_url=f"{provider.base_url}/v1", api_key=key, max_retries=0)
    with client, pytest.raises(openai.AuthenticationError) as caught:
        client.models.list()
    assert caught.value.code == "invalid_api_key"
    assert "sk-secre" in caught.value.message
    assert caught.value.message.endswith("wxyz.")
    assert key not in caught.value.message


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ("http-400", openai.BadRequestError, "invalid_value"),
        ("http-401", openai.AuthenticationError, "invalid_api_key"),
        ("http-403", openai.PermissionDeniedError, "insufficient_permissions"),
        ("http-429", openai.RateLimitError, "rate_limit_exceeded"),
        ("http-429-quota", openai.RateLimitError, "insufficient_quota"),
        ("http-500", openai.InternalServerError, None),
        ("http-502-html", openai.InternalServerError, None),
        ("http-503", openai.InternalServerError, "server_is_overloaded"),
        ("http-529", openai.InternalServerError, "server_is_overloaded"),
    ],
)
def test_faults_raise_the_sdks_errors(
    client: OpenAI, fault: str, error: type[openai.APIStatusError], code: str | None
) -> None:
    with pytest.raises(error) as caught:
        client.chat.completions.create(model="gpt-5.4", messages=user(f"[[fault:{fault}]]"))
    assert caught.value.code == code
    assert caught.value.response.headers.get("retry-after") == ("1" if fault == "http-429" else None)


def test_an_error_event_in_a_stream_raises(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="gpt-5.4", messages=user("[[fault:error-event]] [[tokens:10]]"), stream=True
    )
    texts: list[str] = []
    with pytest.raises(openai.APIError, match="middle of an answer"):
        texts.extend(chunk.choices[0].delta.content or "" for chunk in stream)
    assert "".join(texts).startswith("[simulated] ")
    assert len("".join(texts).encode()) == 5 * 4
