"""Models: every one that an upstream can be said to serve, and whether it has a price."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from textual.app import ComposeResult

from tui.cells import Cell
from tui.columns import Column
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient


class Model(msgspec.Struct, frozen=True):
    name: str
    upstreams: tuple[str, ...]
    priced: bool


def _price(model: Model, idiom: Idiom) -> Cell:
    words = idiom.words.models
    return Cell(words.has_price, "good") if model.priced else Cell(words.no_price, "warn")


COLUMNS = (
    Column[Model]("model", lambda w: w.table.model, lambda one, _: one.name, width=20, grow=2, most=44, sort=lambda one: one.name),
    Column[Model]("price", lambda w: w.models.priced, _price, width=18),
    Column[Model]("upstreams", lambda w: w.models.upstreams, lambda one, _: ", ".join(one.upstreams), width=16, grow=2, most=60),
)  # fmt: skip


class Models(Top[tuple[Model, ...]]):
    def __init__(self) -> None:
        super().__init__()
        self.table = PagedTable(COLUMNS, key=lambda one: one.name, idiom=self.idiom, id="table")

    def body(self) -> ComposeResult:
        yield self.table

    async def look(self, client: AdminClient) -> tuple[Model, ...]:
        upstreams = await client.upstreams()
        lists = await asyncio.gather(*(client.upstream_models(one.name) for one in upstreams))
        served: dict[str, list[str]] = {}
        priced: dict[str, bool] = {}
        for upstream, models in zip(upstreams, lists, strict=True):
            for one in models:
                served.setdefault(one.model, []).append(upstream.name)
                priced[one.model] = priced.get(one.model, False) or one.priced
        return tuple(Model(name, tuple(served[name]), priced[name]) for name in sorted(served))

    def draw(self, picture: tuple[Model, ...]) -> None:
        available = sum(one.priced for one in picture)
        self.table.title = self.words.models.title.format(count=len(picture), available=available)
        self.table.show(picture)

    def label(self) -> None:
        self.table.empty = self.words.models.empty if self.picture is not None else self.words.table.loading
        self.table.relabel()

    def narrow(self, text: str) -> None:
        self.table.narrow(text)
