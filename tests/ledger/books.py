"""Ledger files for tests below the relay: an empty database with some quotas and keys, and what a request asks of them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path

import msgspec

from laidian.domain.group import RateLimits
from laidian.domain.hold import Demand
from laidian.domain.price import Price, Rate
from laidian.domain.quota import QuotaKind, WindowKind
from laidian.domain.record import Ending, HoldRequest, Settlement
from laidian.domain.usage import Usage
from laidian.store.database import WriteLock, connect, immediate, lock_path, migrate

INPUT_NANO, OUTPUT_NANO = 1, 2
"""What one token costs in these books."""

PRICE = Price(
    "model", 0, "test", "2026-11-22", "test-1",
    (Rate("input", INPUT_NANO * 1_000_000), Rate("output", OUTPUT_NANO * 1_000_000)), None, None,
)  # fmt: skip


class QuotaRow(msgspec.Struct, frozen=True):
    kind: QuotaKind
    credited_nano: int = 0
    limits_nano: dict[WindowKind, int] = {}


class KeyRow(msgspec.Struct, frozen=True):
    quota_id: int
    limit_nano: int | None = None


def make_books(path: Path, quotas: list[QuotaRow], keys: list[KeyRow]) -> None:
    """A new database; ids are places in the lists, counted from 1."""
    migrate(path)
    with writing(path) as connection:
        connection.execute(
            "INSERT INTO groups (id, name, capabilities, created_at_ms) VALUES (1, 'default', '[\"chat\"]', 0)"
        )
        for number, quota in enumerate(quotas, start=1):
            connection.execute(
                "INSERT INTO quotas (id, name, kind, limits_nano, credited_nano, created_at_ms) VALUES (?, ?, ?, ?, ?, 0)",
                (number, f"quota-{number}", quota.kind, msgspec.json.encode(quota.limits_nano).decode(), quota.credited_nano),
            )  # fmt: skip
            connection.execute(
                "INSERT INTO credits (quota_id, amount_nano, note, at_ms) VALUES (?, ?, 'first', 0)",
                (number, quota.credited_nano),
            )
        for number, key in enumerate(keys, start=1):
            connection.execute(
                "INSERT INTO keys (id, name, digest, display, group_id, quota_id, limit_nano, created_at_ms) "
                "VALUES (?, ?, ?, 'sk-…', 1, ?, ?, 0)",
                (number, f"key-{number}", bytes([number]) * 32, key.quota_id, key.limit_nano),
            )


@contextlib.contextmanager
def writing(path: Path) -> Generator[sqlite3.Connection, None, None]:
    """One transaction beside whoever else writes."""
    connection, lock = connect(path, synchronous="OFF"), WriteLock(lock_path(path))
    try:
        with immediate(connection, lock):
            yield connection
    finally:
        connection.close()
        lock.close()


def ask(
    request_id: str,
    *,
    worst_nano: int,
    least_nano: int | None = None,
    key_id: int = 1,
    quota_id: int = 1,
    owner: str = "worker",
    rates: RateLimits | None = None,
    rate_tokens: int = 0,
    input_tokens: int = 0,
    now_ms: int = 1_000_000_000_000,
    store_price: bool = True,
) -> HoldRequest:
    """A request; without `least_nano` it names its output limit."""
    return HoldRequest(
        request_id=request_id,
        owner=owner,
        key_id=key_id,
        group_id=1,
        quota_id=quota_id,
        demand=Demand(worst_nano, worst_nano if least_nano is None else least_nano),
        rates=rates or RateLimits(),
        operation="chat.completions",
        model="model",
        asked_model="model",
        price=PRICE,
        store_price=store_price,
        multiplier_ppm=1_000_000,
        stream=False,
        input_tokens=input_tokens,
        rate_tokens=rate_tokens,
        now_ms=now_ms,
    )


def ending(
    request_id: str, amount_nano: int, *, usage: Usage | None = None, ended: Ending = "complete"
) -> Settlement:
    return Settlement(
        request_id=request_id,
        usage=usage or Usage(),
        amount_nano=amount_nano,
        service_tier="default",
        usage_from="upstream",
        ended=ended,
        status=200,
        error_code="",
        upstream_id=None,
        credential_id=None,
        upstream_model="model",
        first_byte_ms=None,
        duration_ms=1,
        finished_at_ms=1,
        attempts="[]",
        client="",
    )
