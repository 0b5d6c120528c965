"""Keys: who may call, what each has spent, what is left; and everything that is done to them.

However many there are, only what is in sight is asked for: the list is read by pages, filtered and sorted by the server. What is
done to marked rows is done to all of them, one by one; without marks it is done to the row under the cursor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from laidian.admin.schema import Key, KeyEdit, KeyQuery
from tui.cells import Cell
from tui.chart import bar
from tui.columns import Column
from tui.dialogs import key_acts as acts
from tui.dialogs.several import Several, each
from tui.feed import Feed, Refused
from tui.filter import terms
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.question import TypeName
from tui.rows import Asked, Piece
from tui.text import count, short_dollars
from tui.undo import UNDO, Undoing
from tui.words import Words

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

NEAR_PERCENT = 90


def state_of(key: Key) -> str:
    near = key.state == "active" and key.used_percent is not None and key.used_percent >= NEAR_PERCENT
    return "near" if near else key.state


def _limit(key: Key, _: Idiom) -> tuple[Cell, ...]:
    """What it spent of its own limit, with a bar."""
    if key.limit_usd is None:
        return (Cell(short_dollars(key.spent_usd)),)
    text = f"{short_dollars(key.spent_usd)}/{short_dollars(key.limit_usd)} "
    percent = key.used_percent or 0
    return Cell(text.ljust(15)), Cell(bar(percent / 100, 8), "warn" if percent >= NEAR_PERCENT else "plain")


COLUMNS = (
    Column[Key]("name", lambda w: w.table.name, lambda one, _: one.name, width=12, grow=3, most=32, sort="name"),
    Column[Key]("state", lambda w: w.table.state, lambda one, idiom: idiom.state(state_of(one)), width=10),
    Column[Key]("group", lambda w: w.table.group, lambda one, _: one.group, width=8, grow=1, most=20),
    Column[Key]("limit", lambda w: w.keys.limit, _limit, width=23, sort="spent"),
    Column[Key](
        "today", lambda w: w.table.today, lambda one, _: short_dollars(one.spent_today_usd), width=8, right=True, rank=2, sort="today",
    ),
    Column[Key]("requests", lambda w: w.table.requests, lambda one, _: count(one.requests_today), width=8, right=True, rank=3),
    Column[Key](
        "last_used", lambda w: w.keys.last_used, lambda one, idiom: idiom.ago(one.last_used_at), width=9, rank=1, sort="last_used",
    ),
    Column[Key]("quota", lambda w: w.table.quota, lambda one, _: one.quota, width=9, grow=1, most=20, rank=4),
    Column[Key]("running", lambda w: w.keys.in_flight, lambda one, _: count(one.in_flight), width=7, right=True, wide=True),
    Column[Key]("expires", lambda w: w.keys.expires, lambda one, idiom: idiom.until(one.expires_at), width=9, wide=True),
    Column[Key]("display", lambda w: w.keys.display, lambda one, _: one.display, width=16, wide=True),
    Column[Key]("created", lambda w: w.table.created, lambda one, idiom: idiom.ago(one.created_at), width=8, wide=True, sort="created"),
)  # fmt: skip


def query_of(asked: Asked, words: Words) -> KeyQuery:
    """What was typed, for the server: `state:near group:team ali`. Raises ValueError for what it cannot do."""
    texts: list[str] = []
    named: dict[str, str] = {}
    for term in terms(asked.filter):
        if term.excludes:
            raise ValueError(words.keys.no_excluding.format(text=term.text))
        if term.column in ("state", "group", "quota"):
            named[term.column] = _STATES.get(term.text, term.text) if term.column == "state" else term.text
        else:
            texts.append(term.text)
    sort = f"{'-' if asked.down else ''}{asked.sort}" if asked.sort else "name"
    return KeyQuery(sort=sort, filter=" ".join(texts), **named)


_STATES = {"on": "active", "off": "disabled", "empty": "used_up"}
"""As the screen calls them."""


class KeyPages:
    """The list, as the table reads it."""

    def __init__(self, feed: Feed, words: Callable[[], Words]) -> None:
        self._feed = feed
        self._words = words

    async def page(self, asked: Asked) -> Piece[Key]:
        query = query_of(asked, self._words())
        page = await self._feed.ask(
            lambda client: client.key_page(query, limit=asked.limit, cursor=asked.cursor)
        )
        return Piece(page.items, page.next, page.total)


class Keys(Undoing, Top[int]):
    """Its picture is how many keys there are."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "keys.new"),
        Binding("e", "edit", "keys.edit"),
        Binding("d", "turn", "keys.turn"),
        Binding("b", "balance", "keys.balance"),
        Binding("R", "rotate", "keys.rotate"),
        Binding("D", "delete", "keys.delete"),
        Binding("g", "put_on('group')", "keys.group", show=False),
        Binding("Q", "put_on('quota')", "keys.quota", show=False),
        UNDO,
    ]

    def __init__(self) -> None:
        super().__init__()
        self.table: PagedTable[Key] = PagedTable(
            COLUMNS, key=lambda one: one.name, idiom=self.idiom, id="table", marks=True
        )

    def body(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        super().on_mount()
        self.table.read(KeyPages(self.console_app.feed, lambda: self.words))

    async def look(self, client: AdminClient) -> int:
        # A refused page is said in the table itself, a lost connection in the banner.
        with contextlib.suppress(Refused, ValueError):
            await self.table.renew()
        return self.table.total or 0

    def draw(self, picture: int) -> None:
        self.label()

    def label(self) -> None:
        words = self.words.keys
        self.table.title = words.title.format(count=count(self.table.total or 0))
        self.table.empty = words.empty
        self.table.relabel()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.can_undo if action == "undo" else True

    # What is meant

    @property
    def names(self) -> list[str]:
        """Of the marked keys, or of the one under the cursor."""
        if self.table.marked:
            return sorted(self.table.marked)
        return [] if self.table.row is None else [self.table.row.name]

    def unmark(self) -> None:
        self.table.marked.clear()
        self.table.relabel()

    # Making and changing

    def action_new(self) -> None:
        acts.new(self)

    def action_edit(self) -> None:
        if (key := self.table.row) is not None:
            acts.edit(self, key)

    def action_put_on(self, what: str) -> None:
        if names := self.names:
            value = "" if self.table.row is None else getattr(self.table.row, what)
            acts.put_on(self, what, names, value, self.unmark)

    def action_balance(self) -> None:
        if names := self.names:
            acts.balance(self, names, self.unmark)

    # On and off, at once

    def action_turn(self) -> None:
        names = self.names
        if len(names) > 1:
            lines = (self.words.keys.turn_several.format(names=", ".join(names)),)
            title = self.words.keys.turn

            def sure(yes: bool | None) -> None:
                if yes:
                    self._turn(names, on=False)

            self.console_app.push_screen(TypeName(title, lines, str(len(names))), sure)
        elif (key := self.table.row) is not None and names:
            self._turn(names, on=not key.enabled)

    def _turn(self, names: Sequence[str], *, on: bool) -> None:
        async def turned(client: AdminClient) -> Several:
            return await each(names, lambda name: client.edit_key(name, KeyEdit(enabled=on)))

        async def back(client: AdminClient) -> Several:
            return await each(names, lambda name: client.edit_key(name, KeyEdit(enabled=not on)))

        def then(several: Several) -> None:
            self.unmark()
            if several.refused:
                acts.say(self, several)
            else:
                said = self.words.keys.is_on if on else self.words.keys.is_off
                self.done(said.format(name=", ".join(several.done)), back)

        self.act(turned, then)

    # Rotating and deleting

    def action_rotate(self) -> None:
        if (key := self.table.row) is not None:
            acts.rotate(self, key)

    def action_delete(self) -> None:
        names = self.names
        if len(names) == 1:
            acts.delete(self, names[0], self.unmark)
        elif names:
            words = self.words.keys
            lines = (words.delete_several.format(count=len(names), names=", ".join(names)),)

            def then(several: Several) -> None:
                self.unmark()
                acts.say(self, several)

            def sure(yes: bool | None) -> None:
                if yes:
                    self.act(lambda client: each(names, client.delete_key), then)

            self.console_app.push_screen(
                TypeName(words.delete_title.format(name=len(names)), lines, str(len(names))), sure
            )

    # A key of one's own

    def on_paged_table_opened(self, event: PagedTable.Opened[Key]) -> None:
        self.open(event.row)

    def open(self, key: Key) -> None:
        from tui.screens.key import KeyDetail

        self.console_app.push_screen(KeyDetail("keys", key))
