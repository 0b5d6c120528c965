"""A new key: every way to take it away works, none claims more than it knows, and nothing else shows it."""

from __future__ import annotations

import asyncio
import stat
import subprocess
from pathlib import Path

import pytest

from laidian.admin.schema import KeyCreate, KeyCreated
from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tests.tui.walk import presses
from tui import clipboard
from tui.dialogs.qr import QrCode
from tui.question import Sure
from tui.screens.created import Created, free_path


async def made(console: Console, name: str = "alice-neu") -> KeyCreated:
    async with console.client() as client:
        return await client.create_key(KeyCreate(name=name))


async def opened(seen: Shown, console: Console) -> Created:
    created = Created(await made(console))
    seen.app.push_screen(created)
    await seen.until(lambda: seen.here is created and bool(created.settings.snippets))
    return created


@presses(Created, "y", "enter")
async def test_the_key_is_sent_to_the_terminals_clipboard_and_nobody_says_copied(
    own_console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    async with shown(own_console.connect) as seen:
        created = await opened(seen, own_console)
        sent: list[str] = []
        seen.app.copy_to_clipboard = sent.append  # pyright: ignore[reportAttributeAccessIssue]
        await seen.press("y")
        assert sent == [created.made.secret]
        assert "clipboard" in seen.notices[-1]
        assert "copied" not in seen.notices[-1].lower()
        assert not any(created.made.secret in one for one in seen.notices)
        await seen.press("enter")
        assert seen.here is not created, "it was taken, so nothing is asked"


async def test_inside_tmux_the_key_goes_to_its_buffer_by_standard_input(
    own_console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A `tmux` that writes down how it was called and what it was given."""
    tmux = tmp_path / "tmux"
    tmux.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\ncat > {tmp_path}/given\n')
    tmux.chmod(0o755)
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    async with shown(own_console.connect) as seen:
        created = await opened(seen, own_console)
        sent: list[str] = []
        seen.app.copy_to_clipboard = sent.append  # pyright: ignore[reportAttributeAccessIssue]
        await seen.press("y")
        await seen.until(lambda: created.taken)
        assert (tmp_path / "given").read_text() == created.made.secret
        assert (tmp_path / "called").read_text() == "load-buffer -w -\n", (
            "not among the arguments, which everybody can list"
        )
        assert sent == []


async def test_a_tmux_that_does_not_answer_is_given_up(
    own_console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmux = tmp_path / "tmux"
    tmux.write_text("#!/bin/sh\nexec sleep 60\n")
    tmux.chmod(0o755)
    monkeypatch.setenv("TMUX", "x")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(clipboard, "TMUX_S", 0.2)
    sent: list[str] = []
    assert not await clipboard.send("text", sent.append)
    assert sent == ["text"]


@presses(Created, "s")
async def test_a_saved_key_is_readable_by_its_owner_alone_and_never_written_over_another(
    own_console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with shown(own_console.connect) as seen:
        created = await opened(seen, own_console)
        await seen.press("s", "s")
        first, second = tmp_path / "laidian-alice-neu.key", tmp_path / "laidian-alice-neu-2.key"
        for path in (first, second):
            assert path.read_text() == created.made.secret + "\n"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert str(second) in seen.notices[-1]
        monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
        await seen.press("s")
        assert "could not be saved" in seen.notices[-1]


@pytest.mark.parametrize(
    ("name", "file"),
    [("a/b c", "laidian-a-b-c.key"), ("..", "laidian-key.key"), ("小王", "laidian-小王.key")],
)
def test_a_name_cannot_lead_out_of_the_folder(name: str, file: str, tmp_path: Path) -> None:
    assert free_path(tmp_path, name) == tmp_path / file


@presses(Created, "Q")
@presses(QrCode, "Q", "enter")
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_the_key_is_drawn_as_a_picture_for_a_telephone(
    own_console: Console, size: tuple[int, int]
) -> None:
    async with shown(own_console.connect, size=size) as seen:
        created = await opened(seen, own_console)
        for key in ("Q", "enter", "escape"):
            await seen.press("Q")
            assert isinstance(seen.here, QrCode)
            assert "▀" in seen.text
            await seen.press(key)
            assert seen.here is created


async def test_in_ascii_the_picture_is_drawn_where_it_has_room_and_else_says_what_it_needs(
    own_console: Console,
) -> None:
    async with shown(own_console.connect, size=(160, 50), ascii_only=True) as seen:
        await opened(seen, own_console)
        await seen.press("Q")
        assert "##############" in seen.text
        assert seen.text.isascii()
    async with shown(own_console.connect, size=(80, 24), ascii_only=True) as seen:
        created = Created(await made(own_console, "bob"))
        seen.app.push_screen(created)
        await seen.until(lambda: seen.here is created)
        await seen.press("Q")
        assert "needs 66x35 cells" in seen.text


@presses(Created, "left", "h", "right", "l", "c", "up", "k", "down", "j", "C")
async def test_the_settings_of_every_client_have_the_key_in_them(
    own_console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    async with shown(own_console.connect, size=(80, 24)) as seen:
        created = await opened(seen, own_console)
        titles = [one.title for one in created.settings.snippets]
        assert len(titles) > 8
        assert created.settings.client == titles[0]
        await seen.press("right", "l", "c", "left", "h")
        assert created.settings.client == titles[1]
        await seen.press("h")
        parts = created.settings.snippets[0].parts
        assert created.settings.part is parts[0]
        await seen.press("down", "j", "up", "k", "down")
        assert created.settings.part is parts[1 % len(parts)]
        sent: list[str] = []
        seen.app.copy_to_clipboard = sent.append  # pyright: ignore[reportAttributeAccessIssue]
        for title in titles:
            assert title in seen.text, "the chosen client is in sight"
            await seen.press("C")
            assert sent[-1] == (created.settings.part or parts[0]).text.replace("{key}", created.made.secret)
            await seen.press("right")
        assert sum(created.made.secret in one for one in sent) > 8
        assert not any(created.made.secret in one for one in seen.notices)


@presses(Created, "escape")
async def test_leaving_without_the_key_is_asked_about_once(own_console: Console) -> None:
    async with shown(own_console.connect) as seen:
        created = await opened(seen, own_console)
        await seen.press("escape")
        assert isinstance(seen.here, Sure)
        assert "neither copied nor saved" in seen.text
        await seen.press("escape")
        assert seen.here is created
        await seen.press("escape", "enter")
        assert not isinstance(seen.here, Created | Sure)


async def test_the_secret_is_in_no_process_list(own_console: Console) -> None:
    async with shown(own_console.connect) as seen:
        created = await opened(seen, own_console)
        listed = await asyncio.to_thread(
            subprocess.run, ["ps", "axww"], capture_output=True, text=True, check=True
        )
        assert created.made.secret not in listed.stdout


async def test_picture_of_a_new_key(own_console: Console) -> None:
    number = iter(range(10))

    async def drive(seen: Shown) -> None:
        async with own_console.client() as client:
            created = Created(await client.create_key(KeyCreate(name=f"alice-{next(number)}")))
        seen.app.push_screen(created)
        await seen.until(lambda: bool(created.settings.snippets))

    await assert_screen("key_created", own_console.connect, drive=drive)


@presses(Created, "t")
async def test_the_new_key_is_tested_at_once_and_the_closed_gate_is_named(own_console: Console) -> None:
    async with shown(own_console.connect) as seen:
        created = await opened(seen, own_console)
        await seen.press("t")
        await seen.until_text("answered through sim")
        assert "Request req_" in seen.text
        await seen.press("escape")
        own_console.laidian.write("UPDATE keys SET enabled = 0 WHERE id = ?", created.made.key.id)
        await seen.press("t")
        await seen.until_text("No answer from")
        assert "401" in seen.text
