"""Native Gemini: keys, errors, paths, what the relay changes of a request, and what a client sees of a stream."""

import json

import pytest

from laidian.domain.usage import Usage
from laidian.errors import (
    BadRequest,
    BodyTooLarge,
    LaidianError,
    NotFound,
    QuotaExhausted,
    RateLimited,
    Unauthenticated,
    UpstreamBroken,
)
from laidian.protocol.dialect import StreamFault
from laidian.protocol.event_stream import EVENT_BYTES
from laidian.protocol.family import HeaderOf
from laidian.protocol.gemini import Gemini
from laidian.protocol.gemini_family import GeminiFamily
from laidian.protocol.gemini_path import read_path, write_path
from laidian.protocol.gemini_tap import GeminiTap

GEMINI = Gemini()
FAMILY = GeminiFamily()
GENERATE = "/v1beta/models/gemini-x:generateContent"
STREAM = "/v1beta/models/gemini-x:streamGenerateContent"
SSE = STREAM + "?alt=sse"


def headers(**given: str) -> HeaderOf:
    named = {name.replace("_", "-").encode(): value.encode() for name, value in given.items()}
    return named.get


def chunk(text: str, *, end: str = "\r\n\r\n", **more: object) -> bytes:
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    candidate |= {"finishReason": more.pop("finish")} if "finish" in more else {}
    return b"data: " + json.dumps({"candidates": [candidate], **more}).encode() + end.encode()


USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 3, "totalTokenCount": 13}


class TestFamily:
    def test_the_header_comes_before_the_query_and_the_query_before_bearer(self):
        every = headers(x_goog_api_key="h", authorization="Bearer b")
        assert FAMILY.credential(every, b"alt=sse&key=q") == b"h"
        assert FAMILY.credential(headers(authorization="Bearer b"), b"key=q%2B1&alt=sse") == b"q+1"
        assert FAMILY.credential(headers(authorization="bearer b"), b"monkey=1&key=") == b"b"
        assert FAMILY.credential(headers(x_api_key="other"), b"") is None

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (BadRequest("no"), "INVALID_ARGUMENT"),
            (Unauthenticated("no"), "UNAUTHENTICATED"),
            (NotFound("no"), "NOT_FOUND"),
            (BodyTooLarge("no"), "INVALID_ARGUMENT"),
            (RateLimited("no"), "RESOURCE_EXHAUSTED"),
            (UpstreamBroken("no"), "UNAVAILABLE"),
            (LaidianError("no"), "INTERNAL"),
        ],
    )
    def test_every_error_has_googles_name_and_a_number(self, error: LaidianError, status: str):
        body = FAMILY.error_body(error)
        assert body.startswith(b'{"error":{"code":%d,' % error.status)
        assert json.loads(body)["error"]["status"] == status
        assert json.loads(body)["error"]["message"] == "no"

    def test_a_quota_that_is_used_up_is_final_for_gemini_cli_and_a_rate_limit_names_its_wait(self):
        spent = json.loads(FAMILY.error_body(QuotaExhausted("none", retry_after_s=3600)))["error"]["details"]
        assert spent[0]["@type"] == "type.googleapis.com/google.rpc.QuotaFailure"
        assert "PerDay" in spent[0]["violations"][0]["quotaId"]
        assert not any("RetryInfo" in detail["@type"] for detail in spent)
        limited = json.loads(FAMILY.error_body(RateLimited("slow", retry_after_s=12)))["error"]["details"]
        assert limited[0] == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12s"}
        assert not any("QuotaFailure" in detail["@type"] for detail in limited)

    def test_the_code_and_the_field_survive_in_the_details(self):
        details = json.loads(FAMILY.error_body(BadRequest("bad", param="contents", code="invalid_type")))
        info, field = details["error"]["details"]
        assert (info["reason"], field["fieldViolations"][0]["field"]) == ("INVALID_TYPE", "contents")

    def test_a_silent_stream_gets_blank_lines_and_an_error_is_one_data_line(self):
        assert FAMILY.keep_alive.strip() == b""
        event = FAMILY.error_event(UpstreamBroken("gone"))
        assert event.startswith(b'data: {"error":{"code":502,')
        assert event.endswith(b"\r\n\r\n")
        assert event.count(b"\n") == 2

    def test_errors_of_upstreams_are_read_in_every_known_shape(self):
        said = FAMILY.read_error(b'{"error":{"code":404,"message":"m","status":"NOT_FOUND"}}')
        assert (said.message, said.code, said.type) == ("m", "not_found", "")
        assert FAMILY.read_error(b'[{"error":{"code":400,"message":"m"}}]').code == "400"
        daily = b'{"error":{"message":"m","details":[{"@type":"x"},{"violations":[{"quotaId":"GenerateRequestsPerDayPerProject"}]}]}}'
        assert FAMILY.read_error(daily).code == "insufficient_quota"
        minute = daily.replace(b"PerDay", b"PerMinute").replace(b'"m"', b'"m","status":"RESOURCE_EXHAUSTED"')
        assert FAMILY.read_error(minute).code == "resource_exhausted"
        long = b'{"error":{"message":"The input token count (9) exceeds the maximum number of tokens allowed (8)."}}'
        assert FAMILY.read_error(long).code == "context_length_exceeded"
        field = b'{"error":{"message":"m","details":[{"fieldViolations":[{"field":"contents"}]}]}}'
        assert FAMILY.read_error(field).param == "contents"
        odd = b'{"error":{"message":"m","status":"ABORTED","details":{"no":"list"}}}'
        assert FAMILY.read_error(odd).code == "aborted"
        for junk in (b"<html>", b"", b"[]", b"{}", b"null", b"[" * 5000, b'{"error":"x"}'):
            assert FAMILY.read_error(junk).message == ""


class TestPath:
    @pytest.mark.parametrize(
        ("path", "model"),
        [
            ("/v1beta/models/gemini-x:generateContent", "gemini-x"),
            ("/v1/models/gemini-x:generateContent", "gemini-x"),
            ("/v1alpha/models/gemini-x:generateContent", "gemini-x"),
            ("/v1beta/v1/models/gemini-x:generateContent", "gemini-x"),
            ("/v1beta/v1beta/models/gemini-x:generateContent?key=k:x", "gemini-x"),
            ("/models/gemini-x:generateContent", "gemini-x"),
            ("/v1beta/models/models/gemini-x:generateContent", "gemini-x"),
            ("/v1beta/models/openai/gpt-5.4:generateContent", "openai/gpt-5.4"),
            ("/v1beta/models/ft:gpt:org:generateContent", "ft:gpt:org"),
            ("/v1beta/tunedModels/mine:generateContent", "tunedModels/mine"),
        ],
    )
    def test_the_model_is_found_behind_every_prefix(self, path: str, model: str):
        target = read_path(path)
        assert target is not None
        assert (target.model, target.verb) == (model, "generateContent")

    @pytest.mark.parametrize(
        "path",
        ["/v1beta/models", "/v1beta/models/x", "/v2/models/x:generateContent", "/models/:generateContent"],
    )
    def test_other_paths_are_none_of_its(self, path: str):
        assert read_path(path) is None

    def test_a_model_name_stays_one_name_in_the_upstreams_path(self):
        assert write_path("gemini-x", "generateContent") == "/models/gemini-x:generateContent"
        assert (
            write_path("gemini-x", "streamGenerateContent")
            == "/models/gemini-x:streamGenerateContent?alt=sse"
        )
        assert write_path("a?b#c d", "countTokens") == "/models/a%3Fb%23c%20d:countTokens"
        assert write_path("tunedModels/m", "countTokens") == "/tunedModels/m:countTokens"

    @pytest.mark.parametrize("model", ["../files/x", "a/../b", "a//b", ".", "a\nb", "x" * 300])
    def test_a_model_that_would_leave_its_place_is_refused(self, model: str):
        with pytest.raises(BadRequest) as caught:
            GEMINI.peek(b"{}", f"/v1beta/models/{model}:generateContent")
        assert caught.value.param == "model"


class TestRequest:
    def test_peek_reads_only_what_must_be_known(self):
        body = (
            b'{"generationConfig":{"maxOutputTokens":7,"candidateCount":3,"other":[1]},"serviceTier":"flex"}'
        )
        peek = GEMINI.peek(body, SSE)
        assert (peek.model, peek.stream, peek.array, peek.output_limit) == ("gemini-x", True, False, 21)
        assert (peek.choices, peek.service_tier, peek.verb) == (3, "flex", "streamGenerateContent")
        assert peek.text_only

    def test_names_with_underscores_are_read_too(self):
        peek = GEMINI.peek(
            b'{"generation_config":{"max_output_tokens":"7"},"service_tier":"standard"}', GENERATE
        )
        assert (peek.output_limit, peek.service_tier, peek.stream) == (7, "default", False)

    def test_a_stream_without_alt_sse_is_an_array_for_the_client_and_events_upstream(self):
        for query in ("", "?alt=json", "?key=k"):
            peek = GEMINI.peek(b"{}", STREAM + query)
            assert peek.array
            assert GEMINI.path(peek, "up") == "/models/up:streamGenerateContent?alt=sse"
        assert not GEMINI.peek(b"{}", GENERATE).array

    def test_nothing_of_the_clients_query_goes_upstream(self):
        peek = GEMINI.peek(b"{}", GENERATE + "?key=secret&fields=candidates")
        assert GEMINI.path(peek, "gemini-x") == "/models/gemini-x:generateContent"

    @pytest.mark.parametrize("verb", ["countTokens", "embedContent", "batchEmbedContents"])
    def test_verbs_without_output_hold_none(self, verb: str):
        assert GEMINI.peek(b"{}", f"/v1beta/models/m:{verb}").output_limit == 0

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            (b'{"generationConfig":{"maxOutputTokens":0}}', "generationConfig.maxOutputTokens"),
            (b'{"generationConfig":{"maxOutputTokens":"x"}}', "generationConfig.maxOutputTokens"),
            (b'{"generationConfig":{"candidateCount":-1}}', "generationConfig.candidateCount"),
            (b'{"generationConfig":{"candidateCount":999}}', "generationConfig.candidateCount"),
            (b'{"generationConfig":[]}', "generationConfig"),
            (b'{"generationConfig":{},"generation_config":{}}', "generationConfig"),
            (b'{"serviceTier":5}', "serviceTier"),
            (b'{"contents":1,"contents":2}', "contents"),
            (b'{"model":"models/other"}', "model"),
            (b'{"generateContentRequest":{"model":"models/other"}}', "generateContentRequest.model"),
            (b'{"requests":[{"model":"models/gemini-x"},{"model":"models/dear"}]}', "requests[1].model"),
            (b'{"requests":7}', "requests"),
        ],
    )
    def test_a_field_that_is_wrong_is_a_400_naming_it(self, body: bytes, param: str):
        with pytest.raises(BadRequest) as caught:
            GEMINI.peek(body, GENERATE)
        assert caught.value.param == param

    def test_unknown_verbs_and_forms_are_refused_with_what_there_is(self):
        with pytest.raises(NotFound, match="generateContent"):
            GEMINI.peek(b"{}", "/v1beta/models/m:predict")
        with pytest.raises(BadRequest, match="sse"):
            GEMINI.peek(b"{}", STREAM + "?alt=proto")

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            (b'{"contents":[{"parts":[{"inline_data":{}}]}]}', GENERATE),
            (b'{"contents":[{"parts":[{"fileData":{}}]}]}', GENERATE),
            (b'{"cachedContent":"c"}', GENERATE),
            (b'{"generationConfig":{"responseModalities":["TEXT","IMAGE"]}}', GENERATE),
            (b"{}", "/v1beta/models/gemini-3-pro-image:generateContent"),
        ],
    )
    def test_pictures_and_sound_are_held_for(self, body: bytes, path: str):
        assert not GEMINI.peek(body, path).text_only

    def test_an_unchanged_request_is_the_same_object(self):
        body = b'{"contents" : [ {"parts":[{"text":"1.50e3"}]} ], "x":1.0}'
        assert GEMINI.splice(GEMINI.peek(body, GENERATE), "gemini-x") is body
        assert GEMINI.splice(GEMINI.peek(body, GENERATE), "other") is body

    def test_only_the_models_name_changes_wherever_it_stands(self):
        one = GEMINI.peek(b'{"model": "models/m", "content":{} }', "/v1beta/models/m:embedContent")
        assert GEMINI.splice(one, "up") == b'{"model": "models/up", "content":{} }'
        batch = GEMINI.peek(
            b'{"requests":[{"model":"models/m","content":{"x": 1.0}},{"content":{}}]}',
            "/v1beta/models/m:batchEmbedContents",
        )
        assert GEMINI.splice(batch, "up") == (
            b'{"requests":[{"model":"models/up","content":{"x": 1.0}},{"content":{}}]}'
        )
        count = GEMINI.peek(
            b'{"generateContentRequest":{"model":"m","contents":[]}}', "/v1/models/m:countTokens"
        )
        assert GEMINI.splice(count, "up") == b'{"generateContentRequest":{"model":"up","contents":[]}}'


class TestAnswer:
    def test_a_whole_answer_passes_as_it_came(self):
        body = (
            b'{ "candidates": [{"content":{"parts":[{"text":"x","thoughtSignature":"a+/="}]}}],'
            b'"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"trafficType":"ON_DEMAND_PRIORITY"}}'
        )
        answer = GEMINI.read_answer(GEMINI.peek(b"{}", GENERATE), body)
        assert (answer.usage, answer.service_tier) == (Usage(input=1, output=2), "priority")
        assert answer.body is body

    def test_counting_tokens_is_free_and_an_unmeasured_embedding_is_left_to_be_estimated(self):
        count = GEMINI.read_answer(GEMINI.peek(b"{}", "/v1/models/m:countTokens"), b'{"totalTokens":9}')
        assert count.usage == Usage()
        embed = GEMINI.peek(b"{}", "/v1/models/m:batchEmbedContents")
        assert GEMINI.read_answer(embed, b'{"embeddings":[]}').usage is None
        metered = b'{"embeddings":[],"usageMetadata":{"promptTokenCount":4}}'
        assert GEMINI.read_answer(embed, metered).usage == Usage(input=4)

    def test_searches_are_counted(self):
        body = (
            b'{"candidates":[{"groundingMetadata":{"webSearchQueries":["a","b"]}}],'
            b'"usageMetadata":{"promptTokenCount":1}}'
        )
        answer = GEMINI.read_answer(GEMINI.peek(b"{}", GENERATE), body)
        assert answer.usage == Usage(input=1, web_searches=2)

    def test_missing_usage_leaves_likely_output(self):
        body = b'{"candidates":[{"content":{"parts":[{"text":"hello world, this is text"}]}}]}'
        answer = GEMINI.read_answer(GEMINI.peek(b"{}", GENERATE), body)
        assert answer.usage is None
        assert 4 <= answer.output_tokens <= 8

    def test_a_blocked_prompt_is_an_answer(self):
        body = b'{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}}'
        assert GEMINI.read_answer(GEMINI.peek(b"{}", GENERATE), body).usage == Usage(input=3)

    @pytest.mark.parametrize(
        "junk", [b"<html>", b"{}", b"[]", b"", b'{"error":{"message":"no"}}', b'{"totalTokens":1}']
    )
    def test_what_is_no_answer_is_a_fault(self, junk: bytes):
        with pytest.raises(StreamFault):
            GEMINI.read_answer(GEMINI.peek(b"{}", GENERATE), junk)
        with pytest.raises(StreamFault):
            GEMINI.read_answer(GEMINI.peek(b"{}", "/v1/models/m:embedContent"), junk)


class TestStream:
    PARTS = (
        chunk("水\u2028x", usageMetadata={"promptTokenCount": 10, "totalTokenCount": 10}),
        b"\r\n",
        chunk("b", end="\n\n"),
        chunk("", finish="STOP", usageMetadata=USAGE, modelVersion="v"),
    )

    @pytest.mark.parametrize("array", [False, True])
    def test_every_cut_gives_the_client_the_same_and_the_same_usage(self, array: bool):
        stream = b"".join(self.PARTS)
        first = GeminiTap(array=array)
        whole = first.feed(stream) + first.end()
        for cut in range(len(stream) + 1):
            tap = GeminiTap(array=array)
            seen = tap.feed(stream[:cut]) + tap.feed(stream[cut:]) + tap.end()
            assert seen == whole
            assert (tap.usage, tap.finished) == (Usage(input=10, output=3), True)
        if not array:
            assert whole == stream

    def test_an_array_is_valid_json_whose_elements_come_one_by_one_and_byte_exact(self):
        tap = GeminiTap(array=True)
        first = tap.feed(self.PARTS[0])
        assert first == b"[" + self.PARTS[0][6:-4]
        second = tap.feed(self.PARTS[2])
        assert second.startswith(b",\r\n{")
        rest = tap.feed(self.PARTS[3]) + tap.end()
        assert [len(one["candidates"]) for one in json.loads(first + second + rest)] == [1, 1, 1]

    def test_comments_and_done_never_reach_a_client_that_breaks_on_them(self):
        tap = GeminiTap(array=False)
        seen = tap.feed(b": ping\n\n" + chunk("a", finish="STOP") + b"event: x\n\ndata: [DONE]\n\n")
        assert seen + tap.end() == chunk("a", finish="STOP")

    def test_the_last_usage_counts_and_nonsense_after_it_does_not(self):
        tap = GeminiTap(array=False)
        tap.feed(
            chunk("a", usageMetadata=USAGE) + chunk("", finish="STOP", usageMetadata={"promptTokenCount": -1})
        )
        assert tap.usage == Usage(input=10, output=3)

    def test_searches_are_counted_once_however_often_they_are_named(self):
        grounded = {"groundingMetadata": {"webSearchQueries": ["q"]}, "index": 0}
        event = b"data: " + json.dumps({"candidates": [grounded]}).encode() + b"\n\n"
        tap = GeminiTap(array=False)
        tap.feed(event + event + chunk("", finish="STOP", usageMetadata=USAGE))
        assert tap.usage == Usage(input=10, output=3, web_searches=1)

    def test_a_stream_without_a_finish_reason_is_broken(self):
        tap = GeminiTap(array=False)
        tap.feed(chunk("a", usageMetadata=USAGE))
        assert not tap.finished
        with pytest.raises(StreamFault):
            tap.end()
        assert tap.usage == Usage(input=10, output=3)

    def test_every_candidate_has_to_finish(self):
        two = b'data: {"candidates":[{"index":0,"finishReason":"STOP"},{"index":1}]}\n\n'
        tap = GeminiTap(array=False)
        tap.feed(two)
        assert not tap.finished
        tap.feed(b'data: {"candidates":[{"index":1,"finishReason":"STOP"}]}\n\n')
        assert tap.finished

    def test_a_blocked_prompt_is_an_end(self):
        tap = GeminiTap(array=False)
        tap.feed(b'data: {"promptFeedback":{"blockReason":"OTHER"}}\n\n')
        assert tap.finished

    @pytest.mark.parametrize(
        "junk", [b"data: <html>\n\n", b'data: {"error":{"code":503,"message":"boom"}}\n\n', b"data: [1]\n\n"]
    )
    def test_what_is_no_chunk_never_reaches_the_client(self, junk: bytes):
        tap = GeminiTap(array=False)
        assert tap.feed(chunk("before") + junk + chunk("after")) == chunk("before")
        assert tap.fault is not None

    def test_a_broken_array_still_closes_around_its_error(self):
        body = FAMILY.error_body(UpstreamBroken("gone"))
        tap = GeminiTap(array=True)
        seen = tap.feed(chunk("a")) + tap.broken(body)
        assert json.loads(seen)[1]["error"]["code"] == 502
        assert json.loads(GeminiTap(array=True).broken(body))[0]["error"]["code"] == 502
        assert GeminiTap(array=False).broken(body) == FAMILY.error_event(UpstreamBroken("gone"))

    def test_an_unfinished_last_event_is_still_read(self):
        tap = GeminiTap(array=False)
        shown = tap.feed(chunk("a", finish="STOP").rstrip()) + tap.end()
        assert b'"finishReason"' in shown

    def test_an_endless_event_is_not_gathered(self):
        tap = GeminiTap(array=False)
        piece = b"x" * (EVENT_BYTES // 8 + 1)
        assert b"".join(tap.feed(piece) for _ in range(8)) == b""
        assert tap.fault is not None

    def test_output_is_estimated_while_it_streams(self):
        tap = GeminiTap(array=False)
        tap.feed(chunk("hello world, this is text"))
        before = tap.output_tokens
        assert 4 <= before <= 8
        call = {"functionCall": {"name": "f", "args": {"x": "y" * 80}}}
        tap.feed(b"data: " + json.dumps({"candidates": [{"content": {"parts": [call]}}]}).encode() + b"\n\n")
        assert tap.output_tokens > before + 10
