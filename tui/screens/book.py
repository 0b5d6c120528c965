"""The price book: what the one that came with this program would change, and adopting it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from laidian.admin.schema import PriceBookState, PriceChange, PriceDiff
from tui.cells import Cell
from tui.columns import Column
from tui.dialogs.price import rate_name
from tui.frame import Detail
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.question import TypeName
from tui.text import count

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient


class Picture(msgspec.Struct, frozen=True):
    state: PriceBookState
    diff: PriceDiff


def _change(one: PriceChange, idiom: Idiom) -> Cell:
    word: str = getattr(idiom.words.models, f"change_{one.change}", one.change)
    return Cell(word, {"added": "good", "removed": "bad"}.get(one.change, "warn"))  # pyright: ignore[reportArgumentType]


def _rates(one: PriceChange, *, after: bool) -> str:
    """Only what differs; a change has dozens of rates, of which one moves."""
    before_rates = {rate_name(rate): rate.usd_per_million for rate in one.before}
    after_rates = {rate_name(rate): rate.usd_per_million for rate in one.after}
    shown = after_rates if after else before_rates
    other = before_rates if after else after_rates
    told = [f"{name} {rate}" for name, rate in shown.items() if other.get(name) != rate]
    return "  ".join(told) or (one.note if after else "")


COLUMNS = (
    Column[PriceChange]("model", lambda w: w.table.model, lambda one, _: one.model, width=20, grow=1, most=40, sort=lambda one: one.model),
    Column[PriceChange]("change", lambda w: w.models.book_change, _change, width=8, sort=lambda one: one.change),
    Column[PriceChange]("used", lambda w: w.models.book_used, lambda one, _: Cell("✓" if one.used else "", "good"), width=5),
    Column[PriceChange]("before", lambda w: w.models.book_before, lambda one, _: _rates(one, after=False), width=18, grow=2, most=60),
    Column[PriceChange]("after", lambda w: w.models.book_after, lambda one, _: _rates(one, after=True), width=18, grow=2, most=60),
)  # fmt: skip


class Book(Detail[Picture]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("A", "adopt", "models.adopt")]

    def __init__(self, top: str) -> None:
        super().__init__(top)
        self._read: Picture | None = None
        self.table = PagedTable(
            COLUMNS,
            key=lambda one: f"{one.provider} {one.model} {one.effective_from}",
            idiom=self.idiom,
            id="table",
        )

    def body(self) -> ComposeResult:
        yield self.table

    def path(self) -> str:
        return self.words.models.book

    async def look(self, client: AdminClient) -> Picture:
        """Once, and again when it is asked for: two whole books are compared."""
        if self._read is None:
            state, diff = await asyncio.gather(client.price_book(), client.price_diff())
            self._read = Picture(state, diff)
        return self._read

    def look_again(self) -> None:
        self._read = None
        super().look_again()

    def draw(self, picture: Picture) -> None:
        words, diff = self.words.models, picture.diff
        books = {"from_source": diff.from_source or "-", "to_source": diff.to_source}
        self.table.title = words.book_title.format(count=count(len(diff.changes)), **books)
        same = words.book_no_change if picture.state.differs else words.book_same
        self.table.empty = same.format(source=picture.state.source, **books)
        self.table.show(diff.changes)

    def label(self) -> None:
        if self.picture is None:
            self.table.empty = self.words.table.loading
        self.table.relabel()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "adopt" or (self.picture is not None and self.picture.state.differs)

    def action_adopt(self) -> None:
        picture, words = self.picture, self.words.models
        if picture is None:
            return
        source = picture.diff.to_source

        def adopted(state: PriceBookState) -> None:
            said = words.adopted.format(source=state.source, models=count(state.models))
            self.notify(said, markup=False)
            self.look_again()

        def sure(yes: bool | None) -> None:
            if yes:
                self.act(lambda client: client.adopt_prices(source), adopted)

        used = sum(one.used for one in picture.diff.changes)
        effect = words.adopt_effect.format(count=count(len(picture.diff.changes)), used=count(used))
        lines = (effect, words.diff_now, words.adopt_kept)
        self.console_app.push_screen(TypeName(words.adopt_title.format(source=source), lines, source), sure)
