"""The usage explorer on a real server: spans, groups, metrics, comparing, narrowing, exporting."""

from __future__ import annotations

import csv
import datetime
from pathlib import Path

import msgspec
import pytest

from laidian.admin.schema import UsageRecord
from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tests.tui.walk import presses
from tui.chosen import Columns
from tui.screens.export import Export
from tui.screens.request import Request
from tui.screens.usage import BYS, METRICS, Usage
from tui.spans import NAMES, Span, before, begins, buckets, span_of

NOW = datetime.datetime(2026, 11, 22, 10, 20, 5, tzinfo=datetime.UTC)


async def opened(seen: Shown) -> None:
    await seen.press("8")
    await seen.until_text("gpt-5.4-mini")


@presses(Usage, "t")
async def test_t_goes_through_the_spans_and_yesterday_was_quiet(console: Console) -> None:
    async with shown(console.connect) as seen:
        await opened(seen)
        assert "24 hours" in seen.text
        await seen.press("t")
        await seen.until_text("No requests in this time.")
        assert "yesterday" in seen.text
        for name in ("7 days", "30 days", "today", "all time", "24 hours"):
            await seen.press("t")
            await seen.until_text(name)
            await seen.until_text("5 requests, 1 failed")


@presses(Usage, "g")
async def test_g_groups_by_whom_with_shares(console: Console) -> None:
    async with shown(console.connect) as seen:
        await opened(seen)
        for by, text in zip(BYS[1:], ("ci-bot", "gpt-5.4-mini", "default", "sim", "2xx"), strict=True):
            await seen.press("g")
            await seen.until_text(f"by {by}")
            await seen.until(
                lambda text=text: any(row.name == text for row in seen.here.groups.window.known())
            )
        await seen.press("g")
        await seen.until_text("by time")


@presses(Usage, "m")
async def test_m_measures_something_else(console: Console) -> None:
    async with shown(console.connect) as seen:
        await opened(seen)
        await seen.until_text("by time")
        for metric in (*METRICS[1:], METRICS[0]):
            await seen.press("m")
            assert f"─ {'money' if metric == 'cost' else metric} " in seen.text


@presses(Usage, "c")
async def test_c_compares_with_the_span_before(console: Console) -> None:
    async with shown(console.connect) as seen:
        await opened(seen)
        await seen.press("c")
        await seen.until_text("before: $0 (new)   0 requests (new)")
        await seen.press("c")
        await seen.until(lambda: "before:" not in seen.text)


@presses(Columns, "left", "h", "right", "l", "enter")
@presses(Usage, "escape")
async def test_a_column_of_the_chart_narrows_to_its_hour_and_escape_goes_back(console: Console) -> None:
    async with shown(console.connect) as seen:
        await opened(seen)
        await seen.until_text("5 requests")
        seen.here.chart.focus()
        await seen.press("left", "h")
        assert seen.here.chart.pointed == 21
        await seen.press("enter")
        await seen.until_text("No requests in this time.")
        assert "from " in seen.text
        await seen.press("escape")
        await seen.until_text("gpt-5.4-mini")
        assert "24 hours" in seen.text
        seen.here.chart.focus()
        await seen.press("right", "l", "enter")
        await seen.until_text("from ")
        await seen.until_text("gpt-5.4-mini")


async def test_a_filter_narrows_requests_and_sums_alike(console: Console) -> None:
    async with shown(console.connect) as seen:
        await opened(seen)
        await seen.press("slash", *"model:gpt-5.4-mini", "enter")
        await seen.until_text("2 requests, 0 failed")
        await seen.until(lambda: seen.here.table.row_count == 2)
        await seen.press("escape")
        await seen.until_text("5 requests, 1 failed")


async def test_enter_on_a_group_narrows_to_it_and_enter_on_a_request_opens_it(console: Console) -> None:
    async with shown(console.connect) as seen:
        await opened(seen)
        await seen.press("g")
        await seen.until(lambda: seen.here.groups.row_count == 3)
        seen.here.groups.focus()
        assert seen.here.groups.point("ci-bot")
        await seen.press("enter")
        await seen.until_text("filter: key:ci-bot")
        await seen.until(lambda: seen.here.table.row_count == 2)
        await seen.press("enter")
        await seen.until(lambda: isinstance(seen.here, Request))


async def test_where_there_is_room_the_request_under_the_cursor_stands_beside_the_list(
    console: Console,
) -> None:
    async with shown(console.connect, size=(160, 50)) as seen:
        await opened(seen)
        await seen.until_text("never stored")
        first = seen.here.pane.detail.record.request_id
        await seen.press("down")
        await seen.until(lambda: seen.here.pane.detail.record.request_id != first)


@presses(Usage, "S")
@presses(Export, "enter")
async def test_a_month_is_exported_in_six_keys(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shown(console.connect) as seen:
        await seen.press("8", "t", "t", "t", "S", "enter")
        await seen.until(lambda: any("5 requests in " in one for one in seen.notices))
    (path,) = tmp_path.glob("laidian-usage-*.csv")
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5
    assert {row["key"] for row in rows} == {"alice-mac", "小王-笔记本", "ci-bot"}


async def test_json_lines_are_the_other_format_and_nothing_is_overwritten(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shown(console.connect, first="usage") as seen:
        await seen.press("S")
        seen.here._input.value = "month.txt"
        await seen.press("enter")
        await seen.until_text("neither with .csv nor with .jsonl")
        seen.here._input.value = "nowhere/month.jsonl"
        await seen.press("enter")
        await seen.until_text("cannot be written")
        seen.here._input.value = "month.jsonl"
        await seen.press("enter")
        await seen.until(lambda: any("5 requests in month.jsonl" in one for one in seen.notices))
        records = [
            msgspec.json.decode(line, type=UsageRecord)
            for line in Path("month.jsonl").read_text().splitlines()
        ]
        assert len(records) == 5
        await seen.press("S")
        seen.here._input.value = "month.jsonl"
        await seen.press("enter")
        await seen.until_text("exists already")
        await seen.press("escape")
        assert isinstance(seen.here, Usage)


def test_spans_are_whole_hours_and_days_in_utc() -> None:
    assert set(NAMES) == {"24h", "yesterday", "7d", "30d", "today", "all"}
    assert span_of("24h", NOW).query == {"since": "2026-11-21T11:00:00Z"}
    assert span_of("yesterday", NOW).query == {
        "since": "2026-11-21T00:00:00Z",
        "until": "2026-11-22T00:00:00Z",
    }
    assert span_of("all", NOW).query == {}
    assert len(buckets(span_of("24h", NOW), NOW, None)) == 24
    assert len(buckets(span_of("yesterday", NOW), NOW, None)) == 24
    assert len(buckets(span_of("30d", NOW), NOW, None)) == 30
    assert buckets(span_of("all", NOW), NOW, None) == []
    assert len(buckets(span_of("all", NOW), NOW, NOW - datetime.timedelta(days=2))) == 3


def test_the_span_before_is_as_long_and_ends_where_this_one_begins() -> None:
    yesterday = span_of("yesterday", NOW)
    assert yesterday.since is not None
    assert before(yesterday, NOW) == Span(
        yesterday.since - datetime.timedelta(days=1), yesterday.since, "hour"
    )
    assert before(span_of("all", NOW), NOW) is None


def test_buckets_of_a_summary_are_read_back() -> None:
    assert begins("2026-11-22T10:00Z") == NOW.replace(minute=0, second=0)
    assert begins("2026-11-22") == NOW.replace(hour=0, minute=0, second=0)
    assert begins("gpt-5.4") is None


async def test_picture_of_usage_by_model(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await seen.press("g", "g", "c")
        await seen.until(lambda: seen.here.groups.row_count == 2)

    await assert_screen("usage_by_model", console.connect, keys=("8",), drive=drive)


async def test_picture_of_an_export(console: Console) -> None:
    await assert_screen("export", console.connect, keys=("8", "S"))
