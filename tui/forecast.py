"""When something is used up if it goes on as it went: rules without a clock, in seconds and decimal text.

The rule a newcomer would break: a forecast is a guess from one number, so it is said with its reason ("at this pace") and never acted on.
"""

from __future__ import annotations

import datetime

import msgspec

from laidian.admin.schema import Quota, QuotaWindow
from tui.text import moment


class Forecast(msgspec.Struct, frozen=True):
    kind: str
    """unused: nothing was spent; gone: nothing is left; ends: used up at `at`; lasts: it begins again before, with `percent` used;
    endless: no limit."""
    at: datetime.datetime | None = None
    percent: int | None = None


def of_window(window: QuotaWindow, now: datetime.datetime) -> Forecast:
    limit, spent = float(window.limit_usd), float(window.spent_usd)
    started, resets = moment(window.started_at), moment(window.resets_at)
    if limit <= 0 or spent >= limit:
        return Forecast("gone", resets)
    if started is None or spent <= 0:
        return Forecast("unused", resets)
    at = _used_up(limit, spent, started, now)
    if resets is not None and at >= resets:
        elapsed, whole = (now - started).total_seconds(), (resets - started).total_seconds()
        share = spent / limit * whole / max(1.0, elapsed)
        return Forecast("lasts", resets, min(100, round(share * 100)))
    return Forecast("ends", at)


def of_quota(quota: Quota, now: datetime.datetime) -> Forecast:
    """Of a plan: the window that ends first. Of a balance: at the pace since it was made."""
    if quota.kind == "unlimited":
        return Forecast("endless")
    if quota.kind == "plan":
        found = [of_window(one, now) for one in quota.windows]
        order = {"gone": 0, "ends": 1, "lasts": 2, "unused": 3}
        latest = datetime.datetime.max.replace(tzinfo=datetime.UTC)
        return min(found, key=lambda one: (order[one.kind], one.at or latest), default=Forecast("endless"))
    credited, spent = float(quota.credited_usd or 0), float(quota.spent_usd)
    if float(quota.left_usd or 0) <= 0:
        return Forecast("gone")
    started = moment(quota.created_at)
    if spent <= 0 or started is None:
        return Forecast("unused")
    return Forecast("ends", _used_up(credited, spent, started, now))


def _used_up(
    limit: float, spent: float, started: datetime.datetime, now: datetime.datetime
) -> datetime.datetime:
    elapsed = max(1.0, (now - started).total_seconds())
    # Ten years ahead is as good as never, and dates end somewhere.
    seconds = min(elapsed * limit / spent, elapsed + 10 * 365 * 86_400)
    return started + datetime.timedelta(seconds=seconds)
