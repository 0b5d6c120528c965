"""Settings: what this instance is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from textual.app import ComposeResult

from laidian.admin.schema import Status
from tui.columns import Column
from tui.frame import Top
from tui.paged import PagedTable

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient


class Setting(msgspec.Struct, frozen=True):
    name: str
    value: str


COLUMNS = (
    Column[Setting](
        "setting", lambda w: w.settings.setting, lambda one, _: one.name, width=20, grow=1, most=28
    ),
    Column[Setting](
        "value", lambda w: w.settings.value, lambda one, _: one.value, width=30, grow=4, most=120
    ),
)


class Settings(Top[Status]):
    def __init__(self) -> None:
        super().__init__()
        self.table = PagedTable(COLUMNS, key=lambda one: one.name, idiom=self.idiom, id="table")

    def body(self) -> ComposeResult:
        yield self.table

    async def look(self, client: AdminClient) -> Status:
        return await client.status()

    def draw(self, picture: Status) -> None:
        words = self.words.settings
        self.table.show(
            [
                Setting(words.version, picture.version),
                Setting(words.base_url, picture.base_url),
                Setting(words.data, picture.data),
                Setting(words.schema, str(picture.schema)),
                Setting(words.workers, str(picture.workers)),
                Setting(words.sqlite, f"{picture.sqlite.version}  {picture.sqlite.verdict}"),
                Setting(words.price_book, picture.price_book),
            ]
        )

    def label(self) -> None:
        self.table.title = self.words.settings.title
        self.table.empty = self.words.settings.empty
        self.table.relabel()

    def narrow(self, text: str) -> None:
        self.table.narrow(text)
