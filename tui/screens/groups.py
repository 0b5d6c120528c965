"""Groups: what the keys of each may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from laidian.admin.schema import Group
from tui.columns import Column
from tui.frame import Top
from tui.paged import PagedTable
from tui.text import count

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

COLUMNS = (
    Column[Group]("name", lambda w: w.table.name, lambda one, _: one.name, width=12, grow=2, most=28, sort=lambda one: one.name),
    Column[Group]("state", lambda w: w.table.state, lambda one, idiom: idiom.state("active" if one.enabled else "disabled"), width=10),
    Column[Group]("keys", lambda w: w.groups.keys, lambda one, _: count(one.keys), width=5, right=True, sort=lambda one: one.keys),
    Column[Group]("multiplier", lambda w: w.groups.multiplier, lambda one, _: one.multiplier, width=6, right=True),
    Column[Group](
        "upstreams", lambda w: w.groups.upstreams, lambda one, idiom: one.upstreams or idiom.words.groups.all_upstreams, width=14,
        grow=3, most=48,
    ),
    Column[Group](
        "models", lambda w: w.groups.models, lambda one, idiom: ", ".join(one.allow) or idiom.words.groups.all_models, width=10, grow=1,
        most=30, rank=1,
    ),
    Column[Group](
        "per_minute", lambda w: w.groups.per_minute,
        lambda one, _: "-" if one.requests_per_minute is None else count(one.requests_per_minute), width=8, right=True, rank=2,
    ),
    Column[Group]("capabilities", lambda w: w.groups.capabilities, lambda one, _: " ".join(one.capabilities), width=30, grow=3, most=90, wide=True),
)  # fmt: skip


class Groups(Top[tuple[Group, ...]]):
    def __init__(self) -> None:
        super().__init__()
        self.table = PagedTable(COLUMNS, key=lambda one: one.name, idiom=self.idiom, id="table")

    def body(self) -> ComposeResult:
        yield self.table

    async def look(self, client: AdminClient) -> tuple[Group, ...]:
        return await client.groups()

    def draw(self, picture: tuple[Group, ...]) -> None:
        self.table.title = self.words.groups.title.format(count=len(picture))
        self.table.show(picture)

    def label(self) -> None:
        self.table.empty = self.words.groups.empty if self.picture is not None else self.words.table.loading
        self.table.relabel()

    def narrow(self, text: str) -> None:
        self.table.narrow(text)
