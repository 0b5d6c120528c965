"""One request: who asked, which upstreams were tried, how it ended, and every line of what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from laidian.admin.schema import UsageDetail, UsageRecord
from tui.cells import Cell, Lines, Shown, entitle, fitted, wrapped
from tui.chart import bar
from tui.frame import Detail
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.text import count, dollars, milliseconds

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

LABEL = 9
"""Cells of the names on the left."""


def told(detail: UsageDetail, idiom: Idiom, width: int) -> list[Shown]:
    """The whole story of a request, line by line."""
    record, receipt, words = detail.record, detail.receipt, idiom.words.request
    lines: list[Shown] = []

    def put(label: str, *texts: str, tone: Any = "plain") -> None:
        """A name, and behind it as many lines as it needs."""
        first = True
        for text in texts:
            for part in wrapped(text, max(20, width - LABEL - 1)):
                lines.append(
                    (*fitted(Cell(label if first else "", "dim"), LABEL), Cell(" "), Cell(part, tone))
                )
                first = False

    put(words.when, record.started_at.replace("T", " ").replace("Z", " UTC"))
    if record.quota:
        put(words.who, words.who_is.format(key=record.key, group=record.group, quota=record.quota))
    else:
        put(words.who, record.key or "-")
    model = record.model or record.asked_model
    if record.asked_model and record.asked_model != model:
        model = words.asked_as.format(asked=record.asked_model, model=model)
    put(words.asked, "  ".join((record.operation, model, *([words.stream] if record.stream else []))))
    if record.client:
        put(words.client, record.client)
    _put_attempts(lines, detail, idiom)
    first = record.first_byte_ms
    total = milliseconds(record.duration_ms)
    put(
        words.times,
        words.times_total.format(total=total)
        if first is None
        else words.times_are.format(total=total, first=milliseconds(first)),
    )
    known: str = getattr(words, f"known_{record.usage_from}")
    put(
        words.tokens,
        words.tokens_are.format(
            input=count(record.input_tokens),
            cached=count(record.cached_tokens),
            output=count(record.output_tokens),
        ),
        known,
        tone="warn" if record.usage_from == "estimated" else "plain",
    )
    costs = [
        f"{words.cost_line.format(quantity=count(one.quantity), unit=one.unit, rate=one.usd_per_million):<40} "
        f"{dollars(one.cost_usd)}"
        for one in receipt.lines
    ]
    put(
        words.cost,
        *costs,
        f"{words.cost_sum.format(multiplier=receipt.multiplier):<40} {dollars(receipt.amount_usd)}",
    )
    if receipt.note:
        put("", receipt.note, tone="warn")
    put(
        words.charged,
        words.charged_is.format(amount=dollars(receipt.charged_usd), held=dollars(detail.held_usd)),
    )
    if float(record.shortfall_usd):
        put("", words.shortfall.format(amount=dollars(record.shortfall_usd)), tone="bad")
    if receipt.price_source:
        put(words.price, " ".join((receipt.price_source, receipt.price_source_date, receipt.service_tier)))
    if record.error_code or record.message:
        put(words.error, f"{record.status} {record.error_code}: {record.message}".rstrip(": "), tone="bad")
    put(words.ended, f"{record.status or '-'} {idiom.ended(record.ended or record.kind)}")
    put(words.bodies, words.bodies_are, tone="dim")
    return lines


def _put_attempts(lines: list[Shown], detail: UsageDetail, idiom: Idiom) -> None:
    """A line for each upstream that was tried, as long as it took; and what it said where it failed."""
    words = idiom.words.request
    if not detail.attempts:
        lines.append((*fitted(Cell(words.tried, "dim"), LABEL), Cell(f" {words.tried_none}", "dim")))
    longest = max((one.duration_ms for one in detail.attempts), default=0) or 1
    for number, one in enumerate(detail.attempts):
        good = one.outcome == "ok"
        said = words.tried_after.format(
            outcome=one.outcome, status=one.status or "-", time=milliseconds(one.duration_ms)
        )
        lines.append(
            (
                *fitted(Cell("" if number else words.tried, "dim"), LABEL),
                Cell(" "),
                idiom.sign("ok" if good else "fail"),
                Cell(" "),
                *fitted(one.upstream, 16),
                Cell(" "),
                *fitted(Cell(said, "plain" if good else "bad"), 34),
                Cell(" "),
                Cell(bar(one.duration_ms / longest, 12), "good" if good else "bad"),
            )
        )
        if one.message:
            lines.append((Cell(" " * (LABEL + 3)), Cell(one.message, "dim")))


class RequestPane(VerticalScroll):
    """The story in a box: beside a list where there is room, or as a screen of its own."""

    DEFAULT_CSS = """
    RequestPane { border: round $primary; padding: 0 1; height: 1fr; scrollbar-size-vertical: 1; }
    RequestPane:focus { border: round $accent; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as Textual has it
        super().__init__(id=id)
        self.detail: UsageDetail | None = None
        self._lines = Lines()
        self._idiom: Idiom | None = None

    def compose(self) -> ComposeResult:
        yield self._lines

    def put(self, detail: UsageDetail | None, idiom: Idiom) -> None:
        self.detail, self._idiom = detail, idiom
        words = idiom.words.request
        if detail is None:
            entitle(self, "")
            self._lines.put(Cell(words.choose, "dim"))
            return
        entitle(self, words.title.format(id=detail.record.request_id))
        self._lines.put(*told(detail, idiom, self.content_size.width or 80))

    def on_resize(self) -> None:
        if self._idiom is not None:
            self.put(self.detail, self._idiom)


class Request(Detail[UsageDetail]):
    """Pushed from a table of requests, and able to go on to the rows above and below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy_id", "request.copy_id"),
        Binding("Y", "copy_json", "request.copy_json"),
        Binding("left_square_bracket", "beside(-1)", "request.newer", key_display="["),
        Binding("right_square_bracket", "beside(1)", "request.older", key_display="]"),
        Binding("K", "to_key", "request.to_key"),
        Binding("U", "to_upstream", "request.to_upstream"),
        Binding("up,k", "scroll(-1)", "frame.scroll_up", show=False),
        Binding("down,j", "scroll(1)", "frame.scroll_down", show=False),
        Binding("pageup", "scroll(-15)", "frame.page_up", show=False),
        Binding("pagedown,space", "scroll(15)", "frame.page_down", show=False),
    ]

    def __init__(self, top: str, request_id: str, table: PagedTable[Any] | None = None) -> None:
        super().__init__(top)
        self._request_id = request_id
        self._table = table
        self.pane = RequestPane(id="pane")
        self.pane.can_focus = False

    def body(self) -> ComposeResult:
        yield self.pane

    def path(self) -> str:
        return self._request_id

    async def look(self, client: AdminClient) -> UsageDetail:
        """A settled request never changes, so it is asked for once."""
        if self.picture is not None and self.picture.record.request_id == self._request_id:
            return self.picture
        return await client.usage_detail(self._request_id)

    def draw(self, picture: UsageDetail) -> None:
        self.pane.put(picture, self.idiom())

    async def action_copy_id(self) -> None:
        await self.console_app.copy(self._request_id)

    async def action_copy_json(self) -> None:
        if self.picture is not None:
            await self.console_app.copy(
                msgspec.json.format(msgspec.json.encode(self.picture), indent=2).decode()
            )

    def action_beside(self, rows: int) -> None:
        """The request above or below in the table it was opened from, passing those that still run."""
        if self._table is None:
            return
        self._table.action_move(rows)
        row = self._table.row
        if isinstance(row, UsageRecord) and row.request_id != self._request_id:
            self._request_id = row.request_id
            self.draw_frame()
            self.look_again()

    def action_to_key(self) -> None:
        if self.picture is not None and self.picture.record.key:
            self.console_app.go("keys").narrow(self.picture.record.key)

    def action_to_upstream(self) -> None:
        if self.picture is not None and self.picture.record.upstream:
            self.console_app.go("upstreams").narrow(self.picture.record.upstream)

    def action_scroll(self, lines: int) -> None:
        self.pane.scroll_relative(y=lines, animate=False)
