"""Every way in which the simulated provider can fail: one request, one record, no hold, and never more than the bill."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from laidian.simulated.faults import FAULTS, HALFWAY, HARMLESS, USAGE
from laidian.store.vault import Vault, master_key
from tests.ledger.bills import billed, recorded
from tests.ledger.conversation import WORDS, ask, chat
from tests.ledger.identities import violations
from tests.served import GROUP_ID, Record, Served, Setup, served
from tests.simulated_provider import BilledRow, SimulatedProvider, simulated_provider

HARMLESS_HERE = HARMLESS - {"gzip-anyway"}
TOLERANCE = 0.15


@pytest.fixture(scope="module")
def running_provider() -> Iterator[SimulatedProvider]:
    with simulated_provider() as provider:
        yield provider


@pytest.fixture
def provider(running_provider: SimulatedProvider) -> SimulatedProvider:
    running_provider.reset()
    return running_provider


@pytest.fixture(scope="module")
def laidian(running_provider: SimulatedProvider) -> Iterator[Served]:
    with served(running_provider, setup=Setup(credited_nano=10**13)) as laidian:
        yield laidian


@pytest.fixture
def fresh(laidian: Served, provider: SimulatedProvider, request: pytest.FixtureRequest) -> Served:
    """The same instance with an upstream of its own, whose circuits no earlier test has opened."""
    with laidian.database() as reader:
        (number,) = reader.execute("SELECT max(id) + 1 FROM upstreams").fetchone()
    sealed = Vault(master_key(laidian.folder.master_key)).seal("sim-0001", f"credentials:{number}")
    laidian.write(
        "INSERT INTO upstreams (id, name, kind, base_url, first_byte_timeout_s, created_at_ms) "
        "VALUES (?, ?, 'openai', ?, 1.0, 0)",
        number, f"sim-{number}", f"{provider.base_url}/v1",
    )  # fmt: skip
    laidian.write(
        "INSERT INTO credentials (id, upstream_id, label, sealed, fingerprint, enabled, created_at_ms) "
        "VALUES (?, ?, 'a', ?, 'f', 1, 0)",
        number, number, sealed,
    )  # fmt: skip
    laidian.write("DELETE FROM group_upstreams")
    laidian.write("INSERT INTO group_upstreams VALUES (?, ?, 0)", GROUP_ID, number)
    return laidian


async def meet(
    laidian: Served, provider: SimulatedProvider, fault: str, *, stream: bool
) -> tuple[httpx2.Response, Record, BilledRow]:
    """One request against one fault: the answer, its only record, its only row on the bill."""
    before = len(laidian.records())
    provider.fault(fault)
    answer = await ask(laidian, chat(f"[[tokens:80]] {WORDS}", stream=stream))
    provider.clear_faults()
    laidian.wait_settled()
    with laidian.database() as reader:
        assert violations(reader) == []
    (record,) = laidian.records()[before:]
    *others, row = provider.bill(rows=1).rows
    # a kept connection that is reset before a byte came may have been stale: it is replaced once
    resets = ("reset", "reset-mid-stream")
    assert not others or (fault in resets and len(others) == 1 and others[0].usage == row.usage)
    assert record.request_id == row.request_id == answer.headers["x-request-id"]
    return answer, record, row


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("fault", sorted(set(FAULTS) - HARMLESS - USAGE - HALFWAY - {"eof-no-done"}))
async def test_what_was_never_answered_is_free(
    fresh: Served, provider: SimulatedProvider, fault: str, stream: bool
) -> None:
    answer, record, row = await meet(fresh, provider, fault, stream=stream)
    assert (row.usage.input_tokens, row.usage.output_tokens) == (0, 0)
    assert (record.charged_nano, record.shortfall_nano, record.usage_from) == (0, 0, "none")
    assert record.ended in ("upstream_fault", "refused")
    assert record.status == answer.status_code >= 400
    assert answer.status_code not in (401, 403), "the operator's credential is not the client's"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("fault", sorted(HARMLESS_HERE | {"usage-twice"}))
async def test_what_only_travels_differently_is_charged_exactly(
    fresh: Served, provider: SimulatedProvider, fault: str, stream: bool
) -> None:
    if fault == "slow-first-byte":
        fresh.write("UPDATE upstreams SET first_byte_timeout_s = 10")
    answer, record, row = await meet(fresh, provider, fault, stream=stream)
    assert answer.status_code == 200
    assert (record.ended, record.usage_from, row.ended) == ("complete", "upstream", "complete")
    assert recorded(record) == billed(row)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("fault", sorted(USAGE - {"usage-twice"}))
async def test_what_is_said_falsely_about_usage_is_estimated(
    fresh: Served, provider: SimulatedProvider, fault: str, stream: bool
) -> None:
    answer, record, row = await meet(fresh, provider, fault, stream=stream)
    assert answer.status_code == 200
    assert (record.ended, record.usage_from) == ("complete", "estimated")
    assert abs(record.input - row.usage.input_tokens) <= row.usage.input_tokens * TOLERANCE
    assert abs(record.output - row.usage.output_tokens) <= row.usage.output_tokens * TOLERANCE + 10
    assert 0 < record.charged_nano <= record.held_nano


@pytest.mark.parametrize("fault", sorted(HALFWAY))
async def test_a_stream_that_breaks_in_the_middle_costs_what_came(
    fresh: Served, provider: SimulatedProvider, fault: str
) -> None:
    answer, record, row = await meet(fresh, provider, fault, stream=True)
    assert answer.status_code == 200
    assert "[DONE]" not in answer.text
    assert '"error"' in answer.text
    assert (record.ended, record.usage_from) == ("upstream_fault", "estimated")
    assert abs(record.output - row.usage.output_tokens) <= row.usage.output_tokens * TOLERANCE + 10


@pytest.mark.parametrize("fault", sorted(HALFWAY))
async def test_a_whole_answer_that_breaks_in_the_middle_is_free_for_the_client(
    fresh: Served, provider: SimulatedProvider, fault: str
) -> None:
    answer, record, _ = await meet(fresh, provider, fault, stream=False)
    assert answer.status_code >= 500
    assert (record.ended, record.charged_nano) == ("upstream_fault", 0)


async def test_a_stream_without_its_goodbye_is_whole(fresh: Served, provider: SimulatedProvider) -> None:
    """The usage chunk came; only [DONE] is missing, and the client gets one."""
    answer, record, row = await meet(fresh, provider, "eof-no-done", stream=True)
    assert answer.text.count("[DONE]") == 1
    assert (record.ended, record.usage_from) == ("complete", "upstream")
    assert recorded(record) == billed(row)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_compressed_answer_that_nobody_asked_for_is_one_record_within_its_bill(
    fresh: Served, provider: SimulatedProvider, stream: bool
) -> None:
    _, record, row = await meet(fresh, provider, "gzip-anyway", stream=stream)
    assert record.charged_nano == 0 or recorded(record) == billed(row)


async def test_a_request_that_no_upstream_may_take_is_refused_without_a_record(
    fresh: Served, provider: SimulatedProvider
) -> None:
    await meet(fresh, provider, "http-429", stream=False)
    before = len(fresh.records())
    answer = await ask(fresh, chat("again"))
    assert answer.status_code == 503
    assert len(fresh.records()) == before
    assert len(provider.bill().rows) == 1
