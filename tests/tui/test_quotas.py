"""Quotas: made, changed, filled, assigned, foretold and deleted."""

from __future__ import annotations

import datetime

import pytest

from laidian.admin.schema import KeyCreate, Quota, QuotaCreate, QuotaWindow
from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tests.tui.walk import presses
from tui.dialogs.pick import Pick
from tui.forecast import Forecast, of_quota, of_window
from tui.form import Form
from tui.question import Told, TypeName
from tui.screens.quotas import Quotas

NOW = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)


def window(spent: str, limit: str = "10", *, started: str | None = "2026-11-22T00:00:00Z") -> QuotaWindow:
    return QuotaWindow(
        kind="day", limit_usd=limit, spent_usd=spent, held_usd="0", left_usd="0", started_at=started,
        resets_at=None if started is None else "2026-11-23T00:00:00Z",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (window("0"), "unused"),
        (window("0", started=None), "unused"),
        (window("10"), "gone"),
        (window("12"), "gone"),
        (window("1"), "lasts"),
        (window("8"), "ends"),
    ],
)
def test_a_window_is_foretold_from_what_was_spent_so_far(one: QuotaWindow, kind: str) -> None:
    assert of_window(one, NOW).kind == kind


def test_a_forecast_says_when_and_how_much() -> None:
    assert of_window(window("8"), NOW).at == NOW + datetime.timedelta(hours=3)
    assert of_window(window("1"), NOW).percent == 20


def quota(kind: str, **more: object) -> Quota:
    facts: dict[str, object] = {
        "name": "q", "kind": kind, "enabled": True, "state": "active", "expires_at": None, "credited_usd": None, "spent_usd": "0",
        "held_usd": "0", "left_usd": None, "windows": (), "keys": 0, "created_at": "2026-11-21T12:00:00Z",
    }  # fmt: skip
    return Quota(**facts | more)  # pyright: ignore[reportArgumentType]


def test_a_quota_is_foretold_by_what_ends_first() -> None:
    assert of_quota(quota("unlimited"), NOW) == Forecast("endless")
    ends = of_quota(quota("plan", windows=(window("1"), window("8"))), NOW)
    assert (ends.kind, ends.at) == ("ends", NOW + datetime.timedelta(hours=3))
    prepaid = quota("prepaid", credited_usd="10", spent_usd="5", left_usd="5")
    assert of_quota(prepaid, NOW).at == NOW + datetime.timedelta(days=1)
    assert of_quota(quota("prepaid", credited_usd="10", spent_usd="10", left_usd="0"), NOW).kind == "gone"
    assert (
        of_quota(quota("prepaid", credited_usd="10", spent_usd="0.000000001", left_usd="10"), NOW).kind
        == "ends"
    )


async def at(seen: Shown, name: str) -> None:
    await seen.until(lambda: seen.here.table.point(name))


@presses(Quotas, "n", "e")
async def test_a_quota_is_made_and_changed(own_console: Console) -> None:
    async with shown(own_console.connect, first="quotas") as seen:
        await seen.press("n")
        await seen.until(lambda: isinstance(seen.here, Form))
        await seen.press(*"trial", "down", "down", *"5", "enter")
        await at(seen, "trial")
        async with own_console.client() as client:
            assert (await client.quota("trial")).left_usd == "5.00"
        await seen.press("n")
        await seen.until(lambda: isinstance(seen.here, Form))
        await seen.press(*"monthly", "down", "right", "down", "5", "enter")
        await seen.until_text("Only a prepaid quota has a balance.")
        await seen.press("backspace")
        seen.here.put("limit_month", "20")
        await seen.press("enter")
        await at(seen, "monthly")
        await seen.press("e")
        await seen.until(lambda: isinstance(seen.here, Form))
        seen.here.put("limit_day", "2")
        await seen.press("enter")
        await seen.until(lambda: any("monthly is saved" in one for one in seen.notices))
        async with own_console.client() as client:
            found = await client.quota("monthly")
        assert {one.kind: one.limit_usd for one in found.windows} == {"day": "2.00", "month": "20.00"}


@presses(Quotas, "b")
async def test_a_balance_is_topped_up_and_a_plan_says_that_it_has_none(own_console: Console) -> None:
    async with own_console.client() as client:
        await client.create_quota(QuotaCreate(name="trial", balance_usd="1"))
    async with shown(own_console.connect, first="quotas") as seen:
        await at(seen, "trial")
        await seen.press("b")
        await seen.until(lambda: isinstance(seen.here, Form))
        await seen.press(*"2.5", "down", *"thanks", "enter")
        await seen.until(lambda: isinstance(seen.here, Quotas))
        await seen.until_text("thanks")
        await at(seen, "quota")
        await seen.press("b")
        await seen.until(lambda: any("has no balance" in one for one in seen.notices))


@presses(Quotas, "a", "K")
@presses(Pick, "space", "enter", "ctrl+s")
async def test_keys_are_put_on_a_quota_and_shown(own_console: Console) -> None:
    async with own_console.client() as client:
        await client.create_quota(QuotaCreate(name="trial", balance_usd="1"))
    async with shown(own_console.connect, first="quotas") as seen:
        await at(seen, "trial")
        await seen.press("a")
        await seen.until(lambda: isinstance(seen.here, Pick))
        await seen.press("space", "space", "ctrl+s")
        await seen.until(lambda: any("2 done" in one for one in seen.notices))
        await seen.press("a")
        await seen.until(lambda: isinstance(seen.here, Pick))
        await seen.press("slash", *"key-3", "enter", "enter")
        await seen.until(lambda: any("1 done" in one for one in seen.notices))
        async with own_console.client() as client:
            assert {one.quota for one in await client.keys()} == {"trial"}
        await seen.press("K")
        await seen.until(lambda: seen.app.current_mode == "keys")
        await seen.until(lambda: seen.here.table.filter == "quota:trial" and seen.here.table.total == 3)


@presses(Quotas, "x")
async def test_a_key_that_starts_now_is_simulated(own_console: Console) -> None:
    async with own_console.client() as client:
        await client.create_quota(QuotaCreate(name="trial", balance_usd="1", expires_at="2099-01-01"))
        await client.create_quota(QuotaCreate(name="free", kind="unlimited"))
        await client.create_quota(QuotaCreate(name="plan-5h", limits_usd={"5h": "2"}))
    expected = {
        "quota": "Then $100.00 again",
        "trial": "It expires 2099-01-01",
        "free": "without limit",
        "plan-5h": "beginning with its first request",
    }
    async with shown(own_console.connect, first="quotas") as seen:
        for name, text in expected.items():
            await at(seen, name)
            await seen.press("x")
            assert isinstance(seen.here, Told)
            assert text in seen.text
            await seen.press("escape")


@presses(Told, "enter")
@presses(Quotas, "D")
async def test_a_quota_in_use_is_not_deleted_and_says_by_whom(own_console: Console) -> None:
    async with own_console.client() as client:
        await client.create_quota(QuotaCreate(name="trial", balance_usd="1"))
        await client.create_key(KeyCreate(name="bob", quota="quota"))
    async with shown(own_console.connect, first="quotas") as seen:
        await at(seen, "quota")
        await seen.press("D")
        await seen.until(lambda: isinstance(seen.here, Told))
        await seen.until_text("4 keys spend from it")
        assert "bob" in seen.text
        await seen.press("enter")
        await at(seen, "trial")
        await seen.press("D")
        await seen.until(lambda: isinstance(seen.here, TypeName))
        await seen.press(*"trial", "enter")
        await seen.until(lambda: any("trial is deleted" in one for one in seen.notices))
        async with own_console.client() as client:
            assert [one.name for one in await client.quotas()] == ["quota"]


@presses(Quotas, "d", "u")
async def test_a_quota_is_turned_off_and_back_on(own_console: Console) -> None:
    async with shown(own_console.connect, first="quotas") as seen:
        await at(seen, "quota")
        await seen.press("d")
        await seen.until_text("◌ OFF")
        assert own_console.call(0) in (402, 403, 429)
        await seen.press("u")
        await seen.until(lambda: "◌ OFF" not in seen.text)
        assert own_console.call(0) == 200


async def test_picture_of_a_new_quotas_form(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await seen.press("n")
        await seen.until(lambda: isinstance(seen.here, Form))

    await assert_screen("quota_form", console.connect, keys=("4",), drive=drive)


async def test_picture_of_assigning_keys(own_console: Console) -> None:
    async with own_console.client() as client:
        await client.create_quota(QuotaCreate(name="trial", balance_usd="1"))

    async def drive(seen: Shown) -> None:
        await at(seen, "trial")
        await seen.press("a")
        await seen.until(lambda: isinstance(seen.here, Pick))
        await seen.press("space")

    await assert_screen("quota_assign", own_console.connect, keys=("4",), drive=drive)
