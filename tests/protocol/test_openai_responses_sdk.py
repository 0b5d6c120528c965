"""What is written for clients, judged by the official SDK; what is written for upstreams, judged by the strict simulated provider."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from openai import OpenAI
from openai.types.responses import ResponseFunctionToolCall, ResponseReasoningItem

from laidian.errors import UpstreamBroken
from laidian.protocol.canonical import (
    Cited,
    Event,
    Finished,
    Image,
    ImageMade,
    Message,
    Refusal,
    RefusalDelta,
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
)
from laidian.protocol.codec import TranslatingTap, translate
from tests.protocol.responses_speech import CODEC, SCHEMA, answer, peeked, written
from tests.simulated_provider import SimulatedProvider, simulated_provider


class Loopback:
    """One path of an HTTP server: what it answers is made from the request's body."""

    def __init__(self, answer_: Callable[[bytes], tuple[bytes, str]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body, kind = answer_(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> OpenAI:
        self._thread.start()
        port = self._server.server_address[1]
        return OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="sk-test", max_retries=0)

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def saying(events: list[Event]) -> Loopback:
    """An upstream of whatever kind said this; the client hears it as a response."""

    def answer_(body: bytes) -> tuple[bytes, str]:
        peek = peeked(body)
        request = CODEC.decode_request(peek)
        if not peek.stream:
            return CODEC.write_whole(peek, request, events), "application/json"
        return written(events, peek), "text/event-stream; charset=utf-8"

    return Loopback(answer_)


TALK: list[Event] = answer(
    [
        ThoughtDelta("think", "c2ln", "anthropic"),
        TextDelta("Hel"),
        TextDelta("lo"),
        Cited("http://x", "X"),
        RefusalDelta("but no"),
        ToolStarted(0, "c1", "f", signature="Z2Vt"),
        ToolStarted(1, "c2", "f"),
        ToolDelta(0, '{"city":'),
        ToolDelta(1, '{"city":"Rome"}'),
        ToolDelta(0, '"Paris"}'),
        ToolFinished(1),
        ToolFinished(0),
    ],
    "tool_calls",
)
F = {"type": "function", "name": "f", "parameters": json.loads(SCHEMA), "strict": False}


def test_the_sdks_accumulator_accepts_the_stream():
    """protocol.md 8, case 58."""
    with saying(TALK) as client, client.responses.stream(model="m", input="hi", tools=[F]) as stream:  # type: ignore[list-item]
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert final.output_text == "Hello"
    calls = [item for item in final.output if isinstance(item, ResponseFunctionToolCall)]
    assert [(call.call_id, call.arguments) for call in calls] == [
        ("c1", '{"city":"Paris"}'),
        ("c2", '{"city":"Rome"}'),
    ]
    sealed = [item.encrypted_content for item in final.output if isinstance(item, ResponseReasoningItem)]
    assert sealed == ["an1.c2ln", "gm1.call.Z2Vt"]
    assert final.usage is not None
    assert (final.usage.input_tokens, final.usage.output_tokens) == (9, 4)


def test_the_sdk_reads_a_whole_answer():
    with saying(TALK) as client:
        made = client.responses.create(model="m", input="hi", tools=[F])  # type: ignore[list-item]
    assert (made.output_text, made.status, made.model, made.parallel_tool_calls) == (
        "Hello",
        "completed",
        "m",
        True,
    )
    assert made.to_dict()["id"] == "resp_abc"


@pytest.mark.parametrize(
    ("events", "last"),
    [
        (answer([TextDelta("cut")], "length"), "response.incomplete"),
        (answer([], "content_filter"), "response.incomplete"),
        (answer([ImageMade("AAAA", "image/png"), TextDelta("x")]), "response.completed"),
        (
            answer([ToolStarted(0, "c", "p", True), ToolDelta(0, "raw"), ToolFinished(0)], "tool_calls"),
            "response.completed",
        ),
    ],
)
def test_the_sdks_accumulator_accepts_other_endings(events: list[Event], last: str):
    with saying(events) as client, client.responses.stream(model="m", input="hi") as stream:
        assert [event.type for event in stream][-1] == last


def test_the_sdk_hears_a_failed_response_out():
    def broken(body: bytes) -> tuple[bytes, str]:
        writer = CODEC.writer(peeked(body), CODEC.decode_request(peeked(body)))
        begun = writer.write([Started("x", "m", 1), TextDelta("half")])
        return begun + (writer.failure(UpstreamBroken("broken off")) or b""), "text/event-stream"

    with Loopback(broken) as client, client.responses.stream(model="m", input="hi") as stream:
        last = list(stream)[-1]
    assert last.type == "response.failed"
    assert last.response.error is not None
    assert (last.response.error.code, last.response.error.message) == ("server_error", "broken off")
    assert last.response.output_text == "half"


@pytest.fixture(scope="module")
def provider() -> Iterator[SimulatedProvider]:
    with simulated_provider() as running:
        yield running


def asked(provider: SimulatedProvider, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(provider.host, provider.port, timeout=10)
    try:
        headers = {"authorization": "Bearer sim-test", "content-type": "application/json"}
        connection.request("POST", "/v1/responses", body, headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def through(provider: SimulatedProvider) -> Loopback:
    """Client and upstream both speak Responses, and everything between them goes through the canonical form."""

    def relayed(body: bytes) -> tuple[bytes, str]:
        translation = translate(CODEC, CODEC, peeked(body), "gpt-5.4", 0)
        status, reply = asked(provider, translation.encoded.body)
        assert status == 200, reply
        if not translation.peek.stream:
            return translation.read_answer(reply).body, "application/json"
        tap = translation.tap()
        assert isinstance(tap, TranslatingTap)
        shown = b"".join(tap.feed(reply[at : at + 100]) for at in range(0, len(reply), 100))
        assert tap.fault is None
        return shown + tap.end(), "text/event-stream"

    return Loopback(relayed)


def test_a_strict_upstream_takes_the_request_and_its_answer_reaches_the_sdk(provider: SimulatedProvider):
    provider.reset()
    with through(provider) as client:
        with client.responses.stream(
            model="mine",
            input="Hi [[say:pong]] [[reasoning:7]] [[cached:2]]",
            instructions="short",
            reasoning={"effort": "low"},
        ) as stream:
            final = stream.get_final_response()
        whole = client.responses.create(model="mine", input="Hi [[say:pong]]", max_output_tokens=20)
    assert final.output_text == whole.output_text
    assert "pong" in final.output_text
    assert (final.model, final.instructions) == ("mine", "short")
    bill = provider.bill(rows=2)
    streamed = bill.rows[0].usage
    assert final.usage is not None
    assert (final.usage.input_tokens, final.usage.output_tokens) == (
        streamed.input_tokens,
        streamed.output_tokens,
    )
    assert final.usage.output_tokens_details.reasoning_tokens == streamed.reasoning_tokens == 7
    assert final.usage.input_tokens_details.cached_tokens == streamed.cached_input_tokens


def test_tools_go_there_and_back_through_a_strict_upstream(provider: SimulatedProvider):
    provider.reset()
    with through(provider) as client:
        with client.responses.stream(model="mine", input="[[tools:2]]", tools=[F]) as stream:  # type: ignore[list-item]
            first = stream.get_final_response()
        calls = [item for item in first.output if item.type == "function_call"]
        assert len(calls) == 2
        replay = [{"role": "user", "content": "[[tools:2]]"}, *(item.to_dict() for item in first.output)]
        results = [
            {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"} for call in calls
        ]
        second = client.responses.create(model="mine", input=[*replay, *results], tools=[F])  # type: ignore[list-item]
    assert second.output_text
    assert all(json.loads(call.arguments) is not None for call in calls)


def test_a_rich_conversation_is_accepted_by_a_strict_upstream(provider: SimulatedProvider):
    picture = (
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    messages = (
        Message("system", (Text("rules"),)),
        Message("user", (Text("look"), Image(data=picture, mime="image/png"))),
        Message("assistant", (Thought("hm", "Z0FB", "responses"), ToolCall("c1", "f", '{"city":"Paris"}'))),
        Message("user", (ToolResult("c1", (Text("one"), Text("two"))),)),
        Message("assistant", (Text("so"), Refusal("no"))),
        Message("user", (Text("again"),)),
    )
    request = Request(
        messages,
        tools=(Tool("f", parameters=SCHEMA), Tool("p", custom=True)),
        web_search=True,
        tool_choice=ToolChoice("auto"),
        max_output_tokens=1,
        effort="low",
        include_thoughts=True,
        verbosity="low",
        metadata=b'{"a":"b"}',
        service_tier="flex",
        user="u",
    )
    status, reply = asked(provider, CODEC.encode_request(request, "gpt-5.4").body)
    assert status == 200, reply
    assert any(isinstance(event, Finished) for event in CODEC.read_whole(reply))
