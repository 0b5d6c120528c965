"""The rows of a table without the table: order, cursor, marks and pages, with no terminal."""

from __future__ import annotations

import datetime

import msgspec
import pytest

from tui.columns import Column
from tui.idiom import Idiom
from tui.rows import PAGE, Asked, Note, Piece
from tui.window import Came, Window
from tui.words import ENGLISH


class Row(msgspec.Struct, frozen=True):
    number: int
    name: str = ""


COLUMNS = (
    Column[Row]("name", lambda w: w.table.name, lambda row, _: row.name, width=9, sort=lambda row: row.name),
    Column[Row]("number", lambda w: w.table.time, lambda row, _: str(row.number), width=9, sort="number"),
)
IDIOM = Idiom(ENGLISH, False, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))


def window() -> Window[Row]:
    return Window(COLUMNS, key=lambda row: str(row.number), idiom=lambda: IDIOM)


def numbers(of: Window[Row]) -> list[int]:
    return [row.number for row in of.known()]


class Source:
    """Pages of rows from `first` to `end`; `asked` is what was asked for."""

    def __init__(self, end: int) -> None:
        self.first, self.end = 0, end
        self.asked: list[Asked] = []
        self.busy = False

    async def page(self, asked: Asked) -> Piece[Row]:
        self.asked.append(asked)
        if self.busy:
            raise RuntimeError("the server is busy")
        begin = self.first if asked.cursor is None else int(asked.cursor)
        end = min(begin + asked.limit, self.end)
        return Piece(
            tuple(Row(number) for number in range(begin, end)), str(end) if end < self.end else None, self.end
        )


def test_a_list_keeps_its_order_until_a_column_or_a_filter_says_otherwise() -> None:
    shown = window()
    assert shown.lay([Row(2, "b"), Row(1, "c"), Row(3, "a")]) == 0
    assert numbers(shown) == [2, 1, 3]
    shown.sort_column = 0
    shown.rearrange()
    assert numbers(shown) == [3, 2, 1]
    shown.filter = "!c"
    shown.rearrange()
    assert (numbers(shown), shown.count, shown.total, shown.complete) == ([3, 2], 2, 2, True)


def test_the_same_rows_again_are_nothing_new() -> None:
    shown = window()
    shown.lay([Row(1)])
    assert shown.lay([Row(1)]) is None
    assert shown.lay([]) == 0
    assert shown.lay([]) == 0, "an empty table is drawn anew: what it says may be another sentence"


def test_the_cursor_stays_with_its_row_and_says_how_far_that_moved() -> None:
    shown = window()
    shown.lay([Row(1), Row(2), Row(3)])
    shown.go(1)
    assert shown.lay([Row(8), Row(9), Row(1), Row(2), Row(3)]) == 2
    assert (shown.cursor, shown.row) == (3, Row(2))
    assert shown.lay([Row(2)]) == -3
    assert shown.lay([Row(7)]) == 0
    assert (shown.cursor, shown.row) == (0, Row(7)), "its row is gone"


def test_at_the_top_the_cursor_follows_what_comes_in() -> None:
    shown = window()
    shown.lay([Row(1)])
    assert shown.lay([Row(2), Row(1)]) == 0
    assert shown.row == Row(2)


def test_notes_are_counted_but_never_under_the_cursor() -> None:
    shown = window()
    shown.lay([Row(1), Note("why"), Row(2), Note("and why")])
    assert (shown.count, numbers(shown), shown.place_of("2")) == (4, [1, 2], 2)
    shown.go(1)
    assert shown.row == Row(2)
    shown.go(3)
    assert shown.row == Row(2), "there is no row behind the last note"
    shown.go(1)
    assert shown.row == Row(1)


async def test_pages_are_wanted_once_and_by_the_row_that_waits() -> None:
    shown, source = window(), Source(2 * PAGE + 1)
    shown.open(source)
    assert (shown.count, shown.complete, shown.row) == (0, False, None)
    assert shown.want(0) == 0
    assert shown.want(0) is None, "it is on its way"
    assert await shown.fetch(0) == Came(different=True, moved=0)
    assert (shown.count, shown.total, shown.row) == (PAGE, 2 * PAGE + 1, Row(0))
    assert shown.want(PAGE - 1) is None, "it is at hand"
    assert shown.want(5 * PAGE) == 1, "of what is beyond, the next page is all that is known"
    await shown.fetch(1)
    assert shown.want(2 * PAGE) == 2
    await shown.fetch(2)
    assert (shown.count, shown.complete, shown.want(2 * PAGE + 1)) == (2 * PAGE + 1, True, None)
    assert [asked.cursor for asked in source.asked] == [None, str(PAGE), str(2 * PAGE)]


async def test_a_page_that_comes_after_other_pages_were_opened_is_dropped() -> None:
    shown, source = window(), Source(3)
    shown.open(source)
    number = shown.want(0)
    assert number is not None
    answer = shown.fetch(number)
    other = Source(1)

    async def late(asked: Asked) -> Piece[Row]:
        shown.open(other)
        return await Source.page(source, asked)

    source.page = late
    assert await answer is None
    assert shown.count == 0
    assert shown.want(0) == 0, "of the other source"


async def test_what_came_in_above_is_counted_until_one_is_at_the_top_again() -> None:
    shown, source = window(), Source(3 * PAGE)
    shown.open(source)
    await shown.fetch(0)
    shown.go(5)
    source.first = -2
    assert await shown.renew(0) == Came(different=True, moved=2)
    assert (shown.row, shown.new_above) == (Row(5), 2)
    assert await shown.renew(0) == Came(different=False, moved=0)
    shown.go(0)
    assert shown.new_above == 0


async def test_a_failure_is_kept_only_where_there_is_nothing_else_to_show() -> None:
    shown, source = window(), Source(2 * PAGE)
    shown.open(source)

    source.busy = True
    for _ in range(2):
        number = shown.want(0)
        assert number == 0, "it may be asked for again"
        with pytest.raises(RuntimeError):
            await shown.fetch(number)
        assert shown.problem == "the server is busy"
    source.busy = False
    await shown.fetch(0)
    assert shown.problem == ""
    source.busy = True
    with pytest.raises(RuntimeError):
        await shown.fetch(1)
    assert (shown.problem, shown.count) == ("", PAGE)


async def test_order_and_filter_of_pages_are_asked_of_the_source() -> None:
    shown, source = window(), Source(1)
    shown.filter, shown.sort_column, shown.sort_down = "some", 1, True
    shown.open(source)
    await shown.fetch(0)
    assert source.asked == [Asked(None, PAGE, "some", "number", True)]
