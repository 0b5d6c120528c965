"""Charts out of letters say what the numbers say."""

from __future__ import annotations

import math

from rich.cells import cell_len
from textual.app import App, ComposeResult

from tui.chart import Chart, bar, columns, gathered, line, shares, sparkline


def test_a_bar_is_as_long_as_its_share_to_an_eighth_of_a_cell() -> None:
    assert bar(0, 4) == "····"
    assert bar(0.62, 10) == "██████▎···"
    assert bar(1, 4) == bar(7, 4) == "████"
    assert bar(0.0001, 4) == "▏···", "something is not nothing"


def test_a_sparkline_stands_at_the_right_and_tells_nothing_from_zero_and_from_failure() -> None:
    assert sparkline([0, 4, 8], 5) == "  ▁▅█"
    assert sparkline([None, 1, math.nan], 3) == " █✕"
    assert sparkline([0, 0], 2) == "▁▁"
    assert sparkline([1] * 100, 10) == "█" * 10
    assert sparkline([1, 2], 2, most=8) == "▂▃"


def test_too_many_values_are_put_together_and_few_are_left_alone() -> None:
    assert gathered([1, 2, 3, 4], 2, "sum") == [3, 7]
    assert gathered([1, None, None, None], 2, "max") == [1, None]
    assert gathered([1, 2], 5) == [1, 2]


def test_shares_fill_the_width_and_leave_nobody_out() -> None:
    assert shares([1, 1], 10) == [5, 5]
    assert shares([1000, 1, 0], 10) == [9, 1, 0]
    assert shares([], 10) == shares([0], 10)[:0]
    assert sum(shares([3, 5, 7, 11], 40)) == 40


def test_columns_stand_on_the_ground_and_the_highest_reaches_the_top() -> None:
    assert columns([1, 2], width=2, height=1) == ["▄█"]
    assert columns([1, 2], width=6, height=2) == ["   ██ ", "██ ██ "]
    assert columns([], width=3, height=2) == ["   ", "   "]
    assert columns([0, None, 0.0001], width=3, height=1, most=10) == ["  ▁"]


def test_a_line_is_drawn_from_left_to_right_with_gaps_where_nothing_is_known() -> None:
    drawn = line([[0.0, 4.0]], width=4, height=2)
    assert len(drawn) == 2
    assert all(len(row) == 4 for row in drawn)
    assert drawn[0].strip(), "it rises to the top line"
    assert drawn[1][0] != " ", "it begins on the ground"
    assert drawn[0][0] == " "
    broken = line([[1.0, None, 1.0]], width=3, height=1)
    assert broken[0][1] == " "
    assert line([], width=2, height=1) == ["  "]


class OneChart(App[None]):
    def compose(self) -> ComposeResult:
        yield Chart(id="chart")


async def test_a_chart_has_a_scale_and_says_where_time_begins_and_ends() -> None:
    app = OneChart()
    async with app.run_test(size=(40, 8)) as pilot:
        app.query_one(Chart).plot([1, 2, 4], label=lambda value: f"${value:g}", left="07:00", right="now")
        await pilot.pause()
        strips = app.screen._compositor.render_strips()
        lines = ["".join(segment.text for segment in strip) for strip in strips]
        assert lines[0].startswith("     $4 ┤")
        assert lines[6].startswith("     $0 ┤")
        assert "└07:00" in lines[7]
        assert lines[7].rstrip().endswith("now")
        assert all(cell_len(one) == 40 for one in lines)
