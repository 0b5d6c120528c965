"""The Gemini codec against an upstream that is strict about what it is sent, and keeps a bill of its own."""

import json
from collections.abc import Iterator

import httpx2
import pytest

from laidian.domain.usage import Usage
from laidian.protocol.canonical import (
    Event,
    Finished,
    Format,
    Message,
    Request,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolChoice,
    ToolDelta,
    ToolResult,
    ToolStarted,
    Used,
)
from laidian.protocol.dialect import StreamFault
from laidian.protocol.gemini import Gemini
from laidian.protocol.gemini_codec import GeminiCodec
from tests.simulated_provider import SimulatedProvider, simulated_provider

MODEL = "gemini-3-pro-preview"
CODEC, GEMINI = GeminiCodec(), Gemini()
CITY = b'{"type":"object","properties":{"city":{"type":"string"},"unit":{"const":"C"}},"required":["city"]}'
TOOLS = (Tool("get_weather", "the weather", CITY), Tool("get_time"))


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatedProvider]:
    with simulated_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: SimulatedProvider) -> SimulatedProvider:
    running.reset()
    return running


@pytest.fixture
def http(provider: SimulatedProvider) -> Iterator[httpx2.Client]:
    headers = {"x-goog-api-key": "sim-gemini-key-0001", "content-type": "application/json"}
    base_url = provider.base_url + "/v1beta"
    with httpx2.Client(base_url=base_url, headers=headers, timeout=20, trust_env=False) as client:
        yield client


def asks(text: str) -> Message:
    return Message("user", (Text(text),))


def answer(http: httpx2.Client, request: Request, *, stream: bool = False) -> list[Event]:
    encoded = CODEC.encode_request(request, MODEL)
    answered = http.post(CODEC.stream_path(MODEL, stream=stream), content=encoded.body)
    assert answered.status_code == 200, answered.text
    if not stream:
        return CODEC.read_whole(answered.content)
    reader = CODEC.reader()
    return reader.feed(answered.content) + reader.end()


@pytest.mark.parametrize("stream", [False, True])
def test_usage_equals_the_providers_own_bill(provider: SimulatedProvider, http: httpx2.Client, stream: bool):
    request = Request(
        (Message("system", (Text("be short"),)), asks("[[tokens:9]] [[reasoning:5]] [[cached:2]]")),
        max_output_tokens=100,
        temperature=0.5,
        effort="low",
        service_tier="flex",
    )
    events = answer(http, request, stream=stream)
    used = [one for one in events if isinstance(one, Used)][-1]
    billed = provider.bill(rows=1).rows[0].usage
    assert used == Used(Usage(input=billed.input_tokens - 2, cached_input=2, output=9, reasoning=5), "flex")
    assert (billed.output_tokens, billed.reasoning_tokens) == (14, 5)
    assert [one for one in events if isinstance(one, Finished)] == [Finished("stop")]
    assert "[simulated]" in "".join(one.text for one in events if isinstance(one, TextDelta))


@pytest.mark.parametrize("keep_signatures", [True, False])
def test_two_turns_with_parallel_calls_are_accepted_with_and_without_signatures(
    http: httpx2.Client, keep_signatures: bool
):
    question = asks("[[tools:2]]")
    first = answer(http, Request((question,), tools=TOOLS), stream=True)
    assert first[-1] == Finished("tool_calls") or Finished("tool_calls") in first
    started = [one for one in first if isinstance(one, ToolStarted)]
    arguments = {one.index: one.arguments for one in first if isinstance(one, ToolDelta)}
    assert [one.name for one in started] == ["get_weather", "get_time"]
    assert started[0].signature
    calls = tuple(
        ToolCall(one.id, one.name, arguments[one.index], signature=one.signature if keep_signatures else "")
        for one in started
    )
    results = tuple(ToolResult(call.id, (Text("12 C"),)) for call in calls)
    history = (question, Message("assistant", calls), Message("user", results))
    second = answer(http, Request(history, tools=TOOLS))
    assert Finished("stop") in second


def test_a_forced_tool_and_a_shape_are_kept(http: httpx2.Client):
    forced = Request((asks("hi"),), tools=TOOLS, tool_choice=ToolChoice("named", ("get_time",)))
    started = [one for one in answer(http, forced) if isinstance(one, ToolStarted)]
    assert [one.name for one in started] == ["get_time"]
    shaped = Request((asks("hi"),), format=Format("schema", name="x", schema=CITY))
    text = "".join(one.text for one in answer(http, shaped) if isinstance(one, TextDelta))
    assert "city" in json.loads(text)


def test_an_output_limit_is_a_length_stop(http: httpx2.Client):
    events = answer(http, Request((asks("[[tokens:50]]"),), max_output_tokens=5), stream=True)
    assert Finished("length") in events


@pytest.mark.parametrize("array", [False, True])
def test_a_native_stream_passes_in_the_form_the_client_asked_for(
    provider: SimulatedProvider, http: httpx2.Client, array: bool
):
    path = f"/v1beta/models/{MODEL}:streamGenerateContent" + ("" if array else "?alt=sse")
    peek = GEMINI.peek(b'{"contents":[{"parts":[{"text":"[[tokens:6]]"}]}]}', path)
    answered = http.post(GEMINI.path(peek, MODEL), content=GEMINI.splice(peek, MODEL))
    tap = GEMINI.tap(peek)
    seen = tap.feed(answered.content) + tap.end()
    billed = provider.bill(rows=1).rows[0].usage
    assert tap.usage == Usage(input=billed.input_tokens, output=6)
    assert billed.output_tokens == 6
    if array:
        assert len(json.loads(seen)) == 7
    else:
        assert seen == answered.content


@pytest.mark.parametrize("fault", ["error-event", "eof-mid-stream"])
def test_a_stream_that_breaks_upstream_is_a_fault(http: httpx2.Client, fault: str):
    request = Request((asks(f"[[tokens:20]] [[fault:{fault}]]"),))
    with pytest.raises(StreamFault):
        answer(http, request, stream=True)


@pytest.mark.parametrize("fault", ["crlf", "comments", "split", "merge"])
def test_how_a_stream_travels_changes_nothing(http: httpx2.Client, fault: str):
    request = Request((asks(f"[[say:水 and wine]] [[fault:{fault}]]"),))
    events = answer(http, request, stream=True)
    assert "水 and wine" in "".join(one.text for one in events if isinstance(one, TextDelta))


@pytest.mark.parametrize("fault", ["usage-negative", "usage-string", "usage-huge", "no-usage"])
def test_usage_that_makes_no_sense_is_not_believed(http: httpx2.Client, fault: str):
    events = answer(http, Request((asks(f"[[tokens:3]] [[fault:{fault}]]"),)), stream=True)
    assert Finished("stop") in events
    assert not [one for one in events if isinstance(one, Used)]


def test_a_batch_of_embeddings_is_metered_by_the_upstreams_word(
    provider: SimulatedProvider, http: httpx2.Client
):
    name = "gemini-embedding-001"
    one = {"model": "models/mine", "content": {"parts": [{"text": "hello there"}]}, "outputDimensionality": 3}
    peek = GEMINI.peek(
        json.dumps({"requests": [one, one]}).encode(), "/v1beta/models/mine:batchEmbedContents"
    )
    answered = http.post(GEMINI.path(peek, name), content=GEMINI.splice(peek, name))
    assert [len(found["values"]) for found in answered.json()["embeddings"]] == [3, 3]
    billed = provider.bill(rows=1).rows[0].usage
    assert GEMINI.read_answer(peek, answered.content).usage == Usage(input=billed.input_tokens)
    assert billed.input_tokens > 0
