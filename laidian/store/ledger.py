"""Holds, settlements and the counters they move: the ledger.

Every function here is one operation on a connection inside a writing transaction (store.writer or store.database.immediate);
a hold and a settlement each move everything they touch or nothing. The rules of how much are in laidian.domain.hold.
The rule a newcomer would break: counters change nowhere else, so that `audit` can prove them from the records.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from laidian.domain.hold import charge_nano, hold_nano
from laidian.domain.price import Price
from laidian.domain.quota import FIVE_HOURS_MS, Counter, WindowKind, window_end_ms, window_start_ms
from laidian.domain.record import Hold, HoldRequest, Refusal, Settled, Settlement
from laidian.domain.usage import UNITS

MINUTE_MS = 60_000

_ACCOUNT = """
    SELECT k.enabled, k.expires_at_ms, k.deleted_at_ms, k.limit_nano, k.held_nano, k.spent_nano,
           q.name, q.kind, q.enabled, q.expires_at_ms, q.limits_nano, q.credited_nano, q.held_nano, q.spent_nano
    FROM keys k JOIN quotas q ON q.id = ? WHERE k.id = ?
"""
_HOLD = """
    INSERT INTO holds (request_id, owner, key_id, group_id, quota_id, amount_nano, operation, model, asked_model, price_version,
                       multiplier_ppm, stream, input_tokens, rate_tokens, windows, created_at_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_TAKE = """
    DELETE FROM holds WHERE request_id = ?
    RETURNING key_id, group_id, quota_id, amount_nano, operation, model, asked_model, price_version, multiplier_ppm, stream,
              rate_tokens, windows, created_at_ms
"""
_RECORD = f"""
    INSERT INTO usage_records (request_id, key_id, group_id, quota_id, upstream_id, credential_id, operation, model,
        asked_model, upstream_model, stream, started_at_ms, first_byte_ms, duration_ms, status, ended, error_code, usage_from,
        {", ".join(UNITS)},
        price_version, service_tier, multiplier_ppm, amount_nano, shortfall_nano, held_nano, windows, attempts, client)
    VALUES ({", ".join("?" * (27 + len(UNITS)))})
"""


class _Account(msgspec.Struct, frozen=True):
    """The row of _ACCOUNT."""

    key_enabled: int
    key_expires_at_ms: int | None
    key_deleted_at_ms: int | None
    key_limit_nano: int | None
    key_held_nano: int
    key_spent_nano: int
    quota_name: str
    quota_kind: str
    quota_enabled: int
    quota_expires_at_ms: int | None
    quota_limits: str
    quota_credited_nano: int
    quota_held_nano: int
    quota_spent_nano: int

    def key_counter(self) -> Counter:
        return Counter(self.key_limit_nano, self.key_held_nano, self.key_spent_nano)

    def quota_counter(self) -> Counter:
        limit = self.quota_credited_nano if self.quota_kind == "prepaid" else None
        return Counter(limit, self.quota_held_nano, self.quota_spent_nano)


class _Window(msgspec.Struct, frozen=True):
    kind: WindowKind
    start_ms: int
    counter: Counter


def open_hold(connection: sqlite3.Connection, request: HoldRequest) -> Hold | Refusal:
    """Admits a request and sets its money aside, or says which gate is closed. Writes nothing when it refuses."""
    row = connection.execute(_ACCOUNT, (request.quota_id, request.key_id)).fetchone()
    if row is None:
        return Refusal("key")
    account = _Account(*row)
    refusal = _standing(account, request.now_ms) or _rates(connection, request)
    if refusal is not None:
        return refusal
    windows: list[_Window] = []
    if account.quota_kind == "plan":
        windows = _plan_windows(connection, request.quota_id, account.quota_limits, request.now_ms)
    key, quota = account.key_counter(), account.quota_counter()
    amount = hold_nano(request.demand, (key, quota, *(window.counter for window in windows)))
    if amount is None:
        return _closed(request.demand.least_nano, key, quota, account.quota_name, windows)
    _set_aside(connection, request, amount, windows)
    return Hold(request.request_id, amount)


def _standing(account: _Account, now_ms: int) -> Refusal | None:
    if not account.key_enabled or account.key_deleted_at_ms is not None:
        return Refusal("key")
    if account.key_expires_at_ms is not None and account.key_expires_at_ms <= now_ms:
        return Refusal("key")
    if not account.quota_enabled:
        return Refusal("quota", account.quota_name)
    if account.quota_expires_at_ms is not None and account.quota_expires_at_ms <= now_ms:
        return Refusal("quota_expired", account.quota_name)
    return None


def _rates(connection: sqlite3.Connection, request: HoldRequest) -> Refusal | None:
    rates = request.rates
    if rates.concurrent_requests is not None:
        (open_now,) = connection.execute(
            "SELECT count(*) FROM holds WHERE key_id = ?", (request.key_id,)
        ).fetchone()
        if open_now >= rates.concurrent_requests:
            return Refusal("concurrency", limit=rates.concurrent_requests)
    if not rates.by_minute:
        return None
    minute = request.now_ms // MINUTE_MS
    row = connection.execute(
        "SELECT requests, tokens FROM rate_windows WHERE key_id = ? AND minute = ?", (request.key_id, minute)
    ).fetchone()
    requests, tokens = row or (0, 0)
    opens_at_ms = (minute + 1) * MINUTE_MS
    if rates.requests_per_minute is not None and requests >= rates.requests_per_minute:
        return Refusal("requests", limit=rates.requests_per_minute, opens_at_ms=opens_at_ms)
    # a request larger than the whole window is let into an empty one, or it could never run
    if (
        rates.tokens_per_minute is not None
        and tokens
        and tokens + request.rate_tokens > rates.tokens_per_minute
    ):
        return Refusal("tokens", limit=rates.tokens_per_minute, opens_at_ms=opens_at_ms)
    return None


def _plan_windows(connection: sqlite3.Connection, quota_id: int, limits: str, now_ms: int) -> list[_Window]:
    windows: list[_Window] = []
    for kind, limit_nano in msgspec.json.decode(limits, type=dict[WindowKind, int]).items():
        (last,) = connection.execute(
            "SELECT max(start_ms) FROM plan_windows WHERE quota_id = ? AND kind = ? AND start_ms < ?",
            (quota_id, kind, now_ms + FIVE_HOURS_MS),
        ).fetchone()
        start_ms = window_start_ms(kind, now_ms, last)
        held, spent = connection.execute(
            "SELECT held_nano, spent_nano FROM plan_windows WHERE quota_id = ? AND kind = ? AND start_ms = ?",
            (quota_id, kind, start_ms),
        ).fetchone() or (0, 0)
        windows.append(_Window(kind, start_ms, Counter(limit_nano, held, spent)))
    return windows


def _closed(
    needed_nano: int, key: Counter, quota: Counter, quota_name: str, windows: list[_Window]
) -> Refusal:
    """The first counter that cannot carry the request."""
    if quota.left_nano is not None and quota.left_nano < needed_nano:
        return Refusal(
            "balance", quota_name, quota.limit_nano or 0, quota.left_nano, quota.held_nano, needed_nano
        )
    for window in windows:
        left = window.counter.left_nano
        if left is not None and left < needed_nano:
            ends = window_end_ms(window.kind, window.start_ms)
            limit = window.counter.limit_nano or 0
            return Refusal("window", window.kind, limit, left, window.counter.held_nano, needed_nano, ends)
    return Refusal("key_limit", "", key.limit_nano or 0, key.left_nano or 0, key.held_nano, needed_nano)


def _set_aside(
    connection: sqlite3.Connection, request: HoldRequest, amount: int, windows: list[_Window]
) -> None:
    connection.execute("UPDATE keys SET held_nano = held_nano + ? WHERE id = ?", (amount, request.key_id))
    connection.execute("UPDATE quotas SET held_nano = held_nano + ? WHERE id = ?", (amount, request.quota_id))
    for window in windows:
        connection.execute(
            "INSERT INTO plan_windows (quota_id, kind, start_ms, held_nano) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (quota_id, kind, start_ms) DO UPDATE SET held_nano = held_nano + excluded.held_nano",
            (request.quota_id, window.kind, window.start_ms, amount),
        )
    if request.rates.by_minute:
        connection.execute(
            "INSERT INTO rate_windows (key_id, minute, requests, tokens) VALUES (?, ?, 1, ?) "
            "ON CONFLICT (key_id, minute) DO UPDATE SET requests = requests + 1, tokens = tokens + excluded.tokens",
            (request.key_id, request.now_ms // MINUTE_MS, request.rate_tokens),
        )
    starts = (
        msgspec.json.encode({window.kind: window.start_ms for window in windows}).decode()
        if windows
        else "{}"
    )
    values: tuple[Any, ...] = (
        request.request_id, request.owner, request.key_id, request.group_id, request.quota_id, amount, request.operation,
        request.model, request.asked_model, request.price.version, request.multiplier_ppm, request.stream, request.input_tokens,
        request.rate_tokens if request.rates.by_minute else -1, starts, request.now_ms,
    )  # fmt: skip
    connection.execute(_HOLD, values)
    if request.store_price:
        keep_price(connection, request.price, "book", request.now_ms)


def keep_price(connection: sqlite3.Connection, price: Price, origin: str, now_ms: int) -> None:
    """Writes a price that records will name. Prices are never changed: another price has another version."""
    connection.execute(
        "INSERT OR IGNORE INTO prices (version, model, effective_from_ms, origin, source, source_date, rates, "
        "context_tokens, max_output_tokens, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            price.version, price.model, price.effective_from_ms, origin, price.source, price.source_date,
            msgspec.json.encode(price.rates).decode(), price.context_tokens, price.max_output_tokens, now_ms,
        ),
    )  # fmt: skip


def extend_hold(connection: sqlite3.Connection, request_id: str, more_nano: int) -> bool:
    """Adds to a hold while its stream runs, by all of `more_nano` or nothing. False when the money is not there."""
    row = connection.execute(
        "SELECT key_id, quota_id, windows FROM holds WHERE request_id = ?", (request_id,)
    ).fetchone()
    if row is None:
        return False
    key_id, quota_id, windows = row
    for counter in _counters(connection, key_id, quota_id, windows):
        if counter.left_nano is not None and counter.left_nano < more_nano:
            return False
    connection.execute("UPDATE keys SET held_nano = held_nano + ? WHERE id = ?", (more_nano, key_id))
    connection.execute("UPDATE quotas SET held_nano = held_nano + ? WHERE id = ?", (more_nano, quota_id))
    for kind, start_ms in msgspec.json.decode(windows, type=dict[str, int]).items():
        connection.execute(
            "UPDATE plan_windows SET held_nano = held_nano + ? WHERE quota_id = ? AND kind = ? AND start_ms = ?",
            (more_nano, quota_id, kind, start_ms),
        )
    connection.execute(
        "UPDATE holds SET amount_nano = amount_nano + ? WHERE request_id = ?", (more_nano, request_id)
    )
    return True


def settle(connection: sqlite3.Connection, settlement: Settlement) -> Settled | None:
    """Ends a hold: record, money and windows together. None when it was settled before, by whomever."""
    row = connection.execute(_TAKE, (settlement.request_id,)).fetchone()
    if row is None:
        return None
    (key_id, group_id, quota_id, held, operation, model, asked_model, price_version, multiplier_ppm, stream,
     rate_tokens, windows, created_at_ms) = row  # fmt: skip
    charged = settlement.amount_nano
    if charged > held:
        charged = charge_nano(charged, held, _counters(connection, key_id, quota_id, windows))
    move = (held, charged)
    connection.execute(
        "UPDATE keys SET held_nano = held_nano - ?, spent_nano = spent_nano + ?, last_used_at_ms = ? WHERE id = ?",
        (*move, created_at_ms, key_id),
    )
    (unspent,) = connection.execute(
        "UPDATE quotas SET held_nano = held_nano - ?, spent_nano = spent_nano + ? WHERE id = ? "
        "RETURNING CASE kind WHEN 'prepaid' THEN credited_nano - spent_nano END",
        (*move, quota_id),
    ).fetchone()
    if windows != "{}":
        _settle_windows(connection, quota_id, windows, move)
    usage = settlement.usage
    if rate_tokens >= 0:
        actual = usage.total_input_tokens + usage.total_output_tokens
        connection.execute(
            "UPDATE rate_windows SET tokens = max(0, tokens + ?) WHERE key_id = ? AND minute = ?",
            (actual - rate_tokens, key_id, created_at_ms // MINUTE_MS),
        )
    shortfall = settlement.amount_nano - charged
    values: tuple[Any, ...] = (
        settlement.request_id, key_id, group_id, quota_id, settlement.upstream_id, settlement.credential_id, operation, model,
        asked_model, settlement.upstream_model, stream, created_at_ms, settlement.first_byte_ms, settlement.duration_ms,
        settlement.status, settlement.ended, settlement.error_code, settlement.usage_from,
        *[getattr(usage, unit) for unit in UNITS],
        price_version, settlement.service_tier, multiplier_ppm, settlement.amount_nano, shortfall, held, windows,
        settlement.attempts, settlement.client,
    )  # fmt: skip
    connection.execute(_RECORD, values)
    return Settled(charged, shortfall, unspent)


def _settle_windows(
    connection: sqlite3.Connection, quota_id: int, windows: str, move: tuple[int, int]
) -> None:
    for kind, start_ms in msgspec.json.decode(windows, type=dict[str, int]).items():
        connection.execute(
            "UPDATE plan_windows SET held_nano = held_nano - ?, spent_nano = spent_nano + ? "
            "WHERE quota_id = ? AND kind = ? AND start_ms = ?",
            (*move, quota_id, kind, start_ms),
        )


def _counters(connection: sqlite3.Connection, key_id: int, quota_id: int, windows: str) -> list[Counter]:
    account = _Account(*connection.execute(_ACCOUNT, (quota_id, key_id)).fetchone())
    counters = [account.key_counter(), account.quota_counter()]
    limits = msgspec.json.decode(account.quota_limits, type=dict[str, int])
    for kind, start_ms in msgspec.json.decode(windows, type=dict[str, int]).items():
        row = connection.execute(
            "SELECT held_nano, spent_nano FROM plan_windows WHERE quota_id = ? AND kind = ? AND start_ms = ?",
            (quota_id, kind, start_ms),
        ).fetchone()
        if row is not None:
            counters.append(Counter(limits.get(kind), *row))
    return counters


def note_progress(connection: sqlite3.Connection, notes: list[tuple[int | None, int, str]]) -> None:
    """Writes what running requests have produced: (upstream id, likely output tokens so far, request id) each.

    What an orphan is charged by; written every few seconds for the requests that last that long.
    """
    connection.executemany("UPDATE holds SET upstream_id = ?, output_tokens = ? WHERE request_id = ?", notes)


def sweep_rates(connection: sqlite3.Connection, now_ms: int) -> None:
    """Forgets minute windows that can no longer be corrected by a settlement (two hours)."""
    connection.execute("DELETE FROM rate_windows WHERE minute < ?", (now_ms // MINUTE_MS - 120,))
