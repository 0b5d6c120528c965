"""What every client test ends with: the provider's bill, our records and the price book say the same.

    meter = Meter(laidian, provider)
    ...requests...
    meter.same(input=12, output=5)    # what the client's library said of its last answer
    meter.check()                     # of everything since

The rule behind it: no request is billed at zero by mistake, billed twice, or recorded with a wrong token class. So each row of the
provider's bill that costs something has one record, with the row's token classes and the price of those; and each record without such a
row costs nothing. Where an answer broke off in the middle, the provider may never have said what it charges: that record is estimated,
and says so; where it counted along (Gemini), the record has what it said last.
"""

from __future__ import annotations

import time

from laidian.data import price_book_bytes
from laidian.domain.price import price_usage
from laidian.domain.price_book import parse_book
from laidian.domain.usage import Usage
from tests.served import Record, Served
from tests.simulated_provider import BilledRow, BilledUsage, SimulatedProvider

_BOOK = parse_book(price_book_bytes())
FREE = {"omni-moderation-latest"}
"""Models whose published price is nothing."""


FOR_NOTHING = {"content_policy_violation", "no_image_generated"}
"""Codes of answers that were made and are charged, although the client gets an error: pictures that were not drawn."""


class Meter:
    """Compares from the moment it is made; the provider's bill has to be empty then."""

    def __init__(self, laidian: Served, provider: SimulatedProvider) -> None:
        self._laidian = laidian
        self._provider = provider
        self._before = len(laidian.records())
        self._unsaid: set[str] = set()

    def records(self) -> list[Record]:
        """Of all requests since, once every one of them is settled."""
        self._laidian.wait_settled()
        return self._laidian.records()[self._before :]

    def same(self, *, input: int, output: int, cached: int = 0, reasoning: int = 0) -> Record:
        """The last record has what the client was told: sums as the bill words them, cached and reasoning tokens inside."""
        record = self.records()[-1]
        told = (input, cached, output, reasoning)
        assert told == (
            record.input + record.cached_input + record.cache_write + record.image_input,
            record.cached_input,
            record.output + record.reasoning + record.image_output,
            record.reasoning,
        ), f"the client was told {told} of {record}"
        return record

    def unsaid(self) -> Record:
        """The last record, of an answer whose provider kept its usage to itself: an estimate that says so, and never free."""
        record = self.records()[-1]
        assert (record.ended, record.usage_from, record.status) == ("complete", "estimated", 200), record
        assert record.amount_nano > 0, record
        self._unsaid.add(record.request_id)
        return record

    def check(self, *, requests: int | None = None) -> list[Record]:
        """Raises AssertionError where bill, records and prices differ, or when there were not so many requests."""
        records = self.records()
        rows = [row for row in self._provider.bill().rows if row.usage != BilledUsage()]
        by_request = {row.request_id: row for row in rows}
        assert len(by_request) == len(rows), "the provider charged one request of ours twice"
        ids = [record.request_id for record in records]
        assert set(by_request) <= set(ids), "the provider charged for a request that has no record"
        assert len(ids) == len(set(ids))
        for record in records:
            if record.request_id in self._unsaid:
                assert record.request_id in by_request
                continue
            _judge(record, by_request.get(record.request_id))
        if requests is not None:
            assert len(records) == requests, [record.operation for record in records]
        return records


def _judge(record: Record, row: BilledRow | None) -> None:
    assert record.shortfall_nano == 0
    if row is None:
        assert record.amount_nano == 0, f"costs money, but nothing was used: {record}"
        return
    assert row.model == record.model
    assert record.amount_nano > 0 or row.model in FREE, f"used, but free: {record}"
    if row.ended.startswith("fault:"):
        assert record.ended == "upstream_fault"
        if record.usage_from == "upstream":
            assert record.input + record.cached_input == row.usage.input_tokens
            assert record.output + record.reasoning <= row.usage.output_tokens
        else:
            assert record.usage_from == "estimated"
        return
    assert (record.ended, record.usage_from) == ("complete", "upstream")
    assert record.status == 200 or record.error_code in FOR_NOTHING, record
    recorded = Usage(
        record.input, record.cached_input, record.cache_write, image_input=record.image_input, output=record.output,
        reasoning=record.reasoning, image_output=record.image_output,
    )  # fmt: skip
    billed = _classes(row.usage)
    assert recorded == billed, f"recorded {recorded}, billed {billed}"
    price = _BOOK.find(row.model, int(time.time() * 1000))
    assert price is not None
    assert record.amount_nano == price_usage(price, billed, service_tier=row.service_tier or "").amount_nano


def _classes(usage: BilledUsage) -> Usage:
    """The bill's inclusive sums, taken apart."""
    return Usage(
        input=usage.input_tokens
        - usage.cached_input_tokens
        - usage.cache_write_tokens
        - usage.input_image_tokens,
        cached_input=usage.cached_input_tokens,
        cache_write=usage.cache_write_tokens,
        image_input=usage.input_image_tokens,
        output=usage.output_tokens - usage.reasoning_tokens - usage.output_image_tokens,
        reasoning=usage.reasoning_tokens,
        image_output=usage.output_image_tokens,
    )
