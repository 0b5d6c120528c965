"""The arithmetic of availability, and how it is said."""

from __future__ import annotations

import pytest

from laidian.pages.status import Monitor, headline, percent
from laidian.pages.uptime import DAYS, HOURS, Traffic, Uptime, first_hour, uptime
from laidian.store.uptime import HOUR_MS, HourRow

NOW_MS = 1_795_341_600_000
"""2026-11-22T10:00:00Z."""
HOUR = NOW_MS // HOUR_MS


def test_no_probe_is_no_data_and_no_outage():
    times = uptime([], frozenset({1}), {}, NOW_MS)
    assert times == Uptime((None,) * DAYS, (None,) * HOURS, None, None)


def test_the_best_account_of_an_hour_counts():
    rows = [HourRow(1, HOUR, 6, 0), HourRow(2, HOUR, 6, 3), HourRow(3, HOUR, 6, 6)]
    assert uptime(rows, frozenset({1}), {}, NOW_MS).last == 0
    assert uptime(rows, frozenset({1, 2}), {}, NOW_MS).last == 0.5
    assert uptime(rows, frozenset({1, 2, 3}), {}, NOW_MS).last == 1


def test_a_day_is_the_mean_of_its_known_hours():
    rows = [HourRow(1, HOUR - 2, 6, 6), HourRow(1, HOUR - 1, 6, 0), HourRow(1, HOUR - 48, 6, 6)]
    times = uptime(rows, frozenset({1}), {}, NOW_MS)
    assert (times.days[-1], times.days[-2], times.days[-3]) == (0.5, None, 1)
    assert times.hours[-3:] == (1, 0, None)
    assert times.whole == pytest.approx(2 / 3)


def test_what_is_older_than_ninety_days_does_not_count():
    first = first_hour(NOW_MS)
    times = uptime([HourRow(1, first - 1, 6, 0), HourRow(1, first, 6, 6)], frozenset({1}), {}, NOW_MS)
    assert (times.days[0], times.whole) == (1, 1)


def test_requests_outweigh_probes_when_there_are_enough():
    rows = [HourRow(1, HOUR, 6, 6)]
    assert uptime(rows, frozenset({1}), {HOUR: Traffic(10, 9)}, NOW_MS).last == 0.9
    assert uptime(rows, frozenset({1}), {HOUR: Traffic(2, 0)}, NOW_MS).last == 1


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
