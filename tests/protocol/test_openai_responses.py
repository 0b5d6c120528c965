"""OpenAI Responses, native: what the relay reads of a request, what a client sees of a stream, and how a broken one is ended."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.domain.usage import Usage
from laidian.errors import BadRequest, QuotaExhausted, UpstreamBroken
from laidian.protocol.dialect import StreamFault
from laidian.protocol.openai_responses import MAX_KEPT_BYTES, OpenAIResponses, ResponsesTap
from laidian.protocol.openai_responses_usage import read_responses_usage, response_usage

RESPONSES = OpenAIResponses()
PATH = "/v1/responses"
PEEK = RESPONSES.peek(b'{"model":"m","input":"hi"}', PATH)


def event(kind: str, sequence: int, **fields: object) -> bytes:
    data = {"type": kind, "sequence_number": sequence, **fields}
    return f"event: {kind}\ndata: ".encode() + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


def response(status: str, **fields: object) -> dict[str, object]:
    made = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "model": "m",
        "output": [],
    }
    return {**made, "error": None, "tools": [{"x": 1e2}], "usage": None, **fields}


def message(text: str, status: str = "completed") -> dict[str, object]:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}] if text else []
    return {"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": content}


USED = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 15,
}
BEGIN = event("response.created", 0, response=response("in_progress")) + event(
    "response.in_progress", 1, response=response("in_progress")
)
ADDED = event("response.output_item.added", 2, output_index=0, item=message("", "in_progress"))
DELTA = event(
    "response.output_text.delta", 3, output_index=0, content_index=0, item_id="msg_1", delta="水 ok"
)
DONE = event("response.output_item.done", 4, output_index=0, item=message("水 ok"))
COMPLETED = event(
    "response.completed",
    5,
    response=response("completed", output=[message("水 ok")], usage=USED, service_tier="priority"),
)
STREAM = BEGIN + ADDED + DELTA + DONE + COMPLETED


def data_of(wire: bytes) -> dict[str, object]:
    """The only event of `wire`."""
    assert wire.count(b"\n\n") == 1
    return json.loads(wire.split(b"data: ", 1)[1])


def test_peek_reads_only_what_must_be_known():
    peek = RESPONSES.peek(
        b'{"model":"m","stream":true,"max_output_tokens":7,"service_tier":"flex","input":[{"x":NOT}]}'.replace(
            b"NOT", b"1"
        ),
        PATH,
    )
    assert (peek.model, peek.stream, peek.output_limit, peek.service_tier) == ("m", True, 7, "flex")
    assert (peek.choices, peek.wants_usage) == (1, True)


def test_the_model_may_be_absent_only_with_a_stored_prompt():
    assert RESPONSES.peek(b'{"prompt":{"id":"pmpt_1"}}', PATH).model == ""
    for body in (b'{"input":"hi"}', b'{"prompt":null}', b'{"prompt":{"id":"p"},"model":""}'):
        with pytest.raises(BadRequest) as caught:
            RESPONSES.peek(body, PATH)
        assert caught.value.param == "model"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"model":5}', "model"),
        (b'{"model":"a\\nb"}', "model"),
        (b'{"model":"m","stream":"yes"}', "stream"),
        (b'{"model":"m","max_output_tokens":0}', "max_output_tokens"),
        (b'{"model":"m","max_output_tokens":"9"}', "max_output_tokens"),
        (b'{"model":"m","service_tier":4}', "service_tier"),
        (b'{"model":"m","input":"a","input":"b"}', "input"),
    ],
)
def test_a_field_that_is_wrong_is_a_400_naming_it(body: bytes, param: str):
    with pytest.raises(BadRequest) as caught:
        RESPONSES.peek(body, PATH)
    assert caught.value.param == param


def test_splice_changes_the_models_name_and_no_other_byte():
    body = b'{ "input" : "\\u6c34", "model":"m" ,"temperature":1.50, "stream":true}'
    peek = RESPONSES.peek(body, PATH)
    assert RESPONSES.splice(peek, "m") is body
    assert RESPONSES.splice(peek, "up/m") == body.replace(b'"m"', b'"up/m"')
    assert RESPONSES.path(peek, "up/m") == "/responses"


def test_a_whole_answer_passes_with_its_usage_and_tier():
    body = json.dumps(
        response("completed", output=[message("hi")], usage=USED, service_tier="flex", tool_usage={})
    ).encode()
    answer = RESPONSES.read_answer(PEEK, body)
    assert answer.body is body
    assert answer.usage == Usage(input=5, cached_input=4, cache_write=1, output=3, reasoning=2)
    assert (answer.service_tier, answer.output_tokens) == ("flex", 0)


def test_a_whole_answer_without_usage_is_estimated_from_its_items():
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"city":"Paris"}'}
    answer = RESPONSES.read_answer(
        PEEK, json.dumps(response("completed", output=[message("hello there"), call, {"type": "x"}])).encode()
    )
    assert answer.usage is None
    assert answer.output_tokens == 3 + 4


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"error":{"message":"no","code":"server_error"}}',
        json.dumps(
            response("failed", error={"code": "rate_limit_exceeded", "message": "slow"}, output=[])
        ).encode(),
    ],
)
def test_what_is_no_answer_is_a_fault_of_the_upstream(body: bytes):
    with pytest.raises(StreamFault):
        RESPONSES.read_answer(PEEK, body)


def test_a_response_that_failed_for_its_request_is_the_clients_to_see():
    body = json.dumps(
        response("failed", error={"code": "invalid_prompt", "message": "no"}, usage=USED)
    ).encode()
    assert RESPONSES.read_answer(PEEK, body).body is body


# Streams


def test_every_cut_of_a_stream_gives_the_client_the_same_bytes_and_holds_the_last_event():
    for cut in range(len(STREAM) + 1):
        tap = ResponsesTap()
        shown = tap.feed(STREAM[:cut]) + tap.feed(STREAM[cut:])
        assert shown == STREAM.removesuffix(COMPLETED)
        assert (tap.ended, tap.finished, tap.fault, tap.service_tier) == (True, True, None, "priority")
        assert tap.end() == COMPLETED
        assert tap.usage == Usage(input=5, cached_input=4, cache_write=1, output=3, reasoning=2)


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
def test_other_line_ends_comments_and_unknown_events_pass_untouched(line_end: bytes):
    strange = event("response.steer.accepted", 9, delta={"not": "text"}, output_index="three", item=5)
    stream = (BEGIN + b": ping\n\n" + strange + DELTA + COMPLETED).replace(b"\n", line_end)
    tap = ResponsesTap()
    shown = tap.feed(stream + line_end)
    assert shown + tap.end() == stream
    assert tap.fault is None


def test_nothing_after_the_last_event_reaches_the_client():
    tap = ResponsesTap()
    shown = tap.feed(STREAM + COMPLETED + DELTA + b"data: [DONE]\n\n")
    assert shown + tap.end() == STREAM


def test_a_last_event_without_its_blank_line_still_counts():
    tap = ResponsesTap()
    tap.feed(STREAM.rstrip(b"\n"))
    assert not tap.ended
    assert tap.end() == COMPLETED
    assert tap.usage is not None


def test_an_incomplete_response_is_an_end():
    last = event(
        "response.incomplete",
        2,
        response=response("incomplete", incomplete_details={"reason": "max_output_tokens"}, usage=USED),
    )
    tap = ResponsesTap()
    assert tap.feed(BEGIN + last) == BEGIN
    assert (tap.finished, tap.end()) == (True, last)


def test_output_is_counted_while_it_runs():
    tap = ResponsesTap()
    for kind in ("output_text", "reasoning_summary_text", "function_call_arguments", "refusal"):
        before = tap.output_tokens
        tap.feed(event(f"response.{kind}.delta", 2, output_index=0, delta="x" * 42))
        assert tap.output_tokens == before + 10
    tap.feed(event("response.image_generation_call.partial_image", 3, partial_image_b64="x" * 4200))
    assert tap.output_tokens == 40


@pytest.mark.parametrize("tail", [b"", DELTA[:-20], b"data: [DONE]\n\n", DELTA.rstrip(b"\n")])
def test_an_end_before_the_last_event_is_a_fault_and_no_goodbye(tail: bytes):
    tap = ResponsesTap()
    shown = tap.feed(BEGIN + ADDED + tail)
    assert b"[DONE]" not in shown
    with pytest.raises(StreamFault):
        tap.end()


@pytest.mark.parametrize(
    ("bad", "code", "words"),
    [
        (event("error", 4, code="server_error", message="boom", param=None), "server_error", "boom"),
        (b'data: {"type":"error","error":{"code":"x","message":"nested"}}\n\n', "x", "nested"),
        (b'data: {"type":"error","sequence_number":"no"}\n\n', "upstream_error", "error in the stream"),
        (b"data: <html>\n\n", "upstream_error", "not JSON"),
        (b"data: []\n\n", "upstream_error", "not a response event"),
        (b'data: {"type":"response.completed"}\n\n', "upstream_error", "not a response"),
    ],
)
def test_a_fault_comes_after_the_events_before_it(bad: bytes, code: str, words: str):
    tap = ResponsesTap()
    assert tap.feed(BEGIN + bad + DELTA) == BEGIN
    assert tap.fault is not None
    assert tap.fault.code == code
    assert words in tap.fault.message
    assert not tap.finished


@pytest.mark.parametrize("code", ["server_error", "insufficient_quota", "rate_limit_exceeded", None])
def test_a_failed_response_of_the_providers_making_is_a_fault_whose_usage_counts(code: str | None):
    failed = event(
        "response.failed",
        2,
        response=response("failed", error={"code": code, "message": "the operator's account"}, usage=USED),
    )
    tap = ResponsesTap()
    assert tap.feed(BEGIN + failed) == BEGIN
    assert tap.fault is not None
    assert tap.usage is not None
    closing = tap.failure(UpstreamBroken("The answer was broken off."))
    assert closing is not None
    assert b"insufficient_quota" not in closing
    assert b"the operator's account" not in closing


def test_a_failed_response_of_the_requests_making_reaches_the_client_as_it_is():
    error = {"code": "context_length_exceeded", "message": "too long"}
    failed = event("response.failed", 2, response=response("failed", error=error, usage=USED))
    tap = ResponsesTap()
    tap.feed(BEGIN + failed)
    assert (tap.finished, tap.fault, tap.end()) == (True, None, failed)


# The closing of a broken stream


def test_a_broken_stream_ends_with_response_failed_of_the_same_response():
    """protocol.md 8, case 47."""
    tap = ResponsesTap()
    tap.feed(BEGIN + ADDED + DELTA)
    closing = tap.failure(UpstreamBroken("The answer was broken off in the middle."))
    assert closing is not None
    assert closing.startswith(b"event: response.failed\n")
    said = data_of(closing)
    assert said["sequence_number"] == 4
    assert said["response"] == response(
        "failed",
        error={"code": "server_error", "message": "The answer was broken off in the middle."},
        incomplete_details=None,
        output=[message("水 ok", "incomplete")],
    )
    assert b'"tools":[{"x":100.0}]' in closing  # as the upstream spelled it


def test_a_cut_for_the_clients_own_quota_keeps_its_code():
    tap = ResponsesTap()
    tap.feed(BEGIN + ADDED + DELTA + DONE)
    closing = tap.failure(QuotaExhausted("The quota is used up."))
    assert closing is not None
    made = data_of(closing)["response"]
    assert isinstance(made, dict)
    assert made["error"] == {"code": "insufficient_quota", "message": "The quota is used up."}
    assert made["output"] == [message("水 ok")]
    assert made["usage"] is None


def test_calls_and_reasoning_that_were_open_are_in_the_closing_as_far_as_they_came():
    call = {
        "id": "fc_1",
        "type": "function_call",
        "status": "in_progress",
        "call_id": "c",
        "name": "f",
        "arguments": "",
    }
    thinking = {"id": "rs_1", "type": "reasoning", "summary": []}
    tap = ResponsesTap()
    tap.feed(
        BEGIN
        + event("response.output_item.added", 2, output_index=0, item=thinking)
        + event("response.reasoning_summary_text.delta", 3, output_index=0, delta="hm")
        + event("response.output_item.added", 4, output_index=1, item=call)
        + event("response.function_call_arguments.delta", 5, output_index=1, delta='{"a":')
    )
    closing = tap.failure(UpstreamBroken("broken"))
    assert closing is not None
    made = data_of(closing)["response"]
    assert isinstance(made, dict)
    assert made["output"] == [
        {**thinking, "summary": [{"type": "summary_text", "text": "hm"}], "status": "incomplete"},
        {**call, "arguments": '{"a":', "status": "incomplete"},
    ]


def test_a_stream_that_never_began_has_nothing_to_fail():
    tap = ResponsesTap()
    tap.feed(b": ping\n\n")
    assert tap.failure(UpstreamBroken("broken")) is None


def test_a_client_that_saw_only_comments_gets_a_response_that_fails():
    peek = RESPONSES.peek(b'{"model":"m","stream":true,"input":"x","tools":[ {"type":"web_search"} ]}', PATH)
    wire = RESPONSES.failed_from_the_start(peek, UpstreamBroken("nobody answered"), "req_ab", 7)
    created, failed = (json.loads(one.split(b"data: ")[1]) for one in wire.split(b"\n\n")[:2])
    assert (created["type"], created["sequence_number"]) == ("response.created", 0)
    assert (failed["type"], failed["sequence_number"]) == ("response.failed", 1)
    assert created["response"]["id"] == failed["response"]["id"] == "resp_req_ab"
    assert failed["response"]["error"] == {"code": "server_error", "message": "nobody answered"}
    assert failed["response"]["tools"] == [{"type": "web_search"}]


def test_pictures_are_not_kept_for_the_closing():
    picture = {
        "id": "ig_1",
        "type": "image_generation_call",
        "status": "completed",
        "result": "A" * MAX_KEPT_BYTES,
    }
    tap = ResponsesTap()
    tap.feed(BEGIN + event("response.output_item.added", 2, output_index=0, item={**picture, "result": None}))
    tap.feed(event("response.output_item.done", 3, output_index=0, item=picture))
    closing = tap.failure(UpstreamBroken("broken"))
    assert closing is not None
    assert len(closing) < 2000


# Usage


@pytest.mark.parametrize(
    ("details", "usage"),
    [
        ({}, Usage(input=100, output=10)),
        ({"cached_tokens": 60}, Usage(input=40, cached_input=60, output=10)),
        ({"cache_write_tokens": 30}, Usage(input=70, cache_write=30, output=10)),
        (
            {"cache_write_tokens": {"ttl_30m": 10, "ttl_12h": 20}},
            Usage(input=70, cache_write=10, cache_write_1h=20, output=10),
        ),
        (
            {"cache_write_tokens": {"ttl_30m_tokens": 10, "ttl_12h_tokens": 20}},
            Usage(input=70, cache_write=10, cache_write_1h=20, output=10),
        ),
        (
            {
                "cache_write_tokens": 30,
                "cache_write_tokens_details": {"ttl_30m_tokens": 10, "ttl_12h_tokens": 20},
            },
            Usage(input=70, cache_write=10, cache_write_1h=20, output=10),
        ),
        (
            {"cache_write_tokens": 5, "cache_write_tokens_details": {"ttl_12h_tokens": 20}},
            Usage(input=95, cache_write=5, output=10),
        ),
        ({"cached_tokens": 60, "cache_write_tokens": 60}, Usage(input=100, output=10)),
        ({"cached_tokens": None}, Usage(input=100, output=10)),
        ({"cached_tokens": -1}, None),
        ({"cached_tokens": "60"}, None),
        ({"cached_tokens": 10**18}, None),
        ({"cache_write_tokens": {"ttl_12h": "x"}}, None),
    ],
)
def test_input_tokens_are_divided_into_disjoint_classes(details: object, usage: Usage | None):
    raw = json.dumps({"input_tokens": 100, "input_tokens_details": details, "output_tokens": 10}).encode()
    assert read_responses_usage(raw) == usage


@pytest.mark.parametrize(
    ("tools", "searches"),
    [
        ({"web_search": {"num_requests": 3}}, 3),
        ({"web_search": {"num_requests": -3}}, 0),
        ({"web_search": {"num_requests": "3"}}, 0),
        ({"web_search": None}, 0),
        ([], 0),
    ],
)
def test_web_searches_are_counted_by_the_piece(tools: object, searches: int):
    """protocol.md 8, case 54."""
    used = read_responses_usage(b'{"input_tokens":1,"output_tokens":1}', json.dumps(tools).encode())
    assert used == Usage(input=1, output=1, web_searches=searches)


def test_pictures_of_the_image_tool_are_not_free():
    tools = {
        "image_gen": {
            "input_tokens": 50,
            "input_tokens_details": {"text_tokens": 20, "image_tokens": 30},
            "output_tokens": 1000,
            "total_tokens": 1050,
        },
        "web_search": {"num_requests": 0},
    }
    used = read_responses_usage(b'{"input_tokens":1,"output_tokens":2}', json.dumps(tools).encode())
    assert used == Usage(input=21, image_input=30, output=2, image_output=1000)


@given(st.lists(st.integers(0, 10_000), min_size=7, max_size=7))
def test_usage_written_and_read_again_is_the_same(counts: list[int]):
    fields = ("input", "cached_input", "cache_write", "cache_write_1h", "output", "reasoning")
    usage = Usage(**dict(zip(fields, counts, strict=False)))
    written = response_usage(usage)
    assert written.total_tokens == written.input_tokens + written.output_tokens
    assert written.input_tokens_details.cached_tokens <= written.input_tokens
    assert read_responses_usage(msgspec.json.encode(written)) == usage
