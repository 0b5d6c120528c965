"""Keys: found, made, changed, turned off and back on, rotated and deleted, one by one and several at a time."""

from __future__ import annotations

import pytest

from laidian.admin.schema import KeyCreate, QuotaCreate
from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tests.tui.walk import presses
from tui.filter import terms
from tui.form import Form
from tui.question import Sure, TypeName
from tui.rows import Asked
from tui.screens.created import Created
from tui.screens.keys import Keys, query_of
from tui.undo import UNDO_S
from tui.words import ENGLISH


async def named(console: Console, *names: str, quota: str, limit_usd: str | None = None) -> None:
    async with console.client() as client:
        for name in names:
            await client.create_key(KeyCreate(name=name, quota=quota, limit_usd=limit_usd))


async def at(seen: Shown, name: str) -> None:
    """Puts the cursor on a key."""
    await seen.until(lambda: seen.here.table.point(name))


async def enabled(console: Console, name: str) -> bool:
    async with console.client() as client:
        return (await client.key(name)).enabled


def test_what_is_typed_becomes_the_servers_question() -> None:
    asked = query_of(Asked(None, filter="state:near Group:team ali ce", sort="spent", down=True), ENGLISH)
    assert (asked.state, asked.group, asked.filter, asked.sort) == ("near", "team", "ali ce", "-spent")
    assert query_of(Asked(None), ENGLISH).sort == "name"
    assert query_of(Asked(None, filter="state:off"), ENGLISH).state == "disabled"
    with pytest.raises(ValueError, match="!bob"):
        query_of(Asked(None, filter="!bob"), ENGLISH)
    assert terms("state:") == ()


async def test_keys_are_found_as_one_types_and_sorted_by_the_server(console: Console) -> None:
    async with shown(console.connect, first="keys") as seen:
        await seen.until(lambda: seen.here.table.total == 3)
        await seen.press("slash", *"ci-b", "enter")
        await seen.until(lambda: seen.here.table.total == 1)
        assert seen.here.table.row.name == "ci-bot"
        await seen.press("escape")
        await seen.until(lambda: seen.here.table.total == 3)
        await seen.press("greater_than_sign", "o")
        await seen.until_text("Name▼")
        await seen.until(
            lambda: seen.here.table.row is not None and seen.here.table.row.name == "小王-笔记本"
        )
        await seen.press("slash", *"nobody", "enter")
        await seen.until_text("Nothing matches nobody")
        await seen.press("escape", "slash", *"!alice", "enter")
        await seen.until_text("leaves nothing out: !alice")


@presses(Keys, "n")
async def test_a_new_key_needs_a_name_and_is_shown_once(own_console: Console) -> None:
    async with shown(own_console.connect, first="keys") as seen:
        await seen.until(lambda: seen.here.table.total == 3)
        await seen.press("n")
        await seen.until(lambda: isinstance(seen.here, Form))
        await seen.press("enter")
        await seen.until_text("This is needed.")
        await seen.press(*"dave", "down", "down", "down", *"12.50", "down", *"30d", "ctrl+s")
        await seen.until(lambda: isinstance(seen.here, Created))
        secret = seen.here.made.secret
        line = next(line for line in seen.text.splitlines() if secret in line)
        assert line == secret, "nothing before it and nothing behind"
        async with own_console.client() as client:
            key = await client.key("dave")
        assert key.limit_usd == "12.50"
        assert key.expires_at is not None
        await seen.press("n")
        assert isinstance(seen.here, Created)
        await seen.press("enter", "enter")
        await seen.until(lambda: isinstance(seen.here, Keys))
        await seen.until(lambda: seen.here.table.total == 4)
        assert secret not in seen.text
        await seen.press("n")
        await seen.until(lambda: isinstance(seen.here, Form))
        await seen.press(*"dave", "enter")
        await seen.until_text("dave")
        assert isinstance(seen.here, Form), "a name that is taken is refused where it was typed"


@presses(Keys, "e")
async def test_an_edit_sends_only_what_was_changed(own_console: Console) -> None:
    async with shown(own_console.connect, first="keys") as seen:
        await at(seen, "key-1")
        await seen.press("e")
        await seen.until(lambda: isinstance(seen.here, Form))
        # Meanwhile somebody else gives it a limit, which is not in this form's way.
        own_console.laidian.write("UPDATE keys SET limit_nano = 7000000000 WHERE id = 1")
        await seen.press("end", *"-neu", "enter")
        await seen.until(lambda: isinstance(seen.here, Keys))
        async with own_console.client() as client:
            key = await client.key("key-1-neu")
        assert key.limit_usd == "7.00"


@presses(Keys, "d", "u")
async def test_a_key_is_off_at_once_and_back_on_within_eight_seconds(own_console: Console) -> None:
    async with shown(own_console.connect, first="keys") as seen:
        await at(seen, "key-2")
        await seen.press("u")
        assert await enabled(own_console, "key-2")
        await seen.press("d")
        await seen.until_text("◌ OFF")
        assert not await enabled(own_console, "key-2")
        assert own_console.call(1) == 401
        assert any("key-2 is off" in one and f"{UNDO_S:.0f} s" in one for one in seen.notices)
        await seen.press("u")
        await seen.until(lambda: "◌ OFF" not in seen.text)
        assert await enabled(own_console, "key-2")
        assert not seen.here.can_undo
        await seen.press("d")
        await seen.until(lambda: seen.here.can_undo)
        seen.here._over()
        await seen.press("u")
        await seen.settled()
        assert not await enabled(own_console, "key-2"), "too late"


async def test_several_marked_keys_are_turned_off_after_their_number_was_typed(own_console: Console) -> None:
    async with shown(own_console.connect, first="keys") as seen:
        await at(seen, "key-1")
        await seen.press("space", "space", "d")
        await seen.until(lambda: isinstance(seen.here, TypeName))
        await seen.until_text("key-1, key-2")
        await seen.press("3", "enter")
        assert await enabled(own_console, "key-1")
        await seen.press("backspace", "2", "enter")
        await seen.until(lambda: isinstance(seen.here, Keys) and seen.text.count("◌ OFF") == 2)
        assert not seen.here.table.marked
        await seen.press("u")
        await seen.until(lambda: "◌ OFF" not in seen.text)
        assert await enabled(own_console, "key-1")


@presses(Keys, "g", "Q")
async def test_marked_keys_move_to_another_group_and_another_quota(own_console: Console) -> None:
    own_console.laidian.write(
        "INSERT INTO groups (id, name, capabilities, created_at_ms) VALUES (2, 'team', '[\"chat\"]', 0)"
    )
    async with own_console.client() as client:
        await client.create_quota(QuotaCreate(name="trial", balance_usd="1"))
    async with shown(own_console.connect, first="keys", size=(160, 50)) as seen:
        await at(seen, "key-1")
        for letter, typed in (("g", "t"), ("Q", "t")):
            await seen.press("asterisk", letter)
            await seen.until(lambda: isinstance(seen.here, Form))
            await seen.press(typed, "enter")
            await seen.until(lambda: isinstance(seen.here, Keys))
        await seen.until(lambda: any("3 done" in one for one in seen.notices))
        async with own_console.client() as client:
            found = await client.keys()
        assert {(one.group, one.quota) for one in found} == {("team", "trial")}
        await seen.press("Q", "escape", "g", "escape")
        assert isinstance(seen.here, Keys)


@presses(Keys, "b")
async def test_money_goes_to_the_keys_balance_or_raises_its_own_limit_and_else_says_why_not(
    own_console: Console,
) -> None:
    async with own_console.client() as client:
        await client.create_quota(QuotaCreate(name="trial", balance_usd="1"))
    await named(own_console, "prepaid", quota="trial")
    await named(own_console, "limited", limit_usd="5", quota="quota")
    async with shown(own_console.connect, first="keys") as seen:
        await at(seen, "prepaid")
        await seen.press("b")
        await seen.until_text("$1.00 left")
        await seen.press("enter")
        await seen.until_text("This is needed.")
        await seen.press(*"2.50", "enter")
        await seen.until(lambda: isinstance(seen.here, Keys))
        await at(seen, "limited")
        await seen.press("b")
        await seen.until_text("may spend $5.00")
        await seen.press(*"viel", "enter")
        await seen.until_text("In US dollars")
        await seen.press("ctrl+u", "2", "enter")
        await seen.until(lambda: isinstance(seen.here, Keys))
        await at(seen, "key-1")
        await seen.press("b")
        await seen.until(lambda: any("key-1 spends from quota" in one for one in seen.notices))
        async with own_console.client() as client:
            assert (await client.quota("trial")).left_usd == "3.50"
            assert (await client.key("limited")).limit_usd == "7.00"


@presses(Keys, "R")
async def test_a_rotated_key_is_shown_once_and_the_old_one_is_refused(own_console: Console) -> None:
    async with shown(own_console.connect, first="keys") as seen:
        await at(seen, "key-3")
        await seen.press("R")
        await seen.until(lambda: isinstance(seen.here, Sure))
        await seen.until_text("stops working at once")
        assert own_console.call(2) == 200
        await seen.press("enter")
        await seen.until(lambda: isinstance(seen.here, Created))
        assert own_console.call(2) == 401


@presses(Keys, "D")
async def test_deleting_names_its_effects_and_asks_for_the_name(own_console: Console) -> None:
    assert own_console.call(2) == 200
    own_console.laidian.wait_settled()
    async with shown(own_console.connect, first="keys", size=(80, 24)) as seen:
        await at(seen, "key-3")
        await seen.press("D")
        await seen.until(lambda: isinstance(seen.here, TypeName))
        await seen.until_text("refused with 401")
        assert "stay in the books" in seen.text
        await seen.press(*"key-3", "enter")
        await seen.until(lambda: isinstance(seen.here, Keys) and seen.here.table.total == 2)
        assert own_console.call(2) == 401
        await seen.press("asterisk", "D")
        await seen.until(lambda: isinstance(seen.here, TypeName))
        await seen.press("2", "enter")
        await seen.until(lambda: isinstance(seen.here, Keys) and seen.here.table.total == 0)
        assert "No keys yet" in seen.text


async def test_a_refusal_is_said_in_the_servers_words_and_nothing_changes(own_console: Console) -> None:
    async with shown(own_console.connect, first="keys") as seen:
        await at(seen, "key-1")
        own_console.laidian.write("UPDATE keys SET deleted_at_ms = 1 WHERE id = 1")
        await seen.press("R", "enter")
        await seen.until(lambda: any("no key" in one.lower() or "is not" in one for one in seen.notices))
        assert isinstance(seen.here, Keys)


async def test_near_is_said_of_a_key_at_nine_tenths_of_its_limit(own_console: Console) -> None:
    own_console.laidian.write("UPDATE keys SET limit_nano = 1000000000, spent_nano = 950000000 WHERE id = 1")
    async with shown(own_console.connect, first="keys") as seen:
        await seen.until_text("▲ NEAR")
        await seen.press("slash", *"state:near", "enter")
        await seen.until(lambda: seen.here.table.total == 1)


async def test_picture_of_a_new_keys_form(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await seen.press("n")
        await seen.until(lambda: isinstance(seen.here, Form))

    await assert_screen("key_form", console.connect, keys=("2",), drive=drive)


async def test_picture_of_what_deleting_a_key_asks(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await at(seen, "ci-bot")
        await seen.press("D")
        await seen.until(lambda: isinstance(seen.here, TypeName))

    await assert_screen("key_delete", console.connect, keys=("2",), drive=drive)
