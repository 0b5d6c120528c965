"""What operators do, each from the dashboard in at most six key presses; what is typed (a name, an amount) does not count."""

from __future__ import annotations

import contextlib
import datetime
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from laidian.admin.schema import KeyEdit, PriceSet
from tests.served import wait_until
from tests.tui.conftest import Console
from tests.tui.screens import Shown, shown
from tui.screens.created import Created
from tui.screens.keys import Keys
from tui.screens.request import Request

MOST = 6


class Hands:
    """Counts what is pressed."""

    def __init__(self, seen: Shown) -> None:
        self.seen = seen
        self.presses = 0

    async def press(self, *keys: str) -> None:
        self.presses += len(keys)
        await self.seen.press(*keys)

    async def type(self, text: str) -> None:
        await self.seen.press(*text)


@contextlib.asynccontextmanager
async def task(console: Console, **more: object) -> AsyncIterator[tuple[Shown, Hands]]:
    """From the dashboard; afterwards the presses are judged."""
    async with shown(console.connect, **more) as seen:  # pyright: ignore[reportArgumentType]
        hands = Hands(seen)
        yield seen, hands
        assert hands.presses <= MOST, f"{hands.presses} presses"


async def test_find_why_a_model_fails(own_console: Console) -> None:
    own_console.laidian.write("UPDATE upstreams SET models = '[\"foo-preview\"]' WHERE id = 1")
    async with task(own_console) as (seen, hands):
        await hands.press("6", "slash")
        await hands.type("foo-preview")
        await hands.press("enter")
        await seen.until_text("NO PRICE")
        await seen.until_text("No price, so it is refused. e sets one.")


def made_a_day_older(console: Console) -> None:
    """All requests until now become yesterday's, in the records and in their sums."""
    laidian = console.laidian
    laidian.wait_settled()
    laidian.stop()
    laidian.write("UPDATE usage_records SET started_at_ms = started_at_ms - 86400000")
    for table in ("minutes", "hours", "days", "spans"):
        laidian.write(f"DELETE FROM usage_{table}")
    for table in ("group_days", "key_hours", "key_days", "key_totals"):
        laidian.write(f"DELETE FROM {table}")
    laidian.write("UPDATE meta SET value = 0 WHERE name = 'folded_to'")
    laidian.start()


async def test_who_spent_most_yesterday(own_console: Console) -> None:
    """Another key than today's and than the two days' together."""
    for key, times in ((0, 1), (1, 3)):
        for _ in range(times):
            assert own_console.call(key) == 200
    made_a_day_older(own_console)
    for _ in range(4):
        assert own_console.call(0) == 200
    own_console.laidian.wait_settled()
    own_console.now = datetime.datetime.now(datetime.UTC)

    def spent(seen: Shown) -> dict[str, int]:
        groups = seen.here.groups
        rows = [groups.window.at(index) for index in range(groups.row_count)]
        return {row.name: row.requests for row in rows if row is not None}

    async with task(own_console) as (seen, hands):
        await hands.press("8", "t", "g")
        await seen.until_text("yesterday")
        await seen.until_text("by key")
        await seen.until(lambda: list(spent(seen).items()) == [("key-2", 3), ("key-1", 1)])
        # What is not asked here, to show that the answer depends on the day.
        for range_said, found in (("7 days", {"key-1": 5, "key-2": 3}), ("today", {"key-1": 4})):
            while range_said not in seen.text:
                await seen.press("t")
            await seen.until(lambda found=found: spent(seen) == found)


@pytest.fixture
def runaway(own_console: Console) -> Iterator[Console]:
    """A request that the provider never answers."""
    own_console.provider.fault("hang")
    call = threading.Thread(target=own_console.call, daemon=True)
    call.start()
    wait_until(lambda: bool(own_console.laidian.holds()), "the request runs")
    yield own_console
    own_console.provider.clear_faults()
    call.join(30)


async def test_stop_a_runaway_stream(runaway: Console) -> None:
    async with task(runaway) as (seen, hands):
        await hands.press("7")
        await seen.until_text(" run ")
        await hands.press("x", "enter")
        await seen.until(lambda: not runaway.laidian.holds())


async def test_rotate_a_leaked_key(own_console: Console) -> None:
    async with task(own_console) as (seen, hands):
        await hands.press("2", "slash")
        await hands.type("key-2")
        await hands.press("enter")
        await seen.until(lambda: seen.here.table.row is not None and seen.here.table.row.name == "key-2")
        await hands.press("R", "enter")
        await seen.until(lambda: isinstance(seen.here, Created))
        assert own_console.call(1) == 401


async def test_add_an_upstream(own_console: Console) -> None:
    async with task(own_console) as (seen, hands):
        await hands.press("5")
        await seen.until(lambda: seen.here.picture is not None)
        await hands.press("n")
        await seen.until(lambda: bool(seen.here.query("#field-provider")))
        # Letters choose among the providers: this one is the third that begins so.
        await hands.type("aaa")
        assert seen.here.values["provider"] == "compatible"
        await hands.press("down")
        await hands.type(own_console.provider.base_url)
        await hands.press("down")
        await hands.type("sim-0001")
        await hands.press("enter")
        await seen.until(lambda: any("compatible answers" in one for one in seen.notices))


async def test_raise_a_limit(own_console: Console) -> None:
    async with own_console.client() as client:
        await client.edit_key("key-2", KeyEdit(limit_usd="5"))
    async with task(own_console) as (seen, hands):
        await hands.press("2", "slash")
        await hands.type("key-2")
        await hands.press("enter")
        await seen.until(lambda: seen.here.table.row is not None and seen.here.table.row.name == "key-2")
        await hands.press("b")
        await seen.until_text("may spend $5.00")
        await hands.type("10")
        await hands.press("enter")
        await seen.until(lambda: isinstance(seen.here, Keys))
        async with own_console.client() as client:
            assert (await client.key("key-2")).limit_usd == "15.00"


async def test_export_a_month(own_console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert own_console.call(0) == 200
    own_console.laidian.wait_settled()
    async with task(own_console) as (seen, hands):
        await hands.press("8", "t", "t", "t")
        await seen.until_text("30 days")
        await hands.press("S", "enter")
        await seen.until(lambda: any(path.stat().st_size > 0 for path in tmp_path.iterdir()))


async def test_see_what_a_friends_429_was(own_console: Console) -> None:
    own_console.laidian.write("UPDATE groups SET requests_per_minute = 1")
    assert own_console.call(1) == 200
    assert own_console.call(1) == 429
    own_console.laidian.wait_settled()
    async with task(own_console) as (seen, hands):
        await hands.press("8", "slash")
        await hands.type("key:key-2 status:429")
        await hands.press("enter")
        await seen.until(lambda: seen.here.table.row is not None and seen.here.table.row.status == 429)
        await hands.press("enter")
        await seen.until(lambda: isinstance(seen.here, Request))
        await seen.until_text("requests a minute")


async def test_drain_an_upstream(own_console: Console) -> None:
    async with task(own_console) as (seen, hands):
        await hands.press("5", "slash")
        await hands.type("sim")
        await hands.press("enter")
        await seen.until(lambda: seen.here.table.row is not None and seen.here.table.row.name == "sim")
        await hands.press("d")
        await seen.until_text("◌ OFF")


async def test_check_tonights_spend(own_console: Console) -> None:
    async with own_console.client() as client:
        await client.set_price(PriceSet(model="gpt-5.4", rates={"input": "20000", "output": "0"}))
    assert own_console.call(0) == 200
    own_console.laidian.wait_settled()
    async with own_console.client() as client:
        spent = float((await client.status()).spent_today_usd)
    assert spent > 0.01
    async with task(own_console) as (seen, _):
        await seen.until_text(f"${spent:.2f}")
