"""Streams: the first byte at once, silence kept alive, breaks told, hang-ups noticed."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.served import Served, Setup, served, wait_until
from tests.simulated_provider import SimulatedProvider


@pytest.fixture(scope="module")
def instance(provider_process: SimulatedProvider) -> Iterator[Served]:
    with served(provider_process, setup=Setup(config="[relay]\nkeep_alive_s = 0.2\n")) as running:
        yield running


def open_stream(laidian: Served, text: str, **more: object) -> socket.socket:
    body = json.dumps(
        {"model": "gpt-5.4", "stream": True, "messages": [{"role": "user", "content": text}], **more}
    ).encode()
    link = socket.create_connection(("127.0.0.1", laidian.port), timeout=20)
    link.sendall(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
        % (laidian.key.encode(), len(body), body)
    )
    return link


def read_until(link: socket.socket, mark: bytes) -> bytes:
    seen = b""
    while mark not in seen:
        data = link.recv(65536)
        assert data, f"the stream ended before {mark!r}: {seen[-300:]!r}"
        seen += data
    return seen


def test_each_event_is_forwarded_when_it_comes(laidian: Served, provider: SimulatedProvider):
    with open_stream(laidian, "[[tokens:6]] [[pace:150]]") as link:
        arrivals: list[float] = []
        seen = b""
        while b"[DONE]" not in seen:
            data = link.recv(65536)
            assert data
            if b'"content":"' in data:
                arrivals.append(time.monotonic())
            seen += data
    # six chunks 150 ms apart: a buffer anywhere would deliver them together
    assert len(arrivals) >= 5
    assert arrivals[-1] - arrivals[0] > 0.5


def test_a_silent_upstream_is_covered_by_comments_and_the_answer_still_comes(
    laidian: Served, provider: SimulatedProvider
):
    with open_stream(laidian, "[[delay:900]] [[say:late]]") as link:
        first = read_until(link, b": keep-alive\n\n")
        assert b"200 OK" in first
        assert b"text/event-stream" in first
        rest = read_until(link, b"[DONE]")
    assert rest.count(b": keep-alive") <= 40
    assert b"late" in rest
    assert laidian.records()[-1].ended == "complete"


def test_an_error_after_the_first_comment_is_told_in_the_stream(laidian: Served, provider: SimulatedProvider):
    provider.fault("slow-first-byte", ms=600, times=1)
    provider.fault("junk", times=3)
    with open_stream(laidian, "hi [[fault:hang]]") as link:
        read_until(link, b": keep-alive\n\n")
        provider.clear_faults()
        told = read_until(link, b'data: {"error"')
        told += read_until(link, b"0\r\n\r\n") if b"0\r\n\r\n" not in told else b""
    assert b"[DONE]" not in told
    assert b"HTTP/1.1 5" not in told
    assert laidian.records()[-1].amount_nano == 0


@pytest.mark.parametrize("fault", ["eof-mid-stream", "cut-mid-stream", "reset-mid-stream", "error-event"])
def test_a_break_in_the_middle_becomes_an_error_event_and_a_record(
    laidian: Served, provider: SimulatedProvider, fault: str
):
    laidian.write("DELETE FROM circuits")
    with open_stream(laidian, f"[[tokens:20]] [[fault:{fault}]]") as link:
        seen = read_until(link, b"0\r\n\r\n")
    events = [line for line in seen.split(b"\n") if line.startswith(b"data: ")]
    error = json.loads(events[-1][6:])["error"]
    assert error["code"] == "upstream_error"
    assert set(error) == {"message", "type", "param", "code"}
    assert b"[DONE]" not in seen
    record = laidian.records()[-1]
    assert (record.ended, record.usage_from) == ("upstream_fault", "estimated")
    assert record.output > 0
    assert record.amount_nano > 0


def test_a_hang_up_reaches_the_upstream_long_before_its_end(laidian: Served, provider: SimulatedProvider):
    laidian.write("DELETE FROM circuits")
    link = open_stream(laidian, "[[tokens:500]] [[pace:100]]")
    read_until(link, b'"content":"')
    link.close()
    row = provider.bill(rows=1).rows[-1]
    assert row.ended == "client_gone"
    assert row.output_tokens_sent < 250, "of 500 in 50 s"
    laidian.wait_settled()
    record = laidian.record(row.request_id or "")
    assert (record.ended, record.usage_from) == ("client_closed", "estimated")
    assert record.output >= 1
    assert abs(record.output - row.output_tokens_sent) <= 40, "what may be under way, at ten a second"


def test_a_hang_up_before_the_first_byte_lets_the_upstream_go(laidian: Served, provider: SimulatedProvider):
    laidian.write("DELETE FROM circuits")
    link = open_stream(laidian, "[[fault:hang]]")
    provider.requests(count=1)
    link.close()
    laidian.wait_settled()
    assert laidian.records()[-1].ended == "client_closed"


def test_a_group_that_drains_bills_exactly_what_the_provider_bills(
    laidian: Served, provider: SimulatedProvider
):
    laidian.write("DELETE FROM circuits")
    laidian.write("UPDATE groups SET on_abort = 'drain'")
    try:
        link = open_stream(laidian, "[[tokens:30]] [[pace:20]]")
        read_until(link, b'"content":"')
        link.close()
        row = provider.bill(rows=1).rows[-1]
        assert row.ended == "complete"
        laidian.wait_settled()
        record = laidian.record(row.request_id or "")
    finally:
        laidian.write("UPDATE groups SET on_abort = 'cancel'")
    assert (record.ended, record.usage_from) == ("client_closed", "upstream")
    assert (record.input, record.output) == (row.usage.input_tokens, row.usage.output_tokens)


def test_a_whole_answer_is_read_on_when_its_client_leaves(laidian: Served, provider: SimulatedProvider):
    body = b'{"model":"gpt-5.4","messages":[{"role":"user","content":"[[delay:600]] [[tokens:9]]"}]}'
    link = socket.create_connection(("127.0.0.1", laidian.port))
    link.sendall(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
        % (laidian.key.encode(), len(body), body)
    )
    provider.requests(count=1)
    link.close()
    row = provider.bill(rows=1).rows[-1]
    laidian.wait_settled()
    record = laidian.record(row.request_id or "")
    assert row.ended == "complete"
    assert (record.ended, record.usage_from, record.output) == (
        "client_closed",
        "upstream",
        row.usage.output_tokens,
    )


def test_a_slow_reader_does_not_make_the_server_grow(laidian: Served, provider: SimulatedProvider):
    def resident_kib() -> int:
        pages = 0
        for pid in laidian.worker_pids():
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * 4

    with open_stream(laidian, "[[tokens:60000]] [[chunk:200]]") as link:
        read_until(link, b'"content":"')
        before = resident_kib()
        time.sleep(0.5)  # the provider fills every buffer there is; nothing can be awaited here
        assert resident_kib() - before < 20_000
    wait_until(lambda: not laidian.holds(), "the stream is settled")
