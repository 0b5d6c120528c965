"""Usage: every request, page by page, however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from laidian.admin.schema import UsageRecord
from tui.feed import Feed
from tui.filter import terms
from tui.frame import Top
from tui.paged import PagedTable
from tui.rows import Asked, Piece
from tui.screens.records import RECORD

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient, UsageFilter

FILTERS = ("key", "model", "group", "upstream", "ended", "status", "request_id")
"""What the server filters by; a word without a column is a model."""


def narrowed(typed: str, since: str = "") -> UsageFilter:
    from laidian.admin.client import UsageFilter

    found: dict[str, str] = {"since": since}
    for term in terms(typed):
        name = next((one for one in FILTERS if term.column and one.startswith(term.column)), "model")
        found[name] = term.text
    return UsageFilter(**found)  # pyright: ignore[reportArgumentType]


class UsagePages:
    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def page(self, asked: Asked) -> Piece[UsageRecord]:
        only = narrowed(asked.filter)
        page = await self._feed.ask(lambda client: client.usage(only, limit=asked.limit, cursor=asked.cursor))
        return Piece(page.items, page.next)


class Usage(Top[bool]):
    def __init__(self) -> None:
        super().__init__()
        self.table = PagedTable(RECORD, key=lambda one: one.request_id, idiom=self.idiom, id="table")

    def body(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        super().on_mount()
        self.table.read(UsagePages(self.console_app.feed))

    async def look(self, client: AdminClient) -> bool:
        await self.table.renew()
        return True

    def draw(self, picture: bool) -> None:
        pass

    def label(self) -> None:
        self.table.title = self.words.usage.title
        self.table.empty = self.words.usage.empty
        self.table.relabel()

    def narrow(self, text: str) -> None:
        self.table.narrow(text)
