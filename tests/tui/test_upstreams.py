"""Upstreams on a real server with the simulated provider: state and reason, probing, draining, last errors."""

from __future__ import annotations

from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tests.tui.walk import presses
from tui.screens.upstream import UpstreamScreen
from tui.screens.upstreams import Upstreams


@presses(Upstreams, "d")
async def test_an_upstream_is_drained_with_two_keys_and_enabled_with_one_more(own_console: Console) -> None:
    async with shown(own_console.connect) as seen:
        await seen.press("5")
        await seen.until_text("2 of 2 serving")
        name = seen.here.table.row.name
        await seen.press("d")
        await seen.until_text("◌ OFF")
        assert any(f"{name} is drained" in one for one in seen.notices)
        await seen.press("d")
        await seen.until_text("2 of 2 serving")


@presses(Upstreams, "p", "P")
async def test_a_probe_says_what_was_found_or_why_nothing_was(own_console: Console) -> None:
    async with shown(own_console.connect, first="upstreams") as seen:
        await seen.until_text("2 of 2 serving")
        assert seen.here.table.point("sim")
        await seen.press("p")
        await seen.until(lambda: any("models in" in one for one in seen.notices))
        own_console.laidian.write(
            "UPDATE upstreams SET base_url = 'http://127.0.0.1:1/v1' WHERE name = 'gemini-a'"
        )
        await seen.press("P")
        await seen.until(
            lambda: any(one.startswith("gemini-a: ") and "models" not in one for one in seen.notices)
        )


@presses(Upstreams, "R")
async def test_one_that_rests_says_why_and_until_when_and_can_be_tried_at_once(own_console: Console) -> None:
    own_console.provider.fault("http-401", path="/v1/chat/completions")
    try:
        for _ in range(3):
            assert own_console.call() >= 400
    finally:
        own_console.provider.clear_faults()
    async with shown(own_console.connect, first="upstreams") as seen:
        await seen.until_text("▲ RESTING")
        assert seen.here.table.point("sim")
        await seen.until_text("next try in")
        await seen.press("R")
        await seen.until_text("2 of 2 serving")


@presses(Upstreams, "l", "m")
async def test_last_errors_and_models_are_one_key_away(console: Console) -> None:
    async with shown(console.connect, first="upstreams") as seen:
        await seen.until_text("2 of 2 serving")
        assert seen.here.table.point("sim")
        await seen.press("l")
        await seen.until(lambda: seen.app.current_mode == "usage")
        assert seen.here.table.filter == "upstream:sim status:error"
        await seen.press("5", "m")
        await seen.until(lambda: seen.app.current_mode == "models")
        assert seen.here.table.filter == "upstreams:sim"
        await seen.until_text("gpt-5.5")


@presses(UpstreamScreen, "p", "d", "R", "l", "m")
async def test_its_own_screen_has_the_same_keys(own_console: Console) -> None:
    async with shown(own_console.connect, first="upstreams") as seen:
        await seen.until_text("2 of 2 serving")
        assert seen.here.table.point("sim")
        await seen.press("enter")
        assert isinstance(seen.here, UpstreamScreen)
        await seen.until_text("● UP")
        assert "› sim" in seen.text
        await seen.press("p")
        await seen.until(lambda: any("models in" in one for one in seen.notices))
        await seen.press("d")
        await seen.until_text("◌ OFF")
        await seen.press("d")
        await seen.until_text("● UP")
        await seen.press("R")
        await seen.until(lambda: any("circuits closed" in one for one in seen.notices))
        await seen.press("l")
        await seen.until(lambda: seen.app.current_mode == "usage")
        await seen.press("5", "m")
        await seen.until(lambda: seen.app.current_mode == "models")


async def test_picture_of_one_upstream(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await seen.until(lambda: seen.here.table.row_count == 2)
        assert seen.here.table.point("sim")
        await seen.press("enter")
        await seen.until(lambda: seen.here.picture is not None)

    await assert_screen("upstream", console.connect, keys=("5",), drive=drive)
