"""The table for any number of rows, alone: no server, no screen of ours."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tests.tui.walk import presses
from tui.columns import Column, placed
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.rows import KEPT, PAGE, Asked, Note, Piece
from tui.words import ENGLISH


class Row(msgspec.Struct, frozen=True):
    number: int
    name: str


COLUMNS = (
    Column[Row](
        "name", lambda w: w.table.name, lambda row, _: row.name, width=12, grow=1, sort=lambda row: row.name
    ),
    Column[Row](
        "number", lambda w: w.table.time, lambda row, _: str(row.number), width=8, right=True, sort="number"
    ),
    Column[Row](
        "twice", lambda w: w.table.cost, lambda row, _: str(row.number * 2), width=8, right=True, rank=1
    ),
    Column[Row]("extra", lambda w: w.table.client, lambda row, _: f"extra {row.number}", width=40, wide=True),
)


def rows(count: int) -> list[Row]:
    return [Row(number, f"row {number}") for number in range(count)]


class Million:
    """Pages of a million rows, and what was asked for."""

    def __init__(self, count: int = 1_000_000) -> None:
        self.count = count
        self.asked: list[Asked] = []
        self.first = 0
        """Rows that came in above since."""
        self.error: Exception | None = None

    async def page(self, asked: Asked) -> Piece[Row]:
        self.asked.append(asked)
        if self.error is not None:
            raise self.error
        start = int(asked.cursor or -self.first)
        end = min(start + asked.limit, self.count)
        found = tuple(Row(number, f"row {number}") for number in range(start, end))
        return Piece(found, str(end) if end < self.count else None, self.count)


class OneTable(App[None]):
    def __init__(self, *, marks: bool = True) -> None:
        super().__init__()
        idiom = Idiom(ENGLISH, False, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
        self.table = PagedTable(
            COLUMNS, key=lambda row: str(row.number), idiom=lambda: idiom, id="t", marks=marks
        )
        self.table.title = "Rows"
        self.table.empty = "No rows yet."
        self.heard: list[Any] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_paged_table_opened(self, event: PagedTable.Opened[Row]) -> None:
        self.heard.append(("opened", event.row.number))

    def on_paged_table_pointed(self, event: PagedTable.Pointed[Row]) -> None:
        self.heard.append(("pointed", None if event.row is None else event.row.number))

    def on_paged_table_copied(self, event: PagedTable.Copied) -> None:
        self.heard.append(("copied", event.text))


@asynccontextmanager
async def table(
    shown: Sequence[Row | Note] | None = None, *, size: tuple[int, int] = (60, 12), marks: bool = True
) -> AsyncIterator[tuple[OneTable, Pilot[None]]]:
    app = OneTable(marks=marks)
    async with app.run_test(size=size) as pilot:
        app.table.focus()
        if shown is not None:
            app.table.show(shown)
        await pilot.pause()
        yield app, pilot


def text(app: App[None]) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def under_cursor(app: OneTable) -> int:
    assert app.table.row is not None
    return app.table.row.number


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        await pilot.pause()
        while not true():
            await pilot.pause(0.01)


@presses(PagedTable, "up", "k", "down", "j", "pageup", "ctrl+b", "pagedown", "ctrl+f", "home", "end", "G")
async def test_the_cursor_goes_by_row_by_page_and_to_both_ends() -> None:
    async with table(rows(50)) as (app, pilot):
        for keys, expected in (
            (("down", "j"), 2), (("up",), 1), (("k", "k"), 0), (("pagedown",), 8), (("ctrl+f",), 16), (("pageup",), 8),
            (("ctrl+b",), 0), (("end",), 49), (("home",), 0), (("G",), 49),
        ):  # fmt: skip
            await pilot.press(*keys)
            assert under_cursor(app) == expected, keys
        assert "row 49" in text(app)
        assert "row 0 " not in text(app)
        assert "Name" in text(app), "the header stays when rows scroll"


@presses(PagedTable, "enter")
async def test_enter_opens_the_row_under_the_cursor() -> None:
    async with table(rows(3)) as (app, pilot):
        await pilot.press("down", "enter")
        await pilot.pause()
        assert app.heard == [("pointed", 0), ("pointed", 1), ("opened", 1)]


@presses(PagedTable, "slash", "escape")
async def test_a_filter_narrows_as_one_types_and_escape_clears_it() -> None:
    async with table(rows(100)) as (app, pilot):
        await pilot.press("slash", *"row 4")
        assert app.table.row_count == len(
            [row for row in rows(100) if "4" in f"{row.number} {row.number * 2}"]
        )
        await pilot.press("2")
        assert [line for line in text(app).splitlines() if "row 42" in line]
        assert "filter: row 42" in text(app)
        await pilot.press("backspace", "backspace", "ctrl+u", *"!1 name:row")
        assert app.table.row_count == len(
            [row for row in rows(100) if "1" not in f"{row.number} {row.number * 2} {row.name}"]
        )
        await pilot.press("ctrl+u", *"nothing like this", "enter")
        assert "Nothing matches nothing like this" in text(app)
        await pilot.press("escape")
        assert app.table.row_count == 100
        assert "filter" not in text(app)


async def test_while_one_types_a_filter_no_letter_is_a_command() -> None:
    async with table(rows(30)) as (app, pilot):
        await pilot.press("slash", "j", "w", "space", "q")
        assert app.table.filter == "jw q"
        assert not app.table.wide
        assert not app.table.marked


@presses(PagedTable, "space", "asterisk")
async def test_rows_are_marked_and_stay_marked_wherever_they_go() -> None:
    async with table(rows(5)) as (app, pilot):
        await pilot.press("space", "space")
        assert app.table.marked == {"0", "1"}
        assert under_cursor(app) == 2
        app.table.show([Row(9, "row 9"), *rows(5)])
        await pilot.pause()
        assert [row.number for row in app.table.marked_rows] == [0, 1]
        assert "2 marked" in text(app)
        await pilot.press("asterisk")
        assert len(app.table.marked) == 6
        await pilot.press("escape")
        assert not app.table.marked


async def test_a_table_without_marks_has_no_key_for_them() -> None:
    async with table(rows(5), marks=False) as (app, pilot):
        await pilot.press("space", "asterisk")
        assert not app.table.marked


@presses(PagedTable, "w", "left", "right")
async def test_w_shows_all_columns_and_one_can_go_sideways() -> None:
    async with table(rows(3)) as (app, pilot):
        assert "extra 1" not in text(app)
        await pilot.press("w")
        assert "all columns" in text(app)
        assert app.table.virtual_size.width > 60
        for _ in range(6):
            await pilot.press("right")
        assert "extra 1" in text(app)
        for _ in range(6):
            await pilot.press("left")
        assert "> " in text(app)
        await pilot.press("w")
        assert app.table.virtual_size.width <= 60


@presses(PagedTable, "less_than_sign", "greater_than_sign", "o")
async def test_rows_are_sorted_by_the_column_one_chooses() -> None:
    mixed = [Row(2, "b"), Row(3, "a"), Row(1, "c")]
    async with table(mixed) as (app, pilot):
        await pilot.press("greater_than_sign")
        assert [row.number for row in app.table.window.known()] == [3, 2, 1]
        assert "sort: Name ▲" in text(app)
        await pilot.press("o")
        assert [row.number for row in app.table.window.known()] == [1, 2, 3]
        await pilot.press("less_than_sign")
        assert [row.number for row in app.table.window.known()] == [2, 3, 1], "the rows' own order"


@presses(PagedTable, "y", "Y")
async def test_a_row_is_copied_by_what_it_is_known_by_or_whole() -> None:
    async with table(rows(2)) as (app, pilot):
        await pilot.press("down", "y", "Y")
        await pilot.pause()
        copied = [said for kind, said in app.heard if kind == "copied"]
        assert copied[0] == "1"
        assert msgspec.json.decode(copied[1], type=Row) == Row(1, "row 1")


async def test_the_cursor_stays_with_its_row_when_rows_come_in_above_and_follows_at_the_top() -> None:
    async with table(rows(30)) as (app, pilot):
        await pilot.press("down", "down")
        app.table.show([Row(100, "new"), *rows(30)])
        await pilot.pause()
        assert under_cursor(app) == 2
        await pilot.press("home")
        app.table.show([Row(101, "newer"), Row(100, "new"), *rows(30)])
        await pilot.pause()
        assert under_cursor(app) == 101


async def test_only_lines_that_changed_are_drawn_anew() -> None:
    async with table(rows(8)) as (app, pilot):
        drawn: list[int] = []
        real = app.table.render_line

        def counted(y: int) -> Any:
            drawn.append(y)
            return real(y)

        app.table.render_line = counted
        app.table.show([*rows(3), Row(99, "other"), *rows(8)[4:]])
        await pilot.pause()
        assert drawn == [4]
        drawn.clear()
        app.table.show([*rows(3), Row(99, "other"), *rows(8)[4:]])
        await pilot.pause()
        assert drawn == []


async def test_a_note_belongs_to_the_row_before_it_and_the_cursor_passes_it() -> None:
    async with table([Row(0, "a"), Note("why it failed"), Row(1, "b"), Note("another why")]) as (app, pilot):
        assert "↳ why it failed" in text(app)
        await pilot.press("down")
        assert under_cursor(app) == 1
        await pilot.press("down")
        assert under_cursor(app) == 1
        await pilot.press("up")
        assert under_cursor(app) == 0
        await pilot.press("slash", *"name:b")
        assert "another why" in text(app)
        assert "why it failed" not in text(app)


async def test_no_rows_are_a_sentence() -> None:
    async with table([]) as (app, _):
        assert "No rows yet." in text(app)


async def test_text_from_outside_is_shown_as_text() -> None:
    async with table([Row(1, "[red]x[/]\x1b[31m\u202e")]) as (app, _):
        app.table.title = "[b]title\x1b"
        app.table.relabel()
        await asyncio.sleep(0)
        assert "[red]x[/]" in text(app)
        assert not any(letter in text(app) for letter in "\x1b\u202e")


@pytest.mark.parametrize("width", range(20, 200, 7))
def test_columns_never_overflow_and_those_of_rank_0_are_always_there(width: int) -> None:
    places = placed(COLUMNS, width, all_of_them=False)
    assert {0, 1} <= {place.index for place in places}
    if width >= 24:
        assert places[-1].x + places[-1].width <= width


# A million rows


async def test_a_million_rows_are_there_and_only_pages_in_sight_are_asked_for() -> None:
    async with table() as (app, pilot):
        source = Million()
        app.table.read(source)
        await until(pilot, lambda: "row 0" in text(app))
        assert len(source.asked) == 1
        await pilot.press("end")
        assert under_cursor(app) == PAGE - 1
        await until(pilot, lambda: app.table.row_count > PAGE)
        await pilot.press("end")
        await until(pilot, lambda: app.table.row_count > 2 * PAGE)
        assert under_cursor(app) == 2 * PAGE - 1
        assert [asked.cursor for asked in source.asked] == [None, "200", "400"]


async def test_old_pages_are_let_go_and_asked_for_again() -> None:
    async with table() as (app, pilot):
        source = Million()
        app.table.read(source)
        for page in range(1, KEPT + 5):
            await until(pilot, lambda page=page: app.table.row_count >= page * PAGE)
            await pilot.press("end")
        assert len(app.table.window._shelf._pages) <= KEPT
        asked = len(source.asked)
        await pilot.press("home")
        await until(pilot, lambda: "row 0 " in text(app) + " ")
        assert source.asked[asked].cursor is None


async def test_the_last_page_ends_the_table() -> None:
    async with table() as (app, pilot):
        app.table.read(Million(PAGE + 3))
        for _ in range(3):
            await until(pilot, lambda: app.table.row_count >= PAGE)
            await pilot.press("end")
        await until(pilot, lambda: app.table.row_count == PAGE + 3)
        await pilot.press("end")
        assert under_cursor(app) == PAGE + 2


async def test_filter_and_order_of_pages_are_the_sources() -> None:
    async with table() as (app, pilot):
        source = Million()
        app.table.read(source)
        await until(pilot, lambda: app.table.row_count > 0)
        await pilot.press("slash", *"abc", "enter")
        await until(pilot, lambda: source.asked[-1].filter == "abc")
        assert len([asked for asked in source.asked if asked.filter]) < 4, "not at every letter"
        await pilot.press("greater_than_sign", "greater_than_sign")
        await until(pilot, lambda: source.asked[-1].sort == "number")
        assert source.asked[-1].down, "numbers begin with the largest"


async def test_new_rows_above_are_followed_at_the_top_and_counted_elsewhere() -> None:
    async with table() as (app, pilot):
        source = Million()
        app.table.read(source)
        await until(pilot, lambda: app.table.row_count > 0)
        source.first = 1
        await app.table.renew()
        assert under_cursor(app) == -1
        await pilot.press("down", "down")
        at = under_cursor(app)
        source.first = 3
        await app.table.renew()
        await pilot.pause()
        assert under_cursor(app) == at
        assert "2 new above" in text(app)
        await pilot.press("home")
        assert "new above" not in text(app)


async def test_a_source_that_fails_is_a_sentence_in_place_of_rows() -> None:
    async with table() as (app, pilot):
        source = Million()
        source.error = RuntimeError("the server is busy")
        app.table.read(source)
        await until(pilot, lambda: "This cannot be shown: the server is busy" in text(app))
        source.error = None
        await app.table.renew()
        await until(pilot, lambda: "row 0" in text(app))


async def test_a_click_points_a_double_click_opens_and_a_title_sorts() -> None:
    async with table(rows(5)) as (app, pilot):
        await pilot.click("#t", offset=(5, 4))
        assert under_cursor(app) == 2
        await pilot.click("#t", offset=(5, 4), times=2)
        await pilot.pause()
        assert ("opened", 2) in app.heard
        await pilot.click("#t", offset=(5, 1))
        assert app.table.window.sort_column == 0
