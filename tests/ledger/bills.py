"""Records beside the provider's own bill."""

from __future__ import annotations

from collections.abc import Iterable

from tests.served import Record
from tests.simulated_provider import BilledRow


def recorded(record: Record) -> tuple[int, int, int, int]:
    """(input, cached input, output, reasoning), the sums inclusive, as the provider counts."""
    return (
        record.input + record.cached_input,
        record.cached_input,
        record.output + record.reasoning,
        record.reasoning,
    )


def billed(row: BilledRow) -> tuple[int, int, int, int]:
    usage = row.usage
    return usage.input_tokens, usage.cached_input_tokens, usage.output_tokens, usage.reasoning_tokens


def against_the_bill(records: Iterable[Record], rows: Iterable[BilledRow]) -> list[str]:
    """Where complete records differ from the bill, what was billed without a record, and what was billed twice."""
    by_id = {record.request_id: record for record in records}
    found: list[str] = []
    seen: set[str] = set()
    for row in rows:
        record = by_id.get(row.request_id or "")
        if record is None:
            found.append(f"billed without a record: {row}")
            continue
        if record.request_id in seen:
            found.append(f"asked for twice: {row}")
        seen.add(record.request_id)
        if record.ended == "complete" and (record.usage_from, recorded(record)) != ("upstream", billed(row)):
            found.append(f"{record} is not {row}")
    complete = {record.request_id for record in by_id.values() if record.ended == "complete"}
    return [*found, *(f"recorded without a bill: {by_id[missing]}" for missing in complete - seen)]
