"""The dashboard on a real server: figures, what needs the operator, where each line leads, and the stream of events behind it."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from laidian.admin.client import AdminClient
from laidian.admin.schema import Card, Overview, UpstreamRow
from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tui.screens.dashboard import Dashboard, Picture, history
from tui.screens.request import Request
from tui.screens.upstream import UpstreamScreen


async def test_the_first_screen_says_how_it_goes(console: Console) -> None:
    async with shown(console.connect) as seen:
        await seen.until_text("gpt-5.4-mini")
        overview: Overview = seen.here.picture.overview
        text = seen.text
        assert "Upstreams (2 of 2 serving)" in text
        assert "alice-mac" in text
        assert f"${float(overview.cards.spent_today_usd):.4f}" in text
        assert "Live ─ in flight 0" in text


async def test_what_needs_the_operator_leads_to_where_it_is_fixed(own_console: Console) -> None:
    own_console.laidian.write("UPDATE credentials SET enabled = 0 WHERE upstream_id = 1")
    async with shown(own_console.connect) as seen:
        await seen.until(lambda: any(one.name == "sim" for one in seen.here.attention.window.known()))
        (trouble,) = [one for one in seen.here.attention.window.known() if one.name == "sim"]
        assert trouble.screen == "upstreams"
        assert "✕" in seen.text
        assert seen.here.attention.point(trouble.id)
        await seen.press("enter")
        await seen.until(lambda: seen.app.current_mode == "upstreams")
        await seen.until_text("✕ NO CRED")
        assert seen.here.table.filter == "sim"


async def test_every_other_line_leads_to_its_thing(console: Console) -> None:
    async with shown(console.connect) as seen:
        await seen.until_text("gpt-5.4-mini")
        seen.here.top_keys.focus()
        assert seen.here.top_keys.point("ci-bot")
        await seen.press("enter")
        await seen.until(lambda: seen.app.current_mode == "keys")
        assert seen.here.table.filter == "ci-bot"
        await seen.press("1")
        seen.here.upstreams.focus()
        assert seen.here.upstreams.point("sim")
        await seen.press("enter")
        await seen.until(lambda: isinstance(seen.here, UpstreamScreen))
        await seen.press("escape")
        seen.here.table.focus()
        await seen.press("enter")
        await seen.until(lambda: isinstance(seen.here, Request))
        await seen.press("escape")
        assert isinstance(seen.here, Dashboard)


async def test_what_happens_is_told_by_the_server_and_not_asked_for(
    own_console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shown(own_console.connect) as seen:
        await seen.until(lambda: seen.app.feed.listening)
        asked: list[str] = []
        real = AdminClient.usage

        async def counted(self: AdminClient, *args: object, **more: object) -> object:
            asked.append("usage")
            return await real(self, *args, **more)  # pyright: ignore[reportArgumentType]

        monkeypatch.setattr(AdminClient, "usage", counted)
        assert await asyncio.to_thread(own_console.call, 0) == 200
        assert await asyncio.to_thread(lambda: own_console.call(1, model="nope")) == 404
        await seen.until_text("gpt-5.4")
        await seen.until_text("nope")
        assert asked == []
        await seen.press("7")
        await seen.until_text("↳ ")
        assert asked == []


async def test_the_stream_goes_on_after_the_server_was_away(own_console: Console) -> None:
    async with shown(own_console.connect) as seen:
        await seen.until(lambda: seen.app.feed.listening)
        own_console.laidian.kill9(whole_tree=True)
        await seen.until(lambda: not seen.app.feed.listening)
        await asyncio.to_thread(own_console.laidian.start)
        await seen.until(lambda: seen.app.feed.listening)
        assert await asyncio.to_thread(own_console.call, 2) == 200
        await seen.until_text("key-3")


async def test_text_from_outside_is_shown_as_text_and_never_as_markup(own_console: Console) -> None:
    hostile = "[red]x\x1b[31m\u202e[@click=app.quit]y"
    own_console.laidian.write("UPDATE upstreams SET name = ? WHERE id = 1", hostile)
    own_console.laidian.write("UPDATE keys SET name = ? WHERE id = 1", hostile)
    assert own_console.call() == 200
    async with shown(own_console.connect, size=(160, 50)) as seen:
        await seen.until(lambda: seen.text.count("[red]x") >= 3)
        for key in ("5", "2", "7", "8"):
            await seen.press(key)
            await seen.until_text("[red]x")
            assert not any(letter in seen.text for letter in "\x1b\u202e")


def test_an_hour_of_an_upstream_is_a_line_in_which_failures_are_crosses() -> None:
    quiet = UpstreamRow(
        name="a", kind="openai", state="up", reason="", until=None, in_flight=0, requests_per_minute=0,
        success_percent_24h=None, first_byte_p50_ms=None, first_byte_p95_ms=None, requests=(0,) * 60, failed=(0,) * 60,
        first_byte_ms=(None,) * 60,
    )  # fmt: skip
    assert history(quiet, 12) == "▁" * 12
    busy = msgspec.structs.replace(quiet, requests=(0,) * 55 + (8,) * 5, failed=(0,) * 40 + (1,) + (0,) * 19)
    assert history(busy, 12) == "▁" * 8 + "✕" + "▁" * 2 + "█"


def still(overview: Overview) -> Overview:
    """With figures that do not move with the minute."""
    series = tuple(range(60))
    card = Card(now=42, before=39, series=series)
    cards = msgspec.structs.replace(
        overview.cards, requests=card, tokens=Card(now=118_000, before=121_600, series=series), spend=card,
        errors=Card(now=2, before=0, series=(0,) * 50 + (1,) * 10), requests_5m=480, last_error_status=429,
    )  # fmt: skip
    rows = tuple(
        msgspec.structs.replace(
            one,
            requests=series,
            failed=(0,) * 57 + (1,) * 3,
            requests_per_minute=18,
            success_percent_24h=99.9,
        )
        for one in overview.upstreams
    )
    return msgspec.structs.replace(overview, cards=cards, upstreams=rows)


async def test_picture_of_the_dashboard(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Dashboard.look

    async def look(self: Dashboard, client: AdminClient) -> Picture:
        picture = await real(self, client)
        return msgspec.structs.replace(picture, overview=still(picture.overview))

    monkeypatch.setattr(Dashboard, "look", look)

    async def drive(seen: Shown) -> None:
        await seen.until_text("gpt-5.4-mini")

    await assert_screen("dashboard", console.connect, drive=drive)
