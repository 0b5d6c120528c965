"""Groups: who serves what now, and everything that is done to a group."""

from __future__ import annotations

from laidian.admin.schema import CAPABILITIES, GroupCreate, KeyCreate
from laidian.domain.group import CAPABILITIES as SERVERS
from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tests.tui.walk import presses
from tui.dialogs.pick import Pick
from tui.form import Form
from tui.question import Told, TypeName
from tui.screens.groups import Groups, multiplier


def test_the_dashboard_knows_the_capabilities_that_the_server_knows() -> None:
    assert CAPABILITIES == SERVERS


def test_a_multiplier_other_than_one_is_marked() -> None:
    assert multiplier("1x").text == "1x"
    assert multiplier("1.25x").text == "1.25x ≠"


async def at(seen: Shown, name: str) -> None:
    await seen.until(lambda: seen.here.table.point(name))


async def test_the_matrix_says_who_serves_each_model_and_why_not(own_console: Console) -> None:
    async with own_console.client() as client:
        await client.create_group(GroupCreate(name="chat", capabilities=("chat",), upstreams="sim,gemini-a"))
        await client.create_group(GroupCreate(name="none", allow=("nothing",)))
        for upstream in ("sim", "gemini-a"):
            await client.probe(upstream)
    async with shown(own_console.connect, first="groups", size=(160, 50)) as seen:
        await at(seen, "chat")
        await seen.until_text("chat: who serves what now")
        lines = seen.text.splitlines()
        assert any("gpt-5.4 " in line and "● 1" in line and "sim" in line for line in lines)
        assert any("gpt-4o-mini-tts" in line and "✕ capability" in line for line in lines)
        await at(seen, "none")
        await seen.until_text("none: who serves what now")


@presses(Groups, "n", "e")
async def test_a_group_is_made_and_changed(own_console: Console) -> None:
    async with shown(own_console.connect, first="groups") as seen:
        await seen.press("n")
        await seen.until(lambda: isinstance(seen.here, Form))
        await seen.press("enter")
        await seen.until_text("This is needed.")
        await seen.press(*"team")
        seen.here.put("aliases", "fast")
        await seen.press("ctrl+s")
        await seen.until_text("fast=gpt-5.4-mini")
        for name, value in {
            "aliases": "fast=gpt-5.4-mini", "allow": "gpt-5*, gemini-*", "multiplier": "1.25x", "capabilities": "chat gemini",
            "requests_per_minute": "60", "on_abort": "drain",
        }.items():  # fmt: skip
            seen.here.put(name, value)
        await seen.press("ctrl+s")
        await at(seen, "team")
        await seen.until_text("1.25x ≠")
        async with own_console.client() as client:
            made = await client.group("team")
        assert made.aliases == {"fast": "gpt-5.4-mini"}
        assert made.allow == ("gpt-5*", "gemini-*")
        assert set(made.capabilities) == {"chat", "gemini"}
        assert (made.requests_per_minute, made.on_abort) == (60, "drain")
        await seen.press("e")
        await seen.until(lambda: isinstance(seen.here, Form))
        seen.here.put("requests_per_minute", "-3")
        await seen.press("ctrl+s")
        await seen.until_text("A whole number above 0")
        seen.here.put("requests_per_minute", "")
        seen.here.put("multiplier", "1x")
        await seen.press("ctrl+s")
        await seen.until(lambda: isinstance(seen.here, Groups))
        async with own_console.client() as client:
            found = await client.group("team")
        assert (found.requests_per_minute, found.multiplier, found.allow) == (None, "1x", made.allow)


@presses(Pick, "escape")
async def test_esc_leaves_a_choice_at_once_and_only_ends_a_filter_first(own_console: Console) -> None:
    async with shown(own_console.connect, first="groups") as seen:
        await at(seen, "default")
        await seen.press("i")
        await seen.until(lambda: isinstance(seen.here, Pick))
        await seen.press("slash", *"chat", "enter", "escape")
        assert isinstance(seen.here, Pick)
        assert seen.text.count("✓ ") == 4, "marks stay"
        await seen.press("escape")
        assert isinstance(seen.here, Groups)
        async with own_console.client() as client:
            assert "chat" in (await client.group("default")).capabilities


@presses(Groups, "i")
async def test_capabilities_are_ticked(own_console: Console) -> None:
    async with shown(own_console.connect, first="groups") as seen:
        await at(seen, "default")
        await seen.press("i")
        await seen.until(lambda: isinstance(seen.here, Pick))
        assert seen.text.count("✓ ") == 4
        await seen.press("space", "enter")
        await seen.until(lambda: any("default is saved" in one for one in seen.notices))
        async with own_console.client() as client:
            assert "chat" not in (await client.group("default")).capabilities


@presses(Groups, "K", "d", "u")
async def test_a_group_is_turned_off_and_back_on_and_shows_its_keys(own_console: Console) -> None:
    async with shown(own_console.connect, first="groups") as seen:
        await at(seen, "default")
        await seen.press("d")
        await seen.until_text("◌ OFF")
        assert own_console.call(0) in (401, 403, 404)
        await seen.press("u")
        await seen.until(lambda: "◌ OFF" not in seen.text)
        assert own_console.call(0) == 200
        await seen.press("K")
        await seen.until(
            lambda: seen.app.current_mode == "keys" and seen.here.table.filter == "group:default"
        )


@presses(Groups, "D")
async def test_a_group_in_use_is_not_deleted_and_says_by_whom(own_console: Console) -> None:
    async with own_console.client() as client:
        await client.create_group(GroupCreate(name="team"))
        for number in range(15):
            await client.create_key(KeyCreate(name=f"user-{number:02}", group="team"))
        await client.create_group(GroupCreate(name="free"))
    async with shown(own_console.connect, first="groups", size=(80, 24)) as seen:
        await at(seen, "team")
        await seen.press("D")
        await seen.until(lambda: isinstance(seen.here, Told))
        await seen.until_text("15 keys use it")
        assert "and 3 more" in seen.text
        await seen.press("escape")
        await at(seen, "free")
        await seen.press("D")
        await seen.until(lambda: isinstance(seen.here, TypeName))
        await seen.press(*"free", "enter")
        await seen.until(lambda: any("free is deleted" in one for one in seen.notices))
        async with own_console.client() as client:
            assert {one.name for one in await client.groups()} == {"default", "team"}


async def test_enter_goes_from_a_group_to_its_models_and_on_to_the_model(console: Console) -> None:
    async with shown(console.connect, first="groups") as seen:
        await at(seen, "default")
        await seen.until(lambda: seen.here.serving.row_count > 0)
        await seen.press("enter")
        assert seen.app.focused is seen.here.serving
        model = seen.here.serving.row.model
        await seen.press("enter")
        await seen.until(lambda: seen.app.current_mode == "models" and seen.here.table.filter == model)


async def test_picture_of_a_groups_form(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await at(seen, "default")
        await seen.press("e")
        await seen.until(lambda: isinstance(seen.here, Form))

    await assert_screen("group_form", console.connect, keys=("3",), drive=drive)


async def test_picture_of_ticking_capabilities(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await at(seen, "default")
        await seen.press("i")
        await seen.until(lambda: isinstance(seen.here, Pick))

    await assert_screen("group_capabilities", console.connect, keys=("3",), drive=drive)


async def test_picture_of_a_group_in_use(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await at(seen, "default")
        await seen.press("D")
        await seen.until(lambda: isinstance(seen.here, Told))

    await assert_screen("group_in_use", console.connect, keys=("3",), drive=drive)
