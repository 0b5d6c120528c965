"""Every fault, seen on a raw socket: what the bytes are, and what they cost."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from typing import Any

import httpx2
import pytest

from laidian.simulated.faults import FAULTS
from tests.simulated_provider import SimulatedProvider

KEY = "sim-test-key-000001"


class Raw:
    """One HTTP request on a socket of its own, read until the end or the reset."""

    def __init__(self, provider: SimulatedProvider, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n"
            f"content-type: application/json\r\nconnection: close\r\ncontent-length: {len(content)}\r\n\r\n"
        )
        self.pieces: list[bytes] = []
        self.reset = False
        with socket.create_connection((provider.host, provider.port), timeout=20) as connection:
            connection.sendall(head.encode() + content)
            try:
                while piece := connection.recv(65_536):
                    self.pieces.append(piece)
            except ConnectionResetError:
                self.reset = True
        self.bytes = b"".join(self.pieces)
        self.head, _, self.rest = self.bytes.partition(b"\r\n\r\n")
        self.complete = self.rest.endswith(b"0\r\n\r\n")

    @property
    def body(self) -> bytes:
        """The body with its chunked framing taken off."""
        rest, found = self.rest, b""
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            found += rest[: int(size, 16)]
            rest = rest[int(size, 16) + 2 :]
        return found

    @property
    def chunks(self) -> list[bytes]:
        rest, found = self.rest, []
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            found.append(rest[: int(size, 16)])
            rest = rest[int(size, 16) + 2 :]
        return found[:-1]


def chat(text: str, *, stream: bool = True, usage: bool = False) -> dict[str, Any]:
    body: dict[str, Any] = {"model": "gpt-5.4", "messages": [{"role": "user", "content": text}]}
    if stream:
        body["stream"] = True
    if usage:
        body["stream_options"] = {"include_usage": True}
    return body


def datas(body: bytes) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in body.decode().splitlines() if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


def test_no_fault_ends_with_done_and_a_last_chunk(provider: SimulatedProvider) -> None:
    answer = Raw(provider, chat("[[tokens:8]]"))
    assert answer.complete
    assert answer.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("stream", [False, True])
def test_reset_is_a_tcp_reset_before_any_byte(provider: SimulatedProvider, stream: bool) -> None:
    answer = Raw(provider, chat("[[fault:reset]]", stream=stream))
    assert answer.reset
    assert answer.bytes == b""
    row = provider.bill().rows[0]
    assert (row.ended, row.status, provider.bill().totals.charged) == ("fault:reset", 0, 0)


def test_reset_mid_stream_is_a_tcp_reset_after_half(provider: SimulatedProvider) -> None:
    answer = Raw(provider, chat("[[fault:reset-mid-stream]] [[tokens:8]]"))
    assert answer.reset
    assert len(datas(answer.body)) == 1 + 4
    assert provider.bill().rows[0].usage.output_tokens == 4


def test_cut_mid_stream_lacks_the_last_chunk(provider: SimulatedProvider) -> None:
    answer = Raw(provider, chat("[[fault:cut-mid-stream]] [[tokens:8]]"))
    assert not answer.reset
    assert not answer.complete
    assert len(datas(answer.body)) == 1 + 4
    row = provider.bill().rows[0]
    assert (row.ended, row.usage.output_tokens, row.output_tokens_sent) == ("fault:cut-mid-stream", 4, 4)


def test_eof_mid_stream_is_a_clean_end_after_half(provider: SimulatedProvider) -> None:
    answer = Raw(provider, chat("[[fault:eof-mid-stream]] [[tokens:8]]"))
    assert answer.complete
    assert b"[DONE]" not in answer.body
    assert len(datas(answer.body)) == 1 + 4
    assert provider.bill().rows[0].usage.output_tokens == 4


def test_a_plain_answer_is_cut_within_its_declared_length(provider: SimulatedProvider) -> None:
    answer = Raw(provider, chat("[[fault:cut-mid-stream]]", stream=False))
    length = next(line for line in answer.head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    assert 0 < len(answer.rest) < int(length.split(b":")[1])


def test_eof_no_done_says_everything_but_done(provider: SimulatedProvider) -> None:
    answer = Raw(provider, chat("[[fault:eof-no-done]] [[tokens:8]]", usage=True))
    assert answer.complete
    assert b"[DONE]" not in answer.body
    assert datas(answer.body)[-1]["usage"]["completion_tokens"] == 8
    assert provider.bill().rows[0].ended == "fault:eof-no-done"


def test_an_error_event_ends_the_stream_without_done(provider: SimulatedProvider) -> None:
    answer = Raw(provider, chat("[[fault:error-event]] [[tokens:8]]"))
    last = datas(answer.body)[-1]
    assert answer.complete
    assert set(last) == {"error"}
    assert set(last["error"]) == {"message", "type", "param", "code"}
    assert b"[DONE]" not in answer.body


def usages(body: bytes) -> list[Any]:
    return [data["usage"] for data in datas(body) if data.get("usage")]


def test_usage_faults_change_the_report_and_not_the_bill(provider: SimulatedProvider) -> None:
    found = {
        name: usages(Raw(provider, chat(f"[[fault:{name}]] [[tokens:8]]", usage=True)).body)
        for name in ("no-usage", "usage-twice", "usage-negative", "usage-string", "usage-huge")
    }
    assert found["no-usage"] == []
    assert len(found["usage-twice"]) == 2
    assert found["usage-twice"][0] == found["usage-twice"][1]
    assert found["usage-negative"][0]["completion_tokens"] == -9
    assert found["usage-string"][0]["completion_tokens"] == "8"
    assert found["usage-huge"][0]["prompt_tokens_details"]["cached_tokens"] == 10**18
    rows = provider.bill(rows=5).rows
    assert [(row.usage.output_tokens, row.ended) for row in rows] == [(8, "complete")] * 5
    assert [row.fault for row in rows] == list(found)


def test_no_usage_in_a_plain_answer_leaves_the_key_out(http: httpx2.Client) -> None:
    answer = http.post("/v1/chat/completions", json=chat("[[fault:no-usage]]", stream=False)).json()
    assert "usage" not in answer


@pytest.mark.parametrize("fault", ["junk", "http-502-html"])
def test_html_in_place_of_json_costs_nothing(
    provider: SimulatedProvider, http: httpx2.Client, fault: str
) -> None:
    answer = http.post("/v1/chat/completions", json=chat(f"[[fault:{fault}]]"))
    assert answer.status_code == (200 if fault == "junk" else 502)
    assert answer.headers["content-type"] == "text/html"
    assert "<html>" in answer.text
    assert provider.bill().totals.charged == 0


def test_an_error_that_says_200(provider: SimulatedProvider, http: httpx2.Client) -> None:
    answer = http.post("/v1/chat/completions", json=chat("[[fault:error-200]]", stream=False))
    assert answer.status_code == 200
    assert set(answer.json()) == {"error"}
    assert provider.bill().totals.charged == 0


def test_a_redirect_is_not_followed_by_itself(provider: SimulatedProvider, http: httpx2.Client) -> None:
    answer = http.post("/v1/chat/completions", json=chat("[[fault:redirect]]"))
    assert (answer.status_code, answer.headers["location"]) == (302, "/redirected")
    assert len(provider.requests()) == 1


def test_crlf_and_comments(provider: SimulatedProvider) -> None:
    crlf = Raw(provider, chat("[[fault:crlf]] [[tokens:4]]")).body
    assert crlf.count(b"\r\n\r\n") == crlf.count(b"data: ")
    assert b"\n\n" not in crlf.replace(b"\r\n", b"")
    comments = Raw(provider, chat("[[fault:comments]] [[tokens:4]]")).body
    assert comments.count(b": simulated comment\n\n") == comments.count(b"data: ")


def test_split_cuts_events_and_characters(provider: SimulatedProvider) -> None:
    answer = Raw(provider, chat("[[fault:split]] [[say:月山🙂🙂🙂]]"))
    whole = Raw(provider, chat("[[say:月山🙂🙂🙂]]"))
    assert len(answer.chunks) == 3 * len(whole.chunks)
    assert "".join(data["choices"][0]["delta"].get("content") or "" for data in datas(answer.body)).endswith(
        "月山🙂🙂🙂"
    )
    broken = 0
    for chunk in answer.chunks:
        try:
            chunk.decode()
        except UnicodeDecodeError:
            broken += 1
    assert broken >= 4


def test_merge_puts_events_together(provider: SimulatedProvider) -> None:
    answer = Raw(provider, chat("[[fault:merge]] [[tokens:8]]"))
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert max(chunk.count(b"data: ") for chunk in answer.chunks) >= 3


@pytest.mark.parametrize("stream", [False, True])
def test_gzip_anyway(provider: SimulatedProvider, stream: bool) -> None:
    answer = Raw(provider, chat("[[fault:gzip-anyway]] [[tokens:8]]", stream=stream))
    assert b"content-encoding: gzip" in answer.head
    text = gzip.decompress(answer.body if stream else answer.rest).decode()
    assert "[sim" in text
    assert provider.bill().rows[0].ended == "complete"


def test_slow_first_byte_and_delay_wait_at_least_as_told(
    provider: SimulatedProvider, http: httpx2.Client
) -> None:
    provider.fault("slow-first-byte", ms=120, times=1)
    slow = http.post("/v1/chat/completions", json=chat("x"))
    delayed = http.post("/v1/chat/completions", json=chat("[[delay:90]]"))
    assert slow.elapsed.total_seconds() >= 0.12
    assert delayed.elapsed.total_seconds() >= 0.09


def test_hang_sends_nothing_until_the_client_leaves(provider: SimulatedProvider) -> None:
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(
            f"{provider.base_url}/v1/chat/completions",
            json=chat("[[fault:hang]]"),
            headers={"authorization": f"Bearer {KEY}"},
            timeout=0.2,
            trust_env=False,
        )
    row = provider.bill(rows=1).rows[0]
    assert (row.ended, row.status, row.usage.input_tokens) == ("fault:hang", 0, 0)


async def test_hang_ends_when_the_faults_are_cleared(provider: SimulatedProvider) -> None:
    provider.fault("hang")
    async with httpx2.AsyncClient(base_url=provider.base_url, trust_env=False, timeout=20) as client:
        headers = {"authorization": f"Bearer {KEY}"}
        waiting = asyncio.create_task(client.post("/v1/chat/completions", json=chat("x"), headers=headers))
        await asyncio.to_thread(provider.requests, count=1)
        await asyncio.to_thread(provider.clear_faults)
        answer = await waiting
    assert answer.status_code == 504
    assert provider.bill(rows=1).totals.charged == 0


def test_a_rule_hits_so_many_requests_of_its_model_and_no_others(
    provider: SimulatedProvider, http: httpx2.Client
) -> None:
    provider.fault("http-500", model="gpt-5.5", times=2)
    statuses = [
        http.post("/v1/chat/completions", json=chat("x") | {"model": model}).status_code
        for model in ("gpt-5.4", "gpt-5.5", "gpt-5.5", "gpt-5.5")
    ]
    assert statuses == [200, 500, 500, 200]


def test_a_rule_for_a_key_leaves_other_keys_alone(provider: SimulatedProvider, http: httpx2.Client) -> None:
    provider.fault("http-429-quota", key_prefix="sim-poor")
    statuses = [
        http.post(
            "/v1/chat/completions", json=chat("x"), headers={"authorization": f"Bearer {key}"}
        ).status_code
        for key in ("sim-poor-1", "sim-rich-1")
    ]
    assert statuses == [429, 200]


def test_free_operations_fail_only_by_a_rule_for_their_path(
    provider: SimulatedProvider, http: httpx2.Client
) -> None:
    provider.fault("http-503")
    assert http.get("/v1/models").status_code == 200
    provider.clear_faults()
    provider.fault("http-401", path="/v1/models")
    assert http.get("/v1/models").status_code == 401
    assert http.post("/v1/chat/completions", json=chat("x")).status_code == 200


def test_a_slow_model_list(provider: SimulatedProvider, http: httpx2.Client) -> None:
    provider.fault("slow-first-byte", path="/v1/models", ms=110)
    assert http.get("/v1/models").elapsed.total_seconds() >= 0.11
    assert provider.bill().totals.rows == 0


def test_every_answer_carries_headers_that_a_relay_must_keep(http: httpx2.Client) -> None:
    for answer in (
        http.get("/v1/models"),
        http.post("/v1/chat/completions", json=chat("[[fault:http-500]]")),
    ):
        assert answer.headers["openai-organization"] == "org-simulated"
        assert answer.headers["set-cookie"].startswith("simulated=1")


def test_rules_hit_embeddings_and_images_too(provider: SimulatedProvider, http: httpx2.Client) -> None:
    provider.fault("http-503", times=2)
    embedding = {"model": "text-embedding-3-small", "input": "x"}
    assert http.post("/v1/embeddings", json=embedding).status_code == 503
    assert http.post("/v1/images/generations", json={"prompt": "x"}).status_code == 503
    assert http.post("/v1/images/generations", json={"prompt": "x"}).status_code == 200


def test_a_directive_wins_over_the_book(provider: SimulatedProvider, http: httpx2.Client) -> None:
    provider.fault("http-500")
    answer = http.post("/v1/chat/completions", json=chat("[[fault:http-403]]"))
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "rule",
    [
        b"",
        b"{}",
        b'{"fault": "no-such"}',
        b'{"fault": "hang", "times": 0}',
        b'{"fault": "hang", "modle": "x"}',
    ],
)
def test_a_senseless_rule_is_refused(provider: SimulatedProvider, http: httpx2.Client, rule: bytes) -> None:
    answer = http.post("/simulated/faults", content=rule)
    assert answer.status_code == 400
    assert "was not switched on" in answer.json()["error"]["message"]
    assert http.get("/simulated/faults").json()["rules"] == []


def test_every_fault_has_a_use_in_this_file(http: httpx2.Client) -> None:
    assert http.get("/simulated/faults").json()["known"] == FAULTS


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"hang", "slow-first-byte"}))
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "dialect", ["openai-chat", "openai-responses", "anthropic", "gemini", "gemini-array"]
)
def test_every_fault_ends_in_every_dialect_with_one_row(
    provider: SimulatedProvider, http: httpx2.Client, dialect: str, stream: bool, fault: str
) -> None:
    path, body, headers = request_in(dialect, f"[[fault:{fault}]] [[tokens:8]]", stream=stream)
    try:
        http.post(path, json=body, headers=headers).read()
    except httpx2.TransportError:
        assert fault in {"reset", "reset-mid-stream", "cut-mid-stream", "eof-mid-stream", "eof-no-done"}
    bill = provider.bill(rows=1)
    assert bill.totals.rows == 1
    row = bill.rows[0]
    assert (row.fault, row.stream, row.dialect) == (fault, stream, dialect.removesuffix("-array"))
    harmless = fault in {"crlf", "comments", "split", "merge", "gzip-anyway"} or "usage" in fault
    assert row.ended == ("complete" if harmless else f"fault:{fault}")
    assert http.get("/simulated/health").status_code == 200


def request_in(dialect: str, text: str, *, stream: bool) -> tuple[str, dict[str, Any], dict[str, str]]:
    match dialect:
        case "openai-chat":
            return "/v1/chat/completions", chat(text, stream=stream), {}
        case "openai-responses":
            return "/v1/responses", {"model": "gpt-5.4", "input": text, "stream": stream}, {}
        case "anthropic":
            body = chat(text, stream=stream) | {"model": "claude-opus-4-5", "max_tokens": 50}
            return "/v1/messages", body, {"anthropic-version": "2023-06-01", "x-api-key": KEY}
        case _:
            verb = "streamGenerateContent" if stream else "generateContent"
            query = "?alt=sse" if stream and dialect == "gemini" else ""
            contents = [{"role": "user", "parts": [{"text": text}]}]
            return f"/v1beta/models/gemini-3-pro-preview:{verb}{query}", {"contents": contents}, {}
