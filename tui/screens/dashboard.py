"""The dashboard: how it goes now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from textual.app import ComposeResult
from textual.containers import Container

from laidian.admin.schema import Status, UpstreamState, UsageRecord
from tui.cells import Cell, Lines, Shown
from tui.frame import Top
from tui.paged import PagedTable
from tui.screens.records import RECORD
from tui.text import count, dollars

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

LATEST = 20
WORST_FIRST: tuple[UpstreamState, ...] = ("no_credential", "resting", "up", "disabled", "deleted")


class Picture(msgspec.Struct, frozen=True):
    status: Status
    latest: tuple[UsageRecord, ...]


class Dashboard(Top[Picture]):
    DEFAULT_CSS = """
    Dashboard #cards { layout: grid; grid-size: 5 1; height: 6; }
    Dashboard #card-upstreams { column-span: 2; }
    Dashboard.-narrow #card-upstreams { column-span: 1; }
    Dashboard.-narrow #cards { grid-size: 2 2; height: 8; }
    Dashboard .card { border: round $primary; padding: 0 1; height: 100%; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._in_flight = Lines(id="card-in-flight", classes="card")
        self._spend = Lines(id="card-spend", classes="card")
        self._key_count = Lines(id="card-keys", classes="card")
        self._upstreams = Lines(id="card-upstreams", classes="card")
        self.table = PagedTable(RECORD, key=lambda one: one.request_id, idiom=self.idiom, id="table")

    def body(self) -> ComposeResult:
        with Container(id="cards"):
            yield self._in_flight
            yield self._spend
            yield self._key_count
            yield self._upstreams
        yield self.table

    async def look(self, client: AdminClient) -> Picture:
        from laidian.admin.client import UsageFilter

        status, page = await asyncio.gather(client.status(), client.usage(UsageFilter(), limit=LATEST))
        return Picture(status, page.items)

    def draw(self, picture: Picture) -> None:
        status, words = picture.status, self.words.dashboard
        self._in_flight.put(
            Cell(str(status.in_flight), "strong"), words.held.format(amount=dollars(status.held_usd))
        )
        self._spend.put(
            Cell(dollars(status.spent_today_usd), "strong"),
            words.requests.format(count=count(status.requests_today)),
            Cell(
                words.failed.format(count=count(status.failed_today)),
                "bad" if status.failed_today else "plain",
            ),
        )
        self._key_count.put(Cell(count(status.keys), "strong"))
        up = sum(one.state == "up" for one in status.upstreams)
        self._upstreams.border_title = words.upstreams.format(up=up, count=len(status.upstreams))
        self._upstreams.put(*self._upstream_lines(status))
        self.table.empty = words.no_records
        self.table.show(picture.latest)

    def _upstream_lines(self, status: Status) -> list[Shown]:
        """The worst first, since the card may be too small for all."""
        if not status.upstreams:
            return [self.words.dashboard.no_upstream]
        idiom = self.idiom()
        ranked = sorted(status.upstreams, key=lambda one: WORST_FIRST.index(one.state))
        return [(idiom.state(one.state), Cell(f" {one.name}")) for one in ranked]

    def label(self) -> None:
        words = self.words.dashboard
        self._in_flight.border_title = words.in_flight
        self._spend.border_title = words.spend_today
        self._key_count.border_title = words.keys
        self.table.title = words.latest
        self.table.relabel()

    def narrow(self, text: str) -> None:
        self.table.narrow(text)
