"""Live: what runs now, on top, and what was settled last."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from textual.app import ComposeResult

from laidian.admin.schema import LiveRequest, UsageRecord
from tui.cells import Cell, Shown
from tui.columns import Column
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.screens.records import RECORD
from tui.text import clock, count, milliseconds, short_dollars

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

SETTLED = 50


class Flow(msgspec.Struct, frozen=True):
    running: tuple[LiveRequest, ...]
    settled: tuple[UsageRecord, ...]


Row = LiveRequest | UsageRecord


def _running(name: str, one: LiveRequest, idiom: Idiom) -> Shown:
    """The cell of a request that is not settled yet, in the column of that name."""
    return {
        "time": clock(one.started_at),
        "key": one.key,
        "model": one.model,
        "upstream": one.upstream or "-",
        "path": one.operation,
        "status": Cell(idiom.words.live.running, "accent"),
        "in": count(one.input_tokens),
        "out": f"{count(one.output_tokens)}+",
        "cost": f"~{short_dollars(one.held_usd)}",
        "took": milliseconds(one.age_ms),
        "request_id": one.request_id,
    }.get(name, "")


def _column(settled: Column[UsageRecord]) -> Column[Row]:
    def cell(row: Row, idiom: Idiom) -> Shown:
        return (
            _running(settled.name, row, idiom) if isinstance(row, LiveRequest) else settled.cell(row, idiom)
        )

    return Column(
        settled.name, settled.title, cell, width=settled.width, grow=settled.grow, most=settled.most, right=settled.right,
        rank=settled.rank, wide=settled.wide,
    )  # fmt: skip


COLUMNS = tuple(_column(one) for one in RECORD)


class Live(Top[Flow]):
    def __init__(self) -> None:
        super().__init__()
        self.table: PagedTable[Row] = PagedTable(
            COLUMNS, key=lambda one: one.request_id, idiom=self.idiom, id="table"
        )

    def body(self) -> ComposeResult:
        yield self.table

    async def look(self, client: AdminClient) -> Flow:
        from laidian.admin.client import UsageFilter

        running, page = await asyncio.gather(client.live(), client.usage(UsageFilter(), limit=SETTLED))
        return Flow(running, page.items)

    def draw(self, picture: Flow) -> None:
        self.table.show([*picture.running, *picture.settled])

    def label(self) -> None:
        self.table.title = self.words.live.title
        self.table.empty = self.words.live.empty if self.picture is not None else self.words.table.loading
        self.table.relabel()

    def narrow(self, text: str) -> None:
        self.table.narrow(text)
