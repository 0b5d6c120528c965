"""What is around every screen: header, tabs, banner, the keys that work here; and what a screen is.

A screen names its bindings with `Binding(key, action, "section.word")`; the last line, the help and the palette are made from them,
so none of the three can say what is not so. A screen of its own is a `Top` (one of the tabs) or a `Detail` (pushed on one):

    class Keys(Top[tuple[Key, ...]]):
        BINDINGS = [Binding("n", "new", "keys.new")]

        def body(self) -> ComposeResult: ...                        # its widgets
        async def look(self, client: AdminClient) -> ...: ...       # what to ask for, once a second while it is in front
        def draw(self, picture: ...) -> None: ...                   # what came
        def label(self) -> None: ...                                # titles in the language of now; called before the first drawing

The rules a newcomer would break: a screen draws from its last picture and from nothing else; it never waits for the server; and a
screen that is not in front is neither asked for nor drawn.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget

from tui.cells import Cell, Lines, length_of
from tui.feed import Refused
from tui.idiom import Idiom
from tui.keys import named
from tui.paged import PagedTable
from tui.text import duration
from tui.tops import TOPS
from tui.words import Words, described

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient
    from tui.app import LaiDianApp

P = TypeVar("P")
T = TypeVar("T")
SHOWN_KEYS = 8
"""In the last line; `?` shows all."""
LEAST = (80, 20)


class Body(Container):
    """Everything between banner and last line: dimmed while the server is away."""

    DEFAULT_CSS = """
    Body { height: 1fr; width: 1fr; }
    Body.-old { opacity: 60%; }
    """


class Framed(Screen[None], Generic[P], inherit_bindings=False):
    """A screen with header, tabs, banner and last line. `P` is its picture: what one look brings."""

    DEFAULT_CSS = """
    Framed > #header { height: 1; width: 1fr; background: $panel; padding: 0 1; }
    Framed > #tabs { height: 1; width: 1fr; background: $panel; }
    Framed > #banner { background: $error; color: $text; padding: 0 1; display: none; }
    Framed > #banner.-shown { display: block; }
    Framed > #banner:ansi { background: ansi_red; color: ansi_white; }
    Framed > #keys { height: 1; width: 1fr; background: $panel; }
    Framed > #header:ansi, Framed > #tabs:ansi, Framed > #keys:ansi { background: ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = named([
        Binding("tab", "app.focus_next", "frame.next_pane", show=False),
        Binding("shift+tab", "app.focus_previous", "frame.previous_pane", show=False),
        Binding("r", "look_now", "frame.refresh", show=False),
        Binding("ctrl+c", "copy_text", "table.copy", show=False),
    ])  # fmt: skip
    top = ""
    """Name of the tab it belongs to."""

    def __init_subclass__(cls, **more: Any) -> None:
        """Every binding of a screen can be given another key."""
        if own := cls.__dict__.get("BINDINGS"):
            setattr(cls, "BINDINGS", named(own))  # noqa: B010 - a constant only for those who read it
        super().__init_subclass__(**more)

    def __init__(self) -> None:
        super().__init__()
        self.picture: P | None = None
        self._refusal = ""
        self._header = Lines(id="header")
        self._tabs = Lines(id="tabs")
        self._banner = Lines(id="banner")
        self._keys = Lines(id="keys")
        self._body = Body(id="body")

    @property
    def console_app(self) -> LaiDianApp:
        return cast("LaiDianApp", self.app)  # pyright: ignore[reportUnknownMemberType]

    @property
    def words(self) -> Words:
        return self.console_app.words

    def idiom(self) -> Idiom:
        return self.console_app.idiom()

    # What a screen fills in

    def body(self) -> ComposeResult:
        raise NotImplementedError

    async def look(self, client: AdminClient) -> P:
        raise NotImplementedError

    def draw(self, picture: P) -> None:
        raise NotImplementedError

    def label(self) -> None:
        """Titles and texts that are there without a picture."""

    def path(self) -> str:
        """Where one is, behind the tab: for details. Empty for a tab."""
        return ""

    def narrow(self, text: str) -> None:
        """Shows only what matches, as if it had been typed into the filter of its `table`. Screens without one have nothing to narrow."""
        table = getattr(self, "table", None)
        if isinstance(table, PagedTable):
            table.narrow(text)

    # What the feed and the application call

    def seen(self, picture: P) -> None:
        self.picture = picture
        self._refusal = ""
        if self.is_mounted:
            self.draw(picture)

    def unseen(self, reason: str) -> None:
        """Said once, not at every look."""
        if reason == self._refusal:
            return
        self._refusal = reason
        self.notify(reason, severity="error", markup=False)

    def redraw(self) -> None:
        """After another language, theme or moment."""
        self.label()
        if self.picture is not None:
            self.draw(self.picture)
        self.draw_frame()

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._tabs
        yield self._banner
        with self._body:
            yield from self.body()
        yield self._keys

    def on_mount(self) -> None:
        self.label()
        self.draw_frame()
        when_bindings_change(self, self._bindings_changed)

    def on_screen_resume(self) -> None:
        self.redraw()
        self.console_app.feed.poke()

    def on_screen_suspend(self) -> None:
        # Drawn lines are half a megabyte a screen, and are drawn anew as quickly as they are found again.
        for widget in self.walk_children(Widget):
            widget.refresh()

    def on_resize(self, _: events.Resize) -> None:
        self.draw_frame()

    def _bindings_changed(self) -> None:
        if self.is_current:
            self.call_after_refresh(self._draw_keys)

    # The frame

    def draw_frame(self) -> None:
        if not self.is_mounted:
            return
        self._header.put(self._header_line())
        self._tabs.put(self._tab_line())
        self._draw_banner()
        self._draw_keys()

    def _header_line(self) -> tuple[Cell, ...]:
        app, words = self.console_app, self.words.frame
        status, link = app.feed.status, app.feed.link
        width, height = self.size
        if width < LEAST[0] or height < LEAST[1]:
            return (Cell(words.enlarge.format(width=width, height=height), "warn"),)
        cells = [Cell("LaiDian", "title"), Cell("  ")]
        if status is None:
            cells += [Cell(words.connecting if link.state == "connecting" else words.away_short, "dim")]
        else:
            cells += [Cell(status.base_url), Cell("  ")]
            if link.state != "up":
                cells += [Cell(f"✕ {words.away_short}", "bad")]
            elif status.stopping:
                cells += [Cell(f"▲ {words.stopping}", "warn")]
            else:
                cells += [Cell(f"● {words.serving}", "good")]
        if status is not None and not self.path():
            cells += [Cell("  "), Cell(words.up_for.format(time=duration(status.uptime_s)), "dim")]
            keys = words.one_key if status.keys == 1 else words.keys.format(count=status.keys)
            cells += [Cell("  "), Cell(keys, "dim")]
        if path := self.path():
            cells += [Cell("  › ", "dim"), Cell(path, "accent")]
        return tuple(cells)

    def _tab_line(self) -> tuple[Cell, ...]:
        words = self.words
        gap = " " if self.size.width < 96 else "  "
        cells: list[Cell] = []
        for one in TOPS:
            key = self.console_app.key_of(f"frame.go_{one.name}") or one.key
            text = f"{key} {described(words, f'frame.tab_{one.name}')}"
            does = f"app.go('{one.name}')"
            if cells:
                cells.append(Cell(gap))
            cells.append(Cell(text, "chosen" if one.name == self.top else "plain", does))
        return tuple(cells)

    def _draw_banner(self) -> None:
        """One banner, whatever is wrong with the connection."""
        words, feed = self.words.frame, self.console_app.feed
        link = feed.link
        wrong = link.state not in ("up", "connecting")
        sentences: list[str] = []
        if wrong:
            said = {"refused": words.refused, "foreign": words.not_a_laidian}.get(link.state, words.away)
            sentences.append(said.format(reason=link.reason))
            sentences.append(words.again_in.format(seconds=link.again_in_s))
            if link.seen_at is not None:
                sentences.append(words.seen_at.format(time=f"{link.seen_at:%H:%M:%S}"))
        elif other := self.console_app.other_version():
            sentences.append(other)
        if sentences:
            self._banner.put_text(" ".join(sentences))
        self._banner.set_class(bool(sentences), "-shown")
        self._body.set_class(wrong, "-old")

    def _draw_keys(self) -> None:
        """At most eight keys that work here, those of what has the focus first; help is always among them."""
        shown = [one for one in self.bindings_here() if one.binding.show][: SHOWN_KEYS - 1]
        key = self.console_app.key_of("frame.help") or "?"
        helps = (Cell(f" {key} ", "accent", "app.help"), Cell(self.words.frame.help, "plain", "app.help"))
        cells: list[Cell] = []
        left = self.size.width - length_of(helps)
        for one in shown:
            more = _key_cells(self, one.binding)
            left -= length_of(more)
            if left < 0:
                break
            cells += more
        self._keys.put((*cells, *helps))

    def bindings_here(self) -> list[ActiveBinding]:
        """One for each action that works now: the screen's own, then the focused widget's, then the application's."""
        found: dict[str, ActiveBinding] = {}
        ranked = sorted(self.active_bindings.values(), key=lambda one: _rank(one, self))
        for one in ranked:
            if one.enabled and one.binding.description:
                found.setdefault(f"{one.binding.action} {one.binding.description}", one)
        return list(found.values())

    def look_again(self) -> None:
        self.console_app.feed.poke()

    def action_look_now(self) -> None:
        self.look_again()

    # Actions

    def act(
        self,
        question: Callable[[AdminClient], Awaitable[T]],
        then: Callable[[T], None] | None = None,
    ) -> None:
        """Carries out an action in the background; what the server refuses is said in its words, and nothing is changed here."""

        async def acted() -> None:
            try:
                answer = await self.console_app.feed.change(question)
            except Refused as error:
                self.notify(error.message, severity="error", markup=False)
                return
            if then is not None:
                then(answer)

        self.run_worker(acted(), group="actions", exit_on_error=True)


class Top(Framed[P], Generic[P]):
    """One of the tabs."""


class Detail(Framed[P], Generic[P]):
    """Pushed on a tab; esc goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "back", "frame.back", key_display="esc"),
    ]

    def __init__(self, top: str) -> None:
        super().__init__()
        self.top = top

    def action_back(self) -> None:
        self.dismiss(None)


def _rank(one: ActiveBinding, screen: Framed[Any]) -> int:
    if one.node is screen:
        return 0 if not one.binding.system else 1
    return 3 if one.node is screen.console_app else 2


def _key_cells(screen: Framed[Any], binding: Binding) -> tuple[Cell, ...]:
    key = binding.key_display or screen.console_app.get_key_display(binding)
    does = f"app.simulate_key('{binding.key}')"
    return Cell(f" {key} ", "accent", does), Cell(
        f"{described(screen.words, binding.description)} ", "plain", does
    )


def when_bindings_change(screen: Screen[Any], draw: Callable[[], object]) -> None:
    """Calls `draw` whenever other keys work: another focus, another state of a widget."""
    signal: Any = screen.bindings_updated_signal  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    signal.subscribe(screen, lambda _: draw())  # pyright: ignore[reportUnknownLambdaType]


def focusables(screen: Screen[Any]) -> list[Widget]:
    """Panes that can be jumped to, in the order of tab."""
    return [widget for widget in screen.focus_chain if widget.region.area > 0]
