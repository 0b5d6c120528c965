"""The application: one screen per tab, the keys that work everywhere, and the feed that runs behind them.

The rule a newcomer would break: nothing is imported here that the first picture does not need. A screen is imported when it is first
shown, HTTP when the first picture stands.
"""

from __future__ import annotations

import asyncio
import datetime
import gc
import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.scrollbar import ScrollBar

from tui.feed import PERIOD_S, Connect, Feed, Subject
from tui.frame import Detail, Framed, Top
from tui.idiom import Idiom
from tui.keys import named
from tui.paged import PagedTable
from tui.tops import TOPS, TopScreen
from tui.words import CATALOGUES, Language, Words, language_of

THEMES = (("textual-dark", "dark"), ("textual-light", "light"), ("ansi-dark", "ansi"))
TIDY_S = 2.0
"""After a tab was built: its first figures have come by then."""
AGAIN_S = 2.0
"""Within which a second ctrl+c leaves."""


def run(
    connect: Connect,
    language: Language | None = None,
    *,
    ascii_only: bool = False,
    version: str = "",
    first: str = "dashboard",
    keys: Mapping[str, str] | None = None,
) -> None:
    """Shows the dashboard until the operator quits.

    `connect` finds the server; it is asked again whenever the server was away. `language`: None takes the environment's. `ascii_only`:
    nothing but ASCII signs (also by LAIDIAN_ASCII). `version`: of this program, to be compared with the server's. `first`: a tab.
    `keys`: of one's own, as `tui.keys.checked` gives them.
    """
    if os.environ.get("SSH_CONNECTION"):
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    LaiDianApp(
        connect,
        language or language_of(os.environ),
        ascii_only=ascii_only or wants_ascii(os.environ.get("LAIDIAN_ASCII", "")),
        version=version,
        first=first,
        keys=keys,
    ).run()


def wants_ascii(value: str) -> bool:
    return value.lower() not in ("", "0", "no", "false")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _maker(top: TopScreen) -> Callable[[], Top[Any]]:
    return top.make


class LaiDianApp(App[None], inherit_bindings=False):
    TITLE = "LaiDian"
    ENABLE_COMMAND_PALETTE = False
    MODES = {top.name: _maker(top) for top in TOPS}  # noqa: RUF012  # pyright: ignore[reportUnknownVariableType, reportAssignmentType]
    DEFAULT_MODE = "dashboard"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual's own way
        (0, "-narrow"),
        (96, "-normal"),
        (140, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = named([
        *(Binding(top.key, f"go('{top.name}')", f"frame.go_{top.name}", show=False) for top in TOPS),
        Binding("ctrl+p,colon", "palette", "frame.command", key_display=":"),
        Binding("question_mark", "help", "frame.help", key_display="?", show=False),
        Binding("ctrl+o", "jump", "frame.jump", show=False),
        Binding("T", "theme", "frame.theme", show=False),
        Binding("L", "language", "frame.language", show=False),
        Binding("q,ctrl+q", "quit", "frame.quit"),
        Binding("ctrl+c", "interrupt", "frame.quit", show=False),
    ])  # fmt: skip

    def __init__(
        self,
        connect: Connect,
        language: Language,
        *,
        ascii_only: bool = False,
        version: str = "",
        first: str = "dashboard",
        period_s: float = PERIOD_S,
        now: Callable[[], datetime.datetime] = _now,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        if keys:
            self.set_keymap(keys)
        self.words: Words = CATALOGUES[language]
        self.ascii_only = ascii_only
        self.now = now
        self.feed = Feed(
            connect, subject=self._subject, changed=self._link_changed, now=now, period_s=period_s
        )
        self._language: Language = language
        self._version = version
        self._first = first
        self._interrupted_at = 0.0
        self._visited: set[str] = set()
        if ascii_only:
            from tui.ascii import Ascii

            self._filters.append(Ascii())
            ScrollBar.renderer = _ascii_scroll_bar()

    # Life

    async def on_mount(self) -> None:
        if self._first != self.DEFAULT_MODE:
            await self.switch_mode(self._first)
        # HTTP is imported for a quarter of a second: only when the operator sees something already.
        self.call_after_refresh(self._begin)
        self._visited.add(self._first)
        self.set_timer(TIDY_S, gc.collect)

    def _begin(self) -> None:
        self.run_worker(self._fed(), group="feed", exclusive=True)

    async def _fed(self) -> None:
        importlib.import_module("laidian.admin.client")
        await self.feed.run()

    async def on_unmount(self) -> None:
        # Whoever still asks would ask a client that is closed.
        self.workers.cancel_all()
        await self.feed.aclose()

    def on_app_blur(self, _: events.AppBlur) -> None:
        self.feed.blurred = True

    def on_app_focus(self, _: events.AppFocus) -> None:
        self.feed.blurred = False
        self.feed.poke()

    # What screens ask

    def idiom(self) -> Idiom:
        return Idiom(self.words, self.ascii_only, self.now())

    @property
    def version(self) -> str:
        """Of this program; empty: nobody said."""
        return self._version

    def key_of(self, name: str) -> str:
        """How the key is shown that the operator gave to the binding of that name; empty: it has its usual one."""
        wanted = self._keymap.get(name, "").split(",")[0]
        return self.get_key_display(Binding(wanted, "")) if wanted else ""

    def other_version(self) -> str:
        """A sentence, when the server is of another version than this dashboard; empty otherwise."""
        status = self.feed.status
        if status is None or not self._version or _release(status.version) == _release(self._version):
            return ""
        return self.words.frame.other_version.format(server=status.version, own=self._version)

    async def copy(self, text: str) -> None:
        from tui.clipboard import send

        await send(text, self.copy_to_clipboard)
        short = text if len(text) <= 40 and "\n" not in text else text.partition("\n")[0][:40] + " …"
        self.notify(self.words.table.copied.format(text=short), markup=False)

    async def on_paged_table_copied(self, event: PagedTable.Copied) -> None:
        await self.copy(event.text)

    # The feed

    def framed(self) -> Iterator[Framed[Any]]:
        """The screens of the tab in front, from the front to the back."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, Framed):
                yield screen

    def _subject(self) -> Subject | None:
        """What is asked for: the screen in front, or the one that a dialog lies on."""
        return next(self.framed(), None)

    def _link_changed(self) -> None:
        for screen in self.framed():
            screen.draw_frame()
            return

    # Keys

    def action_go(self, name: str) -> None:
        self.go(name)

    def go(self, name: str) -> Framed[Any]:
        """Brings a tab to the front as it was left; the tab in front goes back to its first screen."""
        if name == self.current_mode:
            while isinstance(self.screen, Detail):
                self.pop_screen()
        else:
            if name not in self._visited:
                # Building a screen leaves garbage in rings: 3 MB over all tabs, which nobody needs to see in `top`.
                self._visited.add(name)
                self.set_timer(TIDY_S, gc.collect)
            self.switch_mode(name)
        return next(self.framed())

    def action_palette(self) -> None:
        from tui.palette import Palette

        self.push_screen(Palette(next(self.framed())))

    def action_help(self) -> None:
        from tui.help import Help

        self.push_screen(Help(next(self.framed())))

    def action_jump(self) -> None:
        from tui.jump import Jump

        self.push_screen(Jump(self.screen))

    def action_theme(self) -> None:
        names = [name for name, _ in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme, word = THEMES[(at + 1) % len(THEMES)]
        said: str = getattr(self.words.frame, f"theme_{word}")
        self.notify(self.words.frame.theme_is.format(name=said), markup=False, timeout=2)
        self._redraw()

    def action_language(self) -> None:
        self._language = "zh" if self._language == "en" else "en"
        self.words = CATALOGUES[self._language]
        self._redraw()

    def action_interrupt(self) -> None:
        """ctrl+c twice: once is too easily pressed for what it means in a shell."""
        at = asyncio.get_running_loop().time()
        if at - self._interrupted_at < AGAIN_S:
            self.exit()
        self._interrupted_at = at
        self.notify(self.words.frame.again_to_quit, markup=False, timeout=AGAIN_S)

    def _redraw(self) -> None:
        for screen in self.framed():
            screen.redraw()


def _release(version: str) -> tuple[str, ...]:
    """What decides whether two versions understand each other: 0.1 of 0.1.3."""
    return tuple(version.split(".")[:2])


def _ascii_scroll_bar() -> Any:
    """Textual's bar without its eighths of blocks; the filter for signs makes `#` of what is left."""
    from textual.scrollbar import ScrollBarRender

    class Plain(ScrollBarRender):
        VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
        HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8

    return Plain
