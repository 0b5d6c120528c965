"""Which days a key holder asks about: `start_date` and `end_date`, or `days`, in a `timezone`.

Pure but for the zone's data. The rule a newcomer would break: both dates are inclusive. Clients that mean "up to tomorrow, exclusive"
get the same figures, since nothing was spent tomorrow.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from laidian.errors import BadRequest
from laidian.relay.holder import Day, Period

DEFAULT_DAYS = 30
LARGEST_DAYS = 90
"""As sub2api has it (self-service endpoints, 2026-11)."""
LONGEST_DAYS = 366
"""Between two dates of a broken-down answer; a sum may be of any length."""
LONGEST_SUM_DAYS = 36_600
LAST_YEAR = 2_900
"""Later ones, and those before 1971, cannot be told as moments in every zone."""

_OFFSET = re.compile(r"([+ -]?)([0-9]{2}):([0-9]{2})")


def read_period(query: bytes, now_ms: int, *, sum_only: bool = False) -> Period | None:
    """What a query string says. Raises BadRequest naming what cannot be read.

    Without dates and days: the last 30 days, or None (all of time) where only a sum is wanted.
    """
    said = {name: values[0] for name, values in parse_qs(query.decode("latin-1")).items()}
    name = said.get("timezone", "UTC")
    zone = _zone(name)
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    first, last = _date(said, "start_date"), _date(said, "end_date")
    if first is None and last is None:
        if sum_only and "days" not in said:
            return None
        first, last = today - timedelta(days=_days(said) - 1), today
    last = last or max(today, first or today)
    first = first or last - timedelta(days=_days(said) - 1)
    _check(first, last, LONGEST_SUM_DAYS if sum_only else LONGEST_DAYS)
    if sum_only:
        days = (Day(f"{first} to {last}", _start_ms(first, zone), _start_ms(last + timedelta(days=1), zone)),)
    else:
        length = (last - first).days + 1
        days = tuple(_day(first + timedelta(days=number), zone) for number in range(length))
    return Period(name if _OFFSET.fullmatch(name) is None else str(zone), days, _day(today, zone))


def _check(first: date, last: date, longest: int) -> None:
    if last < first:
        raise BadRequest(f"The period ends ({last}) before it begins ({first}).", param="end_date")
    if (last - first).days >= longest:
        raise BadRequest(
            f"The period from {first} to {last} is longer than {longest} days.", param="start_date"
        )


def _days(said: dict[str, str]) -> int:
    text = said.get("days", str(DEFAULT_DAYS))
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= LARGEST_DAYS):
        raise BadRequest(f"`days` is a number from 1 to {LARGEST_DAYS}, not {text[:20]!a}.", param="days")
    return int(text)


def _date(said: dict[str, str], name: str) -> date | None:
    text = said.get(name)
    if text is None:
        return None
    try:
        day = datetime.strptime(text[:10], "%Y-%m-%d").replace(tzinfo=UTC).date()
        if not 1971 <= day.year <= LAST_YEAR:
            raise ValueError
        return day
    except ValueError:
        raise BadRequest(
            f"{text[:40]!a} is no date that can be used; write it as 2026-11-22.", param=name
        ) from None


def _zone(name: str) -> tzinfo:
    """An IANA zone, or a distance from UTC. A plus sign in a query arrives as a blank."""
    if name in ("UTC", "Z", "GMT"):
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset is not None and int(offset[2]) < 24 and int(offset[3]) in (0, 15, 30, 45):
        distance = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-distance if offset[1] == "-" else distance)
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):  # what ZoneInfo says of bad names, unknown ones, and folders
        raise BadRequest(
            f"{name[:40]!a} is no time zone that this server knows; write Asia/Shanghai, +08:00 or UTC.",
            param="timezone",
        ) from None


def _day(day: date, zone: tzinfo) -> Day:
    return Day(day.isoformat(), _start_ms(day, zone), _start_ms(day + timedelta(days=1), zone))


def _start_ms(day: date, zone: tzinfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000
