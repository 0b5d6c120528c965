"""Gemini answers, read from upstreams and written for clients."""

import json
from typing import Any

import pytest

from laidian.domain.usage import Usage
from laidian.errors import UpstreamBroken
from laidian.protocol.canonical import (
    AudioMade,
    Cited,
    Event,
    Finished,
    ImageMade,
    RefusalDelta,
    Request,
    Started,
    TextDelta,
    ThoughtDelta,
    ToolDelta,
    ToolFinished,
    ToolStarted,
    Used,
)
from laidian.protocol.codec import TranslatingTap
from laidian.protocol.dialect import StreamFault
from laidian.protocol.gemini import Gemini
from laidian.protocol.gemini_codec import GeminiCodec
from laidian.protocol.gemini_family import GeminiFamily

GEMINI, CODEC = Gemini(), GeminiCodec()
SSE = GEMINI.peek(b"{}", "/v1beta/models/seen:streamGenerateContent?alt=sse")
ARRAY = GEMINI.peek(b"{}", "/v1beta/models/seen:streamGenerateContent")
WHOLE = GEMINI.peek(b"{}", "/v1beta/models/seen:generateContent")
PLAIN = Request(())
THINKING = Request((), include_thoughts=True)


def response(*parts: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}}
    if finish is not None:
        candidate["finishReason"] = finish
    candidate |= more.pop("candidate", {})
    return json.dumps({"candidates": [candidate], "responseId": "r1", "modelVersion": "up", **more}).encode()


def event(data: bytes) -> bytes:
    return b"data: " + data + b"\r\n\r\n"


CALL = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "sig"}
USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 3, "thoughtsTokenCount": 2, "totalTokenCount": 15}
GOLDEN = b"".join(
    event(data)
    for data in (
        response(
            {"text": "hm", "thought": True}, usageMetadata={"promptTokenCount": 10, "totalTokenCount": 10}
        ),
        response({"text": "水 a"}, createTime="2026-11-22T10:00:00Z"),
        response(CALL, {"functionCall": {"id": "own", "name": "g"}}),
        response({"text": "", "thoughtSignature": "last"}, finish="STOP", usageMetadata=USAGE),
    )
)


def read(stream: bytes, cut: int) -> list[Event]:
    reader = CODEC.reader()
    events = reader.feed(stream[:cut]) + reader.feed(stream[cut:]) + reader.end()
    assert not reader.ended
    return events


class TestReading:
    def test_every_cut_of_a_stream_gives_the_same_events(self):
        whole = read(GOLDEN, 0)
        derived = next(one.id for one in whole if isinstance(one, ToolStarted))
        assert whole == [
            Started("r1", "up", 0),
            ThoughtDelta("hm", "", "gemini"),
            Used(Usage(input=10)),
            TextDelta("水 a"),
            ToolStarted(0, derived, "f", signature="sig"),
            ToolDelta(0, '{"a": 1}'),
            ToolFinished(0),
            ToolStarted(1, "own", "g"),
            ToolDelta(1, "{}"),
            ToolFinished(1),
            ThoughtDelta("", "last", "gemini"),
            Used(Usage(input=10, output=3, reasoning=2)),
            Finished("tool_calls"),
        ]
        assert derived.startswith("call_")
        for cut in range(len(GOLDEN) + 1):
            assert read(GOLDEN, cut) == whole

    @pytest.mark.parametrize("end", [b"\n\n", b"\r\r", b"\r\n\r\n", b""])
    def test_every_legal_framing_is_read(self, end: bytes):
        stream = b"\xef\xbb\xbf: hello\n\ndata:" + response({"text": "a"}, finish="STOP") + end
        assert read(stream, 3)[1:] == [TextDelta("a"), Finished("stop")]

    @pytest.mark.parametrize(
        ("reason", "expected"),
        [
            ("STOP", "stop"),
            ("MAX_TOKENS", "length"),
            ("CONTINUATION", "length"),
            ("SAFETY", "content_filter"),
            ("IMAGE_SAFETY", "content_filter"),
            ("RECITATION", "content_filter"),
            ("OTHER", "stop"),
            ("NEW_ONE", "stop"),
        ],
    )
    def test_finish_reasons(self, reason: str, expected: str):
        assert CODEC.read_whole(response({"text": "a"}, finish=reason))[-1] == Finished(expected)  # type: ignore[arg-type]

    @pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "OTHER", "UNEXPECTED_TOOL_CALL"])
    def test_a_failure_without_any_content_is_a_fault(self, reason: str):
        with pytest.raises(StreamFault, match=reason):
            CODEC.read_whole(response(finish=reason, candidate={"finishMessage": "why"}))

    def test_a_blocked_prompt_is_a_filtered_answer(self):
        body = b'{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4}}'
        events = CODEC.read_whole(body)
        assert events[1:] == [Used(Usage(input=4)), Finished("content_filter")]
        assert events == CODEC.read_whole(body)

    def test_pictures_sound_and_sources(self):
        grounding = {
            "webSearchQueries": ["q", "q2"],
            "groundingChunks": [{"web": {"uri": "https://x.example", "title": "X"}}, {"maps": {}}],
        }
        body = response(
            {"inlineData": {"mimeType": "image/png", "data": "-_8"}},
            {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
            finish="STOP",
            candidate={"groundingMetadata": grounding},
            usageMetadata={"promptTokenCount": 1, "serviceTier": "flex"},
        )
        assert CODEC.read_whole(body)[1:] == [
            ImageMade("+/8=", "image/png"),
            AudioMade("AAAA", "audio/wav"),
            Cited("https://x.example", "X"),
            Used(Usage(input=1, web_searches=2), "flex"),
            Finished("stop"),
        ]

    def test_log_probabilities_go_both_ways(self):
        result = {
            "chosenCandidates": [{"token": "水", "tokenId": 5, "logProbability": -0.25}],
            "topCandidates": [{"candidates": [{"token": "a", "logProbability": -2.0}]}],
        }
        body = response({"text": "水"}, finish="STOP", candidate={"logprobsResult": result})
        events = CODEC.read_whole(body)
        assert isinstance(events[1], TextDelta)
        token = json.loads(events[1].logprobs)[0]
        assert (token["token"], token["bytes"], token["top_logprobs"][0]["logprob"]) == (
            "水",
            [230, 176, 180],
            -2.0,
        )
        again = json.loads(CODEC.write_whole(WHOLE, PLAIN, events))["candidates"][0]["logprobsResult"]
        assert again["chosenCandidates"] == [{"token": "水", "logProbability": -0.25}]
        assert again["topCandidates"] == result["topCandidates"]

    def test_sources_that_make_no_sense_break_nothing(self):
        body = response({"text": "a"}, finish="STOP", candidate={"groundingMetadata": {"groundingChunks": 5}})
        assert CODEC.read_whole(body)[1:] == [TextDelta("a"), Finished("stop")]

    def test_a_stream_without_a_finish_reason_is_a_fault(self):
        reader = CODEC.reader()
        assert reader.feed(event(response({"text": "a"})))
        with pytest.raises(StreamFault):
            reader.end()
        with pytest.raises(StreamFault):
            CODEC.read_whole(response({"text": "a"}))

    @pytest.mark.parametrize(
        "junk",
        [
            b"<html>",
            b"[1]",
            b'{"error":{"code":503,"message":"boom","status":"UNAVAILABLE"}}',
            b'{"candidates":5}',
        ],
    )
    def test_errors_and_junk_are_faults_and_what_came_before_is_kept(self, junk: bytes):
        reader = CODEC.reader()
        with pytest.raises(StreamFault):
            reader.feed(event(junk))
        with pytest.raises(StreamFault):
            CODEC.read_whole(junk)
        later = CODEC.reader()
        assert TextDelta("a") in later.feed(event(response({"text": "a"})) + event(junk))
        with pytest.raises(StreamFault):
            later.end()


EVENTS: list[Event] = [
    Started("id1", "upstream-name", 7),
    ThoughtDelta("hm ", "", "gemini"),
    ThoughtDelta("ok", "tsig", "gemini"),
    TextDelta("He"),
    TextDelta("llo"),
    ToolStarted(0, "c0", "f", signature="csig"),
    ToolStarted(1, "c1", "g"),
    ToolDelta(0, '{"a":'),
    ToolDelta(1, ""),
    ToolFinished(1),
    ToolDelta(0, " 1.50}"),
    ToolFinished(0),
    Cited("https://x.example", "X"),
    Finished("tool_calls"),
    Used(Usage(input=10, cached_input=5, output=3, reasoning=2)),
]


def streamed(peek: Any, request: Request, batches: list[list[Event]]) -> bytes:
    writer = CODEC.writer(peek, request)
    return b"".join([*(writer.write(batch) for batch in batches), writer.end()])


def chunks(stream: bytes) -> list[Any]:
    assert all(block.startswith(b"data: {") for block in stream.removesuffix(b"\r\n\r\n").split(b"\r\n\r\n"))
    return [json.loads(block[6:]) for block in stream.removesuffix(b"\r\n\r\n").split(b"\r\n\r\n")]


class TestWriting:
    def test_a_stream_event_by_event(self):
        seen = chunks(streamed(SSE, THINKING, [[one] for one in EVENTS]))
        parts = [part for chunk in seen for part in chunk["candidates"][0]["content"]["parts"]]
        assert parts == [
            {"text": "hm ", "thought": True},
            {"text": "ok", "thought": True, "thoughtSignature": "tsig"},
            {"text": "He"},
            {"text": "llo"},
            {"functionCall": {"id": "c0", "name": "f", "args": {"a": 1.5}}, "thoughtSignature": "csig"},
            {"functionCall": {"id": "c1", "name": "g", "args": {}}},
            {"text": ""},
        ]
        assert all("finishReason" not in chunk["candidates"][0] for chunk in seen[:-1])
        assert all("usageMetadata" not in chunk for chunk in seen[:-1])
        last = seen[-1]
        assert last["candidates"][0]["finishReason"] == "STOP"
        assert (
            last["candidates"][0]["groundingMetadata"]["groundingChunks"][0]["web"]["uri"]
            == "https://x.example"
        )
        assert last["usageMetadata"]["thoughtsTokenCount"] == 2
        assert last["usageMetadata"]["totalTokenCount"] == 20
        assert {(chunk["modelVersion"], chunk["responseId"]) for chunk in seen} == {("seen", "id1")}
        assert "upstream-name" not in json.dumps(seen)

    def test_arguments_keep_their_spelling(self):
        assert b'{"a": 1.50}' in streamed(SSE, PLAIN, [EVENTS])

    def test_thoughts_are_shown_only_to_a_client_that_asked_and_signatures_always_go_back(self):
        stream = streamed(SSE, PLAIN, [EVENTS])
        assert b'"thought"' not in stream
        assert b"tsig" in stream
        foreign = streamed(SSE, THINKING, [[ThoughtDelta("x", "secret", "anthropic"), Finished("stop")]])
        assert b"secret" not in foreign

    def test_an_array_is_one_json_value_whose_elements_come_at_once(self):
        writer = CODEC.writer(ARRAY, PLAIN)
        assert writer.write([EVENTS[0]]) == b""
        first = writer.write([TextDelta("a")])
        assert first.startswith(b'[{"candidates"')
        assert writer.write([TextDelta("b")]).startswith(b',\r\n{"candidates"')
        assert json.loads(streamed(ARRAY, THINKING, [[one] for one in EVENTS])) == chunks(
            streamed(SSE, THINKING, [[one] for one in EVENTS])
        )
        assert len(json.loads(streamed(ARRAY, PLAIN, []))) == 1

    def test_a_broken_stream_ends_in_an_error_of_its_form(self):
        body = GeminiFamily().error_body(UpstreamBroken("gone"))
        writer = CODEC.writer(ARRAY, PLAIN)
        assert (
            json.loads(writer.write([TextDelta("a")]) + writer.broken(body))[1]["error"]["message"] == "gone"
        )
        assert CODEC.writer(SSE, PLAIN).broken(body).startswith(b'data: {"error":')

    @pytest.mark.parametrize(
        ("reason", "expected"),
        [("stop", "STOP"), ("length", "MAX_TOKENS"), ("tool_calls", "STOP"), ("content_filter", "SAFETY")],
    )
    def test_finish_reasons(self, reason: Any, expected: str):
        last = chunks(streamed(SSE, PLAIN, [[TextDelta("a")], [Finished(reason)]]))[-1]
        assert last["candidates"][0]["finishReason"] == expected

    def test_a_call_that_was_cut_off_is_not_half_delivered(self):
        start: list[Event] = [ToolStarted(0, "c", "f"), ToolDelta(0, '{"a":')]
        cut = streamed(SSE, PLAIN, [[*start, Finished("length")]])
        assert b"functionCall" not in cut
        assert b'"MAX_TOKENS"' in cut
        wrong = chunks(streamed(SSE, PLAIN, [[*start, ToolFinished(0), Finished("tool_calls")]]))[-1]
        assert wrong["candidates"][0]["finishReason"] == "MALFORMED_FUNCTION_CALL"

    def test_an_unfinished_call_that_is_whole_is_delivered_at_the_end(self):
        stream = streamed(
            SSE, PLAIN, [[ToolStarted(0, "c", "f"), ToolDelta(0, "{}"), Finished("tool_calls")]]
        )
        assert b'"functionCall"' in stream

    def test_a_whole_answer_is_one_object(self):
        made: list[Event] = [*EVENTS, RefusalDelta("no"), ImageMade("AAAA", "image/png")]
        answer = json.loads(CODEC.write_whole(WHOLE, PLAIN, made))
        parts = answer["candidates"][0]["content"]["parts"]
        assert parts[-2:] == [{"text": "no"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]
        assert answer["usageMetadata"]["cachedContentTokenCount"] == 5
        assert answer["candidates"][0]["finishReason"] == "STOP"

    @pytest.mark.parametrize("size", [1, 3, 100])
    def test_what_is_written_is_read_again(self, size: int):
        batches = [EVENTS[at : at + size] for at in range(0, len(EVENTS), size)]
        stream = streamed(SSE, THINKING, batches)
        again = read(stream, len(stream) // 2)
        assert "".join(one.text for one in again if isinstance(one, TextDelta)) == "Hello"
        assert "".join(one.text for one in again if isinstance(one, ThoughtDelta)) == "hm ok"
        assert [(one.id, one.name, one.signature) for one in again if isinstance(one, ToolStarted)] == [
            ("c0", "f", "csig"),
            ("c1", "g", ""),
        ]
        assert [one for one in again if isinstance(one, Used | Finished)] == [EVENTS[-1], EVENTS[-2]]

    def test_a_tap_counts_what_passes(self):
        tap = TranslatingTap(CODEC.reader(), CODEC.writer(SSE, PLAIN), 0, lambda: 0)
        shown = tap.feed(GOLDEN)
        assert tap.finished
        assert not tap.ended
        assert tap.usage == Usage(input=10, output=3, reasoning=2)
        assert chunks(shown + tap.end())[-1]["usageMetadata"]["candidatesTokenCount"] == 3
