"""The shape of GET /v1/usage: sub2api's two modes, with what other clients read of it beside them.

Owns names and units, and calculates nothing: all figures are a Standing's. Dollars become floats here, at the last moment. What strict
readers of this shape insist on (a published client of sub2api, read 2026-11-22) decides the odd parts:
- `isValid` says that the key is one of ours; whether it works is `status`;
- quota_limited: `remaining` = `limit` - `used`, so that a shared balance lower than the key's own limit lowers `limit`;
- unrestricted: either `balance` or `subscription`, never both; `remaining` is the least of the subscription's windows;
- `rate_limits` knows the windows 5h, 1d and 7d; a month is told in `subscription` only;
- a subscription always expires: one that does not says the year 2099, as sub2api itself does.
The rule a newcomer would break: `used` and `remaining` leave out what is set aside for requests in flight; that is `held`.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType, field

from laidian.clock import moment
from laidian.domain.money import NANO_PER_USD
from laidian.domain.quota import WindowKind, window_end_ms, window_start_ms
from laidian.relay.holder import Breakdown, Spending, Standing, Status
from laidian.store.holder import Window

NO_EXPIRY = "2099-12-31T23:59:59Z"
NO_LIMIT = -1.0
DAY_MS = 86_400_000

_WINDOWS: dict[WindowKind, str] = {"5h": "5h", "day": "1d", "week": "7d"}


class _Quota(msgspec.Struct):
    limit: float
    used: float
    remaining: float
    unit: str = "USD"


class _RateLimit(msgspec.Struct):
    window: str
    limit: float
    used: float
    remaining: float
    held: float
    window_start: str | None
    reset_at: str | None


class _Subscription(msgspec.Struct):
    daily_usage_usd: float
    daily_limit_usd: float | None
    weekly_usage_usd: float
    weekly_limit_usd: float | None
    monthly_usage_usd: float
    monthly_limit_usd: float | None
    daily_window_start: str
    weekly_window_start: str
    monthly_window_start: str
    daily_reset_at: str
    weekly_reset_at: str
    monthly_reset_at: str
    unlimited: bool
    expires_at: str


class _Sum(msgspec.Struct):
    """Requests and tokens as sub2api counts them, and by the names that others read."""

    requests: int
    input_tokens: int
    """Without those read from a cache or written to one."""
    output_tokens: int
    cache_creation_tokens: int
    cache_read_tokens: int
    total_tokens: int
    cost: float
    actual_cost: float
    prompt_tokens: int
    """With them."""
    completion_tokens: int
    tokens: int


class _Total(msgspec.Struct):
    requests: int
    cost: float
    actual_cost: float


class _Usage(msgspec.Struct):
    today: _Sum
    total: _Total
    """Of all time."""
    period: _Sum
    average_duration_ms: int
    """In the period."""
    rpm: int
    tpm: int
    """Settled in the last minute."""


class _Day(_Sum):
    date: str


class _Model(_Sum):
    model: str


class _Period(msgspec.Struct):
    start_date: str
    end_date: str
    timezone: str


class UsageAnswer(msgspec.Struct):
    mode: Literal["quota_limited", "unrestricted"]
    is_valid: bool = field(name="isValid")
    status: Status
    key: str
    group: str
    plan_name: str = field(name="planName")
    rate_limits: list[_RateLimit]
    expires_at: str | None
    held: float
    """Set aside for this key's requests in flight, in USD."""
    in_flight: int
    usage: _Usage
    period: _Period
    daily_usage: list[_Day]
    model_stats: list[_Model]
    quota: _Quota | UnsetType = UNSET
    unit: str | UnsetType = UNSET
    remaining: float | UnsetType = UNSET
    balance: float | UnsetType = UNSET
    subscription: _Subscription | UnsetType = UNSET
    days_until_expiry: int | UnsetType = UNSET


def usage_answer(standing: Standing) -> UsageAnswer:
    """The whole shape. The standing must have a breakdown."""
    breakdown = standing.breakdown
    assert breakdown is not None
    days = breakdown.period.days
    answer = UsageAnswer(
        mode="unrestricted",
        is_valid=standing.status != "disabled",
        status=standing.status,
        key=standing.key,
        group=standing.group,
        plan_name=standing.quota,
        rate_limits=[_rate_limit(window) for window in standing.windows if window.kind in _WINDOWS],
        expires_at=None if standing.expires_at_ms is None else moment(standing.expires_at_ms),
        held=usd(standing.held_nano),
        in_flight=standing.in_flight,
        usage=_usage(standing, breakdown),
        period=_Period(days[0].name, days[-1].name, breakdown.period.zone),
        daily_usage=[_Day(*_figures(spent), date=name) for name, spent in breakdown.days.items()],
        model_stats=[_Model(*_figures(spent), model=name) for name, spent in breakdown.models.items()],
    )
    if standing.expires_at_ms is not None:
        answer.days_until_expiry = max(0, (standing.expires_at_ms - standing.at_ms) // DAY_MS)
    _say_what_is_left(answer, standing, breakdown)
    return answer


def _say_what_is_left(answer: UsageAnswer, standing: Standing, breakdown: Breakdown) -> None:
    """The parts that differ by mode."""
    kinds = {window.kind for window in standing.windows}
    if kinds - {"5h"} or standing.quota_kind == "unlimited":
        answer.subscription = _subscription(standing, breakdown)
    if standing.key_limit_nano is not None:
        assert standing.purse_nano is not None
        answer.mode, answer.unit = "quota_limited", "USD"
        used, left = standing.spent_nano, standing.purse_nano
        answer.quota = _Quota(usd(used + left), usd(used), usd(left))
        answer.remaining = usd(left)
        if standing.quota_kind == "unlimited":
            answer.subscription = UNSET
    elif kinds == {"5h"}:
        answer.mode = "quota_limited"  # by its rate limit alone: nothing else can carry this window
    elif standing.purse_nano is not None:
        answer.unit, answer.balance, answer.remaining = (
            "USD",
            usd(standing.purse_nano),
            usd(standing.purse_nano),
        )
    else:
        longer = [window.unspent_nano for window in standing.windows if window.kind != "5h"]
        answer.unit, answer.remaining = "USD", usd(min(longer)) if longer else NO_LIMIT


def _rate_limit(window: Window) -> _RateLimit:
    start_ms = window.start_ms
    return _RateLimit(
        window=_WINDOWS[window.kind],
        limit=usd(window.limit_nano),
        used=usd(window.spent_nano),
        remaining=usd(window.unspent_nano),
        held=usd(window.held_nano),
        window_start=None if start_ms is None else moment(start_ms),
        reset_at=None if start_ms is None else moment(window_end_ms(window.kind, start_ms)),
    )


def _subscription(standing: Standing, breakdown: Breakdown) -> _Subscription:
    """A window without a limit says what this key spent in it; one with, what all keys of the plan did."""
    by_kind = {window.kind: window for window in standing.windows}

    def used(kind: WindowKind, own_nano: int) -> float:
        return usd(by_kind[kind].spent_nano if kind in by_kind else own_nano)

    def limit(kind: WindowKind) -> float | None:
        return usd(by_kind[kind].limit_nano) if kind in by_kind else None

    def start(kind: WindowKind) -> str:
        return moment(window_start_ms(kind, standing.at_ms, None))

    def reset(kind: WindowKind) -> str:
        return moment(window_end_ms(kind, window_start_ms(kind, standing.at_ms, None)))

    return _Subscription(
        daily_usage_usd=used("day", breakdown.utc_day_nano),
        daily_limit_usd=limit("day"),
        weekly_usage_usd=used("week", breakdown.utc_week_nano),
        weekly_limit_usd=limit("week"),
        monthly_usage_usd=used("month", breakdown.utc_month_nano),
        monthly_limit_usd=limit("month"),
        daily_window_start=start("day"),
        weekly_window_start=start("week"),
        monthly_window_start=start("month"),
        daily_reset_at=reset("day"),
        weekly_reset_at=reset("week"),
        monthly_reset_at=reset("month"),
        unlimited=standing.quota_kind == "unlimited",
        expires_at=NO_EXPIRY if standing.expires_at_ms is None else moment(standing.expires_at_ms),
    )


def _usage(standing: Standing, breakdown: Breakdown) -> _Usage:
    spent, total = usd(standing.spent_nano), breakdown.total
    return _Usage(
        today=_Sum(*_figures(breakdown.today)),
        total=_Total(breakdown.requests, spent, spent),
        period=_Sum(*_figures(total)),
        average_duration_ms=total.duration_ms // total.requests if total.requests else 0,
        rpm=breakdown.last_minute.requests,
        tpm=breakdown.last_minute.tokens,
    )


def _figures(spent: Spending) -> tuple[int, int, int, int, int, int, float, float, int, int, int]:
    """The fields of a _Sum, in order."""
    cost = usd(spent.charged_nano)
    return (
        spent.requests, spent.fresh_tokens, spent.output_tokens, spent.written_tokens, spent.read_tokens, spent.total_tokens,
        cost, cost, spent.prompt_tokens, spent.output_tokens, spent.total_tokens,
    )  # fmt: skip


def usd(amount_nano: int) -> float:
    """Dollars as the clients of these shapes want them. Up to nine million dollars the float is nearest to one nano-dollar only."""
    return amount_nano / NANO_PER_USD
