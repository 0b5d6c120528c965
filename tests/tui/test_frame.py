"""The frame around every screen, on a real server: tabs, keys, help, palette, jumping, languages, themes, and a server that goes away."""

from __future__ import annotations

import asyncio

import pytest
from textual.app import ComposeResult
from textual.events import AppBlur, AppFocus

from laidian.admin.client import AdminClient, AdminError
from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tests.tui.walk import presses
from tui.app import LaiDianApp, wants_ascii
from tui.cells import Lines
from tui.dialog import Dialog
from tui.frame import Detail, Framed
from tui.help import Help
from tui.jump import Jump
from tui.paged import PagedTable
from tui.palette import Palette
from tui.tops import TOPS
from tui.words import CHINESE, ENGLISH, described


@presses(LaiDianApp, *(top.key for top in TOPS))
async def test_a_digit_brings_its_tab_to_the_front(console: Console) -> None:
    async with shown(console.connect) as seen:
        for top in reversed(TOPS):
            await seen.press(top.key)
            await seen.until(lambda top=top: seen.app.current_mode == top.name)
            await seen.until(lambda: seen.here.picture is not None)
        await seen.press("5")
        await seen.until_text("Upstreams (")


@pytest.mark.parametrize("top", TOPS, ids=[top.name for top in TOPS])
async def test_every_tab_can_be_the_first(console: Console, top: object) -> None:
    name: str = top.name  # pyright: ignore[reportAttributeAccessIssue]
    async with shown(console.connect, first=name) as seen:
        await seen.settled()
        assert seen.app.current_mode == name


@presses(LaiDianApp, "question_mark")
@presses(Dialog, "escape")
@presses(Help, "q", "question_mark", "up", "k", "down", "j", "pageup", "pagedown", "space")
async def test_a_question_mark_tells_every_key_that_works_here_and_no_other(console: Console) -> None:
    async with shown(console.connect, first="keys", size=(100, 24)) as seen:
        wanted = {described(ENGLISH, one.binding.description) for one in seen.here.bindings_here()}
        await seen.press("question_mark")
        assert isinstance(seen.here, Help)
        text = seen.here._lines.text
        assert [word for word in wanted if word not in text] == []
        assert "Everywhere" in text
        assert "Who may call" in text, "what the screen is about"
        # Opened from a table without marks, it does not speak of marks.
        assert "Mark all shown" in text
        before = seen.below
        for key in ("down", "j", "pagedown", "space"):
            await seen.press(key)
        assert seen.below != before
        for key in ("up", "k", "pageup", "pageup"):
            await seen.press(key)
        assert seen.below == before
        for key in ("escape", "q", "question_mark"):
            await seen.press(key)
            assert isinstance(seen.here, Framed), key
            await seen.press("question_mark")
        await seen.press("escape", "3", "question_mark")
        assert "Mark all shown" not in seen.here._lines.text


@presses(LaiDianApp, "L")
async def test_the_language_changes_at_once_everywhere(console: Console) -> None:
    async with shown(console.connect, first="keys") as seen:
        await seen.press("1", "L")
        assert CHINESE.dashboard.requests in seen.text
        await seen.press("2")
        assert CHINESE.table.name in seen.text
        assert "Name" not in seen.text
        await seen.press("L")
        assert "Name" in seen.text


@presses(LaiDianApp, "T")
async def test_the_theme_goes_from_dark_to_light_to_the_terminals_own(console: Console) -> None:
    async with shown(console.connect) as seen:
        for theme, dark in (("textual-light", False), ("ansi-dark", True), ("textual-dark", True)):
            await seen.press("T")
            assert seen.app.theme == theme
            assert seen.app.current_theme.dark is dark


@presses(LaiDianApp, "ctrl+p", "colon")
@presses(Palette, "up", "down", "pageup", "pagedown", "enter", "ctrl+p")
async def test_the_palette_finds_actions_tabs_keys_upstreams_and_models(console: Console) -> None:
    async with shown(console.connect) as seen:
        await seen.press("colon")
        assert isinstance(seen.here, Palette)
        await seen.press(*"alice")
        await seen.until_text("alice-mac")
        await seen.press("enter")
        await seen.until(lambda: seen.app.current_mode == "keys")
        table = seen.app.screen.query_one("#table", PagedTable)
        await seen.until(lambda: table.row is not None and table.row.name == "alice-mac")
        assert table.filter == "alice-mac"
        for typed, tab in (("gemini-a", "upstreams"), ("gpt-5.5", "models"), ("doctor", "doctor")):
            await seen.press("ctrl+p")
            await seen.press(*typed)
            await seen.until_text(typed)
            await seen.until(lambda: seen.here._list.row is not None)
            await seen.press("enter")
            await seen.until(lambda tab=tab: seen.app.current_mode == tab)
        await seen.press("colon")
        first = seen.here._list.row
        await seen.press("down", "pagedown")
        assert seen.here._list.window.cursor == 11
        await seen.press("pageup", "up")
        assert seen.here._list.row is first
        await seen.press("ctrl+p")
        assert isinstance(seen.here, Framed)


async def test_the_palette_narrows_a_tab_to_what_is_typed_behind_its_name(console: Console) -> None:
    async with shown(console.connect) as seen:
        await seen.press("colon", *"keys ci", "enter")
        await seen.until(lambda: seen.app.current_mode == "keys")
        await seen.until(lambda: seen.here.table.row_count == 1)
        assert seen.here.table.filter == "ci"
        await seen.press("colon", *"theme", "enter")
        await seen.until(lambda: seen.app.theme == "textual-light")


async def test_the_palette_says_when_nothing_is_called_that(console: Console) -> None:
    async with shown(console.connect) as seen:
        await seen.press("colon", *"xyzzy")
        await seen.until_text("Nothing is called that.")
        await seen.press("enter")
        assert isinstance(seen.here, Palette)


@presses(LaiDianApp, "ctrl+o")
@presses(Jump, "escape", "ctrl+o")
async def test_jump_letters_stand_on_every_pane_and_go_there(console: Console) -> None:
    async with shown(console.connect, first="groups") as seen:
        table = seen.here.table
        seen.here.set_focus(None)
        await seen.press("ctrl+o")
        assert isinstance(seen.here, Jump)
        assert "Press a letter" in seen.text
        await seen.press("a")
        assert seen.here.focused is table
        await seen.press("ctrl+o", "2")
        await seen.until(lambda: seen.app.current_mode == "keys")
        for key in ("escape", "ctrl+o"):
            await seen.press("ctrl+o")
            assert isinstance(seen.here, Jump)
            await seen.press(key)
            assert isinstance(seen.here, Framed)


@presses(LaiDianApp, "q", "ctrl+q")
async def test_q_leaves_and_closes_the_client(console: Console) -> None:
    for key in ("q", "ctrl+q"):
        made: list[AdminClient] = []

        async def connect(made: list[AdminClient] = made) -> AdminClient:
            made.append(console.client())
            return made[-1]

        async with shown(connect) as seen:
            await seen.pilot.press(key)
        assert seen.app.return_code == 0
        with pytest.raises(RuntimeError, match="closed"):
            await made[0].status()


@presses(LaiDianApp, "ctrl+c")
@presses(Framed, "ctrl+c")
async def test_ctrl_c_leaves_when_it_is_pressed_twice_and_copies_what_is_selected(console: Console) -> None:
    async with shown(console.connect) as seen:
        await seen.press("ctrl+c")
        assert seen.app.is_running
        assert "ctrl+c again leaves; q, too." in seen.notices
        await seen.pilot.press("ctrl+c")
    assert seen.app.return_code == 0


@presses(Framed, "tab", "shift+tab", "r")
@presses(Dialog, "tab", "shift+tab")
async def test_tab_goes_from_pane_to_pane_and_r_looks_now(console: Console) -> None:
    async with shown(console.connect, period_s=30) as seen:
        assert seen.here.focused is seen.here.attention
        await seen.press("tab")
        assert seen.here.focused is seen.here.top_keys
        await seen.press("shift+tab", "shift+tab")
        assert seen.here.focused is seen.here.upstreams
        looks = seen.app.feed.looks
        await seen.press("r")
        await seen.until(lambda: seen.app.feed.looks > looks)
        await seen.press("colon", "tab", "shift+tab")
        assert seen.here.focused is seen.here._input


async def test_the_last_line_shows_at_most_eight_keys_and_clicking_one_presses_it(console: Console) -> None:
    async with shown(console.connect, first="keys") as seen:
        line = seen.text.splitlines()[-1]
        assert line.count("  ") <= 8
        assert "? Help" in line
        await seen.pilot.click("#keys", offset=(line.index("?"), 0))
        await seen.until(lambda: isinstance(seen.here, Help))
        await seen.press("escape")
        tabs = seen.text.splitlines()[1]
        await seen.pilot.click("#tabs", offset=(tabs.index("5") + 1, 0))
        await seen.until(lambda: seen.app.current_mode == "upstreams")


async def test_a_small_terminal_is_told_so_and_still_works(console: Console) -> None:
    async with shown(console.connect, size=(60, 15)) as seen:
        assert "Enlarge to 80x20 (now 60x15)" in seen.text
        await seen.press("2")
        await seen.until(lambda: seen.app.current_mode == "keys")


async def test_while_the_terminal_is_not_in_front_the_server_is_left_alone(console: Console) -> None:
    async with shown(console.connect) as seen:
        seen.app.post_message(AppBlur())
        await seen.until(lambda: seen.app.feed.blurred)
        looks = seen.app.feed.looks
        await asyncio.sleep(0.5)
        assert seen.app.feed.looks <= looks + 1, "twenty looks a second otherwise"
        seen.app.post_message(AppFocus())
        await seen.until(lambda: seen.app.feed.looks > looks + 3)


async def test_a_screen_that_is_not_in_front_is_neither_asked_for_nor_drawn(console: Console) -> None:
    async with shown(console.connect, first="keys") as seen:
        keys = seen.here
        await seen.press("3")
        await seen.settled()
        drawn: list[object] = []
        keys.draw = drawn.append
        await seen.settled()
        await seen.settled()
        assert drawn == []


# A server that is away


def banner(seen: Shown) -> str:
    """Without the breaks of its lines."""
    lines = seen.app.screen.query_one("#banner").text.splitlines()  # pyright: ignore[reportAttributeAccessIssue]
    return " ".join(line.strip() for line in lines)


async def test_while_the_server_is_away_the_last_picture_stays_under_one_banner_that_counts_down(
    own_console: Console,
) -> None:
    assert own_console.call() == 200
    own_console.laidian.wait_settled()
    async with shown(own_console.connect) as seen:
        await seen.until_text("gpt-5.4")
        screen = seen.here
        own_console.laidian.kill9(whole_tree=True)
        await seen.until(lambda: screen.query_one("#banner").has_class("-shown"))
        assert "does not answer" in banner(seen)
        assert "Below is what was seen at" in banner(seen)
        assert screen.query_one("#body").has_class("-old")
        assert "gpt-5.4" in seen.text, "the last data were erased"
        assert "✕ not answering" in seen.text
        counted: set[str] = set()

        def counts() -> bool:
            counted.add(banner(seen).partition("again in ")[2].partition(" s")[0])
            return {"1", "2", "3"} <= counted

        await seen.until(counts)
        assert seen.notices == [], "no stack of messages"
        await seen.press("2")
        assert "does not answer" in banner(seen), "on every screen"
        await seen.press("1")
        await asyncio.to_thread(own_console.laidian.start)
        await seen.until(lambda: not screen.query_one("#banner").has_class("-shown"))
        assert not screen.query_one("#body").has_class("-old")
        assert "● serving" in seen.text


async def test_a_server_that_comes_back_somewhere_else_is_found(own_console: Console) -> None:
    addresses = ["http://127.0.0.1:1"]

    async def connect() -> AdminClient:
        return AdminClient.over_http(addresses[-1], own_console.laidian.folder.token())

    async with shown(connect, wait=False) as seen:
        await seen.until(lambda: "does not answer" in seen.text)
        assert "Below is what was seen" not in seen.text, "nothing was"
        addresses.append(own_console.laidian.base_url)
        await seen.until_text("● serving")


async def test_r_does_not_wait_for_the_countdown(own_console: Console) -> None:
    tries: list[int] = []

    async def connect() -> AdminClient:
        tries.append(1)
        raise AdminError(0, "server_unreachable", "nobody is there.")

    async with shown(connect, wait=False, period_s=30) as seen:
        await seen.until_text("nobody is there.")
        tried = len(tries)
        await seen.press("r")
        await seen.until(lambda: len(tries) > tried)


async def test_a_refused_token_is_a_sentence_and_a_renewed_one_is_taken_up(console: Console) -> None:
    tokens = ["wrong-token"]

    async def connect() -> AdminClient:
        return AdminClient.over_http(console.laidian.base_url, tokens[-1])

    async with shown(connect, wait=False) as seen:
        await seen.until(lambda: "token is refused" in seen.text)
        assert "wrong-token" not in seen.text
        tokens.append(console.laidian.folder.token())
        await seen.until_text("● serving")


async def test_another_programs_answer_is_said_to_be_one(console: Console) -> None:
    async def connect() -> AdminClient:
        return AdminClient.over_http(console.provider.base_url, "token")

    async with shown(connect, wait=False) as seen:
        await seen.until(lambda: "own version" in seen.text)


async def test_a_server_of_another_version_is_named_and_still_shown(console: Console) -> None:
    async with shown(console.connect, version="9.9.0") as seen:
        await seen.until_text("this dashboard is 9.9.0")
        assert "● serving" in seen.text
        assert not seen.here.query_one("#body").has_class("-old")


@pytest.mark.parametrize(("value", "wanted"), [("", False), ("0", False), ("1", True), ("yes", True)])
def test_ascii_can_be_asked_for_by_the_environment(value: str, wanted: bool) -> None:
    assert wants_ascii(value) is wanted


async def test_without_colours_every_state_is_still_a_word(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown(console.connect, first="upstreams") as seen:
        await seen.until_text("● UP")
        assert seen.app.no_color


# Pictures


async def test_picture_of_the_help(console: Console) -> None:
    await assert_screen("help", console.connect, keys=("2", "question_mark"))


async def test_picture_of_the_palette(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await seen.press(*"gpt-5")
        await seen.until_text("gpt-5.5")

    await assert_screen("palette", console.connect, keys=("3", "colon"), drive=drive)


async def test_picture_of_jump_mode(console: Console) -> None:
    await assert_screen("jump", console.connect, keys=("3", "ctrl+o"))


# What is pushed on a tab


class Page(Detail[str]):
    def body(self) -> ComposeResult:
        yield Lines(id="page")

    async def look(self, client: AdminClient) -> str:
        return (await client.status()).version

    def draw(self, picture: str) -> None:
        self.query_one("#page", Lines).put(f"version {picture}")

    def path(self) -> str:
        return "a page"


@presses(Detail, "escape", "backspace")
async def test_escape_and_backspace_go_back_from_a_detail_and_its_path_stands_in_the_header(
    console: Console,
) -> None:
    async with shown(console.connect, first="keys") as seen:
        for key in ("escape", "backspace"):
            await seen.app.push_screen(Page("keys"))
            await seen.until_text("version 0.")
            assert "› a page" in seen.text.splitlines()[0]
            await seen.press(key)
            assert not isinstance(seen.here, Detail)
        await seen.app.push_screen(Page("keys"))
        await seen.press("3")
        await seen.press("2")
        assert isinstance(seen.here, Page), "a tab is as it was left"
        await seen.press("2")
        assert not isinstance(seen.here, Detail), "its own key goes back to its beginning"


async def test_what_the_server_refuses_to_show_is_said_once(console: Console) -> None:
    from tui.screens.request import Request

    async with shown(console.connect, first="usage") as seen:
        await seen.app.push_screen(Request("usage", "req_that_never_was"))
        await seen.until(lambda: len(seen.notices) > 0)
        await seen.settled()
        await seen.settled()
        assert len(seen.notices) == 1
        assert "There is no request of that id" in seen.notices[0]
