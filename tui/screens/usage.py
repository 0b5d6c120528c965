"""The usage explorer: what requests add up to, over time or by whom; and every request, page by page, however many there are."""

from __future__ import annotations

import asyncio
import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from laidian.admin.schema import UsageDetail, UsageRecord, UsageRow, UsageSummary
from tui.cells import Cell, Lines, entitle
from tui.chart import bar
from tui.chosen import Columns
from tui.columns import Column
from tui.feed import Feed, Refused
from tui.filter import terms
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.rows import Asked, Piece
from tui.screens.records import RECORD
from tui.screens.request import RequestPane
from tui.spans import NAMES, Name, Span, before, begins, buckets, iso, span_of
from tui.text import compact, count, milliseconds, percent, short_dollars

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient, UsageFilter

By = Literal["time", "key", "model", "group", "upstream", "status"]
BYS: tuple[By, ...] = ("time", "key", "model", "group", "upstream", "status")
METRICS = ("cost", "requests", "tokens", "failed")
FILTERS = (
    "key",
    "model",
    "group",
    "upstream",
    "ended",
    "status",
    "operation",
    "client",
    "kind",
    "request_id",
)
"""What the server filters by; any other word is searched for in ids, models, errors and clients."""
SUMS_S = 5.0
"""Sums are asked for this seldom while nothing else was chosen; the newest requests come each second."""
TOP = 50


def narrowed(typed: str, span: Span) -> UsageFilter:
    from laidian.admin.client import UsageFilter

    found = dict(span.query)
    for term in terms(typed):
        name = next((one for one in FILTERS if term.column and one.startswith(term.column)), "text")
        found[name] = term.text
    return UsageFilter(**found)  # pyright: ignore[reportArgumentType]


class UsagePages:
    """Requests of a span, newest first."""

    def __init__(self, feed: Feed, span: Span) -> None:
        self._feed = feed
        self._span = span

    async def page(self, asked: Asked) -> Piece[UsageRecord]:
        only = narrowed(asked.filter, self._span)
        page = await self._feed.ask(lambda client: client.usage(only, limit=asked.limit, cursor=asked.cursor))
        return Piece(page.items, page.next)


class Sums(msgspec.Struct, frozen=True):
    span: Span
    by: By
    summary: UsageSummary
    """By hour or day, or by what was chosen."""
    before: UsageRow | None
    """Of the span before, where a comparison was asked for."""


def value_of(row: UsageRow, metric: str) -> float:
    if metric == "cost":
        return float(row.cost_usd)
    if metric == "tokens":
        return float(row.input_tokens + row.output_tokens)
    return float(row.requests if metric == "requests" else row.failed)


def _money(value: float) -> str:
    return short_dollars(f"{value:.6f}")


class Usage(Top[Sums]):
    DEFAULT_CSS = """
    Usage #sums { height: 10; border: round $primary; padding: 0 1; }
    Usage #sums:focus-within { border: round $accent; }
    Usage.-tall #sums { height: 13; }
    Usage.-tall.-wide #sums { height: 18; }
    Usage #totals { height: auto; }
    Usage #groups { border: none; display: none; }
    Usage #sums.-grouped #groups { display: block; }
    Usage #sums.-grouped #chart { display: none; }
    Usage #below { height: 1fr; }
    Usage #pane { display: none; width: 64; }
    Usage.-wide #pane { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "range", "usage.range"),
        Binding("g", "group", "usage.group"),
        Binding("m", "metric", "usage.metric"),
        Binding("c", "compare", "usage.compare"),
        Binding("S", "export", "usage.export"),
        Binding("escape", "widen", "table.clear", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.range: Name = NAMES[0]
        self.bucket: Span | None = None
        """One column of the chart that was chosen."""
        self.by: By = BYS[0]
        self.metric = METRICS[0]
        self.compares = False
        self.table = PagedTable(RECORD, key=lambda one: one.request_id, idiom=self.idiom, id="table")
        self.groups: PagedTable[UsageRow] = PagedTable(
            self._group_columns(), key=lambda one: one.name, idiom=self.idiom, id="groups"
        )
        self.chart = Columns(id="chart")
        self.pane = RequestPane(id="pane")
        self.pane.can_focus = False
        self._sums = Vertical(id="sums")
        self._totals = Lines(id="totals")
        self._asked: tuple[object, ...] = ()
        self._asked_at = 0.0
        self._buckets: list[datetime.datetime] = []

    def body(self) -> ComposeResult:
        with self._sums:
            yield self.chart
            yield self.groups
            yield self._totals
        with Horizontal(id="below"):
            yield self.table
            yield self.pane

    def on_mount(self) -> None:
        super().on_mount()
        self.table.read(UsagePages(self.console_app.feed, self.span))
        self.table.focus()

    @property
    def span(self) -> Span:
        return self.bucket or span_of(self.range, self.console_app.now())

    def _group_columns(self) -> tuple[Column[UsageRow], ...]:
        return (
            Column("name", lambda w: w.table.name, lambda one, _: one.name or "-", width=18, grow=2, most=36),
            Column("share", lambda w: w.usage.share, self._share, width=18, grow=1, most=30),
            Column("cost", lambda w: w.table.cost, lambda one, _: short_dollars(one.cost_usd), width=9, right=True),
            Column("requests", lambda w: w.table.requests, lambda one, _: count(one.requests), width=9, right=True),
            Column("failed", lambda w: w.usage.failed, _failed, width=7, right=True, rank=1),
            Column("tokens", lambda w: w.usage.tokens, _tokens, width=8, right=True, rank=1),
        )  # fmt: skip

    def _share(self, row: UsageRow, _: Idiom) -> tuple[Cell, ...]:
        total = 0.0 if self.picture is None else value_of(self.picture.summary.total, self.metric)
        share = value_of(row, self.metric) / total if total else 0.0
        return Cell(bar(share, 10), "accent"), Cell(f" {percent(share)}")

    # Asking

    async def look(self, client: AdminClient) -> Sums:
        """Sums now and then, or when something else was chosen; new requests always."""
        span, now = self.span, asyncio.get_running_loop().time()
        wanted = (span, self.by, self.compares, self.table.filter)
        if self.picture is not None and wanted == self._asked and now - self._asked_at < SUMS_S:
            await self._renew()
            return self.picture
        only = narrowed(self.table.filter, span)
        grouping = span.by if self.by == "time" else self.by
        earlier = before(span, self.console_app.now()) if self.compares else None
        summary, previous, _ = await asyncio.gather(
            client.usage_summary(grouping, only, top=0 if self.by == "time" else TOP),
            _total(client, None if earlier is None else narrowed(self.table.filter, earlier)),
            self._renew(),
        )
        self._asked, self._asked_at = wanted, now
        return Sums(span, self.by, summary, previous)

    async def _renew(self) -> None:
        try:
            await self.table.renew()
        except Refused as error:
            self.table.problem = error.message

    # Drawing

    def draw(self, picture: Sums) -> None:
        words = self.words.usage
        self._sums.set_class(picture.by != "time", "-grouped")
        parts = words.chart.format(
            range=self._range_said(),
            by=getattr(words, f"by_{self.by}"),
            metric=getattr(words, f"metric_{self.metric}"),
        )
        entitle(self._sums, parts)
        if picture.by == "time":
            self._draw_chart(picture)
        else:
            self.groups.show(picture.summary.rows)
            self.groups.relabel()
        self._totals.put(*self._total_lines(picture))

    def _range_said(self) -> str:
        words = self.words.usage
        if self.bucket is not None and self.bucket.since is not None and self.bucket.until is not None:
            return words.range_bucket.format(
                start=f"{self.bucket.since:%m-%d %H:%M}", end=f"{self.bucket.until:%H:%M}"
            )
        found: str = getattr(words, f"range_{self.range}")
        return found

    def _draw_chart(self, picture: Sums) -> None:
        known = {at: row for row in picture.summary.rows if (at := begins(row.name)) is not None}
        self._buckets = buckets(picture.span, self.console_app.now(), min(known, default=None))
        values = [value_of(known[at], self.metric) if at in known else 0.0 for at in self._buckets]
        first = f"{self._buckets[0]:%m-%d %H:%M}" if self._buckets else ""
        last = self.words.usage.now if picture.span.until is None else f"{picture.span.until:%m-%d %H:%M}"
        self.chart.label = _money if self.metric == "cost" else compact
        self.chart.show(values, first, last)

    def _total_lines(self, picture: Sums) -> list[Cell]:
        words, total, summary = self.words.usage, picture.summary.total, picture.summary
        lines = [
            Cell(
                words.totals.format(
                    cost=short_dollars(total.cost_usd), requests=count(total.requests), failed=count(total.failed),
                    refused=count(summary.refused), input=compact(total.input_tokens), cached=compact(total.cached_tokens),
                    output=compact(total.output_tokens),
                ),
                "strong",
            )
        ]  # fmt: skip
        if total.first_byte_p50_ms is not None or total.duration_p50_ms is not None:
            lines.append(
                Cell(
                    words.times.format(
                        first50=_ms(total.first_byte_p50_ms), first95=_ms(total.first_byte_p95_ms),
                        all50=_ms(total.duration_p50_ms), all95=_ms(total.duration_p95_ms),
                    ),
                    "dim",
                )
            )  # fmt: skip
        if self.compares and picture.before is not None:
            earlier = picture.before
            lines.append(
                Cell(
                    words.compared.format(
                        cost=short_dollars(earlier.cost_usd),
                        change=_change(float(total.cost_usd), float(earlier.cost_usd)),
                        requests=count(earlier.requests),
                        requests_change=_change(total.requests, earlier.requests),
                    ),
                    "accent",
                )
            )
        return lines

    def label(self) -> None:
        words = self.words.usage
        self.table.title = words.title
        self.table.empty = words.empty
        self.groups.empty = words.empty
        self.table.relabel()
        self.pane.put(self.pane.detail, self.idiom())

    # What is chosen

    def _chosen(self) -> None:
        """Another span or filter: the requests from the first page, the sums at once."""
        self.table.read(UsagePages(self.console_app.feed, self.span))
        self.look_again()

    def on_paged_table_narrowed(self, event: PagedTable.Narrowed) -> None:
        self.look_again()

    def action_range(self) -> None:
        self.range = NAMES[(NAMES.index(self.range) + 1) % len(NAMES)]
        self.bucket = None
        self._chosen()

    def action_group(self) -> None:
        self.by = BYS[(BYS.index(self.by) + 1) % len(BYS)]
        self.look_again()

    def action_metric(self) -> None:
        self.metric = METRICS[(METRICS.index(self.metric) + 1) % len(METRICS)]
        if self.picture is not None:
            self.draw(self.picture)

    def action_compare(self) -> None:
        self.compares = not self.compares
        self.look_again()

    def action_widen(self) -> None:
        """Back from one column of the chart to the whole span."""
        self.bucket = None
        self._chosen()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.bucket is not None if action == "widen" else True

    def on_columns_chosen(self, event: Columns.Chosen) -> None:
        if self.picture is not None and event.index < len(self._buckets):
            start = self._buckets[event.index]
            length = (
                datetime.timedelta(hours=1) if self.picture.span.by == "hour" else datetime.timedelta(days=1)
            )
            self.bucket = Span(start, start + length, "hour")
            self._chosen()
            self.refresh_bindings()

    def on_paged_table_opened(self, event: PagedTable.Opened[Any]) -> None:
        from tui.screens.request import Request

        if isinstance(event.row, UsageRecord):
            self.console_app.push_screen(Request(self.top, event.row.request_id, self.table))
        elif isinstance(event.row, UsageRow):
            self.table.narrow(f"{self.by}:{event.row.name}")
            self.by = "time"
            self.table.focus()
            self.look_again()

    def on_paged_table_pointed(self, event: PagedTable.Pointed[Any]) -> None:
        if event.table is self.table and isinstance(event.row, UsageRecord) and self.pane.display:
            self.run_worker(self._tell(event.row.request_id), group="pane", exclusive=True)

    async def _tell(self, request_id: str) -> None:
        """The request under the cursor, beside the list; asked for when the hand rests on it."""
        await asyncio.sleep(0.1)

        async def asked(client: AdminClient) -> UsageDetail:
            return await client.usage_detail(request_id)

        try:
            detail = await self.console_app.feed.ask(asked)
        except Refused:
            return
        self.pane.put(detail, self.idiom())

    def action_export(self) -> None:
        from tui.screens.export import Export

        span = self.span
        name = f"laidian-usage-{iso(span.since)[:10] if span.since else 'all'}.csv"
        self.console_app.push_screen(Export(narrowed(self.table.filter, span), self._range_said(), name))


async def _total(client: AdminClient, only: UsageFilter | None) -> UsageRow | None:
    return None if only is None else (await client.usage_summary("status", only)).total


def _failed(row: UsageRow, _: Idiom) -> Cell:
    return Cell(count(row.failed), "bad" if row.failed else "plain")


def _tokens(row: UsageRow, _: Idiom) -> str:
    return compact(row.input_tokens + row.output_tokens)


def _ms(value: int | None) -> str:
    return "-" if value is None else milliseconds(value)


def _change(now: float, earlier: float) -> str:
    if not earlier:
        return "-" if not now else "new"
    share = (now - earlier) / earlier
    return f"{'▲' if share >= 0 else '▼'} {abs(share) * 100:.0f}%"
