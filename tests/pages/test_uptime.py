"""The arithmetic of availability, and how it is said."""

from __future__ import annotations

import pytest

from laidian.domain.latency import CLASSES
from laidian.pages.status import Monitor, headline, percent
from laidian.pages.uptime import DAYS, HOURS, Uptime, first_hour, uptime
from laidian.store.uptime import HOUR_MS, Asked, Demand, HourRow

NOW_MS = 1_795_341_600_000
"""2026-11-22T10:00:00Z."""
HOUR = NOW_MS // HOUR_MS


def test_no_probe_is_no_data_and_no_outage():
    times = uptime([], frozenset({1}), None, NOW_MS)
    assert times == Uptime((None,) * DAYS, (None,) * HOURS, None, None)


def test_the_best_account_of_an_hour_counts():
    rows = [HourRow(1, HOUR, 6, 0), HourRow(2, HOUR, 6, 3), HourRow(3, HOUR, 6, 6)]
    assert uptime(rows, frozenset({1}), None, NOW_MS).last == 0
    assert uptime(rows, frozenset({1, 2}), None, NOW_MS).last == 0.5
    assert uptime(rows, frozenset({1, 2, 3}), None, NOW_MS).last == 1


def test_a_day_is_the_mean_of_its_known_hours():
    rows = [HourRow(1, HOUR - 2, 6, 6), HourRow(1, HOUR - 1, 6, 0), HourRow(1, HOUR - 48, 6, 6)]
    times = uptime(rows, frozenset({1}), None, NOW_MS)
    assert (times.days[-1], times.days[-2], times.days[-3]) == (0.5, None, 1)
    assert times.hours[-3:] == (1, 0, None)
    assert times.whole == 0.75


def test_what_is_older_than_ninety_days_does_not_count():
    first = first_hour(NOW_MS)
    times = uptime([HourRow(1, first - 1, 6, 0), HourRow(1, first, 6, 6)], frozenset({1}), None, NOW_MS)
    assert (times.days[0], times.whole) == (1, 1)


def test_requests_outweigh_probes_when_there_are_enough():
    rows = [HourRow(1, HOUR, 6, 6)]

    def seen(hours: dict[int, Asked], days: dict[int, Asked]) -> Uptime:
        return uptime(rows, frozenset({1}), Demand(hours, days, ()), NOW_MS)

    today = HOUR // 24
    assert seen({HOUR: Asked(10, 9)}, {today: Asked(10, 9)}).hours[-1] == 0.9
    assert seen({HOUR: Asked(10, 9)}, {today: Asked(10, 9)}).days[-1] == 1, "ten are few for a day"
    assert seen({}, {today: Asked(1000, 999)}).days[-1] == 0.999
    assert seen({HOUR: Asked(2, 0)}, {}).hours[-1] == 1, "two are few for an hour"
    assert seen({}, {today - DAYS: Asked(1000, 0)}).whole == 1, "too long ago"


def test_the_median_of_the_first_bytes_is_told_when_something_was_asked():
    counts = tuple(10 if number == 4 else 0 for number in range(CLASSES))
    assert uptime([], frozenset({1}), Demand({}, {}, counts), NOW_MS).first_byte_ms == 200
    assert uptime([], frozenset({1}), Demand({}, {}, ()), NOW_MS).first_byte_ms is None
    assert uptime([], frozenset({1}), None, NOW_MS).first_byte_ms is None


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, "–"), (1.0, "100%"), (0.99999, "99.99%"), (0.5, "50.00%"), (0.0, "0.00%"), (0.9931, "99.31%")],
)
def test_a_percentage_is_never_rounded_up_to_a_hundred(share: float | None, text: str):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([], "nothing"),
        (["up", "up"], "all_up"),
        (["up", "resting"], "some_part"),
        (["up", "down", "resting"], "some_down"),
        (["down", "resting"], "all_down"),
    ],
)
def test_the_headline_is_the_worst_in_words(states: list[str], said: str):
    nothing = Uptime((), (), None, None)
    monitors = [Monitor(("m",), state, None, nothing) for state in states]  # type: ignore[arg-type]
    assert headline(monitors) == said
