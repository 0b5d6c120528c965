"""`:` or ctrl+p: everything by its name. Every action that works here, every tab, every key, upstream, model, group and quota.

What is found by name comes from providers: functions that ask the server and give commands. A provider of one's own is added to
`PROVIDERS`. Text that names a tab and goes on (`usage gpt-5.5`) narrows that tab to the rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from tui.cells import Cell
from tui.columns import Column
from tui.dialog import Dialog
from tui.feed import Refused
from tui.frame import Framed
from tui.paged import PagedTable
from tui.tops import TOPS
from tui.words import Words, described

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient
    from tui.app import LaiDianApp

SHOWN = 100
"""Best matches; whoever wants others types on."""


class Command:
    """One entry. `does` gets the application, after the palette is closed."""

    __slots__ = ("does", "key", "kind", "label")

    def __init__(self, label: str, kind: str, does: Callable[[LaiDianApp], object], key: str = "") -> None:
        self.label = label
        self.kind = kind
        self.does = does
        self.key = key


Provider = Callable[["AdminClient", Words], Awaitable[list[Command]]]


def to(name: str, text: str) -> Callable[[LaiDianApp], None]:
    """Brings a tab to the front, narrowed to a text."""

    def does(app: LaiDianApp) -> None:
        app.go(name).narrow(text)

    return does


async def keys(client: AdminClient, words: Words) -> list[Command]:
    return [Command(one.name, words.frame.palette_key, to("keys", one.name)) for one in await client.keys()]


async def upstreams(client: AdminClient, words: Words) -> list[Command]:
    return [
        Command(one.name, words.frame.palette_upstream, to("upstreams", one.name))
        for one in await client.upstreams()
    ]


async def models(client: AdminClient, words: Words) -> list[Command]:
    names: set[str] = set()
    for upstream in await client.upstreams():
        names.update(one.model for one in await client.upstream_models(upstream.name))
    return [Command(name, words.frame.palette_model, to("models", name)) for name in sorted(names)]


async def groups(client: AdminClient, words: Words) -> list[Command]:
    return [
        Command(one.name, words.frame.palette_group, to("groups", one.name)) for one in await client.groups()
    ]


async def quotas(client: AdminClient, words: Words) -> list[Command]:
    return [
        Command(one.name, words.frame.palette_quota, to("quotas", one.name)) for one in await client.quotas()
    ]


PROVIDERS: tuple[Provider, ...] = (keys, upstreams, models, groups, quotas)


class Palette(Dialog[None]):
    DEFAULT_CSS = """
    Palette > .box { width: 90%; max-width: 100; height: 80%; }
    #palette-input { border: none; height: 1; padding: 0; background: $surface; }
    #palette-list { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "table.up", show=False, priority=True),
        Binding("down", "move(1)", "table.down", show=False, priority=True),
        Binding("pageup", "move(-10)", "table.page_up", show=False, priority=True),
        Binding("pagedown", "move(10)", "table.page_down", show=False, priority=True),
        Binding("enter", "run", "table.open", priority=True),
        Binding("ctrl+p", "leave", "frame.close", show=False, priority=True),
    ]

    def __init__(self, screen: Framed[Any]) -> None:
        super().__init__()
        self._here = screen
        self._commands: list[Command] = []
        self._input = Input(id="palette-input")
        self._list: PagedTable[Command] = PagedTable(
            (
                Column("label", lambda w: w.table.name, lambda one, _: one.label, width=30, grow=3, most=70),
                Column("kind", lambda _: "", lambda one, _: Cell(one.kind, "dim"), width=10, grow=1, most=16),
                Column("key", lambda _: "", lambda one, _: Cell(one.key, "accent"), width=6),
            ),
            key=lambda one: f"{one.kind} {one.label} {one.key}",
            idiom=self.idiom,
            id="palette-list",
        )
        self._list.can_focus = False

    def compose(self) -> ComposeResult:
        self._input.placeholder = self.words.frame.palette_prompt
        self._list.empty = self.words.frame.palette_none
        with Vertical(classes="box"):
            yield self._input
            yield self._list
            yield self.last_line

    def on_mount(self) -> None:
        super().on_mount()
        self._commands = self._actions()
        self._show()
        self._input.focus()
        self.run_worker(self._by_name(), group="palette", exclusive=True)

    def _actions(self) -> list[Command]:
        """What works here: the screen's own first."""
        commands: list[Command] = []
        for one in self._here.bindings_here():
            binding = one.binding
            key = binding.key_display or self.console_app.get_key_display(binding)
            kind = (
                described(self.words, f"frame.go_{self._here.top}")
                if one.node is not self.console_app
                else ""
            )
            commands.append(
                Command(
                    described(self.words, binding.description), kind, _runs(binding.action, one.node), key
                )
            )
        return commands

    async def _by_name(self) -> None:
        feed = self.console_app.feed
        for provider in PROVIDERS:
            try:
                found = await feed.ask(lambda client, ask=provider: ask(client, self.words))
            except Refused:
                # The banner says that the server is away; what is here already works without it.
                return
            self._commands += found
            self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._show()

    def _show(self) -> None:
        typed = self._input.value.strip().lower()
        ranked = sorted(
            (
                (rank, index)
                for index, one in enumerate(self._commands)
                if (rank := _rank(one, typed)) is not None
            ),
        )
        shown = [self._commands[index] for _, index in ranked[:SHOWN]]
        self._list.show([*shown, *self._narrowing(typed)])

    def _narrowing(self, typed: str) -> list[Command]:
        """`usage gpt-5.5`: that tab, narrowed."""
        name, _, rest = typed.partition(" ")
        rest = rest.strip()
        found: list[Command] = []
        for top in TOPS:
            title = described(self.words, f"frame.go_{top.name}")
            if rest and len(name) > 1 and (top.name.startswith(name) or title.lower().startswith(name)):
                label = self.words.frame.palette_narrow.format(screen=title, text=rest)
                found.append(Command(label, "", to(top.name, rest), top.key))
        return found

    def action_move(self, rows: int) -> None:
        self._list.action_move(rows)

    def action_run(self) -> None:
        command = self._list.row
        if command is None:
            return
        app = self.console_app
        self.dismiss(None)
        app.call_later(command.does, app)


def _runs(action: str, node: Any) -> Callable[[LaiDianApp], object]:
    return lambda app: app.run_action(action, node)


def _rank(command: Command, typed: str) -> int | None:
    """The better the smaller: begins so, has a word that begins so, holds all the words; None: does not match."""
    label = command.label.lower()
    whole = f"{label} {command.kind.lower()}"
    if not typed or label.startswith(typed):
        return 0
    if any(word.startswith(typed) for word in label.split()):
        return 1
    return 2 if all(word in whole for word in typed.split()) else None
