"""Clients that leave: the request is settled once, at what the provider billed or close to it, and the provider is let go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.ledger.bills import billed, recorded
from tests.ledger.conversation import WORDS, ask, chat, leave_stream, leave_unanswered
from tests.ledger.identities import violations
from tests.served import Record, Served, Setup, served
from tests.simulated_provider import BilledRow, SimulatedProvider, simulated_provider

TOLERANCE = 0.15
"""An estimate counts 4.2 characters of English a token, the simulated provider 4."""
UNDERWAY_TOKENS = 60
"""What the provider may have made that was not read before the hang-up was noticed, at 200 tokens a second."""
NOTICED_S = 1.5
"""Within a second, says the issue; the rest is this machine's."""


@pytest.fixture(scope="module")
def running_provider() -> Iterator[SimulatedProvider]:
    with simulated_provider() as provider:
        yield provider


@pytest.fixture
def provider(running_provider: SimulatedProvider) -> SimulatedProvider:
    running_provider.reset()
    return running_provider


@pytest.fixture(scope="module")
def cancelling(running_provider: SimulatedProvider) -> Iterator[Served]:
    with served(running_provider, setup=Setup(credited_nano=10**12)) as laidian:
        yield laidian


@pytest.fixture(scope="module")
def draining(running_provider: SimulatedProvider) -> Iterator[Served]:
    with served(running_provider, setup=Setup(credited_nano=10**12, on_abort="drain")) as laidian:
        yield laidian


def settled(laidian: Served, request_id: str) -> Record:
    """The request's only record, once it is there, with a sound ledger around it."""
    laidian.wait_settled()
    with laidian.database() as reader:
        assert violations(reader) == []
    return laidian.record(request_id)


def row_of(provider: SimulatedProvider, request_id: str) -> BilledRow:
    (row,) = [row for row in provider.bill(rows=1).rows if row.request_id == request_id]
    return row


def near(ours: int, theirs: int, more: int = 0) -> bool:
    return theirs * (1 - TOLERANCE) - more <= ours <= theirs * (1 + TOLERANCE) + more


async def test_a_stream_that_is_left_costs_what_was_made_until_then(
    provider: SimulatedProvider, cancelling: Served
) -> None:
    request_id = await leave_stream(cancelling, chat(f"[[tokens:3000]] [[pace:5]] {WORDS}", stream=True), 150)
    left = time.monotonic()
    record = settled(cancelling, request_id)
    assert time.monotonic() - left < NOTICED_S
    row = row_of(provider, request_id)
    assert (record.ended, record.usage_from, row.ended) == ("client_closed", "estimated", "client_gone")
    assert near(record.input, row.usage.input_tokens)
    assert near(record.output, row.usage.output_tokens, UNDERWAY_TOKENS)
    assert record.output > 100, "what was delivered is not free"
    assert record.shortfall_nano == 0


async def test_a_stream_that_is_left_before_its_first_byte_costs_its_input(
    provider: SimulatedProvider, cancelling: Served
) -> None:
    body = chat(f"[[delay:20000]] {WORDS}", stream=True)
    request_id = await leave_unanswered(cancelling, body, 0.6)
    record = settled(cancelling, request_id)
    row = row_of(provider, request_id)
    assert (record.ended, row.ended) == ("client_closed", "client_gone")
    assert near(record.input, row.usage.input_tokens)
    assert (record.output, row.usage.output_tokens) == (0, 0)


async def test_a_stream_that_is_drained_costs_exactly_what_the_provider_bills(
    provider: SimulatedProvider, draining: Served
) -> None:
    body = chat("[[tokens:400]] [[pace:3]] [[reasoning:7]] [[cached:5]]", stream=True)
    request_id = await leave_stream(draining, body, 20)
    record = settled(draining, request_id)
    row = row_of(provider, request_id)
    assert (record.ended, record.usage_from, row.ended) == ("client_closed", "upstream", "complete")
    assert recorded(record) == billed(row)
    assert record.output + record.reasoning == 407


@pytest.mark.parametrize("policy", ["cancelling", "draining"])
async def test_a_whole_answer_is_read_on_and_costs_exactly_what_the_provider_bills(
    provider: SimulatedProvider, policy: str, request: pytest.FixtureRequest
) -> None:
    laidian: Served = request.getfixturevalue(policy)
    request_id = await leave_unanswered(laidian, chat("[[tokens:100]] [[delay:1500]]"), 0.5)
    record = settled(laidian, request_id)
    row = row_of(provider, request_id)
    assert (record.ended, record.usage_from, row.ended) == ("client_closed", "upstream", "complete")
    assert recorded(record) == billed(row)


async def test_an_answer_that_takes_too_long_is_let_go_after_its_client(
    provider: SimulatedProvider,
) -> None:
    with served(provider, setup=Setup(credited_nano=10**12, config="[relay]\ndrain_s = 1\n")) as laidian:
        request_id = await leave_unanswered(laidian, chat(f"[[delay:30000]] {WORDS}"), 0.5)
        record = settled(laidian, request_id)
    row = row_of(provider, request_id)
    assert (record.ended, record.usage_from, row.ended) == ("client_closed", "estimated", "client_gone")
    assert near(record.input, row.usage.input_tokens)
    assert record.output == 0


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_failure_of_the_upstream_is_free_also_when_the_client_has_left(
    provider: SimulatedProvider, draining: Served, stream: bool
) -> None:
    """An error answer is no work: the provider bills nothing for it, whoever waits for it."""
    provider.fault("hang", times=1)
    request_id = await leave_unanswered(draining, chat(WORDS, stream=stream), 0.5)
    await asyncio.sleep(4)  # until the hang-up is noticed, which nothing shows from outside
    provider.clear_faults()
    record = settled(draining, request_id)
    row = row_of(provider, request_id)
    assert (row.status, row.usage.input_tokens) == (504, 0)
    assert (record.ended, record.charged_nano, record.usage_from) == ("client_closed", 0, "none")


async def test_fifty_clients_that_leave_at_any_moment_are_settled_once_each(
    provider: SimulatedProvider, cancelling: Served
) -> None:
    before = len(cancelling.records())
    body = chat("[[tokens:200]] [[pace:2]]", stream=True)
    leaving = [leave_stream(cancelling, body, 1 + number * 4) for number in range(50)]
    request_ids = await asyncio.gather(*leaving)
    cancelling.wait_settled()
    records = {record.request_id: record for record in cancelling.records()[before:]}
    assert set(records) == set(request_ids)
    rows = {row.request_id: row for row in provider.bill(rows=50).rows}
    for request_id, record in records.items():
        if record.ended == "complete":
            assert recorded(record) == billed(rows[request_id])
        else:
            assert record.ended == "client_closed"
            assert near(record.output, rows[request_id].usage.output_tokens, 200)
    with cancelling.database() as reader:
        assert violations(reader) == []


async def test_leaving_while_the_body_is_sent_is_no_request(
    provider: SimulatedProvider, cancelling: Served
) -> None:
    before = len(cancelling.records())
    _, writer = await asyncio.open_connection("127.0.0.1", cancelling.port)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {cancelling.key}\r\n"
        "content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"
    )
    writer.write(head.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await ask(cancelling, chat("[[tokens:3]]"))).status_code == 200
    assert len(cancelling.records()) == before + 1
    assert cancelling.holds() == []
    assert len(provider.bill().rows) == 1
