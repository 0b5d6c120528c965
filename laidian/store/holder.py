"""What the ledger says of one key: its account, the windows of its plan, what it spent when on what, and one record.

Reads only, one statement per function, everything by the key's id. The rule a newcomer would break: nothing here is of another key,
but for the counters of a quota that several keys share.
"""

from __future__ import annotations

import msgspec

from laidian.domain.quota import FIVE_HOURS_MS, WINDOW_KINDS, WindowKind, window_start_ms
from laidian.domain.usage import OUTPUT_UNITS
from laidian.store.connection import Connection
from laidian.store.usage import RecordRow, read_record

BUCKET_MS = 900_000
"""A quarter of an hour. The midnights of every time zone in use fall on one, so days of any zone can be added up from buckets."""

_CHARGED = "amount_nano - shortfall_nano"
_FRESH = "input + image_input + audio_input"
_WRITTEN = "cache_write + cache_write_1h"
_READ = "cached_input + cached_image_input + cached_audio_input"
_OUTPUT = " + ".join(OUTPUT_UNITS)


class AccountRow(msgspec.Struct, frozen=True):
    """A key with its group and its quota."""

    key: str
    key_expires_at_ms: int | None
    key_limit_nano: int | None
    key_held_nano: int
    key_spent_nano: int
    group: str
    group_enabled: int
    multiplier_ppm: int
    quota_id: int
    quota: str
    quota_kind: str
    quota_enabled: int
    quota_expires_at_ms: int | None
    limits: str
    """JSON: nano-USD by kind of window."""
    credited_nano: int
    quota_spent_nano: int
    in_flight: int
    """Requests of this key."""


class Window(msgspec.Struct, frozen=True):
    """One window of a plan as it is now. All keys of the quota spend from it."""

    kind: WindowKind
    limit_nano: int
    held_nano: int
    spent_nano: int
    start_ms: int | None
    """None: no window of five hours is open; the next request opens one."""

    @property
    def unspent_nano(self) -> int:
        return max(0, self.limit_nano - self.spent_nano)


class Bucket(msgspec.Struct, frozen=True):
    """What one key asked of one model in a quarter of an hour, as far as it is settled."""

    number: int
    """Of BUCKET_MS, since the epoch."""
    model: str
    requests: int
    fresh_tokens: int
    """Of prompts, neither read from a cache nor written to one."""
    written_tokens: int
    read_tokens: int
    output_tokens: int
    charged_nano: int
    duration_ms: int


class Pace(msgspec.Struct, frozen=True):
    requests: int
    tokens: int


def read_account(connection: Connection, key_id: int) -> AccountRow | None:
    """None when the key is deleted."""
    row = connection.execute(
        "SELECT k.name, k.expires_at_ms, k.limit_nano, k.held_nano, k.spent_nano, "
        "g.name, g.enabled AND g.deleted_at_ms IS NULL, g.multiplier_ppm, "
        "q.id, q.name, q.kind, q.enabled, q.expires_at_ms, q.limits_nano, q.credited_nano, q.spent_nano, "
        "(SELECT count(*) FROM holds h WHERE h.key_id = k.id) "
        "FROM keys k JOIN groups g ON g.id = k.group_id JOIN quotas q ON q.id = k.quota_id "
        "WHERE k.id = ? AND k.deleted_at_ms IS NULL",
        (key_id,),
    ).fetchone()
    return None if row is None else AccountRow(*row)


def read_windows(connection: Connection, quota_id: int, limits: str, now_ms: int) -> tuple[Window, ...]:
    """The windows that a request would be counted in now, shortest first; chosen as the ledger chooses them."""
    limits_nano = msgspec.json.decode(limits, type=dict[WindowKind, int])
    return tuple(
        _window(connection, quota_id, kind, limits_nano[kind], now_ms)
        for kind in WINDOW_KINDS
        if kind in limits_nano
    )


def _window(connection: Connection, quota_id: int, kind: WindowKind, limit_nano: int, now_ms: int) -> Window:
    (last,) = connection.execute(
        "SELECT max(start_ms) FROM plan_windows WHERE quota_id = ? AND kind = ? AND start_ms < ?",
        (quota_id, kind, now_ms + FIVE_HOURS_MS),
    ).fetchone()
    start_ms = window_start_ms(kind, now_ms, last)
    row = connection.execute(
        "SELECT held_nano, spent_nano FROM plan_windows WHERE quota_id = ? AND kind = ? AND start_ms = ?",
        (quota_id, kind, start_ms),
    ).fetchone()
    if row is None:
        return Window(kind, limit_nano, 0, 0, None if kind == "5h" else start_ms)
    held_nano, spent_nano = row
    return Window(kind, limit_nano, held_nano, spent_nano, start_ms)


def read_buckets(connection: Connection, key_id: int, since_ms: int) -> list[Bucket]:
    """Everything begun since, by quarter of an hour and model."""
    rows = connection.execute(
        f"SELECT started_at_ms / {BUCKET_MS}, model, count(*), sum({_FRESH}), sum({_WRITTEN}), sum({_READ}), sum({_OUTPUT}), "
        f"sum({_CHARGED}), sum(duration_ms) FROM usage_records WHERE key_id = ? AND started_at_ms >= ? "
        "GROUP BY 1, 2 ORDER BY 1, 2",
        (key_id, since_ms),
    )
    return [Bucket(*row) for row in rows]


def count_records(connection: Connection, key_id: int) -> int:
    """All settled requests of a key."""
    (requests,) = connection.execute(
        "SELECT count(*) FROM usage_records WHERE key_id = ?", (key_id,)
    ).fetchone()
    return requests


def read_pace(connection: Connection, key_id: int, since_ms: int) -> Pace:
    """What was begun since and is settled; for a minute or so, hence by the index of time ("+" hides the one of keys)."""
    row = connection.execute(
        f"SELECT count(*), coalesce(sum({_FRESH} + {_WRITTEN} + {_READ} + {_OUTPUT}), 0) FROM usage_records "
        "WHERE +key_id = ? AND started_at_ms >= ?",
        (key_id, since_ms),
    ).fetchone()
    return Pace(*row)


def spent_between(connection: Connection, key_id: int, since_ms: int, until_ms: int) -> int:
    """Nano-USD charged for what was begun in a period."""
    (charged_nano,) = connection.execute(
        f"SELECT coalesce(sum({_CHARGED}), 0) FROM usage_records "
        "WHERE key_id = ? AND started_at_ms >= ? AND started_at_ms < ?",
        (key_id, since_ms, until_ms),
    ).fetchone()
    return charged_nano


def read_own_record(connection: Connection, key_id: int, request_id: str) -> RecordRow | None:
    """A record of this key; None when it is another's, or nobody's."""
    own = connection.execute(
        "SELECT 1 FROM usage_records WHERE request_id = ? AND key_id = ?", (request_id, key_id)
    ).fetchone()
    return None if own is None else read_record(connection, request_id)


def is_in_flight(connection: Connection, key_id: int, request_id: str) -> bool:
    """Whether a request of this key still runs."""
    row = connection.execute(
        "SELECT 1 FROM holds WHERE request_id = ? AND key_id = ?", (request_id, key_id)
    ).fetchone()
    return row is not None
