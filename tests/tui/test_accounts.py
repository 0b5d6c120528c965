"""Accounts: an upstream is added and probed in one dialog, changed, given another credential, and deleted."""

from __future__ import annotations

from laidian.admin.schema import PRESETS, Upstream
from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tests.tui.walk import presses
from tui.dialogs import upstream_acts as acts
from tui.dialogs.upstream import AddUpstream, free_name
from tui.form import Form
from tui.question import TypeName
from tui.screens.upstream import UpstreamScreen
from tui.screens.upstreams import Upstreams


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert free_name("openai", frozenset()) == "openai"
    assert free_name("openai", frozenset({"openai", "openai-2"})) == "openai-3"


async def at(seen: Shown, name: str) -> None:
    await seen.until(lambda: seen.here.table.point(name))


async def dialog(seen: Shown, key: str) -> Form:
    await seen.press(key)
    await seen.until(lambda: isinstance(seen.here, Form))
    return seen.here


@presses(Upstreams, "n")
async def test_an_account_is_added_asked_for_its_models_and_its_key_is_never_drawn(
    own_console: Console,
) -> None:
    async with shown(own_console.connect, first="upstreams") as seen:
        await seen.until(lambda: seen.here.picture is not None)
        form = await dialog(seen, "n")
        assert isinstance(form, AddUpstream)
        assert form.values["name"] == "openai"
        await seen.press("enter")
        await seen.until_text("Without a key of yours")
        form.put("provider", "compatible")
        await seen.until(lambda: form.values["name"] == "compatible")
        await seen.press("ctrl+s")
        await seen.until_text("type its base URL")
        form.put("base_url", own_console.provider.base_url)
        form.put("api_key", "sim-secret-9999")
        assert "secret" not in seen.text
        await seen.press("ctrl+s")
        await seen.until(lambda: any("models found" in one for one in seen.notices))
        await at(seen, "compatible")
        async with own_console.client() as client:
            made = await client.upstream("compatible")
        assert made.base_url.endswith("/v1")
        assert made.last_probe is not None
        assert made.last_probe.ok
        assert not any("secret" in one for one in seen.notices)


async def test_every_provider_of_the_table_can_be_chosen_and_says_where_it_lives(console: Console) -> None:
    async with shown(console.connect, first="upstreams") as seen:
        await seen.until(lambda: seen.here.picture is not None)
        form = await dialog(seen, "n")
        for preset in PRESETS:
            form.put("provider", preset.id)
            await seen.until(lambda name=preset.id: form.values["name"] == name)
            assert preset.base_url in form.hints["base_url"]


async def test_what_is_wrong_is_corrected_in_the_same_dialog_and_nothing_is_added_twice(
    own_console: Console,
) -> None:
    async with shown(own_console.connect, first="upstreams") as seen:
        await seen.until(lambda: seen.here.picture is not None)
        form = await dialog(seen, "n")
        form.put("provider", "compatible")
        form.put("base_url", "http://127.0.0.1:9/v1")
        form.put("api_key", "sim-wrong")
        form.put("name", "relay-b")
        await seen.press("ctrl+s")
        await seen.until_text("does not answer")
        assert seen.here is form
        form.put("base_url", own_console.provider.base_url + "/v1")
        form.put("api_key", "sim-right")
        form.put("name", "relay-c")
        await seen.press("ctrl+s")
        await seen.until(lambda: any("relay-c answers" in one for one in seen.notices))
        async with own_console.client() as client:
            found = {one.name: one for one in await client.upstreams()}
        assert set(found) == {"sim", "gemini-a", "relay-c"}
        assert len(found["relay-c"].credentials) == 1


async def test_an_account_that_does_not_answer_is_kept_when_one_leaves(own_console: Console) -> None:
    async with shown(own_console.connect, first="upstreams") as seen:
        await seen.until(lambda: seen.here.picture is not None)
        form = await dialog(seen, "n")
        form.put("provider", "compatible")
        form.put("base_url", "http://127.0.0.1:9")
        await seen.press("ctrl+s")
        await seen.until_text("does not answer")
        await seen.press("escape")
        assert any("is added" in one for one in seen.notices)
        await at(seen, "compatible")


@presses(Upstreams, "e", "c", "D")
async def test_an_account_is_changed_gets_another_key_and_is_deleted(own_console: Console) -> None:
    async with shown(own_console.connect, first="upstreams") as seen:
        await at(seen, "sim")
        form = await dialog(seen, "e")
        form.put("priority", "low")
        await seen.press("ctrl+s")
        await seen.until_text("A number is needed here.")
        form.put("priority", "5")
        form.put("models", "gpt-5*")
        await seen.press("ctrl+s")
        await seen.until(lambda: any("sim is saved" in one for one in seen.notices))
        async with own_console.client() as client:
            before = await client.upstream("sim")
        assert (before.priority, before.models) == (5, ("gpt-5*",))

        form = await dialog(seen, "c")
        await seen.press("enter")
        await seen.until_text("This is needed.")
        await seen.press(*"sim-new-key", "enter")
        await seen.until(lambda: any("Credentials of sim" in one for one in seen.notices))
        async with own_console.client() as client:
            after = await client.upstream("sim")
        assert [one.label for one in after.credentials] == [one.label for one in before.credentials]
        assert after.credentials[0].fingerprint != before.credentials[0].fingerprint
        for what, labels in (("add", 2), ("off a", 2), ("on a", 2), ("remove a", 1)):
            form = await dialog(seen, "c")
            form.put("what", what)
            if what == "add":
                form.put("api_key", "sim-second")
            await seen.press("ctrl+s")
            await seen.until(lambda: isinstance(seen.here, Upstreams))
            async with own_console.client() as client:
                assert len((await client.upstream("sim")).credentials) == labels
            await seen.settled()
            await at(seen, "sim")

        await seen.press("D")
        await seen.until_text("its credentials are gone")
        await seen.press(*"sim", "enter")
        await seen.until(lambda: any("sim is deleted" in one for one in seen.notices))


@presses(UpstreamScreen, "n", "e", "c", "D")
async def test_the_same_is_done_from_an_accounts_own_screen(own_console: Console) -> None:
    async with shown(own_console.connect, first="upstreams") as seen:
        await at(seen, "gemini-a")
        await seen.press("enter")
        await seen.until(lambda: isinstance(seen.here, UpstreamScreen) and seen.here.picture is not None)
        for key in ("n", "e", "c"):
            await dialog(seen, key)
            await seen.press("escape")
            await seen.until(lambda: isinstance(seen.here, UpstreamScreen))
        await seen.press("D")
        await seen.until(lambda: isinstance(seen.here, TypeName))
        await seen.press(*"gemini-a", "enter")
        await seen.until(lambda: isinstance(seen.here, Upstreams))
        await seen.until(lambda: [one.name for one in seen.here.picture.upstreams] == ["sim"])


# Their pictures lie on a screen without times, which would show around the dialog.


async def test_picture_of_adding_an_account(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await seen.press("v")
        acts.add(seen.here)
        await seen.until(lambda: isinstance(seen.here, Form))

    await assert_screen("upstream_add", console.connect, keys=("0",), drive=drive)


async def sim(console: Console) -> Upstream:
    async with console.client() as client:
        return await client.upstream("sim")


async def test_picture_of_changing_an_account(console: Console) -> None:
    upstream = await sim(console)

    async def drive(seen: Shown) -> None:
        await seen.press("v")
        acts.edit(seen.here, upstream)
        await seen.until(lambda: isinstance(seen.here, Form))

    await assert_screen("upstream_edit", console.connect, keys=("0",), drive=drive)


async def test_picture_of_an_accounts_credentials(console: Console) -> None:
    upstream = await sim(console)

    async def drive(seen: Shown) -> None:
        await seen.press("v")
        acts.credentials(seen.here, upstream)
        await seen.until(lambda: isinstance(seen.here, Form))

    await assert_screen("upstream_credential", console.connect, keys=("0",), drive=drive)


async def test_picture_of_deleting_an_account(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await seen.press("v")
        acts.delete(seen.here, "sim")
        await seen.until(lambda: isinstance(seen.here, TypeName))

    await assert_screen("upstream_delete", console.connect, keys=("0",), drive=drive)
