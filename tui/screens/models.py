"""Models and prices: what can be had now and at which price, what cannot be had and why."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll

from laidian.admin.schema import Model, Price, Trial
from tui.cells import Cell, Lines, Shown, fitted
from tui.columns import Column
from tui.dialogs.price import Wanted, difference, price_form, rate_name
from tui.dialogs.trial import Tried
from tui.form import sentences, titled
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.question import Sure
from tui.text import count, dollars, milliseconds, short_dollars

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

SIGNS = {"up": "up", "resting": "resting", "unpriced": "fail", "no_upstream": "down", "no_group": "disabled"}
"""Sign of a state, by what it means elsewhere."""
TITLE = 14


def state_cell(model: Model, idiom: Idiom) -> Shown:
    word: str = getattr(idiom.words.models, f"state_{model.state}", model.state)
    sign = idiom.sign(SIGNS.get(model.state, "disabled"))
    return Cell(f"[{word}]", sign.tone) if idiom.ascii else Cell(f"{sign.text} {word}", sign.tone)


def rate_of(price: Price | None, unit: str) -> str:
    """Of the first tier, at the usual service; `-` where there is none."""
    for rate in () if price is None else price.rates:
        if rate_name(rate) == unit:
            return rate.usd_per_million
    return "-"


def _rate(unit: str) -> Callable[[Model, Idiom], Shown]:
    return lambda one, _: rate_of(one.price, unit)


def _served(model: Model, _: Idiom) -> str:
    return ", ".join(one.upstream for one in model.served_by) or "-"


COLUMNS = (
    Column[Model]("model", lambda w: w.table.model, lambda one, _: one.model, width=18, grow=2, most=44, sort=lambda one: one.model),
    Column[Model]("now", lambda w: w.models.now, state_cell, width=11, sort=lambda one: one.state),
    Column[Model]("in", lambda w: w.table.input, _rate("input"), width=7, right=True),
    Column[Model]("cached", lambda w: w.table.cached, _rate("cached_input"), width=7, right=True, rank=4),
    Column[Model]("out", lambda w: w.table.output, _rate("output"), width=7, right=True),
    Column[Model]("upstreams", lambda w: w.models.served, _served, width=12, grow=1, most=36, rank=1),
    Column[Model](
        "requests", lambda w: w.models.requests, lambda one, _: count(one.requests_24h), width=8, right=True, rank=2,
        sort=lambda one: one.requests_24h,
    ),
    Column[Model](
        "spent", lambda w: w.models.spent, lambda one, _: short_dollars(one.spent_24h_usd), width=11, right=True, rank=3,
        sort=lambda one: float(one.spent_24h_usd),
    ),
    Column[Model]("why", lambda w: w.models.why, lambda one, _: Cell(one.reason, "warn"), width=16, grow=3, most=100, rank=1),
    Column[Model]("kinds", lambda w: w.models.kinds, lambda one, _: " ".join(one.kinds), width=14, grow=1, most=40, wide=True),
)  # fmt: skip


class Models(Top[tuple[Model, ...]]):
    DEFAULT_CSS = """
    Models #both { height: 1fr; }
    Models #table { height: 1fr; min-height: 6; }
    Models #near { height: 13; border: round $primary; padding: 0 1; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    Models.-short #near { height: 9; }
    Models.-wide #both { layout: horizontal; }
    Models.-wide #near { height: 1fr; width: 66; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "price", "models.price"),
        Binding("P", "retire", "models.retire", show=False),
        Binding("b", "book", "models.book"),
        Binding("t", "test", "models.test"),
        Binding("u", "to_usage", "models.to_usage"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.table = PagedTable(COLUMNS, key=lambda one: one.model, idiom=self.idiom, id="table")
        self._near = VerticalScroll(id="near", can_focus=False)
        self._lines = Lines()

    def body(self) -> ComposeResult:
        with Container(id="both"):
            yield self.table
            with self._near:
                yield self._lines

    async def look(self, client: AdminClient) -> tuple[Model, ...]:
        return await client.models()

    def draw(self, picture: tuple[Model, ...]) -> None:
        available = sum(one.state == "up" for one in picture)
        self.table.title = self.words.models.title.format(count=len(picture), available=available)
        self.table.show(picture)
        self._draw_near()

    def _draw_near(self) -> None:
        model = self.table.row
        titled(self._near, "" if model is None else model.model)
        width = max(30, self._near.content_size.width or 60)
        self._lines.put(*([] if model is None else near_lines(self.idiom(), model, width)))

    def label(self) -> None:
        self.table.empty = self.words.models.empty if self.picture is not None else self.words.table.loading
        self.table.relabel()

    def on_paged_table_pointed(self, _: PagedTable.Pointed[Model]) -> None:
        self._draw_near()

    def on_paged_table_opened(self, _: PagedTable.Opened[Model]) -> None:
        self.action_to_usage()

    # What is done to them

    def action_price(self) -> None:
        if (model := self.table.row) is not None:
            self.console_app.push_screen(price_form(self.words, model.model, model.price), self._wanted)

    def _wanted(self, wanted: Wanted | None) -> None:
        if wanted is None:
            return
        words, name = self.words.models, wanted.price.model

        def sure(yes: bool | None) -> None:
            if yes:
                said = words.set.format(model=name)
                self.act(
                    lambda client: client.set_price(wanted.price), lambda _: self.notify(said, markup=False)
                )

        self.console_app.push_screen(
            Sure(words.diff_title.format(model=name), difference(self.words, wanted)), sure
        )

    def action_retire(self) -> None:
        model, words = self.table.row, self.words.models
        if model is None:
            return
        if model.price is None or model.price.origin != "operator":
            self.notify(words.none_own.format(model=model.model), severity="warning", markup=False)
            return
        # A pattern prices several models: what is taken away is the price as it was set.
        name = model.price.model

        def sure(yes: bool | None) -> None:
            if yes:
                said = words.retired.format(model=name)
                self.act(lambda client: client.retire_prices(name), lambda _: self.notify(said, markup=False))

        self.console_app.push_screen(
            Sure(words.retire_title.format(model=name), (words.retire_effect,)), sure
        )

    def action_book(self) -> None:
        from tui.screens.book import Book

        self.console_app.push_screen(Book("models"))

    def action_test(self) -> None:
        if (model := self.table.row) is not None:
            self.console_app.push_screen(Tried(model.model, Trial(model=model.model)))

    def action_to_usage(self) -> None:
        if (model := self.table.row) is not None:
            self.console_app.go("usage").narrow(f"model:{model.model}")


def near_lines(idiom: Idiom, model: Model, width: int) -> list[Shown]:
    """Everything about one model: why it cannot be had first."""
    words = idiom.words.models
    lines: list[Shown] = []
    if model.reason:
        lines += sentences((Cell(model.reason, "warn"),), width)
    lines += _price_lines(idiom, model.price, width)
    servers: list[Cell] = []
    for one in model.served_by:
        servers += [idiom.sign(one.state), Cell(f" {one.upstream}  ")]
    lines.append((*_title(words.served_by), *(servers or [Cell(words.nobody, "bad")])))
    lines += [
        (*_title(word), Cell(f"{one.upstream}: {one.reason}", "warn"))
        for one, word in zip(model.served_by, ["" for _ in model.served_by], strict=True)
        if one.reason
    ]
    lines.append((*_title(words.groups), Cell(", ".join(model.groups) or "-")))
    first = "-" if model.first_byte_p50_ms is None else milliseconds(model.first_byte_p50_ms)
    day = f"{count(model.requests_24h)}  {dollars(model.spent_24h_usd)}  p50 {first}"
    lines.append((*_title(words.last_day), Cell(day)))
    return lines


def _price_lines(idiom: Idiom, price: Price | None, width: int) -> list[Shown]:
    words = idiom.words.models
    if price is None:
        return [Cell(words.no_price, "bad")]
    if price.effective_from is not None:
        said = words.price_from.format(at=price.effective_from[:10], source=price.source)
    else:
        said = words.price_of.format(source=price.source, date=price.source_date)
    lines: list[Shown] = [Cell(said, "title")]
    rates = [f"{rate_name(one)} {one.usd_per_million}" for one in price.rates]
    lines += sentences(("  ".join(rates),), width)
    lines.append(Cell(example(idiom, price)))
    if price.context_tokens is not None or price.max_output_tokens is not None:
        context, output = (
            "-" if one is None else count(one) for one in (price.context_tokens, price.max_output_tokens)
        )
        lines.append(Cell(words.limits.format(context=context, output=output), "dim"))
    return lines


def example(idiom: Idiom, price: Price) -> str:
    """What a short conversation costs: figures that anybody can check by hand."""
    into, out = rate_of(price, "input"), rate_of(price, "output")
    if "-" in (into, out):
        return idiom.words.models.example_none
    cost = (Decimal(into) * 1_000 + Decimal(out) * 500) / 1_000_000
    return idiom.words.models.example.format(cost=f"${cost.normalize():f}")


def _title(text: str) -> tuple[Cell, ...]:
    return tuple(fitted(Cell(text, "dim"), TITLE))
