"""Every screen and every dialog has its pictures; those that are in no other test are taken here, many from one dashboard."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
import pytest
from textual.screen import Screen

from laidian.admin.schema import GroupCreate, KeyCreated, PriceSet, QuotaCreate, Trial
from laidian.data import price_book_bytes
from tests.served import served
from tests.simulated_provider import SimulatedProvider
from tests.tui.conftest import SETUP, Console
from tests.tui.pictures import PICTURES, wanted
from tests.tui.screens import SIZES, SNAPSHOTS, VARIANTS, Shot, Shown, assert_screens
from tui.dialogs.qr import QrCode
from tui.dialogs.trial import Tried, outcome_lines
from tui.form import Form
from tui.question import Sure, Told, TypeName
from tui.screens.book import Book
from tui.screens.created import Created
from tui.screens.key import KeyDetail

Drive = Callable[[Shown], Awaitable[None]]


def test_every_screen_and_dialog_has_a_picture() -> None:
    assert sorted(wanted() - set(PICTURES.values())) == [], "without a picture"
    assert sorted(set(PICTURES.values()) - wanted()) == [], "a picture of what is not there"


def test_every_picture_is_there_at_every_size_in_every_variant() -> None:
    files = {f"{name}.{variant}.txt" for name in PICTURES for variant, _, _ in VARIANTS}
    assert {path.name for path in SNAPSHOTS.glob("*.txt")} == files
    for file in sorted(files):
        text = (SNAPSHOTS / file).read_text()
        assert [line[3:] for line in text.splitlines() if line.startswith("== ")] == [
            f"{x}x{y}" for x, y in SIZES
        ], file


@pytest.fixture(scope="module")
def stocked(provider: SimulatedProvider) -> Iterator[Console]:
    """With one of everything that a dialog asks about. The pictures leave it as it is."""
    with served(provider, setup=SETUP) as laidian:
        for number, name in enumerate(("alice-mac", "小王-笔记本", "ci-bot"), 1):
            laidian.write("UPDATE keys SET name = ? WHERE id = ?", name, number)
        laidian.write("UPDATE keys SET limit_nano = 10000000000 WHERE id = 3")
        # Differs from what came with the program, so that there is something to adopt.
        older = price_book_bytes().replace(b'"genai-prices ', b'"older-prices ', 1)
        laidian.write("UPDATE price_books SET data = ?", older)
        console = Console(provider, laidian)
        asyncio.run(_stock(console))
        assert console.call(0) == 200
        laidian.wait_settled()
        console.now = datetime.datetime.now(datetime.UTC)
        yield console


async def _stock(console: Console) -> None:
    async with console.client() as client:
        await client.create_group(GroupCreate(name="team"))
        await client.create_quota(QuotaCreate(name="trial", balance_usd="5"))
        await client.set_price(PriceSet(model="gpt-5.4-mini", rates={"input": "1", "output": "2"}))
        for upstream in ("sim", "gemini-a"):
            await client.probe(upstream)


def on(name: str, *keys: str, then: type[Screen[Any]] | None = None) -> Drive:
    """The cursor on that line, these keys, and the dialog that they bring."""

    async def drive(seen: Shown) -> None:
        await seen.until(lambda: seen.here.table.point(name))
        await seen.press(*keys)
        await seen.until(lambda: then is None or isinstance(seen.here, then))

    return drive


async def test_pictures_of_what_is_done_to_keys(stocked: Console) -> None:
    async def near(seen: Shown) -> None:
        await on("alice-mac", "enter", then=KeyDetail)(seen)
        await seen.until(lambda: seen.here.picture is not None)

    await assert_screens(
        stocked.connect,
        {
            "key": Shot(("2",), near),
            "key_edit": Shot((), on("alice-mac", "e", then=Form)),
            "key_group": Shot((), on("alice-mac", "g", then=Form)),
            "key_limit": Shot((), on("ci-bot", "b", then=Form)),
            "key_rotate": Shot((), on("ci-bot", "R", then=Sure)),
        },
    )


async def test_pictures_of_what_is_asked_of_several_keys_and_of_a_new_one(stocked: Console) -> None:
    async with stocked.client() as client:
        made = KeyCreated(key=await client.key("alice-mac"), secret="sk-" + "Ab1_" * 12)

    def created(key: str, then: type[Screen[Any]]) -> Drive:
        async def drive(seen: Shown) -> None:
            page = Created(made)
            seen.app.push_screen(page)
            await seen.until(lambda: bool(page.settings.snippets))
            await seen.press(key)
            await seen.until(lambda: isinstance(seen.here, then))

        return drive

    await assert_screens(
        stocked.connect,
        {
            "key_unused": Shot(("2",), created("escape", Sure)),
            "key_qr": Shot((), created("Q", QrCode)),
            "keys_off": Shot((), on("alice-mac", "space", "space", "d", then=TypeName)),
            "keys_delete": Shot((), on("alice-mac", "D", then=TypeName)),
        },
    )


async def test_pictures_of_what_is_done_to_quotas_and_groups(stocked: Console) -> None:
    await assert_screens(
        stocked.connect,
        {
            "quota_edit": Shot(("4",), on("quota", "e", then=Form)),
            "quota_simulate": Shot((), on("quota", "x", then=Told)),
            "quota_in_use": Shot((), on("quota", "D", then=Told)),
            "quota_top_up": Shot((), on("trial", "b", then=Form)),
            "quota_delete": Shot((), on("trial", "D", then=TypeName)),
            "group_delete": Shot(("3",), on("team", "D", then=TypeName)),
        },
    )


async def test_pictures_of_what_is_asked_about_prices(stocked: Console) -> None:
    async def dearer(seen: Shown) -> None:
        await on("gpt-5.4", "e", then=Form)(seen)
        seen.here.put("input", "3")
        await seen.press("ctrl+s")
        await seen.until(lambda: isinstance(seen.here, Sure))

    async def adopt(seen: Shown) -> None:
        await seen.press("b")
        await seen.until(lambda: isinstance(seen.here, Book) and seen.here.picture is not None)
        await seen.press("A")
        await seen.until(lambda: isinstance(seen.here, TypeName))

    await assert_screens(
        stocked.connect,
        {
            "price_difference": Shot(("6",), dearer),
            "price_retire": Shot((), on("gpt-5.4-mini", "P", then=Sure)),
            "price_adopt": Shot((), adopt),
        },
    )


async def test_picture_of_a_key_that_was_turned_off_and_the_way_back(
    own_console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The notice has to last until all sizes are drawn.
    monkeypatch.setattr("tui.undo.UNDO_S", 60.0)

    async def off(seen: Shown) -> None:
        own_console.laidian.write("UPDATE keys SET enabled = 1")
        await seen.settled()
        await seen.until(lambda: seen.here.table.point("key-2") and seen.here.table.row.enabled)
        await seen.press("d")
        await seen.until(lambda: bool(seen.notices) and not seen.here.table.row.enabled)

    await assert_screens(own_console.connect, {"key_off": Shot(("2",), off)}, notices=True)


async def test_picture_of_a_request_that_is_tested(own_console: Console) -> None:
    async def tested(seen: Shown) -> None:
        # On a screen that does not count requests.
        await seen.press("v")
        page = Tried("key-1", Trial(model="gpt-5.4", key="key-1"))
        seen.app.push_screen(page)
        await seen.until(lambda: page.outcome is not None)
        assert page.outcome is not None
        timed = msgspec.structs.replace(page.outcome, first_byte_ms=120, duration_ms=480)
        page._lines.put(*outcome_lines(page.words, timed))

    await assert_screens(own_console.connect, {"key_test": Shot(("0",), tested)})
