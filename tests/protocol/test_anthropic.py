"""Anthropic Messages: what the relay reads of a request, what it changes, and what a client sees of a stream."""

import json

import pytest

from laidian.domain.usage import Usage
from laidian.errors import BadRequest
from laidian.protocol.anthropic import STOP_EVENT, Anthropic, MessageTap
from laidian.protocol.dialect import StreamFault
from laidian.protocol.event_stream import EVENT_BYTES

DIALECT = Anthropic()
PATH = "/v1/messages"
COUNT = "/v1/messages/count_tokens"


def event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n".encode()


START = event(
    "message_start",
    message={
        "id": "msg_1",
        "model": "m",
        "content": [],
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 1},
    },
)
OPEN = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
HELLO = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "水 and bread"})
CLOSE = event("content_block_stop", index=0)
FINISH = event(
    "message_delta",
    delta={"stop_reason": "end_turn", "stop_sequence": None},
    usage={"output_tokens": 7, "output_tokens_details": {"thinking_tokens": 2}},
)
STOP = event("message_stop")
PING = event("ping")
STREAM = START + PING + OPEN + HELLO + CLOSE + FINISH + STOP
USED = Usage(input=10, cached_input=90, output=5, reasoning=2)


def test_peek_reads_only_what_must_be_known():
    peek = DIALECT.peek(b'{"model":"m","max_tokens":7,"stream":true,"messages":5,"x":{"y":1}}', PATH)
    assert (peek.model, peek.stream, peek.output_limit, peek.choices, peek.wants_usage) == (
        "m",
        True,
        7,
        1,
        True,
    )
    assert peek.service_tier == "default"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"max_tokens":1}', "model"),
        (b'{"model":"","max_tokens":1}', "model"),
        (b'{"model":5,"max_tokens":1}', "model"),
        (b'{"model":"a\\nb","max_tokens":1}', "model"),
        (b'{"model":"m"}', "max_tokens"),
        (b'{"model":"m","max_tokens":null}', "max_tokens"),
        (b'{"model":"m","max_tokens":-1}', "max_tokens"),
        (b'{"model":"m","max_tokens":1.5}', "max_tokens"),
        (b'{"model":"m","max_tokens":"9"}', "max_tokens"),
        (b'{"model":"m","max_tokens":1,"stream":"yes"}', "stream"),
        (b'{"model":"m","max_tokens":1,"service_tier":4}', "service_tier"),
        (b'{"model":"m","max_tokens":1,"speed":4}', "speed"),
        (b'{"model":"m","max_tokens":1,"model":"n"}', "model"),
    ],
)
def test_a_field_that_is_wrong_is_a_400_naming_it(body: bytes, param: str):
    with pytest.raises(BadRequest) as caught:
        DIALECT.peek(body, PATH)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("fields", "tier"),
    [
        (b"", "default"),
        (b',"service_tier":"standard_only"', "default"),
        (b',"service_tier":"auto"', "auto"),
        (b',"speed":"standard"', "default"),
        (b',"speed":"fast","service_tier":"standard_only"', "fast"),
    ],
)
def test_the_rates_that_may_apply_are_known_before_the_answer(fields: bytes, tier: str):
    assert DIALECT.peek(b'{"model":"m","max_tokens":1' + fields + b"}", PATH).service_tier == tier


def test_a_cache_can_be_filled_without_output():
    assert DIALECT.peek(b'{"model":"m","max_tokens":0}', PATH).output_limit == 0


@pytest.mark.parametrize(
    ("asked", "goes_to"),
    [
        (PATH, "/messages"),
        (PATH + "?beta=true", "/messages?beta=true"),
        (PATH + "?key=sk-secret&beta=true&x=1", "/messages?beta=true"),
        (PATH + "?beta=truely", "/messages"),
        (COUNT, "/messages/count_tokens"),
        (COUNT + "?beta=true", "/messages/count_tokens?beta=true"),
    ],
)
def test_only_the_beta_switch_of_a_query_goes_upstream(asked: str, goes_to: str):
    peek = DIALECT.peek(b'{"model":"m","max_tokens":1}', asked)
    assert DIALECT.path(peek, "other") == goes_to


def test_only_the_model_name_changes():
    body = b'{ "max_tokens":1.0e0, "model" : "m","unknown":[1e400, "\\u6c34"] ,"system":[]}'
    with pytest.raises(BadRequest):
        DIALECT.peek(body, PATH)
    body = body.replace(b"1.0e0", b"100")
    peek = DIALECT.peek(body, PATH)
    assert DIALECT.splice(peek, "m") is body
    assert DIALECT.splice(peek, "up") == body.replace(b'"m"', b'"up"')


def test_counting_needs_no_limit_and_costs_nothing():
    peek = DIALECT.peek(b'{"model":"m","stream":true}', COUNT)
    assert (peek.output_limit, peek.stream) == (0, False)
    answer = DIALECT.read_answer(peek, b'{"input_tokens": 14}')
    assert (answer.usage, answer.output_tokens, answer.body) == (Usage(), 0, b'{"input_tokens": 14}')
    for body in (b"{}", b'{"input_tokens":"14"}', b"<html>", b'{"type":"error","error":{"message":"no"}}'):
        with pytest.raises(StreamFault):
            DIALECT.read_answer(peek, body)


def test_a_whole_answer_says_what_it_used():
    peek = DIALECT.peek(b'{"model":"m","max_tokens":9}', PATH)
    body = json.dumps(
        {
            "type": "message",
            "content": [{"type": "text", "text": "hi"}, {"type": "server_thing", "content": {"a": 1}}],
            "usage": {"input_tokens": 3, "output_tokens": 2, "service_tier": "standard"},
        }
    ).encode()
    answer = DIALECT.read_answer(peek, body)
    assert (answer.usage, answer.service_tier) == (Usage(input=3, output=2), "standard")
    assert answer.body is body


def test_a_whole_answer_without_usage_is_estimated_from_all_it_says():
    peek = DIALECT.peek(b'{"model":"m","max_tokens":9}', PATH)
    blocks = [
        {"type": "thinking", "thinking": "x" * 42},
        {"type": "text", "text": "x" * 42},
        {"type": "tool_use", "name": "x" * 21, "input": {"y": "x" * 12}},
    ]
    answer = DIALECT.read_answer(peek, json.dumps({"content": blocks}).encode())
    assert (answer.usage, answer.output_tokens) == (None, 30)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"type":"message"}',
        b'{"type":"error","error":{"type":"api_error","message":"Overloaded"}}',
        b'{"error":{"message":"no"},"content":[]}',
        b'{"content":' + b"[" * 100_000,
    ],
)
def test_an_answer_that_is_none_is_the_upstreams_fault(body: bytes):
    with pytest.raises(StreamFault):
        DIALECT.read_answer(DIALECT.peek(b'{"model":"m","max_tokens":9}', PATH), body)


def test_the_end_is_held_back_and_everything_else_goes_on_as_it_came():
    tap = MessageTap()
    assert tap.feed(STREAM) == STREAM.removesuffix(STOP)
    assert (tap.finished, tap.ended, tap.usage, tap.fault) == (True, True, USED, None)
    assert tap.end() == STOP


def test_every_cut_of_a_stream_gives_the_client_the_same_bytes():
    for stream in (STREAM, STREAM.replace(b"\n", b"\r\n"), b": hi\n\n" + STREAM.replace(b"data: ", b"data:")):
        for cut in range(len(stream) + 1):
            tap = MessageTap()
            seen = tap.feed(stream[:cut]) + tap.feed(stream[cut:])
            assert seen + tap.end() == stream
            assert tap.usage == USED


def test_usage_is_unknown_until_the_end_but_its_beginning_is_kept():
    tap = MessageTap()
    tap.feed(START + OPEN + event("content_block_delta", delta={"type": "text_delta", "text": "x" * 84}))
    assert tap.usage is None  # an output of 1 would be a lie
    assert tap.output_tokens == 20
    assert tap.begun_usage == Usage(input=10, cached_input=90, output=20)
    assert MessageTap().begun_usage is None


def test_a_missing_message_stop_is_supplied_only_after_a_stop_reason():
    tap = MessageTap()
    tap.feed(STREAM.removesuffix(STOP))
    assert (tap.finished, tap.ended) == (True, False)
    assert tap.end() == STOP_EVENT
    early = MessageTap()
    early.feed(START + OPEN + HELLO + CLOSE)
    assert not early.finished
    with pytest.raises(StreamFault):
        early.end()


def test_half_a_last_event_does_not_undo_a_finished_answer():
    tap = MessageTap()
    tap.feed(STREAM.removesuffix(STOP) + b"event: message_st")
    assert tap.end() == STOP_EVENT
    whole = MessageTap()
    whole.feed(STREAM[:-1])
    assert whole.end() == STOP[:-1] + b"\n\n"


def test_an_error_event_is_a_fault_and_is_not_shown():
    tap = MessageTap()
    error = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    assert tap.feed(START + OPEN + error + HELLO) == START + OPEN
    assert tap.fault is not None
    assert tap.fault.message == "Overloaded"
    assert not tap.finished


@pytest.mark.parametrize(
    "sent",
    [
        b"data: <html>\n\n",
        b'data: {"type":"message_delta","delta":4}\n\n',
        b'data: {"error":{"message":"no"}}\n\n',
        b"data: []\n\n",
    ],
)
def test_what_is_no_event_of_a_message_is_a_fault(sent: bytes):
    tap = MessageTap()
    assert tap.feed(START + sent) == START
    assert tap.fault is not None


def test_kinds_of_events_and_blocks_that_are_not_known_pass():
    unknown = (
        event("conductor", delta="not an object", message=[], usage=3)
        + event("content_block_start", index=1, content_block={"type": "code_result", "content": {"text": 5}})
        + event("content_block_delta", index=1, delta={"type": "odd_delta", "odd": [1]})
    )
    tap = MessageTap()
    assert tap.feed(START + unknown) == START + unknown
    assert tap.fault is None


def test_an_endless_event_is_a_fault():
    tap = MessageTap()
    tap.feed(START + b'data: {"type":"x","y":"')
    assert tap.fault is None
    tap.feed(b"x" * (EVENT_BYTES + 1))
    assert tap.fault is not None


def test_output_is_counted_from_text_thinking_and_arguments():
    tap = MessageTap()
    for delta in (
        {"text": "x" * 42},
        {"thinking": "x" * 42},
        {"partial_json": "x" * 42},
        {"signature": "x" * 42},
    ):
        tap.feed(event("content_block_delta", index=0, delta={"type": "any", **delta}))
    tap.feed(
        event(
            "content_block_start", index=1, content_block={"type": "tool_use", "name": "x" * 42, "input": {}}
        )
    )
    assert tap.output_tokens == 40
