"""Values are written for people, text from outside is harmless, and everything is measured in cells."""

from __future__ import annotations

import datetime

from rich.cells import cell_len

from tui.ascii import ascii_of
from tui.cells import Cell, fitted, text_of, wrapped
from tui.idiom import Idiom
from tui.text import ago, clean, clock, compact, dollars, duration, milliseconds, percent, short_dollars
from tui.words import CHINESE, ENGLISH

NOW = datetime.datetime(2026, 11, 22, 10, 0, 5, tzinfo=datetime.UTC)


def test_values_are_written_for_people() -> None:
    assert [duration(seconds) for seconds in (0, 61, 540_000)] == ["0 s", "1 min 1 s", "6 d 6 h"]
    assert [ago(seconds) for seconds in (-3, 59.9, 61, 90_000)] == ["0 s", "59 s", "1 min", "1 d"]
    assert [milliseconds(value) for value in (9, 1_240)] == ["9 ms", "1.2 s"]
    assert [dollars(text) for text in ("0.5", "-1")] == ["$0.5", "-$1"]
    assert [short_dollars(text) for text in (None, "0.00", "0.0039", "1.024", "1204.2", "-3.5", "0.00000001")] == [
        "-", "$0", "$0.0039", "$1.02", "$1,204", "-$3.50", "<$0.0001",
    ]  # fmt: skip
    assert [compact(value) for value in (0, 0.4, 412, 9_100, 118_000, 2_400_000)] == [
        "0",
        "0.4",
        "412",
        "9.1k",
        "118k",
        "2.4M",
    ]
    assert [percent(share) for share in (0, 0.002, 0.999, 1)] == ["0%", "0.2%", "99.9%", "100%"]
    assert [clock(text) for text in ("2026-11-22T18:00:05+08:00", "soon")] == ["10:00:05", "soon"]


def test_text_from_outside_is_without_control_and_direction_signs() -> None:
    assert clean("a\x1b[31m\nb\u202ec") == "a [31m b c"
    assert text_of(tuple(fitted("[red]x\x1b[0m", 12))) == "[red]x [0m  "


def test_a_cell_is_filled_or_cut_to_its_width_whatever_the_letters() -> None:
    for text in ("alice", "小王-笔记本", "é́", "a" * 40, ""):
        for width in range(12):
            for right in (False, True):
                assert cell_len(text_of(tuple(fitted(text, width, right=right)))) == width, (text, width)
    assert text_of(tuple(fitted("小王-笔记本", 6))) == "小王-…"
    assert text_of(tuple(fitted((Cell("ab", "bad"), Cell("cdef")), 4))) == "abc…"


def test_a_sentence_is_broken_at_blanks_and_chinese_anywhere() -> None:
    assert wrapped("the server does not answer", 12) == ["the server", "does not", "answer"]
    assert wrapped("服务器没有响应", 6) == ["服务器", "没有响", "应"]
    assert wrapped("one\ntwo", 10) == ["one", "two"]
    assert wrapped("sk-1…2 stops working", 14) == ["sk-1…2 stops", "working"], "a sign is no Chinese"
    assert wrapped("按 ctrl+s 保存密钥。", 13) == ["按 ctrl+s 保", "存密钥。"]
    assert wrapped("保存密钥。", 8) == ["保存密", "钥。"], "no line begins with a full stop"
    assert all(cell_len(line) <= 7 for line in wrapped("averylongwordindeed 与中文混排", 7))


def test_a_state_is_a_sign_and_a_word_and_in_ascii_a_word_in_brackets() -> None:
    assert Idiom(ENGLISH, False, NOW).state("up") == Cell("● UP", "good")
    assert Idiom(CHINESE, False, NOW).state("disabled") == Cell("◌ 已禁用", "dim")
    assert Idiom(ENGLISH, True, NOW).state("no_credential") == Cell("[NO CRED]", "bad")
    assert Idiom(ENGLISH, False, NOW).state("unheard_of").text == "· UNHEARD_OF"


def test_moments_are_said_from_now() -> None:
    idiom = Idiom(ENGLISH, False, NOW)
    assert idiom.ago("2026-11-22T10:00:00Z") == "5 s"
    assert idiom.until("2026-11-22T12:00:05Z") == "2 h"
    assert (idiom.ago(None), idiom.until("soon")) == ("-", "-")


def test_signs_become_ascii_one_cell_for_one_and_letters_stay() -> None:
    signs = "╭─● ▲ ✕ ◌ ▁▄█▏·…→╯⣿⠁⡀"
    assert ascii_of(signs).isascii()
    assert cell_len(ascii_of(signs)) == cell_len(signs)
    assert ascii_of("小王 │") == "小王 |"
