"""One key from near by: limits, what it can use now, its days, its requests, its history."""

from __future__ import annotations

from typing import Any

from laidian.admin.schema import GroupEdit, KeyEdit, QuotaCreate
from tests.tui.conftest import Console
from tests.tui.screens import Shown, shown
from tests.tui.walk import presses
from tui.dialogs.trial import Tried
from tui.form import Form
from tui.question import Sure, TypeName
from tui.screens.created import Created
from tui.screens.key import KeyDetail
from tui.screens.keys import Keys


async def opened(seen: Shown, name: str) -> Any:
    await seen.until(lambda: seen.here.table.point(name))
    await seen.press("enter")
    await seen.until(lambda: isinstance(seen.here, KeyDetail) and seen.here.picture is not None)
    return seen.here


async def test_a_key_is_seen_from_near_by(own_console: Console) -> None:
    async with own_console.client() as client:
        await client.edit_key("key-1", KeyEdit(limit_usd="5"))
        for upstream in ("sim", "gemini-a"):
            await client.probe(upstream)
        await client.edit_group("default", GroupEdit(deny=("gpt-5.5",)))
    assert own_console.call(0) == 200
    own_console.laidian.wait_settled()
    async with shown(own_console.connect, first="keys", size=(160, 50)) as seen:
        detail = await opened(seen, "key-1")
        await seen.until_text("of $5.00")
        assert "resets in" in seen.text
        assert "Models now:" in seen.text
        served = {one.model: one for one in detail.picture.slow.serving.models}
        assert served["gpt-5.4"].available
        assert not served.get("gpt-5.5", served["gpt-4o-mini-tts"]).available
        assert [one.key for one in detail.picture.latest] == ["key-1"]
        await seen.until_text("Changes")
        assert any("key-1" in one.sentence or one.name == "key-1" for one in detail.picture.slow.operations)
        await seen.press("escape")
        assert isinstance(seen.here, Keys)


@presses(KeyDetail, "e", "d", "u", "b")
async def test_it_is_changed_from_its_own_screen_even_when_it_is_renamed(own_console: Console) -> None:
    async with own_console.client() as client:
        await client.create_quota(QuotaCreate(name="trial", balance_usd="1"))
        await client.edit_key("key-1", KeyEdit(quota="trial"))
    async with shown(own_console.connect, first="keys") as seen:
        detail = await opened(seen, "key-1")
        await seen.press("e")
        await seen.until(lambda: isinstance(seen.here, Form))
        await seen.press("end", *"-neu", "enter")
        await seen.until(lambda: seen.here is detail and detail.picture.key.name == "key-1-neu")
        await seen.press("d")
        await seen.until_text("◌ OFF")
        await seen.press("u")
        await seen.until(lambda: "◌ OFF" not in seen.text)
        await seen.press("b")
        await seen.until(lambda: isinstance(seen.here, Form))
        await seen.press("4", "enter")
        await seen.until_text("$5.00 left")


@presses(KeyDetail, "t")
async def test_it_is_tested_with_its_own_group_and_quota(own_console: Console) -> None:
    async with shown(own_console.connect, first="keys") as seen:
        detail = await opened(seen, "key-1")
        await seen.press("t")
        await seen.until(lambda: isinstance(seen.here, Tried))
        await seen.until_text("answered through")
        await seen.press("escape")
        own_console.laidian.write("UPDATE upstreams SET enabled = 0")
        detail.look_again()
        await seen.until_text("Models now: 0 of")
        await seen.press("t")
        await seen.until(lambda: any("No model can be used" in one for one in seen.notices))


@presses(KeyDetail, "R", "D")
async def test_it_is_rotated_and_deleted(own_console: Console) -> None:
    async with shown(own_console.connect, first="keys") as seen:
        detail = await opened(seen, "key-1")
        await seen.press("R")
        await seen.until(lambda: isinstance(seen.here, Sure))
        await seen.press("enter")
        await seen.until(lambda: isinstance(seen.here, Created))
        await seen.press("escape", "enter")
        await seen.until(lambda: seen.here is detail)
        await seen.press("D")
        await seen.until(lambda: isinstance(seen.here, TypeName))
        await seen.press(*"key-1", "enter")
        await seen.until(lambda: isinstance(seen.here, Keys))
        await seen.until(lambda: seen.here.table.total == 2)
