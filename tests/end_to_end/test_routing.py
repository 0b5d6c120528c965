"""Which upstream gets a request, what counts as whose failure, and how an upstream comes back."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from laidian.store.vault import Vault, master_key
from tests.end_to_end.test_bytes import post
from tests.served import Served, served, wait_until
from tests.simulated_provider import SimulatedProvider, simulated_provider

ASK = {"model": "gpt-5.4", "messages": [{"role": "user", "content": "x"}]}


@pytest.fixture(scope="module")
def second_process() -> Iterator[SimulatedProvider]:
    with simulated_provider() as running:
        yield running


@pytest.fixture(scope="module")
def instance(provider_process: SimulatedProvider, second_process: SimulatedProvider) -> Iterator[Served]:
    with served(provider_process) as running:
        vault = Vault(master_key(running.folder.master_key))
        running.write(
            "INSERT INTO upstreams (id, name, kind, base_url, priority, created_at_ms) VALUES (2, 'second', 'compatible', ?, 5, 0)",
            f"{second_process.base_url}/v1",
        )
        running.write(
            "INSERT INTO credentials (id, upstream_id, label, sealed, fingerprint, enabled, created_at_ms) "
            "VALUES (2, 2, 'b', ?, 'f', 1, 0)",
            vault.seal("sim-0002", "credentials:2"),
        )
        yield running


@pytest.fixture
def second(second_process: SimulatedProvider, laidian: Served) -> SimulatedProvider:
    second_process.reset()
    laidian.write("DELETE FROM circuits")
    # every worker forgets within a second; a success closes what it counted below the threshold
    post(laidian, json.dumps(ASK).encode())
    second_process.reset()
    return second_process


def ask(laidian: Served, **more: object) -> tuple[int, dict[str, object], dict[str, str]]:
    status, answer, headers = post(laidian, json.dumps({**ASK, **more}).encode())
    return status, json.loads(answer), dict(headers)


def attempts(laidian: Served) -> list[dict[str, object]]:
    return json.loads(laidian.records()[-1].attempts)


@pytest.mark.parametrize(
    "fault",
    ["http-500", "http-502-html", "http-503", "http-529", "http-429", "http-429-quota", "http-408", "http-401", "http-403",
     "reset", "junk", "error-200", "redirect", "gzip-anyway"],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_a_failing_upstream_is_replaced_before_the_client_notices(
    laidian: Served, provider: SimulatedProvider, second: SimulatedProvider, fault: str, stream: bool
):
    provider.reset()
    # a connection that dies unanswered right after its reuse is replaced once, silently: hence two resets
    provider.fault(fault, times=2 if fault == "reset" else 1)
    status, answer, _ = post(laidian, json.dumps({**ASK, "stream": stream}).encode())
    assert status == 200, answer
    assert b'"system_fingerprint":"simulated"' in answer
    tried = attempts(laidian)
    assert [attempt["upstream"] for attempt in tried] == ["sim", "second"]
    assert tried[1]["outcome"] == "ok"
    assert len(second.bill(rows=1).rows) == 1
    record = laidian.records()[-1]
    assert record.usage_from == "upstream"
    assert record.ended == "complete"


def test_the_callers_own_fault_is_told_at_once_and_held_against_nobody(
    laidian: Served, provider: SimulatedProvider, second: SimulatedProvider
):
    for _ in range(5):
        status, answer, _ = ask(laidian, temperature=9)
        assert status == 400
        assert answer["error"]["param"] == "temperature"  # type: ignore[index]
    assert second.requests() == []
    with laidian.database() as database:
        assert database.execute("SELECT count(*) FROM circuits").fetchone() == (0,)
    assert ask(laidian)[0] == 200
    assert attempts(laidian)[0]["upstream"] == "sim"


def test_an_upstreams_401_is_never_the_clients(
    laidian: Served, provider: SimulatedProvider, second: SimulatedProvider
):
    provider.reset()
    provider.fault("http-401")
    second.fault("http-403")
    status, answer, headers = ask(laidian)
    assert status == 502
    assert answer["error"]["code"] == "upstream_error"  # type: ignore[index]
    assert headers["x-should-retry"] == "false"
    text = json.dumps(answer)
    assert "sim-0001" not in text
    assert "127.0.0.1" not in text
    provider.clear_faults()
    status, answer, headers = ask(laidian)
    assert status == 503, "both credentials rest"
    assert answer["error"]["code"] == "no_available_channel"  # type: ignore[index]
    assert "next try 20" in answer["error"]["message"]  # type: ignore[index]
    assert int(headers["retry-after"]) > 1


def test_a_limited_upstream_rests_as_long_as_it_says_and_comes_back_by_real_traffic(
    laidian: Served, provider: SimulatedProvider, second: SimulatedProvider
):
    provider.reset()
    provider.fault("http-429", times=1)  # Retry-After: 1
    assert ask(laidian)[0] == 200
    assert ask(laidian)[0] == 200
    assert [attempt["upstream"] for attempt in attempts(laidian)] == ["second"]

    def first_again() -> bool:
        ask(laidian)
        return attempts(laidian)[0]["upstream"] == "sim"

    wait_until(first_again, "the first upstream is tried again", 5)
    wait_until(lambda: not _open_circuits(laidian), "its circuit is closed", 5)


def _open_circuits(laidian: Served) -> int:
    with laidian.database() as database:
        return database.execute("SELECT count(*) FROM circuits").fetchone()[0]


def test_all_limited_is_a_429_that_is_not_the_keys_quota(
    laidian: Served, provider: SimulatedProvider, second: SimulatedProvider
):
    provider.reset()
    provider.fault("http-429", times=1)
    second.fault("http-429", times=1)
    status, answer, headers = ask(laidian)
    assert status == 429
    assert answer["error"]["code"] == "rate_limit_exceeded"  # type: ignore[index]
    assert "not your key's limit" in answer["error"]["message"]  # type: ignore[index]
    assert headers["retry-after"] == "1"
    assert headers["x-should-retry"] == "true"
    record = laidian.records()[-1]
    assert (record.amount_nano, record.ended) == (0, "upstream_fault")


def test_an_unreachable_upstream_is_stepped_over(
    laidian: Served, provider: SimulatedProvider, second: SimulatedProvider
):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    laidian.write("UPDATE upstreams SET base_url = ? WHERE id = 1", f"http://127.0.0.1:{port}/v1")
    try:
        assert ask(laidian)[0] == 200
        assert [attempt["outcome"] for attempt in attempts(laidian)] == ["reach", "ok"]
    finally:
        laidian.write("UPDATE upstreams SET base_url = ? WHERE id = 1", f"{provider.base_url}/v1")


def test_a_disabled_upstream_gets_nothing(
    laidian: Served, provider: SimulatedProvider, second: SimulatedProvider
):
    provider.reset()
    laidian.write("UPDATE upstreams SET enabled = 0 WHERE id = 1")
    try:
        assert ask(laidian)[0] == 200
        assert provider.requests() == []
    finally:
        laidian.write("UPDATE upstreams SET enabled = 1 WHERE id = 1")


def test_a_silent_upstream_is_given_up_after_its_time(
    laidian: Served, provider: SimulatedProvider, second: SimulatedProvider
):
    provider.reset()
    laidian.write("UPDATE upstreams SET first_byte_timeout_s = 0.3 WHERE id = 1")
    provider.fault("hang", times=1)
    try:
        assert ask(laidian)[0] == 200
        assert [attempt["outcome"] for attempt in attempts(laidian)] == ["silent", "ok"]
    finally:
        provider.clear_faults()
        laidian.write("UPDATE upstreams SET first_byte_timeout_s = 300 WHERE id = 1")


def test_health_and_readiness(laidian: Served):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", laidian.port)
    connection.request("GET", "/health")
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["status"]) == (200, "ok")
    connection.request("GET", "/health/ready")
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())) == (
        200,
        {"status": "ready", "database": "writable", "upstreams": 2},
    )
