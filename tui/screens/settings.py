"""Settings: how this instance is set, what was changed and by whom, and which versions run."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from laidian.admin.schema import Operation, Setting, Status
from laidian.admin.schema import Settings as Held
from tui.cells import Cell
from tui.columns import Column
from tui.feed import Feed, Refused
from tui.frame import Top
from tui.paged import PagedTable
from tui.rows import Asked, Piece
from tui.text import count

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

View = Literal["settings", "journal", "versions"]


class Fact(msgspec.Struct, frozen=True):
    name: str
    value: str


class Picture(msgspec.Struct, frozen=True):
    held: Held
    status: Status


SETTINGS = (
    Column[Setting]("setting", lambda w: w.settings.setting, lambda one, _: one.name, width=26, grow=1, most=40, sort=lambda one: one.name),
    Column[Setting]("changed", lambda w: w.settings.changed, lambda one, _: Cell("•" if one.changed else "", "warn"), width=4),
    Column[Setting]("value", lambda w: w.settings.value, lambda one, _: one.value, width=24, grow=4, most=120),
)  # fmt: skip
JOURNAL = (
    Column[Operation]("time", lambda w: w.table.time, lambda one, _: one.at.replace("T", " ")[:19], width=19),
    Column[Operation]("who", lambda w: w.settings.who, lambda one, _: one.who, width=6),
    Column[Operation]("action", lambda w: w.settings.action, lambda one, _: one.action, width=16, rank=1),
    Column[Operation](
        "what", lambda w: w.settings.what, lambda one, _: one.sentence, width=30, grow=4, most=160
    ),
)
VERSIONS = (
    Column[Fact]("setting", lambda w: w.settings.setting, lambda one, _: one.name, width=26, grow=1, most=32),
    Column[Fact]("value", lambda w: w.settings.value, lambda one, _: one.value, width=30, grow=4, most=120),
)


class JournalPages:
    """The operator's journal, newest first."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def page(self, asked: Asked) -> Piece[Operation]:
        page = await self._feed.ask(lambda client: client.operations(limit=asked.limit, cursor=asked.cursor))
        return Piece(page.items, page.next, page.total)


class Settings(Top[Picture]):
    DEFAULT_CSS = """
    Settings PagedTable { display: none; }
    Settings PagedTable.-shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "show('settings')", "settings.show_settings"),
        Binding("J", "show('journal')", "settings.show_journal"),
        Binding("v", "show('versions')", "settings.show_versions"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.view: View = "settings"
        self.settings = PagedTable(
            SETTINGS, key=lambda one: one.name, idiom=self.idiom, id="settings", classes="-shown"
        )
        self.journal: PagedTable[Operation] = PagedTable(
            JOURNAL, key=lambda one: f"{one.at} {one.sentence}", idiom=self.idiom, id="journal"
        )
        self.versions = PagedTable(VERSIONS, key=lambda one: one.name, idiom=self.idiom, id="versions")

    def body(self) -> ComposeResult:
        yield self.settings
        yield self.journal
        yield self.versions

    async def look(self, client: AdminClient) -> Picture:
        held, status = await asyncio.gather(client.settings(), client.status())
        if self.view == "journal":
            with contextlib.suppress(Refused):
                await self.journal.renew()
        return Picture(held, status)

    def draw(self, picture: Picture) -> None:
        words, held, status = self.words.settings, picture.held, picture.status
        changed = sum(one.changed for one in held.settings)
        self.settings.title = words.title.format(
            count=count(len(held.settings)), changed=changed, file=held.file or words.no_file
        )
        self.settings.show(held.settings)
        self.versions.show(
            [
                Fact(words.version, status.version),
                Fact(words.own_version, self.console_app.version or "-"),
                Fact(words.base_url, status.base_url),
                Fact(words.data, status.data),
                Fact(words.schema, str(status.schema)),
                Fact(words.workers, str(status.workers)),
                Fact(words.sqlite, f"{status.sqlite.version}  {status.sqlite.verdict}"),
                Fact(words.price_book, status.price_book),
            ]
        )

    def label(self) -> None:
        words = self.words.settings
        if self.picture is None:
            self.settings.title = self.words.frame.go_settings
        self.settings.empty = self.versions.empty = words.empty
        self.journal.title, self.journal.empty = words.journal, words.journal_empty
        self.versions.title = words.versions
        for table in (self.settings, self.journal, self.versions):
            table.relabel()

    def narrow(self, text: str) -> None:
        self.action_show("settings")
        self.settings.narrow(text)

    def action_show(self, view: View) -> None:
        self.view = view
        shown = {"settings": self.settings, "journal": self.journal, "versions": self.versions}
        for name, table in shown.items():
            table.set_class(name == view, "-shown")
        if view == "journal":
            self.journal.read(JournalPages(self.console_app.feed))
        shown[view].focus()
        self.look_again()
