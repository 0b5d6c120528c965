"""Keys: who may call, what each has spent, what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from laidian.admin.schema import Key
from tui.cells import Cell
from tui.chart import bar
from tui.columns import Column
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.text import count, short_dollars

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient


def _limit(key: Key, idiom: Idiom) -> tuple[Cell, ...]:
    """What it spent of its own limit, with a bar."""
    if key.limit_usd is None:
        return (Cell(short_dollars(key.spent_usd)),)
    share = float(key.spent_usd) / float(key.limit_usd) if float(key.limit_usd) else 1.0
    text = f"{short_dollars(key.spent_usd)}/{short_dollars(key.limit_usd)} "
    return Cell(text.ljust(14)), Cell(bar(share, 8), "warn" if share >= 0.9 else "plain")


COLUMNS = (
    Column[Key]("name", lambda w: w.table.name, lambda one, _: one.name, width=12, grow=3, most=32, sort=lambda one: one.name),
    Column[Key]("state", lambda w: w.table.state, lambda one, idiom: idiom.state(one.state), width=10, sort=lambda one: one.state),
    Column[Key]("group", lambda w: w.table.group, lambda one, _: one.group, width=8, grow=1, most=20, sort=lambda one: one.group),
    Column[Key]("limit", lambda w: w.keys.limit, _limit, width=22, sort=lambda one: float(one.spent_usd)),
    Column[Key](
        "today", lambda w: w.table.today, lambda one, _: short_dollars(one.spent_today_usd), width=8, right=True, rank=2,
        sort=lambda one: float(one.spent_today_usd),
    ),
    Column[Key](
        "requests", lambda w: w.table.requests, lambda one, _: count(one.requests_today), width=8, right=True, rank=3,
        sort=lambda one: one.requests_today,
    ),
    Column[Key](
        "last_used", lambda w: w.keys.last_used, lambda one, idiom: idiom.ago(one.last_used_at), width=9, rank=1,
        sort=lambda one: one.last_used_at or "",
    ),
    Column[Key]("quota", lambda w: w.table.quota, lambda one, _: one.quota, width=9, grow=1, most=20, rank=4, sort=lambda one: one.quota),
    Column[Key]("running", lambda w: w.keys.in_flight, lambda one, _: count(one.in_flight), width=7, right=True, wide=True),
    Column[Key]("expires", lambda w: w.keys.expires, lambda one, idiom: idiom.until(one.expires_at), width=9, wide=True),
    Column[Key]("display", lambda w: w.keys.display, lambda one, _: one.display, width=16, wide=True),
    Column[Key]("created", lambda w: w.table.created, lambda one, idiom: idiom.ago(one.created_at), width=8, wide=True),
)  # fmt: skip


class Keys(Top[tuple[Key, ...]]):
    def __init__(self) -> None:
        super().__init__()
        self.table = PagedTable(COLUMNS, key=lambda one: one.name, idiom=self.idiom, id="table", marks=True)

    def body(self) -> ComposeResult:
        yield self.table

    async def look(self, client: AdminClient) -> tuple[Key, ...]:
        return await client.keys()

    def draw(self, picture: tuple[Key, ...]) -> None:
        active = sum(one.state == "active" for one in picture)
        self.table.title = self.words.keys.title.format(count=len(picture), active=active)
        self.table.show(picture)

    def label(self) -> None:
        self.table.empty = self.words.keys.empty if self.picture is not None else self.words.table.loading
        self.table.relabel()

    def narrow(self, text: str) -> None:
        self.table.narrow(text)
