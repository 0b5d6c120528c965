"""Cases of the protocol reference (its section 8) that no other file shows by itself: what an upstream says, and what is made of it.

An upstream here says what the test has written for it, word for word. Which test shows which case stands in tests/test_conformance.py.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from laidian.data import price_book_bytes
from laidian.domain.group import CAPABILITIES
from laidian.domain.price import price_usage
from laidian.domain.price_book import parse_book
from laidian.domain.usage import Usage
from tests.scripted import Scripted, scripted
from tests.served import HOST, Place, Record, Served, Setup, served
from tests.simulated_provider import SimulatedProvider

STREAM = "text/event-stream"
CHAT = {"model": "gpt-5.4", "messages": [{"role": "user", "content": "x"}]}
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
BOOK = parse_book(price_book_bytes())
PLACES = (
    Place("openai", "openai", "/v1", ("gpt-*",)),
    Place("gemini", "gemini", "/v1beta", ("gemini-*",)),
    Place("anthropic", "anthropic", "/v1", ("claude-*",)),
)


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Scripted, Served]]:
    with scripted() as upstream, served(upstream.provider, setup=Setup(PLACES, CAPABILITIES)) as running:
        yield upstream, running


@pytest.fixture
def upstream(place: tuple[Scripted, Served]) -> Scripted:
    upstream, _ = place
    upstream.heard.clear()
    upstream.words.clear()
    return upstream


@pytest.fixture
def instance_of_words(place: tuple[Scripted, Served], upstream: Scripted) -> Served:
    _, running = place
    running.wait_settled()
    running.write("DELETE FROM circuits")
    return running


class Reply:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        self.body = answer.read()

    def json(self) -> Any:
        return json.loads(self.body)


def call(laidian: Served, path: str, body: object, *, key: str = "", **headers: str) -> Reply:
    connection = http.client.HTTPConnection(HOST, laidian.port, timeout=60)
    try:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        own = {"Authorization": f"Bearer {key or laidian.key}", "Content-Type": "application/json"}
        connection.request("POST", path, data, own | {n.replace("_", "-"): v for n, v in headers.items()})
        return Reply(connection.getresponse())
    finally:
        connection.close()


def last(laidian: Served) -> Record:
    laidian.wait_settled()
    return laidian.records()[-1]


def cost(model: str, usage: Usage, at_ms: int, tier: str = "default") -> int:
    price = BOOK.find(model, at_ms)
    assert price is not None
    return price_usage(price, usage, service_tier=tier).amount_nano


def started_ms(laidian: Served) -> int:
    with laidian.database() as database:
        (at_ms,) = database.execute(
            "SELECT started_at_ms FROM usage_records ORDER BY id DESC LIMIT 1"
        ).fetchone()
    return at_ms


def chunk(**fields: object) -> bytes:
    return (
        b"data: "
        + json.dumps({"id": "c", "object": "chat.completion.chunk", **fields}, ensure_ascii=False).encode()
        + b"\n\n"
    )


def said(delta: dict[str, object], finish: str | None = None) -> bytes:
    return chunk(choices=[{"index": 0, "delta": delta, "finish_reason": finish}])


# Chat


def test_case_26_a_line_of_five_megabytes_comes_through_as_it_came(
    instance_of_words: Served, upstream: Scripted
):
    long = said(
        {"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 5_000_000}}]}
    )
    pieces = (
        said({"role": "assistant", "content": ""}),
        long,
        said({}, "stop"),
        chunk(choices=[], usage=USAGE),
    )
    upstream.say(*pieces, b"data: [DONE]\n\n", kind=STREAM)
    reply = call(
        instance_of_words,
        "/v1/chat/completions",
        CHAT | {"stream": True, "stream_options": {"include_usage": True}},
    )
    assert reply.body == b"".join(pieces) + b"data: [DONE]\n\n"
    record = last(instance_of_words)
    assert (record.input, record.output, record.usage_from) == (7, 5, "upstream")


def test_case_27_a_line_separator_inside_a_text_ends_no_line(instance_of_words: Served, upstream: Scripted):
    pieces = (said({"content": "a\u2028b\u2029c\u0085d"}), said({}, "stop"), b"data: [DONE]\n\n")
    upstream.say(*pieces, kind=STREAM)
    with OpenAI(
        base_url=f"{instance_of_words.base_url}/v1", api_key=instance_of_words.key, max_retries=0
    ) as client:
        chunks = list(client.chat.completions.create(**CHAT, stream=True))  # type: ignore[call-overload]
    assert chunks[0].choices[0].delta.content == "a\u2028b\u2029c\u0085d"


def test_case_42_fields_that_nobody_knows_reach_the_upstream_as_they_came(
    instance_of_words: Served, upstream: Scripted
):
    body = b'{"model":"gpt-5.4","client_metadata":{"a":1.50},"messages":[{"role":"user","content":"x"}],"extra_body":[null]}'
    upstream.say(json.dumps({"choices": [{"message": {"content": "y"}}], "usage": USAGE}).encode())
    assert call(instance_of_words, "/v1/chat/completions", body).status == 200
    assert upstream.heard[-1].body == body


def test_case_38_thirty_megabytes_of_pictures_are_taken(instance_of_words: Served, upstream: Scripted):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 30_000_000}}
    body = json.dumps({"model": "gpt-5.4", "messages": [{"role": "user", "content": [picture]}]}).encode()
    upstream.say(json.dumps({"choices": [{"message": {"content": "y"}}], "usage": USAGE}).encode())
    assert call(instance_of_words, "/v1/chat/completions", body).status == 200
    assert upstream.heard[-1].body == body


# Responses


def response(status: str = "completed", **fields: object) -> dict[str, object]:
    usage = {
        "input_tokens": 1_000,
        "input_tokens_details": {"cached_tokens": 200, "cache_write_tokens": 300},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": 1_050,
    }
    head = {"id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": "gpt-5.6-sol"}
    return {**head, "output": [], "service_tier": "default", "usage": usage, **fields}


USED = Usage(input=500, cached_input=200, cache_write=300, output=30, reasoning=20)


def event(kind: str, number: int, **fields: object) -> bytes:
    data = {"type": kind, "sequence_number": number, **fields}
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def test_case_44_a_response_passes_whole_and_what_it_wrote_into_the_cache_is_priced(
    instance_of_words: Served, upstream: Scripted
):
    body = json.dumps(response(strange={"a": 1.50}), indent=1).encode()
    upstream.say(body)
    reply = call(instance_of_words, "/v1/responses", {"model": "gpt-5.6-sol", "input": "x"})
    assert (reply.status, reply.body) == (200, body)
    record = last(instance_of_words)
    assert (record.input, record.cached_input, record.cache_write) == (500, 200, 300)
    assert (record.output, record.reasoning) == (30, 20)
    assert record.amount_nano == cost("gpt-5.6-sol", USED, started_ms(instance_of_words))


def test_case_45_a_stream_of_events_passes_to_the_byte(instance_of_words: Served, upstream: Scripted):
    pieces = (
        event("response.created", 0, response=response("in_progress", usage=None)),
        b": a comment\n\n",
        event("response.kind_of_tomorrow", 1, strange=[1.50]),
        event("response.completed", 2, response=response()),
    )
    upstream.say(*pieces, kind=STREAM)
    reply = call(instance_of_words, "/v1/responses", {"model": "gpt-5.6-sol", "input": "x", "stream": True})
    assert reply.body == b"".join(pieces)
    assert last(instance_of_words).amount_nano == cost("gpt-5.6-sol", USED, started_ms(instance_of_words))


def test_case_47_a_stream_that_just_ends_is_a_response_that_failed(
    instance_of_words: Served, upstream: Scripted
):
    upstream.say(
        event("response.created", 0, response=response("in_progress", usage=None)),
        event(
            "response.output_text.delta",
            1,
            item_id="m",
            output_index=0,
            content_index=0,
            delta="Hel",
            logprobs=[],
        ),
        kind=STREAM,
    )
    reply = call(instance_of_words, "/v1/responses", {"model": "gpt-5.6-sol", "input": "x", "stream": True})
    end = json.loads(reply.body.strip().split(b"data: ")[-1])
    assert (end["type"], end["sequence_number"]) == ("response.failed", 2)
    assert (end["response"]["id"], end["response"]["error"]["code"]) == ("resp_1", "server_error")
    record = last(instance_of_words)
    assert (record.ended, record.usage_from, record.amount_nano > 0) == ("upstream_fault", "estimated", True)


def test_case_54_three_searches_cost_three_cents(instance_of_words: Served, upstream: Scripted):
    body = response(tool_usage={"web_search": {"num_requests": 3}})
    for answer in (response(), body):
        upstream.say(json.dumps(answer).encode())
        assert call(instance_of_words, "/v1/responses", {"model": "gpt-5.6-sol", "input": "x"}).status == 200
    plain, searched = [record.amount_nano for record in instance_of_words.records()[-2:]]
    assert searched - plain == 30_000_000


def test_case_55_the_tier_of_the_answer_is_the_one_that_is_charged(
    instance_of_words: Served, upstream: Scripted
):
    upstream.say(json.dumps(response(service_tier="priority")).encode())
    asked = {"model": "gpt-5.6-sol", "input": "x", "service_tier": "auto"}
    assert call(instance_of_words, "/v1/responses", asked).status == 200
    record, at_ms = last(instance_of_words), started_ms(instance_of_words)
    assert record.service_tier == "priority"
    assert (
        record.amount_nano == cost("gpt-5.6-sol", USED, at_ms, "priority") > cost("gpt-5.6-sol", USED, at_ms)
    )


# Gemini and Anthropic


def test_case_76_thoughts_are_output_tools_are_input_and_the_last_chunk_wins(
    instance_of_words: Served, upstream: Scripted
):
    def piece(text: str, finish: str | None, **usage: int) -> bytes:
        candidate: dict[str, object] = {"content": {"parts": [{"text": text}]}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        return (
            b"data: " + json.dumps({"candidates": [candidate], "usageMetadata": usage}).encode() + b"\r\n\r\n"
        )

    pieces = (
        piece("a", None, promptTokenCount=100, candidatesTokenCount=1, totalTokenCount=101),
        piece(
            "b",
            "STOP",
            promptTokenCount=100,
            cachedContentTokenCount=40,
            toolUsePromptTokenCount=9,
            candidatesTokenCount=5,
            thoughtsTokenCount=6,
            totalTokenCount=120,
        ),
    )
    upstream.say(*pieces, kind=STREAM)
    asked = {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}
    reply = call(
        instance_of_words, "/v1beta/models/gemini-3.1-pro-preview:streamGenerateContent?alt=sse", asked
    )
    assert reply.body == b"".join(pieces)
    record = last(instance_of_words)
    used = Usage(input=69, cached_input=40, output=5, reasoning=6)
    assert (record.input, record.cached_input, record.output, record.reasoning) == (69, 40, 5, 6)
    assert record.amount_nano == cost("gemini-3.1-pro-preview", used, started_ms(instance_of_words))


def test_case_88_what_is_written_for_minutes_and_for_an_hour_has_two_prices_and_totals_are_not_added_up(
    instance_of_words: Served, upstream: Scripted
):
    begun = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
        "cache_read_input_tokens": 50,
        "output_tokens": 1,
    }
    message = {"id": "m", "type": "message", "role": "assistant", "model": "claude-opus-4-5", "content": [],
               "stop_reason": None, "stop_sequence": None, "usage": begun}  # fmt: skip
    text = {"type": "text_delta", "text": "hi"}
    events: list[tuple[str, dict[str, object]]] = [
        ("message_start", {"message": message}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("content_block_delta", {"index": 0, "delta": text}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": None}, "usage": {"output_tokens": 3}}),
        ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}),
        ("message_stop", {}),
    ]
    pieces = [
        f"event: {name}\ndata: {json.dumps({'type': name, **rest})}\n\n".encode() for name, rest in events
    ]
    upstream.say(*pieces, kind=STREAM)
    asked = {
        "model": "claude-opus-4-5",
        "max_tokens": 50,
        "stream": True,
        "messages": [{"role": "user", "content": "x"}],
    }
    reply = call(instance_of_words, "/v1/messages", asked, anthropic_version="2026-10-21")
    assert reply.body == b"".join(pieces)
    assert upstream.heard[-1].headers["anthropic-version"] == "2026-10-21"
    last(instance_of_words)
    with instance_of_words.database() as database:
        classes = database.execute(
            "SELECT input, cache_write, cache_write_1h, cached_input, output, amount_nano FROM usage_records ORDER BY id DESC LIMIT 1"
        ).fetchone()
    used = Usage(input=10, cache_write=100, cache_write_1h=200, cached_input=50, output=7)
    assert classes == (10, 100, 200, 50, 7, cost("claude-opus-4-5", used, started_ms(instance_of_words)))


def test_case_91_a_quota_that_is_used_up_is_told_so_that_claude_code_stops(instance_of_words: Served):
    instance_of_words.write("UPDATE quotas SET kind = 'prepaid', credited_nano = spent_nano + held_nano")
    try:
        asked = {"model": "claude-opus-4-5", "max_tokens": 50, "messages": [{"role": "user", "content": "x"}]}
        reply = call(instance_of_words, "/v1/messages?beta=true", asked, anthropic_version="2023-06-01")
    finally:
        instance_of_words.write("UPDATE quotas SET kind = 'unlimited'")
    assert (reply.status, reply.json()["error"]["type"]) == (429, "rate_limit_error")
    assert reply.headers["x-should-retry"] == "false"
    assert "retry-after" not in reply.headers


# Money and limits


def test_case_97_one_token_over_the_long_context_doubles_the_whole_request(
    instance_of_words: Served, upstream: Scripted
):
    for tokens in (272_000, 272_001):
        usage = {"prompt_tokens": tokens, "completion_tokens": 10, "total_tokens": tokens + 10}
        upstream.say(json.dumps({"choices": [{"message": {"content": "y"}}], "usage": usage}).encode())
        assert call(instance_of_words, "/v1/chat/completions", CHAT).status == 200
    below, above = [record.amount_nano for record in instance_of_words.records()[-2:]]
    at_ms = started_ms(instance_of_words)
    assert below == cost("gpt-5.4", Usage(input=272_000, output=10), at_ms)
    assert above == cost("gpt-5.4", Usage(input=272_001, output=10), at_ms) > 1.9 * below


def test_case_98_a_model_without_a_price_is_refused_and_no_upstream_hears_of_it(
    instance_of_words: Served, upstream: Scripted
):
    reply = call(instance_of_words, "/v1/chat/completions", {**CHAT, "model": "gpt-99-nobody"})
    assert (reply.status, reply.json()["error"]["code"]) == (404, "model_not_priced")
    assert upstream.heard == []


def test_case_94_a_rate_limit_says_how_long_to_wait_in_both_headers(laidian: Served):
    laidian.write("UPDATE groups SET requests_per_minute = 1")
    try:
        replies = [call(laidian, "/v1/chat/completions", CHAT) for _ in range(3)]
    finally:
        laidian.write("UPDATE groups SET requests_per_minute = NULL")
    refused = [one for one in replies if one.status == 429]
    assert refused
    seconds, ms = int(refused[-1].headers["retry-after"]), int(refused[-1].headers["retry-after-ms"])
    assert 1 <= seconds <= 60
    assert (seconds - 1) * 1000 < ms <= seconds * 1000
    assert refused[-1].json()["error"]["code"] == "rate_limit_exceeded"


# Upstreams that fail


def test_case_32_a_page_of_html_becomes_an_error_of_ours(laidian: Served, provider: SimulatedProvider):
    provider.fault("http-502-html")
    reply = call(laidian, "/v1/chat/completions", CHAT)
    assert (reply.status, reply.json()["error"]["code"]) == (502, "upstream_error")
    assert b"<" not in reply.body
    laidian.write("DELETE FROM circuits")


def test_case_33_an_error_inside_a_200_is_an_error(laidian: Served, provider: SimulatedProvider):
    provider.fault("error-200")
    reply = call(laidian, "/v1/chat/completions", CHAT)
    assert (reply.status, reply.json()["error"]["code"]) == (502, "upstream_error")
    assert last(laidian).amount_nano == 0
    laidian.write("DELETE FROM circuits")


def test_case_95_an_upstream_whose_credential_is_refused_leaves_the_list_of_models(
    laidian: Served, provider: SimulatedProvider
):
    def listed() -> list[str]:
        with OpenAI(base_url=f"{laidian.base_url}/v1", api_key=laidian.key, max_retries=0) as client:
            return [model.id for model in client.models.list()]

    assert "gpt-5.4" in listed()
    provider.fault("http-401")
    try:
        assert call(laidian, "/v1/chat/completions", CHAT).status == 502
        assert "gpt-5.4" not in listed()
        again = call(laidian, "/v1/chat/completions", CHAT)
        assert (again.status, again.json()["error"]["code"]) == (503, "no_available_channel")
    finally:
        provider.clear_faults()
        laidian.write("DELETE FROM circuits")


def test_case_96_the_operators_empty_balance_is_never_told_as_the_keys(
    laidian: Served, provider: SimulatedProvider
):
    provider.fault("http-429-quota")
    try:
        for _ in range(2):
            reply = call(laidian, "/v1/chat/completions", CHAT)
            assert reply.status in (502, 503)
            assert b"insufficient_quota" not in reply.body
            assert "not your key" in reply.json()["error"]["message"]
    finally:
        provider.clear_faults()
        laidian.write("DELETE FROM circuits")


# The wire


@pytest.mark.parametrize("model", ["gpt-5.4\r\nx-evil: 1", "gpt-5.4\n", "gpt\0"])
def test_case_102_a_line_break_in_a_model_is_a_400(laidian: Served, provider: SimulatedProvider, model: str):
    reply = call(laidian, "/v1/chat/completions", {**CHAT, "model": model})
    assert (reply.status, reply.json()["error"]["param"]) == (400, "model")
    assert provider.requests() == []


def test_case_102_a_line_break_in_a_key_opens_nothing(laidian: Served, provider: SimulatedProvider):
    for path in (
        f"/v1beta/models?key={laidian.key}%0d%0ax-evil:1",
        f"/v1beta/models?key=%0d%0a{laidian.key}",
    ):
        connection = http.client.HTTPConnection(HOST, laidian.port, timeout=30)
        connection.request("GET", path)
        assert connection.getresponse().status == 401
        connection.close()
    assert provider.requests() == []


@pytest.mark.parametrize("model", ["gpt-5.4", "gemini-3-flash-preview", "claude-opus-4-5"])
def test_case_103_an_address_in_a_request_is_never_fetched_from_here(provider: SimulatedProvider, model: str):
    places = tuple(Place(one.name, one.kind, one.path, one.models) for one in PLACES)
    with scripted() as elsewhere, served(provider, setup=Setup(places, CAPABILITIES)) as laidian:
        url = f"http://{HOST}:{elsewhere.port}/picture.png"
        content = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": url}}]
        asked = {"model": model, "messages": [{"role": "user", "content": content}]}
        reply = call(laidian, "/v1/chat/completions", asked)
        assert reply.status in (200, 400), reply.body
        assert elsewhere.heard == []


def test_case_104_two_connections_that_are_kept_open_do_not_mix(laidian: Served):
    seen: dict[int, list[tuple[str, str]]] = {0: [], 1: []}

    def talk(number: int) -> None:
        connection = http.client.HTTPConnection(HOST, laidian.port, timeout=60)
        for turn in range(20):
            words = f"[[say:{number} {turn}]]"
            body = {**CHAT, "messages": [{"role": "user", "content": words}]}
            headers = {"Authorization": f"Bearer {laidian.key}", "Content-Type": "application/json"}
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            reply = Reply(connection.getresponse())
            seen[number].append(
                (reply.headers["x-request-id"], reply.json()["choices"][0]["message"]["content"])
            )
        connection.close()

    threads = [threading.Thread(target=talk, args=(number,)) for number in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, answers in seen.items():
        assert [text for _, text in answers] == [f"[simulated] {number} {turn}" for turn in range(20)]
    assert len({request_id for answers in seen.values() for request_id, _ in answers}) == 40


def test_case_105_every_answer_has_an_id_of_its_own_and_what_was_accepted_has_it_in_its_record(
    laidian: Served,
):
    plain = call(laidian, "/v1/chat/completions", CHAT)
    stream = call(laidian, "/v1/chat/completions", CHAT | {"stream": True})
    refused = call(laidian, "/v1/chat/completions", CHAT | {"temperature": 9})
    unknown = call(laidian, "/v1/nothing", {})
    ids = [one.headers["x-request-id"] for one in (plain, stream, refused, unknown)]
    assert len(set(ids)) == 4
    laidian.wait_settled()
    assert [record.request_id for record in laidian.records()[-3:]] == ids[:3]


def test_case_48_a_quota_that_is_used_up_is_a_429_that_no_client_repeats(instance_of_words: Served):
    instance_of_words.write("UPDATE quotas SET kind = 'prepaid', credited_nano = spent_nano + held_nano")
    try:
        with (
            OpenAI(base_url=f"{instance_of_words.base_url}/v1", api_key=instance_of_words.key) as client,
            pytest.raises(openai.RateLimitError) as refused,
        ):
            client.responses.create(model="gpt-5.4", input="x")
    finally:
        instance_of_words.write("UPDATE quotas SET kind = 'unlimited'")
    assert refused.value.code == "insufficient_quota"
    assert refused.value.response.headers["x-should-retry"] == "false"
    assert "retry-after" not in refused.value.response.headers
