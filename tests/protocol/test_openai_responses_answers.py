"""OpenAI Responses, translated: answers of upstreams read, answers to clients written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._models import construct_type_unchecked
from openai._types import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent

from laidian.errors import QuotaExhausted, UpstreamBroken
from laidian.protocol.canonical import (
    Cited,
    Event,
    Finished,
    Image,
    ImageMade,
    Message,
    Reason,
    RefusalDelta,
    Started,
    TextDelta,
    ThoughtDelta,
    ToolDelta,
    ToolFinished,
    ToolStarted,
    Used,
)
from laidian.protocol.dialect import Peek, StreamFault
from tests.protocol.responses_speech import (
    BASE_PEEK,
    CODEC,
    CREATED,
    SCHEMA,
    USAGE,
    USED,
    answer,
    events_of,
    from_items,
    output,
    peeked,
    read,
    response,
    wire,
    written,
)

# Answers of upstreams


FULL = (
    CREATED
    + wire("response.output_item.added", output_index=0, item={"type": "reasoning", "summary": []})
    + wire("response.reasoning_summary_text.delta", output_index=0, summary_index=0, delta="hm")
    + wire("response.reasoning_summary_text.delta", output_index=0, summary_index=1, delta="ah")
    + wire("response.output_item.done", output_index=0, item={"type": "reasoning", "summary": [{"text": "hm"}, {"text": "ah"}], "encrypted_content": "Z0FB"})
    + wire("response.output_item.added", output_index=1, item={"type": "message", "content": []})
    + wire("response.output_text.delta", output_index=1, content_index=0, delta="水", logprobs=[])
    + wire("response.output_text.annotation.added", output_index=1, content_index=0, annotation={"type": "url_citation", "url": "http://x", "title": "X"})
    + wire("response.output_item.done", output_index=1, item={"type": "message", "content": [{"type": "output_text", "text": "水", "annotations": [{"type": "url_citation", "url": "http://x", "title": "X"}]}]})
    + wire("response.output_item.added", output_index=2, item={"type": "function_call", "call_id": "c1", "name": "f", "namespace": "ns", "arguments": ""})
    + wire("response.function_call_arguments.delta", output_index=2, delta='{"a":')
    + wire("response.function_call_arguments.delta", output_index=2, delta="1}")
    + wire("response.function_call_arguments.done", output_index=2, arguments='{"a":1}')
    + wire("response.output_item.done", output_index=2, item={"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'})
    + wire("response.output_item.added", output_index=3, item={"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": ""})
    + wire("response.output_item.done", output_index=3, item={"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "raw"})
    + wire("response.unheard_of", output_index="x", delta=[1])
    + wire("response.completed", response=response(usage=USAGE, service_tier="priority", output=[{"type": "message", "content": [{"type": "output_text", "text": "水"}]}]))
)  # fmt: skip
FULL_EVENTS: list[Event] = [
    Started("resp_u", "up/m", 5),
    ThoughtDelta("hm"),
    ThoughtDelta("\n\nah"),
    ThoughtDelta(signature="Z0FB", maker="responses"),
    TextDelta("水"),
    Cited("http://x", "X"),
    ToolStarted(0, "c1", "f", namespace="ns"),
    ToolDelta(0, '{"a":'),
    ToolDelta(0, "1}"),
    ToolFinished(0),
    ToolStarted(1, "c2", "p", True),
    ToolDelta(1, "raw"),
    ToolFinished(1),
    USED,
    Finished("tool_calls"),
]


def test_a_stream_is_read_event_by_event_at_every_cut():
    assert read(FULL) == FULL_EVENTS
    for cut in range(0, len(FULL), 7):
        reader = CODEC.reader()
        assert reader.feed(FULL[:cut]) + reader.feed(FULL[cut:]) + reader.end() == FULL_EVENTS
        assert reader.ended


def test_other_line_ends_and_comments_make_no_difference():
    assert read(FULL.replace(b"\n\n", b"\n\n: ping\n\n").replace(b"\n", b"\r\n")) == FULL_EVENTS
    assert read(FULL.rstrip(b"\n")) == FULL_EVENTS


OUTPUT = [
    {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
    {
        "type": "message",
        "content": [{"type": "output_text", "text": "hi"}, {"type": "refusal", "refusal": "no"}],
    },
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "image_generation_call", "result": "AAAA", "output_format": "webp"},
    {"type": "brand_new", "content": 5},
]
OUTPUT_EVENTS: list[Event] = [
    Started("resp_u", "up/m", 5),
    ThoughtDelta("hm"),
    TextDelta("hi"),
    RefusalDelta("no"),
    ToolStarted(0, "c", "f"),
    ToolDelta(0, "{}"),
    ToolFinished(0),
    ImageMade("AAAA", "image/webp"),
    USED,
    Finished("tool_calls"),
]


def test_a_whole_answer_is_read_like_a_stream():
    answer = response(output=OUTPUT, usage=USAGE, service_tier="priority")
    assert CODEC.read_whole(json.dumps(answer).encode()) == OUTPUT_EVENTS


def test_a_stream_that_says_all_in_its_last_event_loses_nothing():
    last = wire("response.completed", response=response(output=OUTPUT, usage=USAGE, service_tier="priority"))
    assert read(CREATED + last) == OUTPUT_EVENTS
    assert read(last) == OUTPUT_EVENTS


def test_a_call_that_was_never_finished_is_finished_by_the_last_event():
    item = {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a":1}'}
    added = wire("response.output_item.added", output_index=4, item={**item, "arguments": ""})
    events = read(CREATED + added + wire("response.completed", response=response(output=[item])))
    assert events[1:] == [
        ToolStarted(0, "c", "f"),
        ToolDelta(0, '{"a":1}'),
        ToolFinished(0),
        Finished("tool_calls"),
    ]


@pytest.mark.parametrize(
    ("status", "details", "reason"),
    [
        ("completed", None, "stop"),
        ("incomplete", {"reason": "max_output_tokens"}, "length"),
        ("incomplete", {"reason": "content_filter"}, "content_filter"),
        ("incomplete", None, "length"),
    ],
)
def test_the_reason_is_read_from_the_status(status: str, details: object, reason: Reason):
    last = response(status, incomplete_details=details)
    assert read(CREATED + wire(f"response.{status}", response=last))[-1] == Finished(reason)
    assert CODEC.read_whole(json.dumps(last).encode())[-1] == Finished(reason)


@pytest.mark.parametrize(
    ("bad", "code", "words"),
    [
        (wire("error", code="server_error", message="boom"), "server_error", "boom"),
        (b"data: <html>\n\n", "upstream_error", "not JSON"),
        (b"data: 5\n\n", "upstream_error", "not a response event"),
        (wire("response.completed", response=5), "upstream_error", "without a response"),
        (
            wire("response.function_call_arguments.delta", output_index=9, delta="x"),
            "upstream_error",
            "not begun",
        ),
    ],
)
def test_a_fault_in_the_stream_comes_after_the_events_before_it(bad: bytes, code: str, words: str):
    reader = CODEC.reader()
    text = wire("response.output_text.delta", output_index=0, delta="hi")
    assert reader.feed(CREATED + text + bad + text) == [Started("resp_u", "up/m", 5), TextDelta("hi")]
    assert reader.ended
    with pytest.raises(StreamFault) as caught:
        reader.end()
    assert caught.value.code == code
    assert words in caught.value.message
    alone = CODEC.reader()
    with pytest.raises(StreamFault):
        alone.feed(CREATED + bad)  # nothing was said yet, so another upstream can be tried


def test_a_failed_response_is_a_fault_whose_usage_is_known():
    failed = response("failed", error={"code": "rate_limit_exceeded", "message": "slow"}, usage=USAGE)
    reader = CODEC.reader()
    assert reader.feed(CREATED + wire("response.failed", response=failed))[-1] == Used(USED.usage)
    with pytest.raises(StreamFault) as caught:
        reader.end()
    assert (caught.value.code, caught.value.message) == ("rate_limit_exceeded", "slow")


@pytest.mark.parametrize("tail", [b"", b"data: [DONE]\n\n", b'data: {"type":"response.comp'])
def test_a_stream_that_just_ends_is_a_fault(tail: bytes):
    reader = CODEC.reader()
    reader.feed(CREATED + tail)
    with pytest.raises(StreamFault):
        reader.end()


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"{}", b"[]", b'{"error":{"message":"x"}}', json.dumps(response("in_progress")).encode(),
     json.dumps(response("failed", error={"code": "x", "message": "y"})).encode()],
)  # fmt: skip
def test_a_body_that_is_no_finished_response_is_a_fault(body: bytes):
    with pytest.raises(StreamFault):
        CODEC.read_whole(body)


# Answers to clients


def test_a_message_is_written_in_the_canonical_order():
    events = events_of(written(answer([TextDelta("he"), TextDelta("llo"), Cited("http://x", "X")])))
    assert [one["type"] for one in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.annotation.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [one["sequence_number"] for one in events] == list(range(11))
    assert {one["item_id"] for one in events[3:9]} == {"msg_abc_0"}
    assert events[4]["logprobs"] == []
    assert events[7]["text"] == "hello"


def test_the_response_object_repeats_what_was_asked_for_and_claims_nothing_else():
    events = events_of(written(answer([TextDelta("hi")])))
    first, last = events[0]["response"], events[-1]["response"]
    assert isinstance(first, dict)
    assert isinstance(last, dict)
    assert first["id"] == last["id"] == "resp_abc"
    assert (first["status"], last["status"]) == ("in_progress", "completed")
    assert (first["usage"], first["output"]) == (None, [])
    assert {name: last[name] for name in ("model", "created_at", "instructions", "temperature", "metadata", "store")} == {
        "model": "m", "created_at": 5, "instructions": "be  brief", "temperature": 0.5, "metadata": {"a": "b"}, "store": False,
    }  # fmt: skip
    assert last["tool_choice"] == "auto"
    assert last["tools"][0]["name"] == "f"
    assert last["service_tier"] == "priority"
    assert last["usage"] == {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 13,
    }
    assert SCHEMA in written(answer([]))


@pytest.mark.parametrize(
    ("reason", "details"),
    [("length", {"reason": "max_output_tokens"}), ("content_filter", {"reason": "content_filter"})],
)
def test_an_answer_cut_short_is_incomplete(reason: Reason, details: object):
    events = events_of(written(answer([TextDelta("hi")], reason)))
    last = events[-1]
    assert last["type"] == "response.incomplete"
    made = last["response"]
    assert isinstance(made, dict)
    assert (made["status"], made["incomplete_details"]) == ("incomplete", details)
    assert made["output"][0]["status"] == "incomplete"


def test_calls_side_by_side_keep_their_places():
    events = events_of(
        written(
            answer(
                [
                    TextDelta("x"),
                    ToolStarted(0, "c1", "f"),
                    ToolStarted(1, "c2", "f"),
                    ToolDelta(1, '{"b":'),
                    ToolDelta(0, '{"a":1}'),
                    ToolDelta(1, "2}"),
                    ToolFinished(0),
                    TextDelta("y"),
                    ToolFinished(1),
                ],
                "tool_calls",
            )
        )
    )
    added = [(one["output_index"]) for one in events if one["type"] == "response.output_item.added"]
    assert added == [0, 1, 2, 3]
    done = {one["output_index"]: one["item"] for one in events if one["type"] == "response.output_item.done"}
    final = events[-1]["response"]
    assert isinstance(final, dict)
    assert [done[index] for index in range(4)] == final["output"]
    assert [item.get("arguments") for item in final["output"]] == [None, '{"a":1}', '{"b":2}', None]
    assert final["status"] == "completed"


def test_a_call_without_arguments_gets_an_empty_object():
    (call,) = output([ToolStarted(0, "c", "f"), ToolFinished(0)], "tool_calls")
    assert call["arguments"] == "{}"


CODEX = peeked(
    {
        "input": "x",
        "tools": [
            {
                "type": "namespace",
                "name": "mcp__a",
                "description": "",
                "tools": [{"type": "function", "name": "look"}],
            },
            {"type": "custom", "name": "apply_patch", "format": {"type": "text"}},
        ],
    }
)


def test_namespaces_and_custom_tools_are_restored_from_what_a_plain_upstream_calls_them():
    stream = written(
        answer(
            [
                ToolStarted(0, "c1", "mcp__a__look"),
                ToolFinished(0),
                ToolStarted(1, "c2", "apply_patch"),
                ToolDelta(1, '{"input":"*** Be'),
                ToolDelta(1, 'gin"}'),
                ToolFinished(1),
                ToolStarted(2, "c3", "look"),
                ToolFinished(2),
            ],
            "tool_calls",
        ),
        CODEX,
    )
    events = events_of(stream)
    final = events[-1]["response"]
    assert isinstance(final, dict)
    first, patch, third = final["output"]
    assert (first["type"], first["namespace"], first["name"]) == ("function_call", "mcp__a", "look")
    assert (patch["type"], patch["name"], patch["input"]) == ("custom_tool_call", "apply_patch", "*** Begin")
    assert (third["namespace"], third["name"]) == ("mcp__a", "look")
    deltas = [one["delta"] for one in events if one["type"] == "response.custom_tool_call_input.delta"]
    assert deltas == ["*** Begin"]
    assert b'"namespace":null' not in stream


def test_custom_tools_that_the_upstream_knows_pass_as_they_are():
    (item,) = output_of(
        [ToolStarted(0, "c", "apply_patch", True), ToolDelta(0, '{"input":'), ToolFinished(0)], CODEX
    )
    assert (item["type"], item["input"]) == ("custom_tool_call", '{"input":')


def output_of(middle: list[Event], peek: Peek) -> list[dict[str, object]]:
    whole = CODEC.write_whole(peek, CODEC.decode_request(peek), answer(middle, "tool_calls"))
    return json.loads(whole)["output"]


def test_pictures_are_items_of_their_own():
    (picture,) = output([ImageMade("AAAA", "image/webp")])
    assert picture == {
        "id": "ig_abc_0",
        "type": "image_generation_call",
        "status": "completed",
        "result": "AAAA",
        "output_format": "webp",
    }
    (message,) = from_items(picture)
    assert message == Message("assistant", (Image(data="AAAA", mime="image/webp"),))


def test_a_whole_answer_is_the_last_events_object():
    events = answer([ThoughtDelta("hm"), TextDelta("hi"), RefusalDelta("no")])
    whole = CODEC.write_whole(BASE_PEEK, CODEC.decode_request(BASE_PEEK), events)
    assert json.loads(whole) == events_of(written(events))[-1]["response"]


@pytest.mark.parametrize(
    "events",
    [
        FULL_EVENTS,
        answer([TextDelta("a"), RefusalDelta("b"), TextDelta("c")]),
        answer(
            [ThoughtDelta("a"), ToolStarted(0, "c", "f"), ToolDelta(0, "{}"), ToolFinished(0)], "tool_calls"
        ),
        answer([TextDelta("a", b'[{"token":"a","bytes":[97],"logprob":-0.1,"top_logprobs":[]}]')], "length"),
        answer([ImageMade("AAAA", "image/png")]),
        answer([], "content_filter"),
    ],
)
def test_an_answer_written_and_read_again_means_the_same(events: list[Event]):
    spoken = [one for one in read(written(events)) if not isinstance(one, Started | Used)]
    assert spoken == [one for one in events if not isinstance(one, Started | Used)]
    assert [one for one in read(written(events)) if isinstance(one, Used)] == [USED]


def test_the_same_answer_is_always_written_the_same_and_ids_are_plain():
    assert written(FULL_EVENTS) == written(FULL_EVENTS)
    strange = events_of(written([Started('x"\r\n/é', "m", 1), Finished("stop")]))[0]["response"]
    nameless = events_of(written([TextDelta("hi"), Finished("stop")]))[0]["response"]
    assert isinstance(strange, dict)
    assert isinstance(nameless, dict)
    assert strange["id"] == "resp_x"
    assert len(nameless["id"]) == len("resp_") + 32


def test_a_broken_answer_ends_with_response_failed_and_what_was_said():
    writer = CODEC.writer(BASE_PEEK, CODEC.decode_request(BASE_PEEK))
    assert writer.failure(UpstreamBroken("early")) is None
    begun = writer.write(
        [Started("x", "m", 1), TextDelta("half"), ToolStarted(0, "c", "f"), ToolDelta(0, "{")]
    )
    sequence = events_of(begun)[-1]["sequence_number"]
    assert isinstance(sequence, int)
    goodbye = writer.end()  # made, but never sent: the settlement failed
    assert goodbye
    closing = writer.failure(QuotaExhausted("used up"))
    assert closing is not None
    (failed,) = events_of(closing)
    made = failed["response"]
    assert isinstance(made, dict)
    assert (failed["type"], failed["sequence_number"]) == ("response.failed", sequence + 1)
    assert (made["id"], made["status"]) == ("resp_x", "failed")
    assert made["error"] == {"code": "insufficient_quota", "message": "used up"}
    assert made["output"][0]["content"][0]["text"] == "half"
    assert made["output"][1]["arguments"] == "{"


def test_an_answer_without_a_reason_is_not_called_complete():
    assert events_of(written([Started("x", "m", 1), TextDelta("hi")]))[-1]["type"] == "response.failed"


# Any order of events


@st.composite
def spoken(draw: st.DrawFn) -> list[Event]:
    """Events in any order that the canonical rules allow: calls are numbered by their start and may overlap."""
    events: list[Event] = []
    begun, still_open = 0, set[int]()
    for step in draw(st.lists(st.sampled_from("trgoscadfp"), max_size=25)):
        match step:
            case "t":
                events.append(TextDelta(draw(st.sampled_from(["a", "水", '"\n', ""]))))
            case "r":
                events.append(RefusalDelta("no"))
            case "g":
                events.append(ThoughtDelta("hm"))
            case "o":
                events.append(ThoughtDelta(signature="c2ln", maker="anthropic", redacted=draw(st.booleans())))
            case "s":
                events.append(
                    ToolStarted(
                        begun,
                        f"c{begun}",
                        "f",
                        draw(st.booleans()),
                        signature=draw(st.sampled_from(["", "Z2Vt"])),
                    )
                )
                still_open.add(begun)
                begun += 1
            case "a" if still_open:
                events.append(ToolDelta(draw(st.sampled_from(sorted(still_open))), "{}"))
            case "d" if still_open:
                finished = draw(st.sampled_from(sorted(still_open)))
                still_open.discard(finished)
                events.append(ToolFinished(finished))
            case "c":
                events.append(Cited("http://x"))
            case "p":
                events.append(ImageMade("AAAA", "image/png"))
            case _:
                events.append(USED)
    return answer(events, draw(st.sampled_from(["stop", "length", "content_filter", "tool_calls"])))


@given(spoken())
def test_whatever_is_said_the_invariants_of_the_stream_hold(events: list[Event]):
    """protocol.md 4.3: numbers without gaps, items added once and before anything is said of them, the last event lists them all."""
    told = events_of(written(events))
    assert [one["sequence_number"] for one in told] == list(range(len(told)))
    assert told[0]["type"] == "response.created"
    assert [one["type"] in TERMINAL for one in told] == [False] * (len(told) - 1) + [True]
    items: dict[object, dict[str, object]] = {}
    done: dict[object, object] = {}
    parts: set[tuple[object, object]] = set()
    for one in told[2:-1]:
        index = one["output_index"]
        assert index not in done
        if one["type"] == "response.output_item.added":
            assert index == len(items)
            items[index] = json.loads(json.dumps(one["item"]))
        elif one["type"] == "response.output_item.done":
            done[index] = one["item"]
            item = json.loads(json.dumps(one["item"]))
            assert (item["id"], item["type"]) == (items[index]["id"], items[index]["type"])
        else:
            assert one["item_id"] == items[index]["id"]
            if "content_index" in one and one["type"] != "response.content_part.added":
                assert (index, one["content_index"]) in parts
            elif "content_index" in one:
                parts.add((index, one["content_index"]))
    last = told[-1]["response"]
    assert isinstance(last, dict)
    assert last["output"] == [done[index] for index in range(len(items))]
    assert len({item["id"] for item in last["output"]}) == len(items)


TERMINAL = ("response.completed", "response.incomplete", "response.failed")


@given(spoken())
def test_whatever_is_said_the_sdk_can_follow_it(events: list[Event]):
    state = ResponseStreamState(input_tools=[], text_format=omit)
    for one in events_of(written(events)):
        state.handle_event(construct_type_unchecked(value=one, type_=ResponseStreamEvent))  # type: ignore[arg-type]
