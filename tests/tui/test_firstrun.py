"""The first run: a checklist leads from an empty instance to a request that was answered and paid."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.served import Setup, served
from tests.simulated_provider import SimulatedProvider
from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tests.tui.walk import presses
from tui.dialogs.trial import Tried
from tui.dialogs.upstream import AddUpstream
from tui.firstrun import Checklist
from tui.form import Form
from tui.screens.created import Created
from tui.screens.dashboard import Dashboard


@pytest.fixture
def fresh(provider: SimulatedProvider) -> Iterator[Console]:
    """A server as its first start leaves it: a group and a quota, and nothing else."""
    with served(provider, setup=Setup(capabilities=("chat",))) as laidian:
        # Emptied once it runs: the helper waits until it is ready, which a server without upstreams is not.
        for table in ("keys", "probes", "credentials", "upstreams"):
            laidian.write(f"DELETE FROM {table}")
        yield Console(provider, laidian)


async def listed(seen: Shown) -> Checklist:
    await seen.until(lambda: seen.here.query_one(Checklist).wanted)
    return seen.here.query_one(Checklist)


@presses(Checklist, "enter", "up", "k", "down", "j")
async def test_enter_after_enter_leads_to_a_request_that_was_answered(fresh: Console) -> None:
    async with shown(fresh.connect) as seen:
        await listed(seen)
        await seen.until_text("▸ 2")
        assert "✓ 1" in seen.text
        await seen.press("down", "j", "up", "k", "enter")
        await seen.until(lambda: isinstance(seen.here, AddUpstream))
        form = seen.here
        form.put("provider", "compatible")
        form.put("base_url", fresh.provider.base_url)
        form.put("api_key", "sim-0001")
        await seen.press("ctrl+s")
        # The probe came with it, and group and quota are there since the first start: the key is next.
        await seen.until_text("▸ 6")
        assert "models can be had now" in seen.text
        await seen.press("enter")
        await seen.until(lambda: isinstance(seen.here, Form))
        await seen.press(*"alice", "enter")
        await seen.until(lambda: isinstance(seen.here, Created))
        await seen.press("escape", "enter")
        await seen.until(lambda: isinstance(seen.here, Dashboard))
        await seen.until_text("▸ 7")
        await seen.press("enter")
        await seen.until(lambda: isinstance(seen.here, Tried))
        await seen.until_text("answered through compatible")
        await seen.press("enter")
        await seen.until(lambda: isinstance(seen.here, Dashboard) and "Set up LaiDian" not in seen.text)
        async with fresh.client() as client:
            assert (await client.overview()).setup.requests


async def test_steps_that_are_done_can_be_done_again_and_those_that_cannot_be_done_say_so(
    fresh: Console,
) -> None:
    async with shown(fresh.connect) as seen:
        checklist = await listed(seen)
        for at, sentence in ((2, "Add an upstream first."), (6, "Make a key first.")):
            checklist._at = at
            await seen.press("enter")
            await seen.until(lambda said=sentence: said in seen.notices)
        for at, title in ((3, "Group default"), (4, "Quota quota")):
            checklist._at = at
            await seen.press("enter")
            await seen.until_text(title)
            await seen.press("escape")


@presses(Checklist, "x")
async def test_the_checklist_is_put_away_by_one_key(fresh: Console) -> None:
    async with shown(fresh.connect) as seen:
        await listed(seen)
        await seen.press("x")
        await seen.until(lambda: "Set up LaiDian" not in seen.text)


async def test_a_mouse_does_a_step_with_its_second_click(fresh: Console) -> None:
    async with shown(fresh.connect) as seen:
        checklist = await listed(seen)
        line = next(at for at, text in enumerate(seen.text.splitlines()) if " 6  " in text)
        await seen.pilot.click(offset=(10, line))
        assert checklist._at == 5
        await seen.pilot.click(offset=(10, line))
        await seen.until(lambda: isinstance(seen.here, Form))


async def test_an_instance_that_is_set_up_shows_no_checklist(console: Console) -> None:
    async with shown(console.connect) as seen:
        await seen.settled()
        assert "Set up LaiDian" not in seen.text


async def test_picture_of_the_first_run(fresh: Console) -> None:
    async def drive(seen: Shown) -> None:
        await listed(seen)

    await assert_screen("first_run", fresh.connect, drive=drive)
