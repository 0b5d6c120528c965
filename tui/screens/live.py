"""Live: what runs now, on top, and what ended last, with the reason where it failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from laidian.admin.schema import LiveRequest, UsageRecord
from tui.cells import Cell, Shown
from tui.columns import Column
from tui.feed import Feed
from tui.flow import Flow
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.rows import Note
from tui.screens.records import RECORD, faulty, why
from tui.text import clock, count, milliseconds, moment, short_dollars

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

POLLED = 50
"""Ended requests of one look, where the server tells no events."""
Row = LiveRequest | UsageRecord


class Flowing(msgspec.Struct, frozen=True):
    running: tuple[LiveRequest, ...]
    ended: tuple[UsageRecord, ...]
    per_minute: int
    seen: int


def _running(name: str, one: LiveRequest, idiom: Idiom) -> Shown:
    """The cell of a request that has not ended, in the column of that name. Its hold is the most it can cost."""
    words = idiom.words.live
    return {
        "time": clock(one.started_at),
        "key": one.key,
        "model": one.model,
        "upstream": one.upstream or "-",
        "path": one.operation,
        "status": Cell(words.ending if one.ending else words.running, "accent"),
        "in": count(one.input_tokens),
        "out": f"{count(one.output_tokens)}+",
        "cost": f"≤{short_dollars(one.held_usd)}",
        "took": Cell(milliseconds(one.age_ms), "accent"),
        "request_id": one.request_id,
    }.get(name, "")


def _column(ended: Column[UsageRecord]) -> Column[Row]:
    def cell(row: Row, idiom: Idiom) -> Shown:
        return _running(ended.name, row, idiom) if isinstance(row, LiveRequest) else ended.cell(row, idiom)

    return Column(
        ended.name, ended.title, cell, width=ended.width, grow=ended.grow, most=ended.most, right=ended.right,
        rank=ended.rank, wide=ended.wide,
    )  # fmt: skip


COLUMNS = tuple(_column(one) for one in RECORD)


async def caught_up(client: AdminClient, feed: Feed) -> Flow:
    """What runs and what ended last: from the stream of events, where there is one; otherwise two questions."""
    from laidian.admin.client import UsageFilter

    if not feed.listening:
        running, page = await asyncio.gather(client.live(), client.usage(UsageFilter(), limit=POLLED))
        feed.flow.caught_up(running, page.items)
    return feed.flow


class Live(Top[Flowing]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "live.pause"),
        Binding("f", "faults", "live.faults"),
        Binding("x", "cancel", "live.cancel"),
        Binding("K", "to_key", "live.to_key", show=False),
        Binding("U", "to_upstream", "live.to_upstream", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.table: PagedTable[Row] = PagedTable(
            COLUMNS, key=lambda one: one.request_id, idiom=self.idiom, id="table"
        )
        self.paused = False
        self.faults = False
        self._paused_at: Flowing | None = None

    def body(self) -> ComposeResult:
        yield self.table

    async def look(self, client: AdminClient) -> Flowing:
        flow = await caught_up(client, self.console_app.feed)
        minute_ago = self.console_app.now().timestamp() - 60
        recent = sum(1 for one in flow.ended if _epoch(one.started_at) >= minute_ago)
        return Flowing(tuple(flow.running.values()), tuple(flow.ended), recent, flow.seen)

    def draw(self, picture: Flowing) -> None:
        shown = self._paused_at if self.paused and self._paused_at is not None else picture
        rows: list[Row | Note] = []
        if not self.faults:
            rows += sorted(shown.running, key=lambda one: one.started_at)
        for record in shown.ended:
            if self.faults and not faulty(record):
                continue
            rows.append(record)
            if faulty(record):
                rows.append(Note(why(record, self.idiom())))
        self.table.empty = self.words.live.no_faults if self.faults else self.words.live.empty
        self._entitle(picture, shown)
        self.table.show(rows)

    def _entitle(self, picture: Flowing, shown: Flowing) -> None:
        words = self.words.live
        parts = [
            words.title_paused.format(count=count(picture.seen - shown.seen))
            if self.paused
            else words.title_following,
            words.title_rate.format(rate=count(picture.per_minute), running=count(len(picture.running))),
        ]
        if self.faults:
            parts.append(words.title_faults)
        self.table.title = " ─ ".join(parts)

    def label(self) -> None:
        self.table.empty = self.words.live.empty if self.picture is not None else self.words.table.loading
        self.table.relabel()

    def on_paged_table_opened(self, event: PagedTable.Opened[Row]) -> None:
        from tui.screens.request import Request

        if isinstance(event.row, UsageRecord):
            self.console_app.push_screen(Request(self.top, event.row.request_id, self.table))

    def action_pause(self) -> None:
        self.paused = not self.paused
        self._paused_at = self.picture if self.paused else None
        self._draw_now()

    def action_faults(self) -> None:
        self.faults = not self.faults
        self._draw_now()

    def _draw_now(self) -> None:
        if self.picture is not None:
            self.draw(self.picture)

    def action_cancel(self) -> None:
        from tui.question import Sure

        row = self.table.row
        if not isinstance(row, LiveRequest):
            self.notify(self.words.live.not_running, markup=False)
            return
        request_id = row.request_id
        question = self.words.live.sure.format(key=row.key, model=row.model, age=milliseconds(row.age_ms))

        def answered(yes: bool | None) -> None:
            if yes:
                self.act(lambda client: client.end_request(request_id), lambda _: self._told(request_id))

        self.console_app.push_screen(Sure(self.words.live.cancel, [question]), answered)

    def _told(self, request_id: str) -> None:
        self.notify(self.words.live.told.format(id=request_id), markup=False)

    def action_to_key(self) -> None:
        if (row := self.table.row) is not None and row.key:
            self.console_app.go("keys").narrow(row.key)

    def action_to_upstream(self) -> None:
        if (row := self.table.row) is not None and row.upstream:
            self.console_app.go("upstreams").narrow(row.upstream)


def _epoch(iso: str) -> float:
    at = moment(iso)
    return 0.0 if at is None else at.timestamp()
