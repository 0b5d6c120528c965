"""Anthropic streams and whole answers: read into events, and events written for a client."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.domain.usage import Usage
from laidian.protocol.anthropic import Anthropic
from laidian.protocol.anthropic_codec import AnthropicCodec
from laidian.protocol.anthropic_reader import AnthropicReader
from laidian.protocol.canonical import (
    AudioMade,
    Cited,
    Event,
    Finished,
    ImageMade,
    Message,
    Reason,
    RefusalDelta,
    Request,
    Started,
    Text,
    TextDelta,
    ThoughtDelta,
    ToolDelta,
    ToolFinished,
    ToolStarted,
    Used,
)
from laidian.protocol.dialect import StreamFault
from laidian.protocol.event_stream import EVENT_BYTES
from laidian.protocol.events import EventCutter, data_of

CODEC = AnthropicCodec()
PEEK = Anthropic().peek(b'{"model":"mine","max_tokens":9,"stream":true}', "/v1/messages")
REQUEST = Request(messages=(Message("user", (Text("x" * 42),)),), include_thoughts=True)
BEGIN = Started("msg_1", "claude-x", 0)
USED = Usage(input=5, cached_input=100, output=7, reasoning=3, web_searches=1)


def event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> bytes:
    pieces = [event("content_block_delta", index=index, delta=delta) for delta in deltas]
    opened = event("content_block_start", index=index, content_block=start)
    return opened + b"".join(pieces) + event("content_block_stop", index=index)


STREAM = (
    event("message_start", message={"id": "msg_1", "model": "claude-x", "usage": {"input_tokens": 5, "cache_read_input_tokens": 100, "output_tokens": 1}})
    + event("ping")
    + block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "hm"},
        {"type": "signature_delta", "signature": "sig"},
    )
    + block(1, {"type": "redacted_thinking", "data": "sealed"})
    + block(2, {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, {"type": "input_json_delta", "partial_json": '{"query":"q"}'})
    + block(3, {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "web_search_result", "url": "u"}]})
    + block(
        4,
        {"type": "text", "text": ""},
        {"type": "text_delta", "text": "水 "},
        {"type": "citations_delta", "citation": {"type": "web_search_result_location", "url": "https://a", "title": "A"}},
        {"type": "text_delta", "text": "here"},
    )
    + block(
        5,
        {"type": "tool_use", "id": "a", "name": "f", "input": {}},
        {"type": "input_json_delta", "partial_json": ""},
        {"type": "input_json_delta", "partial_json": '{"x"'},
        {"type": "input_json_delta", "partial_json": ": 1}"},
    )
    + block(6, {"type": "tool_use", "id": "b", "name": "g", "input": {}})
    + event(
        "message_delta",
        delta={"stop_reason": "tool_use", "stop_sequence": None},
        usage={"output_tokens": 10, "output_tokens_details": {"thinking_tokens": 3}, "server_tool_use": {"web_search_requests": 1}},
    )
    + event("message_stop")
)  # fmt: skip

EVENTS: list[Event] = [
    BEGIN,
    ThoughtDelta("hm", "", "anthropic"),
    ThoughtDelta("", "sig", "anthropic"),
    ThoughtDelta("", "sealed", "anthropic", redacted=True),
    TextDelta("水 "),
    Cited("https://a", "A"),
    TextDelta("here"),
    ToolStarted(0, "a", "f"),
    ToolDelta(0, '{"x"'),
    ToolDelta(0, ": 1}"),
    ToolFinished(0),
    ToolStarted(1, "b", "g"),
    ToolDelta(1, "{}"),
    ToolFinished(1),
    Finished("tool_calls"),
    Used(USED, "default"),
]


# Read


def test_a_stream_is_read_into_events():
    reader = AnthropicReader()
    assert reader.feed(STREAM) == EVENTS
    assert reader.ended
    assert reader.end() == []


def test_every_cut_and_every_line_end_gives_the_same_events():
    for stream in (STREAM, STREAM.replace(b"\n", b"\r\n"), STREAM.replace(b"data: ", b"data:")):
        for cut in range(0, len(stream) + 1, 3):
            reader = AnthropicReader()
            assert reader.feed(stream[:cut]) + reader.feed(stream[cut:]) == EVENTS


def test_a_whole_answer_says_the_same_as_a_stream():
    content = [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "sealed"},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "content": [{"url": "u"}]},
        {
            "type": "text",
            "text": "水 here",
            "citations": [{"url": "https://a", "title": "A"}, {"type": "page_location"}],
        },
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "g", "input": {}},
    ]
    usage = {
        "input_tokens": 5, "cache_read_input_tokens": 100, "output_tokens": 10, "output_tokens_details": {"thinking_tokens": 3},
        "server_tool_use": {"web_search_requests": 1}, "service_tier": "standard",
    }  # fmt: skip
    message = {
        "id": "msg_1",
        "type": "message",
        "model": "claude-x",
        "content": content,
        "stop_reason": "tool_use",
        "usage": usage,
    }
    assert CODEC.read_whole(json.dumps(message).encode()) == [
        BEGIN,
        ThoughtDelta("hm", "sig", "anthropic"),
        ThoughtDelta("", "sealed", "anthropic", redacted=True),
        TextDelta("水 here"),
        Cited("https://a", "A"),
        ToolStarted(0, "a", "f"),
        ToolDelta(0, '{"x": 1}'),
        ToolFinished(0),
        ToolStarted(1, "b", "g"),
        ToolDelta(1, "{}"),
        ToolFinished(1),
        Finished("tool_calls"),
        Used(USED, "standard"),
    ]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("pause_turn", "length"),
        ("model_context_window_exceeded", "length"), ("tool_use", "tool_calls"), ("refusal", "content_filter"), ("novel", "stop"),
    ],
)  # fmt: skip
def test_reasons_to_stop_are_read(said: str, reason: Reason):
    reader = AnthropicReader()
    assert reader.feed(event("message_delta", delta={"stop_reason": said, "stop_sequence": "X"})) == [
        Finished(reason, "X")
    ]
    whole = CODEC.read_whole(json.dumps({"type": "message", "content": [], "stop_reason": said}).encode())
    assert whole[-1] == Finished(reason)


def test_the_explanation_of_a_refusal_is_told():
    delta = {
        "stop_reason": "refusal",
        "stop_details": {"type": "refusal", "category": "bio", "explanation": "Too dangerous."},
    }
    assert AnthropicReader().feed(event("message_delta", delta=delta)) == [
        RefusalDelta("Too dangerous."),
        Finished("content_filter"),
    ]


def test_usage_is_told_only_when_the_end_has_told_it():
    reader = AnthropicReader()
    begun = reader.feed(STREAM[: STREAM.index(b"event: message_delta")])
    assert not any(isinstance(one, Used | Finished) for one in begun)
    with pytest.raises(StreamFault):
        reader.end()


def test_a_stream_without_its_last_event_is_finished_all_the_same():
    reader = AnthropicReader()
    assert reader.feed(STREAM.removesuffix(event("message_stop"))) == EVENTS
    assert not reader.ended
    assert reader.end() == []
    uncut = AnthropicReader()
    rest = STREAM.removesuffix(event("message_stop")).rstrip(b"\n")
    assert uncut.feed(rest) + uncut.end() == EVENTS


def test_a_call_left_open_is_closed_by_the_end():
    opened = event(
        "content_block_start",
        index=0,
        content_block={"type": "tool_use", "id": "a", "name": "f", "input": {}},
    )
    assert AnthropicReader().feed(opened + event("message_delta", delta={"stop_reason": "max_tokens"})) == [
        ToolStarted(0, "a", "f"),
        ToolDelta(0, "{}"),
        ToolFinished(0),
        Finished("length"),
    ]


@pytest.mark.parametrize(
    "sent",
    [
        b"data: <html>\n\n",
        b"data: []\n\n",
        event("content_block_delta", delta={"type": "text_delta", "text": 5}),
        event("error", error={"type": "overloaded_error", "message": "Overloaded"}),
        b'data: {"type":"x","y":"' + b"z" * EVENT_BYTES,
    ],
)
def test_a_broken_stream_is_a_fault(sent: bytes):
    with pytest.raises(StreamFault):
        AnthropicReader().feed(sent)


def test_unknown_events_blocks_and_deltas_are_skipped():
    odd = (
        event("conductor", delta=5, message="x")
        + block(0, {"type": "container_upload", "file_id": "f"}, {"type": "odd_delta"})
        + event("content_block_delta", index=9, delta={"type": "input_json_delta", "partial_json": "{}"})
        + event("content_block_stop", index=9)
    )
    assert AnthropicReader().feed(odd) == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"<html>", b'{"type":"message","content":[]}', b'{"content":null,"stop_reason":"end_turn"}',
        b'{"type":"error","error":{"message":"no"}}', b'{"content":' + b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_whole_answer_that_is_none_is_a_fault(body: bytes):
    with pytest.raises(StreamFault):
        CODEC.read_whole(body)


# Written


def told(stream: bytes) -> list[dict[str, Any]]:
    """The events of a written stream, each checked to be named as its data says."""
    events: list[dict[str, Any]] = []
    for one in EventCutter().feed(stream):
        data = json.loads(data_of(one) or b"")
        assert one.startswith(f"event: {data['type']}\ndata: {{".encode())
        events.append(data)
    return events


def stream_of(events: list[Event], request: Request = REQUEST) -> list[dict[str, Any]]:
    writer = CODEC.writer(PEEK, request)
    whole = b"".join([writer.write([one]) for one in events]) + writer.end()
    at_once = CODEC.writer(PEEK, request)
    together = told(at_once.write(events) + at_once.end())
    assert blocks_of(told(whole)) == blocks_of(together)
    return told(whole)


def blocks_of(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a client has put together, with every rule of the order checked."""
    assert [one["type"] for one in events[:1] + events[-2:]] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]
    blocks: list[dict[str, Any]] = []
    opened: int | None = None
    for one in events[1:-2]:
        match one["type"]:
            case "content_block_start":
                assert opened is None
                opened = one["index"]
                assert opened == len(blocks)
                blocks.append({**one["content_block"], "json": ""})
            case "content_block_delta":
                assert opened == one["index"]
                for name, value in one["delta"].items():
                    if name == "partial_json":
                        blocks[-1]["json"] += value
                    elif name != "type":
                        blocks[-1][name] += value
            case "content_block_stop":
                assert opened == one["index"]
                opened = None
            case other:
                raise AssertionError(other)
    assert opened is None
    return blocks


def test_events_are_written_as_a_stream():
    events = stream_of(EVENTS)
    start = events[0]["message"]
    assert (start["id"], start["model"], start["role"], start["content"]) == (
        "msg_1",
        "mine",
        "assistant",
        [],
    )
    assert start["usage"]["input_tokens"] == 14  # an estimate: 42 letters and the framing
    assert (start["stop_reason"], start["stop_sequence"]) == (None, None)
    assert blocks_of(events) == [
        {"type": "thinking", "thinking": "hm", "signature": "sig", "json": ""},
        {"type": "redacted_thinking", "data": "sealed", "json": ""},
        {"type": "text", "text": "水 here", "json": ""},
        {"type": "tool_use", "id": "a", "name": "f", "input": {}, "json": '{"x": 1}'},
        {"type": "tool_use", "id": "b", "name": "g", "input": {}, "json": "{}"},
    ]
    assert events[-2]["delta"] == {"stop_reason": "tool_use", "stop_sequence": None}
    assert events[-2]["usage"] == {
        "input_tokens": 5, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 100,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}, "output_tokens": 10,
        "output_tokens_details": {"thinking_tokens": 3}, "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
        "service_tier": "standard",
    }  # fmt: skip


def test_a_piece_for_a_finished_call_is_skipped_however_late_it_is_written():
    blocks = blocks_of(stream_of([BEGIN, ToolStarted(0, "a", "f"), ToolFinished(0), ToolDelta(0, "0")]))
    assert blocks == [{"type": "tool_use", "id": "a", "name": "f", "input": {}, "json": ""}]


def test_text_goes_out_at_once():
    writer = CODEC.writer(PEEK, REQUEST)
    assert [one["type"] for one in told(writer.write([BEGIN]))] == ["message_start"]
    assert [one["type"] for one in told(writer.write([TextDelta("a")]))] == [
        "content_block_start",
        "content_block_delta",
    ]
    assert [one["type"] for one in told(writer.write([TextDelta("b")]))] == ["content_block_delta"]
    assert writer.write([]) == b""


def test_calls_that_come_interleaved_are_told_one_after_the_other():
    events: list[Event] = [
        BEGIN,
        ToolStarted(0, "a", "f"),
        ToolStarted(1, "b", "g"),
        ToolDelta(1, '{"y"'),
        ToolDelta(0, '{"x"'),
        TextDelta("between"),
        ToolDelta(0, ":1}"),
        ToolDelta(1, ":2}"),
        ToolFinished(1),
        ToolFinished(0),
        Finished("tool_calls"),
    ]
    blocks = blocks_of(stream_of(events))
    assert [(one["type"], one["json"] or one.get("text")) for one in blocks] == [
        ("tool_use", '{"x":1}'),
        ("tool_use", '{"y":2}'),
        ("text", "between"),
    ]
    writer = CODEC.writer(PEEK, REQUEST)
    writer.write(events[:4])
    assert b'{\\"x\\"' in writer.write(events[4:5])  # the first call is told as it comes


def test_thoughts_are_shown_only_to_those_who_asked_and_never_with_anothers_signature():
    events: list[Event] = [
        BEGIN,
        ThoughtDelta("hm", "", "gemini"),
        ThoughtDelta("", "foreign", "gemini"),
        ThoughtDelta("", "sealed", "gemini", redacted=True),
        TextDelta("so"),
        Finished("stop"),
    ]
    shown = stream_of(events)
    assert blocks_of(shown) == [
        {"type": "thinking", "thinking": "hm", "signature": "", "json": ""},
        {"type": "text", "text": "so", "json": ""},
    ]
    assert "foreign" not in json.dumps(shown)
    assert "sealed" not in json.dumps(shown)
    hidden = stream_of(events, Request(messages=()))
    assert [one["type"] for one in blocks_of(hidden)] == ["text"]
    for request, kinds in ((REQUEST, ["thinking", "text"]), (Request(messages=()), ["text"])):
        whole = CODEC.write_whole(PEEK, request, events)
        assert [one["type"] for one in json.loads(whole)["content"]] == kinds
        assert b"foreign" not in whole
        assert b"sealed" not in whole


@pytest.mark.parametrize(
    ("events", "reason", "sequence"),
    [
        ([Finished("stop")], "end_turn", None),
        ([Finished("stop", "X")], "stop_sequence", "X"),
        ([Finished("length")], "max_tokens", None),
        ([Finished("tool_calls")], "tool_use", None),
        ([Finished("content_filter")], "refusal", None),
        ([RefusalDelta("I cannot."), Finished("stop")], "refusal", None),
        ([ToolStarted(0, "a", "f"), ToolFinished(0), Finished("stop")], "tool_use", None),
        ([ToolStarted(0, "a", "f"), Finished("length")], "max_tokens", None),
    ],
)
def test_reasons_to_stop_are_written(events: list[Event], reason: str, sequence: str | None):
    assert stream_of([BEGIN, *events])[-2]["delta"] == {"stop_reason": reason, "stop_sequence": sequence}
    whole = json.loads(CODEC.write_whole(PEEK, REQUEST, [BEGIN, *events]))
    assert (whole["stop_reason"], whole["stop_sequence"]) == (reason, sequence)


def test_usage_that_nobody_told_is_estimated():
    usage = stream_of([BEGIN, TextDelta("x" * 42), Finished("stop")])[-2]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (14, 10)


def test_an_answer_of_nothing_is_still_an_answer():
    assert [one["type"] for one in stream_of([])] == ["message_start", "message_delta", "message_stop"]
    whole = json.loads(CODEC.write_whole(PEEK, REQUEST, [BEGIN, Finished("stop")]))
    assert (whole["content"], whole["model"], whole["type"]) == ([], "mine", "message")


def test_pictures_sound_and_sources_leave_no_trace():
    events: list[Event] = [
        BEGIN,
        ImageMade("QQ==", "image/png"),
        AudioMade("QQ==", "audio/wav"),
        Cited("u"),
        Finished("stop"),
    ]
    assert blocks_of(stream_of(events)) == []


def test_ids_of_other_providers_are_kept_where_the_client_must_send_them_back():
    events = stream_of(
        [
            Started("chatcmpl-1", "gpt", 5),
            ToolStarted(0, "call_1", "f"),
            ToolStarted(1, "", "g"),
            Finished("tool_calls"),
        ]
    )
    assert events[0]["message"]["id"] == "msg_chatcmpl-1"
    assert [one["id"] for one in blocks_of(events)] == ["call_1", "toolu_chatcmpl-1_1"]


def test_arguments_that_were_cut_off_become_an_empty_object_in_a_whole_answer():
    events: list[Event] = [BEGIN, ToolStarted(0, "a", "f"), ToolDelta(0, '{"x": "unfin'), Finished("length")]
    whole = json.loads(CODEC.write_whole(PEEK, REQUEST, events))
    assert whole["content"] == [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]


def test_a_whole_answer_is_the_same_after_going_there_and_back():
    back = CODEC.read_whole(CODEC.write_whole(PEEK, REQUEST, EVENTS))
    assert back == [
        Started("msg_1", "mine", 0),
        ThoughtDelta("hm", "sig", "anthropic"),
        ThoughtDelta("", "sealed", "anthropic", redacted=True),
        TextDelta("水 here"),
        ToolStarted(0, "a", "f"),
        ToolDelta(0, '{"x": 1}'),
        ToolFinished(0),
        ToolStarted(1, "b", "g"),
        ToolDelta(1, "{}"),
        ToolFinished(1),
        Finished("tool_calls"),
        Used(USED, "standard"),
    ]


def test_a_count_that_nobody_made_says_that_it_is_an_estimate():
    body = b'{"model":"m","messages":[{"role":"user","content":"' + b"x" * 42 + b'"}]}'
    peek = Anthropic().peek(body, "/v1/messages/count_tokens")
    assert json.loads(CODEC.estimated_count(peek)) == {"input_tokens": 14, "estimated": True}


def test_a_picture_is_estimated_as_one_and_not_as_its_letters():
    data = "A" * 400_000
    source = {"type": "base64", "media_type": "image/png", "data": data}
    body = json.dumps(
        {"model": "m", "messages": [{"role": "user", "content": [{"type": "image", "source": source}]}]}
    )
    peek = Anthropic().peek(body.encode(), "/v1/messages/count_tokens")
    assert json.loads(CODEC.estimated_count(peek))["input_tokens"] < 3_000


PIECES = st.lists(
    st.one_of(
        st.builds(TextDelta, st.text(max_size=5)),
        st.builds(RefusalDelta, st.text(max_size=5)),
        st.builds(
            ThoughtDelta,
            st.text(max_size=5),
            st.sampled_from(["", "s"]),
            st.sampled_from(["", "anthropic", "gemini"]),
        ),
        st.builds(ToolStarted, st.integers(0, 3), st.just("id"), st.just("f")),
        st.builds(ToolDelta, st.integers(0, 3), st.text(max_size=5)),
        st.builds(ToolFinished, st.integers(0, 3)),
        st.builds(Cited, st.just("u")),
    ),
    max_size=25,
)


@given(PIECES)
def test_any_order_of_events_becomes_a_stream_in_order(pieces: list[Event]):
    started: set[int] = set()
    events: list[Event] = [BEGIN]
    for piece in pieces:  # a call starts once, and nothing is said of one that has not started
        if isinstance(piece, ToolStarted):
            if piece.index in started:
                continue
            started.add(piece.index)
        if isinstance(piece, ToolDelta | ToolFinished) and piece.index not in started:
            continue
        events.append(piece)
    blocks = blocks_of(stream_of([*events, Finished("stop")]))
    said = "".join(one.text for one in events if isinstance(one, TextDelta | RefusalDelta))
    assert "".join(one["text"] for one in blocks if one["type"] == "text") == said
    assert sum(one["type"] == "tool_use" for one in blocks) == len(started)


@given(st.lists(st.text(min_size=1), max_size=5), st.lists(st.text(min_size=1), max_size=5))
def test_text_and_arguments_survive_writing_and_reading(texts: list[str], names: list[str]):
    events: list[Event] = [BEGIN, *(TextDelta(text) for text in texts)]
    for index, name in enumerate(names):
        events += [
            ToolStarted(index, f"id{index}", "f"),
            ToolDelta(index, json.dumps({"n": name})),
            ToolFinished(index),
        ]
    writer = CODEC.writer(PEEK, REQUEST)
    reader = AnthropicReader()
    back = reader.feed(writer.write([*events, Finished("stop")]) + writer.end())
    assert reader.ended
    assert "".join(one.text for one in back if isinstance(one, TextDelta)) == "".join(texts)
    assert [one.arguments for one in back if isinstance(one, ToolDelta)] == [
        json.dumps({"n": name}) for name in names
    ]
