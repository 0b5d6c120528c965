"""Doctor and settings: what is wrong and what to do, how it is set, who changed what."""

from __future__ import annotations

from laidian.admin.client import AdminClient
from laidian.admin.schema import Check, KeyCreate
from laidian.admin.schema import Doctor as Examination
from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tests.tui.walk import presses
from tui.question import Told
from tui.screens.doctor import Doctor
from tui.screens.settings import Settings

CHECKS = Examination(
    at="2026-11-22T07:41:10Z",
    checks=(
        Check(id="config", state="ok", found="config.toml, no unknown keys", fix=""),
        Check(id="database", state="ok", found="quick_check is ok, schema 14", fix=""),
        Check(
            id="disk", state="warn", found="88% used, 4.1 GB free on [red]/var[/red]\x1b[31m",
            fix="Delete old backups:\nlaidian backup --keep 3",
        ),
        Check(
            id="upstream:relay-b", state="fail", found="401 for our key since 07:02",
            fix="Give it another credential: 5, then c on its line.",
        ),
    ),
)  # fmt: skip


@presses(Doctor, "r", "c", "l")
async def test_what_needs_somebody_comes_first_with_what_to_do(own_console: Console) -> None:
    async with shown(own_console.connect, first="doctor") as seen:
        await seen.until(lambda: seen.here.picture is not None)
        states = [one.state for one in seen.here.table.window.known()]
        assert states == sorted(states, key=("fail", "warn", "ok").index)
        assert {"config", "database", "disk", "files"} <= {one.id for one in seen.here.picture.checks}
        before = seen.here.picture
        await seen.press("r")
        await seen.until(lambda: seen.here.picture is not before)
        sent: list[str] = []
        seen.app.copy_to_clipboard = sent.append  # pyright: ignore[reportAttributeAccessIssue]
        await seen.press("c")
        await seen.until(lambda: any("clipboard" in one for one in seen.notices))
        await seen.press("l")
        await seen.until(lambda: any("The ledger adds up" in one for one in seen.notices))


async def test_a_broken_ledger_is_said_with_its_first_difference(own_console: Console) -> None:
    assert own_console.call(0) == 200
    own_console.laidian.wait_settled()
    own_console.laidian.write("UPDATE keys SET spent_nano = spent_nano + 5 WHERE id = 1")
    async with shown(own_console.connect, first="doctor") as seen:
        await seen.press("l")
        await seen.until(lambda: any("does not add up" in one for one in seen.notices))


def fixed(console: Console):
    """The real server, but for an examination that is the same on every machine."""

    async def doctor() -> Examination:
        return CHECKS

    async def connect() -> AdminClient:
        client = console.client()
        client.doctor = doctor  # pyright: ignore[reportAttributeAccessIssue]
        return client

    return connect


async def test_a_check_is_explained_and_its_text_is_harmless(console: Console) -> None:
    async with shown(fixed(console), first="doctor", size=(80, 24)) as seen:
        await seen.until_text("relay-b")
        await seen.press("down", "enter")
        await seen.until(lambda: isinstance(seen.here, Told))
        await seen.until_text("laidian backup --keep 3")
        assert "[red]/var[/red] [31m" in seen.text
        assert "\x1b" not in seen.text


async def test_picture_of_the_doctor(console: Console) -> None:
    await assert_screen("doctor", fixed(console), keys=("9",))


async def test_picture_of_a_check(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await seen.press("down", "enter")
        await seen.until(lambda: isinstance(seen.here, Told))

    await assert_screen("doctor_check", fixed(console), keys=("9",), drive=drive)


@presses(Settings, "s", "J", "v")
async def test_settings_journal_and_versions_are_one_key_apart(own_console: Console) -> None:
    async with own_console.client() as client:
        await client.create_key(KeyCreate(name="bob"))
        await client.delete_key("bob")
    async with shown(own_console.connect, first="settings", size=(160, 50)) as seen:
        await seen.until_text("server.port")
        changed = [one.name for one in seen.here.picture.held.settings if one.changed]
        assert "server.port" in changed
        await seen.press("J")
        await seen.until_text("key.delete")
        assert seen.text.index("key.delete") < seen.text.index("key.create"), "newest first"
        await seen.press("v")
        await seen.until_text("Version of the server")
        await seen.press("s")
        await seen.until_text("server.port")


async def test_picture_of_the_versions(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await seen.press("v")

    await assert_screen("versions", console.connect, keys=("0",), drive=drive)
