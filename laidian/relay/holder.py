"""What the holder of a key sees of their own money, from one function over the ledger: `standing`.

Every shape in which a client asks (routes/holder*.py) is written from a Standing and calculates nothing. Owns who may ask, too: a key
that is expired or used up may, since that is when its holder needs to know; one that the operator disabled may not, and nobody learns
anything of a key that does not exist. The rule a newcomer would break: a valid key is never slowed by wrong ones from the same
address, since behind a proxy everybody has the same. So the backoff does not make 32 random bytes harder to guess, which needs no
help; it tells a client with a wrong key to stop asking.

"Unspent" here is what is credited or allowed and not spent; what is set aside for requests in flight is part of it, and said apart.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

import msgspec

from laidian.domain.key import Key, digest
from laidian.domain.quota import window_start_ms
from laidian.errors import Bug, NotFound, RateLimited, Unauthenticated
from laidian.relay import gates
from laidian.relay.backoff import peer_of
from laidian.relay.client import Client
from laidian.relay.context import Context
from laidian.store.connection import Connection
from laidian.store.holder import (
    BUCKET_MS,
    AccountRow,
    Bucket,
    Pace,
    Window,
    count_records,
    read_account,
    read_buckets,
    read_own_record,
    read_pace,
    read_windows,
    spent_between,
)
from laidian.store.pages import newest_records
from laidian.store.usage import RecordRow, UsageFilter

T = TypeVar("T")

MINUTE_MS = 60_000
BEFORE_ANY_EXPIRY_MS = 0
"""The moment at which no key has expired yet."""

Status = Literal["active", "expired", "quota_exhausted", "disabled"]
"""What would become of a request now. disabled: its group or its quota is, by the operator. expired: the key or its quota.
quota_exhausted: the key's limit, the balance or a window of the plan is spent to the last nano-dollar."""


class Day(msgspec.Struct, frozen=True):
    """A day of some time zone."""

    name: str
    """YYYY-MM-DD."""
    start_ms: int
    end_ms: int
    """The start of the next one; 23 or 25 hours later where clocks change."""


class Period(msgspec.Struct, frozen=True):
    """Whole days of one time zone."""

    zone: str
    days: tuple[Day, ...]
    """At least one, in order, without gaps."""
    today: Day

    @property
    def start_ms(self) -> int:
        return self.days[0].start_ms

    @property
    def end_ms(self) -> int:
        return self.days[-1].end_ms


class Spending(msgspec.Struct, frozen=True):
    """Settled requests added up. The token classes are disjoint."""

    requests: int = 0
    fresh_tokens: int = 0
    written_tokens: int = 0
    read_tokens: int = 0
    output_tokens: int = 0
    charged_nano: int = 0
    duration_ms: int = 0

    @property
    def prompt_tokens(self) -> int:
        return self.fresh_tokens + self.written_tokens + self.read_tokens

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.output_tokens


class Breakdown(msgspec.Struct, frozen=True):
    """What a key spent in a period, by the moment at which each request began."""

    period: Period
    total: Spending
    days: dict[str, Spending]
    """Those on which something was asked, in order."""
    models: dict[str, Spending]
    """Dearest first."""
    today: Spending
    """Inside the period or not."""
    utc_day_nano: int
    utc_week_nano: int
    utc_month_nano: int
    """Charged since the calendar's day, week (Monday) and month began in UTC, which is when a plan's windows do."""
    requests: int
    """Of all time."""
    last_minute: Pace


class Standing(msgspec.Struct, frozen=True):
    """A key's money at one moment. Amounts are nano-USD."""

    at_ms: int
    status: Status
    key: str
    group: str
    quota: str
    quota_kind: str
    multiplier_ppm: int
    expires_at_ms: int | None
    """The key's or its quota's, whichever comes first."""
    key_limit_nano: int | None
    spent_nano: int
    """By this key, of all time."""
    held_nano: int
    """Set aside for this key's requests in flight."""
    in_flight: int
    purse_nano: int | None
    """Unspent of what does not come back by itself: the balance and the key's limit, whichever is less. None: neither exists."""
    windows: tuple[Window, ...]
    breakdown: Breakdown | None = None
    """Where a period was asked for."""

    @property
    def unspent_nano(self) -> int | None:
        """What the tightest of all limits leaves; None when there is none."""
        return min(_present(self.purse_nano, *(window.unspent_nano for window in self.windows)), default=None)


async def standing(context: Context, key: Key, at_ms: int, period: Period | None = None) -> Standing:
    """The one function. Raises Unauthenticated when the key was deleted a moment ago, StorageDown."""
    return await ask(context, lambda connection: _standing(connection, key, at_ms, period))


async def spent_in(context: Context, key: Key, period: Period) -> int:
    """Nano-USD that a key was charged in a period of any length. Raises StorageDown."""
    start_ms, end_ms = period.start_ms, period.end_ms
    return await ask(context, lambda connection: spent_between(connection, key.id, start_ms, end_ms))


async def pace(context: Context, key: Key, at_ms: int) -> Pace:
    """What a key was settled for in the last minute. Raises StorageDown."""
    return await ask(context, lambda connection: read_pace(connection, key.id, at_ms - MINUTE_MS))


async def recent(context: Context, key: Key, limit: int, before: str = "") -> list[RecordRow]:
    """A key's newest records, or those older than the request `before`. Raises NotFound when it has no such request, StorageDown."""

    def read(connection: Connection) -> list[RecordRow]:
        last = read_own_record(connection, key.id, before) if before else None
        if before and last is None:
            raise NotFound("This key has no request of that id; take one of the list.", param="before")
        return newest_records(
            connection, UsageFilter(key_id=key.id), limit, before_id=last.id if last else None
        )

    return await ask(context, read)


async def ask(context: Context, question: Callable[[Connection], T]) -> T:
    """A read beside the event loop. Holders take turns, so that the operator's reads always find a thread free."""
    if context.lister is None:
        raise Bug("This worker was started without a reader for key holders. Report it.")
    async with context.holders_turn:
        return await context.lister.read(question)


def identify(context: Context, client: Client) -> Key:
    """The key of a request, expired or not, whatever is left on it.

    Raises Unauthenticated without a key, for one that does not exist and for one that the operator disabled; RateLimited instead when
    the address has come with too many that do not exist.
    """
    return admit(context, client.credential(), (client.scope.get("client") or ("",))[0])


def admit(context: Context, credential: bytes | None, host: str) -> Key:
    """The key behind a credential that came from the socket's address `host`; raises what `identify` does."""
    known = context.catalog.current()
    try:
        return gates.authenticate(known, credential, BEFORE_ANY_EXPIRY_MS)
    except Unauthenticated as refusal:
        context.journal.unauthenticated()
        if credential and digest(credential) not in known.keys:
            _stranger(context, host, refusal)
        raise


def _stranger(context: Context, host: str, refusal: Unauthenticated) -> None:
    """Counts a credential that does not exist. Raises RateLimited when there were too many."""
    peer = peer_of(host)
    wait_s = context.backoff.wait_s(peer)
    if wait_s > 0:
        raise RateLimited(
            f"{refusal.message} Too many such keys came from this address; wait {wait_s:.0f} s before the next one.",
            code="too_many_failures",
            retry_after_s=wait_s,
            retry=False,
        )
    context.backoff.failed(peer)


# Reading


def _standing(connection: Connection, key: Key, at_ms: int, period: Period | None) -> Standing:
    account = read_account(connection, key.id)
    if account is None:
        raise Unauthenticated(f"The key `{key.name}` was deleted a moment ago.")
    windows: tuple[Window, ...] = ()
    if account.quota_kind == "plan":
        windows = read_windows(connection, account.quota_id, account.limits, at_ms)
    purse_nano = _purse(account)
    expires_at_ms = min(_present(account.key_expires_at_ms, account.quota_expires_at_ms), default=None)
    return Standing(
        at_ms=at_ms,
        status=_status(account, expires_at_ms, purse_nano, windows, at_ms),
        key=account.key,
        group=account.group,
        quota=account.quota,
        quota_kind=account.quota_kind,
        multiplier_ppm=account.multiplier_ppm,
        expires_at_ms=expires_at_ms,
        key_limit_nano=account.key_limit_nano,
        spent_nano=account.key_spent_nano,
        held_nano=account.key_held_nano,
        in_flight=account.in_flight,
        purse_nano=purse_nano,
        windows=windows,
        breakdown=None if period is None else _breakdown(connection, key.id, at_ms, period),
    )


def _purse(account: AccountRow) -> int | None:
    left: list[int] = []
    if account.key_limit_nano is not None:
        left.append(account.key_limit_nano - account.key_spent_nano)
    if account.quota_kind == "prepaid":
        left.append(account.credited_nano - account.quota_spent_nano)
    return max(0, min(left)) if left else None


def _status(
    account: AccountRow,
    expires_at_ms: int | None,
    purse_nano: int | None,
    windows: tuple[Window, ...],
    at_ms: int,
) -> Status:
    if not account.group_enabled or not account.quota_enabled:
        return "disabled"
    if expires_at_ms is not None and expires_at_ms <= at_ms:
        return "expired"
    if purse_nano == 0 or any(window.unspent_nano == 0 for window in windows):
        return "quota_exhausted"
    return "active"


def _breakdown(connection: Connection, key_id: int, at_ms: int, period: Period) -> Breakdown:
    day_ms, week_ms, month_ms = (window_start_ms(kind, at_ms, None) for kind in ("day", "week", "month"))
    since_ms = min(period.start_ms, period.today.start_ms, week_ms, month_ms)
    buckets = read_buckets(connection, key_id, since_ms)

    def within(start_ms: int, end_ms: int) -> list[Bucket]:
        return [bucket for bucket in buckets if start_ms <= bucket.number * BUCKET_MS < end_ms]

    def charged_since(start_ms: int) -> int:
        return sum(bucket.charged_nano for bucket in buckets if bucket.number * BUCKET_MS >= start_ms)

    wanted = within(period.start_ms, period.end_ms)
    starts = [day.start_ms for day in period.days]
    models = _by(wanted, lambda bucket: bucket.model)
    dearest = sorted(models.items(), key=lambda one: (-one[1].charged_nano, one[0]))
    return Breakdown(
        period=period,
        total=_add(wanted),
        days=_by(
            wanted, lambda bucket: period.days[bisect_right(starts, bucket.number * BUCKET_MS) - 1].name
        ),
        models=dict(dearest),
        today=_add(within(period.today.start_ms, period.today.end_ms)),
        utc_day_nano=charged_since(day_ms),
        utc_week_nano=charged_since(week_ms),
        utc_month_nano=charged_since(month_ms),
        requests=count_records(connection, key_id),
        last_minute=read_pace(connection, key_id, at_ms - MINUTE_MS),
    )


def _by(buckets: Iterable[Bucket], name: Callable[[Bucket], str]) -> dict[str, Spending]:
    parts: dict[str, list[Bucket]] = {}
    for bucket in buckets:
        parts.setdefault(name(bucket), []).append(bucket)
    return {part: _add(of_it) for part, of_it in parts.items()}


def _add(buckets: Iterable[Bucket]) -> Spending:
    columns = zip(*(msgspec.structs.astuple(bucket)[2:] for bucket in buckets), strict=True)
    return Spending(*(sum(column) for column in columns))


def _present(*values: int | None) -> list[int]:
    return [value for value in values if value is not None]
