"""Live requests on a real server: what runs, what ended and why, pausing, and ending a runaway."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import msgspec
import pytest

from laidian.admin.client import AdminClient
from tests.served import wait_until
from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tests.tui.walk import presses
from tui.flow import KEPT, Flow
from tui.question import Sure
from tui.screens.live import Flowing, Live
from tui.screens.request import Request


@pytest.fixture
def runaway(own_console: Console) -> Iterator[Console]:
    """One request that the provider never answers."""
    own_console.provider.fault("hang")
    call = threading.Thread(target=own_console.call, daemon=True)
    call.start()
    wait_until(lambda: bool(own_console.laidian.holds()), "the request runs")
    yield own_console
    own_console.provider.clear_faults()
    call.join(30)


@presses(Live, "x")
async def test_a_runaway_is_ended_with_three_keys_from_the_dashboard(runaway: Console) -> None:
    async with shown(runaway.connect) as seen:
        await seen.press("7")
        await seen.until_text(" run ")
        assert "in flight 1" in seen.text
        await seen.press("x")
        assert isinstance(seen.here, Sure)
        assert "key-1 for gpt-5.4" in seen.text
        await seen.press("escape")
        assert isinstance(seen.here, Live)
        assert runaway.laidian.holds(), "no is no"
        await seen.press("x", "y")
        await seen.until(lambda: not runaway.laidian.holds())
        await seen.until_text("in flight 0")
        assert any("Told to end: req_" in one for one in seen.notices)
        (record,) = runaway.laidian.records()
        assert record.ended == "cancelled"


async def test_enter_is_yes_too_and_what_has_ended_cannot_be_ended(runaway: Console) -> None:
    async with shown(runaway.connect, first="live") as seen:
        await seen.until_text(" run ")
        await seen.press("x", "enter")
        await seen.until_text("in flight 0")
        await seen.press("x")
        assert "This request has ended already." in seen.notices


@presses(Live, "p")
async def test_a_pause_keeps_what_is_seen_and_counts_what_came(own_console: Console) -> None:
    assert own_console.call(0) == 200
    own_console.laidian.wait_settled()
    async with shown(own_console.connect, first="live") as seen:
        await seen.until_text("key-1")
        await seen.press("p")
        assert "❚❚ PAUSED, 0 new" in seen.text
        assert await asyncio.to_thread(own_console.call, 1) == 200
        await seen.until_text("PAUSED, 1 new")
        assert "key-2" not in seen.text
        await seen.press("p")
        assert "▶ following" in seen.text
        assert "key-2" in seen.text


@presses(Live, "f")
async def test_faults_alone_are_shown_each_with_its_reason(console: Console) -> None:
    async with shown(console.connect, first="live") as seen:
        await seen.until_text("gpt-5.4-mini")
        await seen.press("f")
        assert "only faults" in seen.text
        assert "gpt-5.4-mini" not in seen.text
        assert " 400 " in seen.text
        assert "↳ " in seen.text
        await seen.press("f")
        assert "gpt-5.4-mini" in seen.text


@presses(Live, "K", "U")
async def test_the_key_and_the_upstream_of_a_request_are_one_key_away(console: Console) -> None:
    async with shown(console.connect, first="live") as seen:
        await seen.until_text("gpt-5.4-mini")
        await seen.press("slash", *"mini", "enter", "K")
        await seen.until(lambda: seen.app.current_mode == "keys")
        assert seen.here.table.filter == "ci-bot"
        await seen.press("7", "U")
        await seen.until(lambda: seen.app.current_mode == "upstreams")
        assert seen.here.table.filter == "sim"


async def test_enter_opens_the_receipt(console: Console) -> None:
    async with shown(console.connect, first="live") as seen:
        await seen.until_text("gpt-5.4-mini")
        await seen.press("slash", *"mini", "enter", "enter")
        await seen.until(lambda: isinstance(seen.here, Request))
        await seen.until_text("input x $")


def test_the_ring_keeps_the_newest_and_counts_each_once() -> None:
    from tests.tui.records import record

    flow = Flow()
    flow.caught_up([], [record(number) for number in range(50, 0, -1)])
    flow.caught_up([], [record(number) for number in range(60, 20, -1)])
    assert [one.request_id for one in flow.ended] == [f"req_{number}" for number in range(60, 0, -1)]
    assert flow.seen == 60
    flow.add([record(number) for number in range(2_000, 60, -1)])
    assert len(flow.ended) == KEPT
    assert flow.ended[0].request_id == "req_2000"


async def test_picture_of_faults(console: Console) -> None:
    await assert_screen("live_faults", console.connect, keys=("7", "f"))


async def test_picture_of_ending_a_request(runaway: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Live.look

    async def look(self: Live, client: AdminClient) -> Flowing:
        """With an age that does not go on."""
        picture = await real(self, client)
        running = tuple(msgspec.structs.replace(one, age_ms=72_000) for one in picture.running)
        return msgspec.structs.replace(picture, running=running)

    monkeypatch.setattr(Live, "look", look)

    async def drive(seen: Shown) -> None:
        await seen.until(lambda: seen.here.table.row is not None)
        await seen.press("x")
        await seen.until(lambda: isinstance(seen.here, Sure))

    await assert_screen("live_cancel", runaway.connect, keys=("7",), drive=drive)
    (running,) = runaway.laidian.holds()
    async with runaway.client() as client:
        await client.end_request(running)
