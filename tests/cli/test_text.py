from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from laidian.cli.table import Column, render
from laidian.cli.text import clean, dollars, duration, milliseconds, moment, relative
from laidian.cli.values import amount, guard_negative, words

NOW = datetime.datetime(2026, 11, 22, 10, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("iso", "text", "short"),
    [
        ("2026-11-22T10:00:00Z", "now (2026-11-22 10:00Z)", "now"),
        ("2026-11-22T09:59:18Z", "42 s ago (2026-11-22 09:59Z)", "42 s ago"),
        ("2026-11-22T09:48:00.250Z", "11 min ago (2026-11-22 09:48Z)", "11 min ago"),
        ("2026-11-25T10:00:00Z", "in 3 d (2026-11-25 10:00Z)", "in 3 d"),
        ("2026-11-22T11:00:00+08:00", "7 h ago (2026-11-22 03:00Z)", "7 h ago"),
        ("whenever", "whenever", "whenever"),
        (None, "-", "-"),
    ],
)
def test_a_moment_is_relative_with_the_utc_time_behind(iso: str | None, text: str, short: str) -> None:
    assert moment(iso, NOW) == text
    assert moment(iso, NOW, short=True) == short


def test_small_numbers_of_time_and_money_are_written_for_people() -> None:
    assert [duration(seconds) for seconds in (0, 59, 3_700, 540_000)] == [
        "0 s",
        "59 s",
        "1 h 1 min",
        "6 d 6 h",
    ]
    assert [milliseconds(value) for value in (None, 812, 1_240)] == ["-", "812 ms", "1.2 s"]
    assert [dollars(text) for text in ("0.018622", "-5", None)] == ["$0.018622", "-$5", "-"]
    assert relative(NOW, NOW) == "now"


def test_control_characters_and_direction_marks_from_outside_do_not_reach_the_terminal() -> None:
    hostile = "a\x1b[31mb\x07\x9bc\u202ed\u2066e\r\nf"
    cleaned = clean(hostile)
    assert cleaned == "a\ufffd[31mb\ufffd\ufffdc\ufffdd\ufffde\ufffd\nf"
    assert all(letter.isprintable() or letter == "\n" for letter in cleaned)
    assert clean("小王-笔记本 ✓ ok") == "小王-笔记本 ✓ ok"


COLUMNS = (
    Column[tuple[str, str, int, str]]("name", lambda row: row[0]),
    Column[tuple[str, str, int, str]](
        "when", lambda row: f"{row[1]} (2026-11-22 10:00Z)", short=lambda row: row[1]
    ),
    Column[tuple[str, str, int, str]]("cost", lambda row: str(row[2]), right=True),
    Column[tuple[str, str, int, str]]("state", lambda row: row[3], colored=True, optional=True),
)
ROW = ("alice", "2 min ago", 1234, "active")


def test_a_table_with_room_shows_everything_and_has_no_trailing_spaces() -> None:
    head, line = render(COLUMNS, [ROW], width=None, color=False).split("\n")[:2]
    assert line == "alice  2 min ago (2026-11-22 10:00Z)  1234  active"
    assert head.split() == ["name", "when", "cost", "state"]
    assert head.index("cost") == line.index("1234")


def test_a_narrow_table_first_shortens_then_drops_what_is_optional_and_then_cuts() -> None:
    assert render(COLUMNS, [ROW], width=40, color=False).splitlines()[1] == "alice  2 min ago  1234  active"
    assert render(COLUMNS, [ROW], width=24, color=False).splitlines()[1] == "alice  2 min ago  1234"
    long = ("a-key-with-a-very-long-name", "2 min ago", 1234, "active")
    assert render(COLUMNS, [long], width=30, color=False).splitlines()[1] == "a-key-with-a…  2 min ago  1234"
    wide = ("小王的笔记本电脑密钥", "2 min ago", 1234, "active")
    assert render(COLUMNS, [wide], width=30, color=False).splitlines()[1] == "小王的笔记本…  2 min ago  1234"


@given(
    rows=st.lists(st.tuples(st.text(), st.text(max_size=30), st.integers(0, 10**9), st.text()), max_size=5),
    width=st.integers(40, 200),
)
def test_no_line_of_a_table_is_wider_than_the_terminal(
    rows: list[tuple[str, str, int, str]], width: int
) -> None:
    shown = render(COLUMNS, rows, width=width, color=False)
    assert len(shown.splitlines()) == len(rows) + 1
    assert all(cell_len(line) <= width for line in shown.splitlines())
    assert "\x1b" not in shown


def test_colour_repeats_a_word_and_is_absent_when_not_wanted() -> None:
    assert "\x1b[32mactive\x1b[0m" in render(COLUMNS, [ROW], width=None, color=True)
    assert "\x1b" not in render(COLUMNS, [ROW], width=None, color=False)
    named_like_a_state = ("active", "now", 1, "deleted")
    assert render(COLUMNS, [named_like_a_state], width=None, color=True).splitlines()[1].startswith("active")


def test_lists_of_words_may_be_repeated_or_separated_by_commas() -> None:
    assert words(["gpt-*, claude-*", "x", ""]) == ("gpt-*", "claude-*", "x")


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("5", "5"), ("$5.25", "5.25"), ("-5", "-5"), ("-$5", "-5"), ("-.5", "-.5"), ("five", "five")],
)
def test_an_amount_may_carry_its_sign_and_may_be_negative(typed: str, sent: str) -> None:
    (guarded,) = guard_negative([typed])
    assert amount(guarded) == sent


def test_options_are_not_taken_for_negative_amounts() -> None:
    options = ["-q", "--note", "-n", "--5"]
    assert guard_negative(options) == options
