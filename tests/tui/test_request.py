"""One request with its receipt, from a real server."""

from __future__ import annotations

import msgspec
import pytest

from laidian.admin.schema import UsageDetail
from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tests.tui.walk import presses
from tui.app import LaiDianApp
from tui.paged import PagedTable
from tui.screens.request import Request


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What went to the terminal's clipboard."""
    monkeypatch.delenv("TMUX", raising=False)
    texts: list[str] = []
    monkeypatch.setattr(LaiDianApp, "copy_to_clipboard", lambda _, text: texts.append(text))
    return texts


async def open_one(seen: Shown, text: str) -> None:
    await seen.press("8")
    await seen.until_text(text)
    await seen.press("slash", *text, "enter")
    await seen.until(lambda: seen.here.table.row_count > 0 and seen.here.table.filter == text)
    await seen.settled()
    await seen.press("enter")
    await seen.until(lambda: isinstance(seen.here, Request))
    await seen.settled()


@presses(Request, "y", "Y")
async def test_the_receipt_adds_up_and_id_and_json_are_copied(console: Console, copied: list[str]) -> None:
    async with shown(console.connect, size=(100, 40)) as seen:
        await open_one(seen, "mini")
        text = seen.text
        assert "ci-bot, group default, quota quota" in text
        assert "✓ sim" in text
        assert "as the upstream reported" in text
        assert "never stored" in text
        detail: UsageDetail = seen.here.picture
        assert all(f"${line.cost_usd}" in text for line in detail.receipt.lines)
        assert f"${detail.receipt.charged_usd};" in text
        await seen.press("y", "Y")
        assert copied[0] == detail.record.request_id
        assert msgspec.json.decode(copied[1], type=UsageDetail) == detail
        assert any("Sent to the terminal's clipboard" in one for one in seen.notices)


@presses(Request, "left_square_bracket", "right_square_bracket")
async def test_brackets_go_to_the_newer_and_the_older_request(console: Console) -> None:
    async with shown(console.connect) as seen:
        await open_one(seen, "mini")
        first = seen.here.picture.record.request_id
        await seen.press("right_square_bracket")
        await seen.until(lambda: seen.here.picture.record.request_id != first)
        assert seen.here.picture.record.model == "gpt-5.4-mini"
        await seen.press("left_square_bracket")
        await seen.until(lambda: seen.here.picture.record.request_id == first)


@presses(Request, "K", "U")
async def test_its_key_and_its_upstream_are_one_key_away(console: Console) -> None:
    async with shown(console.connect) as seen:
        await open_one(seen, "mini")
        await seen.press("K")
        await seen.until(lambda: seen.app.current_mode == "keys")
        assert seen.app.screen.query_one("#table", PagedTable).filter == "ci-bot"
        await seen.press("8")
        assert isinstance(seen.here, Request)
        await seen.press("U")
        await seen.until(lambda: seen.app.current_mode == "upstreams")
        assert seen.app.screen.query_one("#table", PagedTable).filter == "sim"


@presses(Request, "up", "k", "down", "j", "pageup", "pagedown", "space")
async def test_a_long_story_is_scrolled(console: Console) -> None:
    async with shown(console.connect) as seen:
        await open_one(seen, "mini")
        await seen.pilot.resize_terminal(80, 14)
        await seen.settled()
        before = seen.below
        for key in ("down", "j", "pagedown", "space"):
            await seen.press(key)
        assert seen.below != before
        for key in ("up", "k", "pageup", "pageup"):
            await seen.press(key)
        assert seen.below == before


async def test_a_refused_request_says_which_gate_was_closed(own_console: Console) -> None:
    assert own_console.call(0, model="nope") == 404
    async with shown(own_console.connect) as seen:
        await open_one(seen, "nope")
        assert "no upstream was asked" in seen.text
        assert "404 model_not_found" in seen.text
        assert "refused" in seen.text


async def test_picture_of_a_request(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await open_one(seen, "mini")

    await assert_screen("request", console.connect, drive=drive)
