"""The Anthropic dialect and codec against an upstream that checks every request and writes its own bill."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from laidian.domain.usage import Usage
from laidian.protocol.anthropic import Anthropic
from laidian.protocol.anthropic_codec import AnthropicCodec
from laidian.protocol.anthropic_family import AnthropicFamily
from laidian.protocol.canonical import (
    Event,
    File,
    Finished,
    Format,
    Image,
    Message,
    Part,
    Request,
    Started,
    Text,
    TextDelta,
    Thought,
    ThoughtDelta,
    Tool,
    ToolCall,
    ToolChoice,
    ToolDelta,
    ToolFinished,
    ToolResult,
    ToolStarted,
    Used,
)
from laidian.protocol.dialect import StreamFault
from tests.simulated_provider import SimulatedProvider, simulated_provider

CODEC = AnthropicCodec()
DIALECT = Anthropic()
OLD, NEW = "claude-sonnet-4-5", "claude-sonnet-5"
HEADERS = {"x-api-key": "sim-test", "anthropic-version": "2023-06-01", "content-type": "application/json"}
SCHEMA = (
    b'{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"],"additionalProperties":false}'
)
TOOL = Tool("look_up", "Looks up.", SCHEMA)


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatedProvider]:
    with simulated_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: SimulatedProvider) -> SimulatedProvider:
    running.reset()
    return running


def post(provider: SimulatedProvider, path: str, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(provider.host, provider.port, timeout=20)
    try:
        connection.request("POST", f"/v1{path}", body, HEADERS)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def ask(provider: SimulatedProvider, model: str = OLD, /, **fields: Any) -> list[Event]:
    """The events of the answer, which has to be the same whole and streamed, cut at every tenth byte."""
    whole = Request(**{"max_output_tokens": 2_000, **fields})
    status, body = post(
        provider, CODEC.stream_path(model, stream=False), CODEC.encode_request(whole, model).body
    )
    assert status == 200, body
    events = CODEC.read_whole(body)
    streamed = Request(**{"max_output_tokens": 2_000, **fields, "stream": True})
    status, body = post(
        provider, CODEC.stream_path(model, stream=True), CODEC.encode_request(streamed, model).body
    )
    assert status == 200, body
    reader = CODEC.reader()
    pieces = [event for at in range(0, len(body), 10) for event in reader.feed(body[at : at + 10])]
    assert reader.ended
    assert summary(pieces) == summary(events)
    return events


def summary(events: list[Event]) -> object:
    """What an answer comes to, however it was cut; ids differ between two answers."""
    names = [event.name for event in events if isinstance(event, ToolStarted)]
    arguments = [
        "".join(e.arguments for e in events if isinstance(e, ToolDelta) and e.index == i)
        for i in range(len(names))
    ]
    return (
        "".join(event.text for event in events if isinstance(event, TextDelta)),
        "".join(event.text + event.signature for event in events if isinstance(event, ThoughtDelta)),
        list(zip(names, arguments, strict=True)),
        [event for event in events if isinstance(event, Finished | Used)],
        sum(isinstance(event, ToolFinished) for event in events),
    )


def used(events: list[Event]) -> Usage:
    return next(event.usage for event in events if isinstance(event, Used))


def user(*parts: Part) -> Message:
    return Message("user", parts)


def assistant(*parts: Part) -> Message:
    return Message("assistant", parts)


def test_text_and_usage_are_those_of_the_bill(provider: SimulatedProvider):
    events = ask(provider, messages=(user(Text("[[say:水 is wet]] [[cached:5]] [[cache_write:3]]")),))
    assert isinstance(events[0], Started)
    assert events[1:3] == [TextDelta("[simulated] 水 is wet"), Finished("stop")]
    usage = used(events)
    for row in provider.bill(rows=2).rows:
        assert row.usage.input_tokens == usage.total_input_tokens
        assert row.usage.output_tokens == usage.total_output_tokens
        assert (row.usage.cached_input_tokens, row.usage.cache_write_tokens) == (
            usage.cached_input,
            usage.cache_write,
        )
    assert (usage.cached_input, usage.cache_write) == (5, 3)


@pytest.mark.parametrize("model", [OLD, NEW])
def test_thinking_comes_with_its_signature_and_may_go_back(provider: SimulatedProvider, model: str):
    asked = user(Text("[[reasoning:40]] [[tool]]"))
    events = ask(provider, model, messages=(asked,), tools=(TOOL,), effort="low", include_thoughts=True)
    text = "".join(event.text for event in events if isinstance(event, ThoughtDelta))
    signature = next(
        event.signature for event in events if isinstance(event, ThoughtDelta) and event.signature
    )
    call = next(event for event in events if isinstance(event, ToolStarted))
    assert text == "[simulated] thinking"
    assert used(events).reasoning == 40
    turn = assistant(Thought(text, signature, "anthropic"), ToolCall(call.id, call.name, '{"x":1}'))
    again = ask(
        provider,
        model,
        messages=(asked, turn, user(ToolResult(call.id, (Text("7"),)))),
        tools=(TOOL,),
        effort="low",
    )
    assert Finished("stop") in again


@pytest.mark.parametrize("model", [OLD, NEW])
@pytest.mark.parametrize("effort", ["none", "minimal", "low", "high", "max"])
def test_every_effort_is_taken_by_every_generation(provider: SimulatedProvider, model: str, effort: Any):
    history = (
        user(Text("a")),
        assistant(Thought("secret", "of gemini", "gemini"), ToolCall("call:1", "look_up", '{"x":1}')),
        user(Text("hm"), ToolResult("call:1", (Text("7"),))),
    )
    fields: dict[str, Any] = {
        "effort": effort,
        "temperature": 1.5,
        "top_p": 0.9,
        "top_k": 5,
        "tools": (TOOL,),
    }
    for messages in ((user(Text("a")),), history):
        assert Finished("stop") in ask(provider, model, messages=messages, **fields)


def test_a_limit_that_nobody_named_is_one_the_model_takes(provider: SimulatedProvider):
    assert Finished("stop") in ask(provider, OLD, messages=(user(Text("a")),), max_output_tokens=None)


def test_parallel_calls_and_their_results(provider: SimulatedProvider):
    asked = user(
        Text("[[tools:3]]"), Image(data="QQ==", mime="image/png"), File(data="QQ==", mime="application/pdf")
    )
    events = ask(provider, messages=(asked,), tools=(TOOL, Tool("other")))
    calls = [event for event in events if isinstance(event, ToolStarted)]
    assert [(call.index, call.name) for call in calls] == [(0, "look_up"), (1, "other"), (2, "look_up")]
    assert Finished("tool_calls") in events
    turn = assistant(*(ToolCall(call.id, call.name, '{"x":1}') for call in calls))
    results = tuple(user(ToolResult(call.id, (Text(str(call.index)),))) for call in reversed(calls))
    assert Finished("stop") in ask(
        provider, messages=(asked, turn, *results, user(Text("so?"))), tools=(TOOL, Tool("other"))
    )


def test_one_call_at_a_time_and_a_call_that_must_be_made(provider: SimulatedProvider):
    single = ask(provider, messages=(user(Text("[[tools:3]]")),), tools=(TOOL,), parallel_tool_calls=False)
    assert sum(isinstance(event, ToolStarted) for event in single) == 1
    forced = ask(
        provider,
        messages=(user(Text("a")),),
        tools=(TOOL, Tool("other")),
        tool_choice=ToolChoice("named", ("other",)),
        effort="high",
    )
    assert [event.name for event in forced if isinstance(event, ToolStarted)] == ["other"]
    assert ToolDelta(0, "{}") in forced


def test_a_schema_is_obeyed(provider: SimulatedProvider):
    events = ask(provider, messages=(user(Text("a")),), format=Format("schema", schema=SCHEMA))
    assert list(json.loads("".join(event.text for event in events if isinstance(event, TextDelta)))) == ["x"]


def test_length_and_stop_sequences_end_an_answer(provider: SimulatedProvider):
    assert Finished("length") in ask(provider, messages=(user(Text("[[tokens:50]]")),), max_output_tokens=10)
    assert Finished("stop", "END") in ask(
        provider, messages=(user(Text("[[say:one END two]]")),), stop=("END",)
    )


STREAM = b'{"model":"claude-sonnet-4-5","max_tokens":50,"stream":true,"messages":[{"role":"user","content":"[[tokens:20]][[cached:4]]"}]}'


@pytest.mark.parametrize("fault", [None, "crlf", "comments", "split", "merge", "usage-twice", "eof-no-done"])
def test_a_stream_is_forwarded_byte_by_byte_and_its_usage_is_the_bills(
    provider: SimulatedProvider, fault: str | None
):
    if fault:
        provider.fault(fault)
    peek = DIALECT.peek(STREAM, "/v1/messages?beta=true")
    status, body = post(provider, DIALECT.path(peek, peek.model), DIALECT.splice(peek, peek.model))
    assert status == 200
    tap = DIALECT.tap(peek)
    seen = b"".join(tap.feed(body[at : at + 7]) for at in range(0, len(body), 7)) + tap.end()
    assert seen.startswith(body)
    assert (seen == body) == (fault != "eof-no-done")
    row = provider.bill(rows=1).rows[0]
    assert tap.usage is not None
    assert (tap.usage.total_input_tokens, tap.usage.cached_input) == (row.usage.input_tokens, 4)
    assert tap.usage.total_output_tokens == row.usage.output_tokens == 20
    assert provider.requests()[-1].path.endswith("/messages?beta=true")


@pytest.mark.parametrize(
    "fault", ["eof-mid-stream", "error-event", "usage-negative", "usage-string", "usage-huge", "no-usage"]
)
def test_a_broken_stream_and_a_nonsensical_usage_are_no_usage(provider: SimulatedProvider, fault: str):
    provider.fault(fault)
    peek = DIALECT.peek(STREAM, "/v1/messages")
    _, body = post(provider, "/messages", STREAM)
    tap = DIALECT.tap(peek)
    tap.feed(body)
    assert tap.usage is None
    assert tap.output_tokens > 0
    assert (tap.fault is not None) == (fault == "error-event")
    if fault == "eof-mid-stream":
        with pytest.raises(StreamFault):
            tap.end()


def test_counting_passes_and_is_not_billed(provider: SimulatedProvider):
    peek = DIALECT.peek(
        b'{"model":"mine","messages":[{"role":"user","content":"12345678"}]}', "/v1/messages/count_tokens"
    )
    status, body = post(provider, DIALECT.path(peek, OLD), DIALECT.splice(peek, OLD))
    assert status == 200
    assert DIALECT.read_answer(peek, body).usage == Usage()
    assert provider.bill().totals.rows == 0


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("http-400", "invalid_request_error"),
        ("http-401", "authentication_error"),
        ("http-429", "rate_limit_error"),
        ("http-529", "overloaded_error"),
    ],
)
def test_errors_of_the_upstream_are_read(provider: SimulatedProvider, fault: str, kind: str):
    provider.fault(fault)
    _, body = post(provider, "/messages", STREAM)
    said = AnthropicFamily().read_error(body)
    assert said.type == kind
    assert said.message.startswith("[simulated]")
