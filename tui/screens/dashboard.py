"""The dashboard: how it goes now, and what needs the operator."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from textual.app import ComposeResult
from textual.containers import Container

from laidian.admin.schema import Attention, Card, Overview, TopKey, UpstreamRow, UsageRecord
from tui.cells import Cell, Lines, Shown, length_of
from tui.chart import bar, sparkline
from tui.columns import Column
from tui.firstrun import Checklist
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.rows import Note
from tui.screens.live import COLUMNS as FLOWING
from tui.screens.live import Row as Flowing
from tui.screens.live import caught_up
from tui.text import compact, count, milliseconds, percent, short_dollars

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

TAIL = 30
"""Requests of the live tail; all that are known stand on the screen of live requests."""


class Picture(msgspec.Struct, frozen=True):
    overview: Overview
    tail: tuple[Flowing, ...]


def history(row: UpstreamRow, width: int) -> str:
    """The last hour: how busy it was; minutes in which something failed are crosses."""
    values = [
        math.nan if failed else float(requests)
        for requests, failed in zip(row.requests, row.failed, strict=True)
    ]
    step = max(1, len(values) // width)
    gathered = [_worst(values[start : start + step]) for start in range(0, len(values), step)]
    return sparkline(gathered[-width:], width)


def _worst(values: list[float]) -> float:
    """A failure, or else the busiest."""
    return math.nan if any(value != value for value in values) else max(values)


def _failed(row: UpstreamRow, _: Idiom) -> Cell:
    requests, failed = sum(row.requests), sum(row.failed)
    if not requests:
        return Cell("-", "dim")
    return Cell(percent(failed / requests), "bad" if failed else "plain")


def _ms(value: int | None) -> str:
    return "-" if value is None else milliseconds(value)


def _up(row: UpstreamRow, _: Idiom) -> str:
    return "-" if row.success_percent_24h is None else f"{row.success_percent_24h:g}%"


def _why(row: UpstreamRow, idiom: Idiom) -> Cell:
    if not row.reason:
        return Cell("")
    until = f" ({idiom.until(row.until)})" if row.until else ""
    return Cell(row.reason + until, "warn")


UPSTREAMS = (
    Column[UpstreamRow]("name", lambda w: w.table.name, lambda one, _: one.name, width=13, grow=1, most=24),
    Column[UpstreamRow]("state", lambda w: w.table.state, lambda one, idiom: idiom.state(one.state), width=11),
    Column[UpstreamRow]("up", lambda w: w.dashboard.up_24h, _up, width=8, right=True),
    Column[UpstreamRow]("p50", lambda w: w.dashboard.p50, lambda one, _: _ms(one.first_byte_p50_ms), width=7, right=True),
    Column[UpstreamRow]("p95", lambda w: w.dashboard.p95, lambda one, _: _ms(one.first_byte_p95_ms), width=7, right=True, rank=2),
    Column[UpstreamRow]("failed", lambda w: w.dashboard.failed, _failed, width=7, right=True),
    Column[UpstreamRow](
        "per_minute", lambda w: w.dashboard.per_minute, lambda one, _: count(one.requests_per_minute), width=7, right=True, rank=3
    ),
    Column[UpstreamRow]("hour", lambda w: w.dashboard.hour, lambda one, _: Cell(history(one, 12), "accent"), width=12),
    Column[UpstreamRow]("why", lambda w: w.upstreams.why, _why, width=14, grow=3, most=60, rank=1),
)  # fmt: skip


def _severity(one: Attention, idiom: Idiom) -> tuple[Cell, ...]:
    return idiom.sign(one.severity), Cell(f" {one.what}", "plain")


ATTENTION = (Column[Attention]("what", lambda w: w.dashboard.what, _severity, width=30, grow=1, most=200),)


class Dashboard(Top[Picture]):
    DEFAULT_CSS = """
    Dashboard #cards { layout: grid; grid-size: 4 1; height: 4; }
    Dashboard .card { border: round $primary; padding: 0 1; height: 100%; }
    Dashboard.-short #cards { height: 3; }
    Dashboard #panes { height: 1fr; layout: vertical; }
    Dashboard #left { height: auto; layout: vertical; }
    Dashboard #upstreams { height: 7; }
    Dashboard.-short #upstreams { height: 6; }
    Dashboard #middle { layout: horizontal; height: 7; }
    Dashboard.-short #middle { height: 5; }
    Dashboard #attention { width: 3fr; height: 100%; }
    Dashboard #top-keys { width: 2fr; height: 100%; }
    Dashboard #live { height: 1fr; min-height: 4; }
    Dashboard.-narrow #top-keys { display: none; }
    Dashboard.-wide.-tall #panes { layout: horizontal; }
    Dashboard.-wide.-tall #left { width: 1fr; height: 100%; }
    Dashboard.-wide.-tall #upstreams { height: 1fr; }
    Dashboard.-wide.-tall #middle { layout: vertical; height: 2fr; }
    Dashboard.-wide.-tall #attention, Dashboard.-wide.-tall #top-keys { width: 1fr; height: 1fr; }
    Dashboard.-wide.-tall #live { width: 1fr; height: 100%; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._cards = {
            name: Lines(id=f"card-{name}", classes="card")
            for name in ("requests", "tokens", "spend", "errors")
        }
        self.upstreams = PagedTable(UPSTREAMS, key=lambda one: one.name, idiom=self.idiom, id="upstreams")
        self.attention = PagedTable(ATTENTION, key=lambda one: one.id, idiom=self.idiom, id="attention")
        self.top_keys: PagedTable[TopKey] = PagedTable(
            self._key_columns(), key=lambda one: one.name, idiom=self.idiom, id="top-keys"
        )
        self.table: PagedTable[Flowing] = PagedTable(
            FLOWING, key=lambda one: one.request_id, idiom=self.idiom, id="live"
        )

    def _key_columns(self) -> tuple[Column[TopKey], ...]:
        return (
            Column("name", lambda w: w.table.name, lambda one, _: one.name, width=11, grow=1, most=24),
            Column("spent", lambda w: w.dashboard.spent, lambda one, _: short_dollars(one.spent_today_usd), width=8, right=True),
            Column("requests", lambda w: w.table.requests, lambda one, _: count(one.requests_today), width=8, right=True, rank=1),
            Column("share", lambda w: w.dashboard.share, self._share, width=8, rank=2),
        )  # fmt: skip

    def _share(self, key: TopKey, _: Idiom) -> Cell:
        top = 0.0 if self.picture is None else float(self.picture.overview.cards.spent_today_usd)
        return Cell(bar(float(key.spent_today_usd) / top if top else 0.0, 8), "accent")

    def body(self) -> ComposeResult:
        yield Checklist(id="first-run")
        with Container(id="cards"):
            yield from self._cards.values()
        with Container(id="panes"):
            with Container(id="left"):
                yield self.upstreams
                with Container(id="middle"):
                    yield self.attention
                    yield self.top_keys
            yield self.table

    def on_mount(self) -> None:
        super().on_mount()
        self.attention.focus()

    async def look(self, client: AdminClient) -> Picture:
        overview = await client.overview()
        flow = await caught_up(client, self.console_app.feed)
        running = sorted(flow.running.values(), key=lambda one: one.started_at)
        return Picture(overview, (*running, *flow.ended[:TAIL]))

    # Drawing

    def draw(self, picture: Picture) -> None:
        overview, words = picture.overview, self.words.dashboard
        self._draw_cards(overview)
        up = sum(one.state == "up" for one in overview.upstreams)
        self.upstreams.title = words.upstreams.format(up=up, count=len(overview.upstreams))
        self.upstreams.empty = words.no_upstream
        self.upstreams.show(overview.upstreams)
        problems = len(overview.attention)
        self.attention.title = words.attention_count.format(count=problems) if problems else words.attention
        self.attention.empty = words.nothing
        # What to do stands below what it is, where there is room for that.
        rows: list[Attention | Note] = []
        for one in overview.attention:
            rows += [one, Note(one.fix)] if one.fix else [one]
        self.attention.show(rows)
        self.top_keys.empty = words.no_keys
        self.top_keys.show(overview.top_keys)
        self.table.title = words.live.format(
            running=count(overview.in_flight), held=short_dollars(overview.held_usd)
        )
        self.table.empty = words.no_records
        self.table.show(picture.tail)

    def _draw_cards(self, overview: Overview) -> None:
        words, cards = self.words.dashboard, overview.cards
        for name, value, card, than in (
            ("requests", compact(cards.requests.now), cards.requests, words.hour_ago),
            ("tokens", compact(cards.tokens.now), cards.tokens, words.hour_ago),
            ("spend", short_dollars(cards.spent_today_usd), cards.spend, words.yesterday),
        ):
            change = _change(card)
            self._put_card(name, Cell(value, "strong"), than.format(change=change), change, card)
        bad = cards.errors.now > 0
        said = words.errors_of.format(count=count(cards.errors.now), all=count(cards.requests_5m))
        last = (
            "" if cards.last_error_status is None else words.last_error.format(status=cards.last_error_status)
        )
        self._put_card("errors", Cell(said, "bad" if bad else "strong"), last, "", cards.errors)

    def _put_card(self, name: str, value: Cell, beside: str, short: str, card: Card) -> None:
        """`short`: stands beside the value where the whole has no room."""
        place = self._cards[name]
        width = place.content_size.width or 16
        if length_of(value) + 2 + length_of(beside) > width:
            beside = short
        lines: list[Shown] = [(value, Cell(f"  {beside}", "dim"))]
        if place.content_size.height > 1:
            tone: Literal["bad", "accent"] = "bad" if name == "errors" else "accent"
            lines.append(Cell(sparkline([float(one) for one in card.series], width), tone))
        place.put(*lines)

    def label(self) -> None:
        words = self.words.dashboard
        for name, card in self._cards.items():
            card.border_title = getattr(words, name)
        self.top_keys.title = words.top_keys
        for table in (self.upstreams, self.attention, self.top_keys, self.table):
            table.empty = table.empty or self.words.table.loading
            table.relabel()

    # Where lines lead

    def on_paged_table_opened(self, event: PagedTable.Opened[Any]) -> None:
        from tui.screens.request import Request
        from tui.screens.upstream import UpstreamScreen

        row, app = event.row, self.console_app
        if isinstance(row, Attention):
            name = "dashboard" if row.screen == "overview" else row.screen
            there = app.go(name)
            if row.name and name != "dashboard":
                there.narrow(row.name)
        elif isinstance(row, UpstreamRow):
            app.push_screen(UpstreamScreen(row.name, self.top))
        elif isinstance(row, TopKey):
            app.go("keys").narrow(row.name)
        elif isinstance(row, UsageRecord):
            app.push_screen(Request(self.top, row.request_id, self.table))


def _change(card: Card) -> str:
    """Against an hour ago, or yesterday: `▲ 8%`."""
    if not card.before:
        return "-" if not card.now else "▲"
    share = (card.now - card.before) / card.before
    return f"{'▲' if share >= 0 else '▼'} {abs(share) * 100:.0f}%"
