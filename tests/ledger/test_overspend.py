"""Many requests at once on a quota that affords some of them: real processes, real sockets, the provider's own bill."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import httpx2
import msgspec
import pytest

from laidian.domain.quota import WindowKind
from tests.ledger.bills import against_the_bill
from tests.ledger.identities import violations
from tests.served import Served, Setup, served
from tests.simulated_provider import SimulatedProvider, simulated_provider

REQUESTS, AFFORDABLE = 200, 50
OUTPUT_TOKENS = 20
PROMPT = f"[[tokens:{OUTPUT_TOKENS}]] [[delay:40]] hello there"
LOOK_S = 0.05


class Reply(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: str


@pytest.fixture(scope="module")
def provider() -> Iterator[SimulatedProvider]:
    with simulated_provider() as provider:
        yield provider


def cost_nano(provider: SimulatedProvider) -> int:
    """What one of these requests really costs: the price is published, the tokens are the provider's."""
    with served(provider) as laidian:
        asyncio.run(fire(laidian, 1, stream=False, limit=OUTPUT_TOKENS))
        (record,) = laidian.records()
    assert record.amount_nano > 0
    return record.amount_nano


@pytest.fixture(scope="module")
def one_nano(provider: SimulatedProvider) -> int:
    return cost_nano(provider)


async def fire(laidian: Served, number: int, *, stream: bool, limit: int | None) -> list[Reply]:
    """So many requests at the same time."""
    body: dict[str, object] = {"model": "gpt-5.4", "messages": [{"role": "user", "content": PROMPT}]}
    if limit is not None:
        body["max_completion_tokens"] = limit
    if stream:
        body["stream"] = True
    headers = {"authorization": f"Bearer {laidian.key}"}

    async with httpx2.AsyncClient(
        timeout=60, limits=httpx2.Limits(max_connections=None), trust_env=False, headers=headers
    ) as http:

        async def one() -> Reply:
            answer = await http.post(f"{laidian.base_url}/v1/chat/completions", json=body)
            return Reply(answer.status_code, dict(answer.headers), answer.text)

        return await asyncio.gather(*(one() for _ in range(number)))


@contextlib.asynccontextmanager
async def watched(laidian: Served) -> AsyncIterator[list[int]]:
    """Looks at all identities every 50 ms; gives what was left at each look, nano-USD."""
    lefts: list[int] = []

    async def look() -> None:
        with laidian.database() as reader:
            while True:
                assert violations(reader, file=False) == []
                (left,) = reader.execute(
                    "SELECT credited_nano - held_nano - spent_nano FROM quotas"
                ).fetchone()
                lefts.append(left)
                await asyncio.sleep(LOOK_S)

    looking = asyncio.create_task(look())
    yield lefts
    if looking.done():
        await looking
    looking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await looking


def judge_refusals(replies: list[Reply]) -> None:
    """Every refusal says what it is, and that trying again is no use."""
    for reply in replies:
        if reply.status == 200:
            continue
        assert reply.status == 429, reply
        error = msgspec.json.decode(reply.body)["error"]
        assert (error["code"], error["type"]) == ("insufficient_quota", "insufficient_quota")
        assert reply.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("limit", [OUTPUT_TOKENS, None], ids=["with-limit", "without-limit"])
async def test_two_hundred_at_once_spend_no_more_than_there_is(
    provider: SimulatedProvider, one_nano: int, workers: int, stream: bool, limit: int | None
) -> None:
    provider.reset()
    credited = AFFORDABLE * one_nano
    with served(provider, workers=workers, setup=Setup(credited_nano=credited)) as laidian:
        async with watched(laidian) as lefts:
            replies = await fire(laidian, REQUESTS, stream=stream, limit=limit)
        judge_refusals(replies)
        statuses = Counter(reply.status for reply in replies)
        assert sum(statuses.values()) == REQUESTS
        assert 0 < statuses[200] <= AFFORDABLE
        assert min(lefts) >= 0
        assert laidian.holds() == []
        records = laidian.records()
        assert len(records) == statuses[200], "a refusal is no record, and each answer is one"
        assert sum(record.charged_nano for record in records) == statuses[200] * one_nano <= credited
        assert all(record.ended == "complete" and record.shortfall_nano == 0 for record in records)
        assert against_the_bill(records, provider.bill().rows) == []
        with laidian.database() as reader:
            assert violations(reader) == []


@pytest.mark.parametrize("workers", [1, 2])
async def test_one_after_the_other_the_quota_is_used_up_to_the_last_request(
    provider: SimulatedProvider, one_nano: int, workers: int
) -> None:
    """What a hold took too much comes back: no more is left in the end than one hold."""
    provider.reset()
    with served(provider, workers=workers, setup=Setup(credited_nano=10 * one_nano)) as laidian:
        for _ in range(12):
            judge_refusals(await fire(laidian, 1, stream=False, limit=OUTPUT_TOKENS))
        (held,) = {record.held_nano for record in laidian.records()}
        with laidian.database() as reader:
            (left,) = reader.execute("SELECT credited_nano - held_nano - spent_nano FROM quotas").fetchone()
        assert 0 <= left < held


@pytest.mark.parametrize("windows", [{"5h": 10}, {"day": 12, "month": 10}], ids=["5h", "day-and-month"])
async def test_a_plans_windows_hold_against_fifty_at_once(
    provider: SimulatedProvider, one_nano: int, windows: dict[WindowKind, int]
) -> None:
    provider.reset()
    limits: dict[WindowKind, int] = {kind: times * one_nano for kind, times in windows.items()}
    with served(provider, workers=2, setup=Setup(limits_nano=limits)) as laidian:
        replies = await fire(laidian, 50, stream=False, limit=OUTPUT_TOKENS)
        judge_refusals(replies)
        assert 0 < sum(reply.status == 200 for reply in replies) <= 10
        with laidian.database() as reader:
            assert violations(reader) == []


async def test_a_keys_own_limit_holds_against_fifty_at_once(
    provider: SimulatedProvider, one_nano: int
) -> None:
    provider.reset()
    with served(provider, workers=2, setup=Setup(key_limit_nano=10 * one_nano)) as laidian:
        replies = await fire(laidian, 50, stream=True, limit=OUTPUT_TOKENS)
        judge_refusals(replies)
        assert 0 < sum(reply.status == 200 for reply in replies) <= 10
        with laidian.database() as reader:
            assert violations(reader) == []


async def test_a_stream_that_outgrows_the_quota_is_cut_and_nothing_goes_below_zero(
    provider: SimulatedProvider, one_nano: int
) -> None:
    """No limit named: the hold is all there is, and the answer is longer than that."""
    provider.reset()
    body = {
        "model": "gpt-5.4",
        "stream": True,
        "messages": [{"role": "user", "content": "[[tokens:4000]] [[pace:1]]"}],
    }
    with served(provider, setup=Setup(credited_nano=5 * one_nano)) as laidian:
        async with httpx2.AsyncClient(timeout=60, trust_env=False) as http:
            answer = await http.post(
                f"{laidian.base_url}/v1/chat/completions",
                json=body,
                headers={"authorization": f"Bearer {laidian.key}"},
            )
        assert "insufficient_quota" in answer.text
        assert "[DONE]" not in answer.text
        (record,) = laidian.records()
        assert (record.ended, record.usage_from) == ("cut", "estimated")
        # the hold is made of upper bounds, the estimate of likely figures
        assert 4.5 * one_nano < record.charged_nano <= 5 * one_nano
        with laidian.database() as reader:
            assert violations(reader) == []
    (row,) = provider.bill(rows=1).rows
    assert row.ended == "client_gone", "the provider was let go"
    assert row.usage.output_tokens < 2 * record.output + 50
