"""Windows of a plan: calendar ones in UTC, and the one of five hours that opens with a request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.domain.quota import (
    FIVE_HOURS_MS,
    WINDOW_KINDS,
    Counter,
    WindowKind,
    window_end_ms,
    window_start_ms,
)

CALENDAR: tuple[WindowKind, ...] = ("day", "week", "month")
LAST_MS = int(datetime(2199, 12, 31, tzinfo=UTC).timestamp() * 1000)
moments = st.integers(0, LAST_MS)
calendar = st.sampled_from(CALENDAR)


def ms(text: str) -> int:
    """An ISO date and time in UTC as epoch milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@given(calendar, moments)
def test_a_moment_is_inside_its_calendar_window(kind: WindowKind, now_ms: int) -> None:
    start_ms = window_start_ms(kind, now_ms, None)
    assert start_ms <= now_ms < window_end_ms(kind, start_ms)


@given(calendar, moments)
def test_calendar_windows_leave_no_gap_and_do_not_overlap(kind: WindowKind, now_ms: int) -> None:
    start_ms = window_start_ms(kind, now_ms, None)
    end_ms = window_end_ms(kind, start_ms)
    assert window_start_ms(kind, end_ms, None) == end_ms
    assert window_start_ms(kind, end_ms - 1, None) == start_ms


@given(calendar, moments, st.none() | moments)
def test_a_calendar_window_does_not_depend_on_the_last_one(
    kind: WindowKind, now_ms: int, last_ms: int | None
) -> None:
    assert window_start_ms(kind, now_ms, last_ms) == window_start_ms(kind, now_ms, None)


@given(calendar, moments)
def test_a_calendar_window_begins_at_midnight_utc_on_the_right_day(kind: WindowKind, now_ms: int) -> None:
    start = datetime.fromtimestamp(window_start_ms(kind, now_ms, None) / 1000, UTC)
    assert (start.hour, start.minute, start.second, start.microsecond) == (0, 0, 0, 0)
    if kind == "week":
        assert start.weekday() == 0
    if kind == "month":
        assert start.day == 1


@pytest.mark.parametrize(
    ("kind", "now", "start", "end"),
    [
        ("day", "2026-11-22T23:59:59.999", "2026-11-22", "2026-11-23"),
        ("day", "2026-11-23T00:00:00.000", "2026-11-23", "2026-11-24"),
        ("day", "2028-02-29T12:00:00", "2028-02-29", "2028-03-01"),
        ("day", "2026-12-31T23:59:59.999", "2026-12-31", "2027-01-01"),
        # nights in which clocks change where people live: UTC days have 24 hours
        ("day", "2026-03-29T01:30:00", "2026-03-29", "2026-03-30"),
        ("day", "2026-11-01T08:59:59", "2026-11-01", "2026-11-02"),
        ("week", "2026-11-22T23:59:59.999", "2026-11-16", "2026-11-23"),
        ("week", "2026-11-23T00:00:00.000", "2026-11-23", "2026-11-30"),
        ("week", "2027-01-01T00:00:00", "2026-12-28", "2027-01-04"),
        ("month", "2026-01-31T23:59:59.999", "2026-01-01", "2026-02-01"),
        ("month", "2026-02-28T23:59:59.999", "2026-02-01", "2026-03-01"),
        ("month", "2028-02-29T23:59:59.999", "2028-02-01", "2028-03-01"),
        ("month", "2026-04-30T12:00:00", "2026-04-01", "2026-05-01"),
        ("month", "2026-12-31T23:59:59.999", "2026-12-01", "2027-01-01"),
        ("month", "2100-02-28T12:00:00", "2100-02-01", "2100-03-01"),
    ],
)
def test_calendar_windows_at_their_edges(kind: WindowKind, now: str, start: str, end: str) -> None:
    assert window_start_ms(kind, ms(now), None) == ms(start)
    assert window_end_ms(kind, ms(start)) == ms(end)


def test_every_month_of_a_century_follows_the_one_before() -> None:
    start_ms = ms("2026-01-01")
    for month in range(1200):
        end_ms = window_end_ms("month", start_ms)
        end = datetime.fromtimestamp(end_ms / 1000, UTC)
        assert (end.year * 12 + end.month - 1, end.day) == (2026 * 12 + month + 1, 1)
        start_ms = end_ms


def test_five_hours_open_with_the_first_request_and_again_after_they_ended() -> None:
    opened = ms("2026-11-22T10:07:03.123")
    assert window_start_ms("5h", opened, None) == opened
    assert window_start_ms("5h", opened + 1, opened) == opened
    assert window_start_ms("5h", opened + FIVE_HOURS_MS - 1, opened) == opened
    assert window_start_ms("5h", opened + FIVE_HOURS_MS, opened) == opened + FIVE_HOURS_MS
    late = opened + FIVE_HOURS_MS + 12_345
    assert window_start_ms("5h", late, opened) == late
    assert window_end_ms("5h", opened) == opened + FIVE_HOURS_MS


@given(st.integers(1, FIVE_HOURS_MS - 1))
def test_a_request_that_began_before_the_window_opened_belongs_to_it(early_ms: int) -> None:
    """It reached the ledger later: its body took its time. A window of its own would be a second limit."""
    opened = ms("2026-11-22T10:00:00")
    assert window_start_ms("5h", opened - early_ms, opened) == opened


@given(st.lists(st.integers(0, 3 * FIVE_HOURS_MS), min_size=1, max_size=40))
def test_windows_of_five_hours_never_overlap_in_time(pauses_ms: list[int]) -> None:
    now_ms = ms("2026-11-22T00:00:00")
    last: int | None = None
    starts: list[int] = []
    for pause_ms in pauses_ms:
        now_ms += pause_ms
        last = window_start_ms("5h", now_ms, last)
        assert last <= now_ms < window_end_ms("5h", last)
        if not starts or starts[-1] != last:
            starts.append(last)
    assert all(later - earlier >= FIVE_HOURS_MS for earlier, later in pairwise(starts))


def test_every_kind_has_a_length() -> None:
    start_ms = ms("2026-06-01")  # a Monday, and the first of its month
    lengths = {
        kind: timedelta(milliseconds=window_end_ms(kind, start_ms) - start_ms) for kind in WINDOW_KINDS
    }
    assert lengths == {
        "5h": timedelta(hours=5),
        "day": timedelta(days=1),
        "week": timedelta(days=7),
        "month": timedelta(days=30),
    }


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(0, 10**15))
def test_what_is_left_is_the_limit_without_what_is_held_and_spent(limit: int, held: int, spent: int) -> None:
    assert Counter(limit, held, spent).left_nano == limit - held - spent
    assert Counter(None, held, spent).left_nano is None
