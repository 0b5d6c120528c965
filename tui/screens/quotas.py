"""Quotas: what keys may spend together, and what is left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from laidian.admin.schema import Quota
from tui.columns import Column
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.text import count, short_dollars

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient


def _kind(quota: Quota, idiom: Idiom) -> str:
    word: str = getattr(idiom.words.quotas, f"kind_{quota.kind}", quota.kind)
    return word


def _windows(quota: Quota, _: Idiom) -> str:
    return "  ".join(
        f"{short_dollars(one.spent_usd)}/{short_dollars(one.limit_usd)} {one.kind}" for one in quota.windows
    )


def _resets(quota: Quota, idiom: Idiom) -> str:
    coming = [one.resets_at for one in quota.windows if one.resets_at]
    return idiom.until(min(coming)) if coming else "-"


COLUMNS = (
    Column[Quota]("name", lambda w: w.table.name, lambda one, _: one.name, width=12, grow=2, most=28, sort=lambda one: one.name),
    Column[Quota]("state", lambda w: w.table.state, lambda one, idiom: idiom.state(one.state), width=10),
    Column[Quota]("kind", lambda w: w.quotas.kind, _kind, width=9),
    Column[Quota](
        "left", lambda w: w.quotas.left,
        lambda one, idiom: idiom.words.quotas.unlimited if one.left_usd is None else short_dollars(one.left_usd), width=9, right=True,
    ),
    Column[Quota](
        "spent", lambda w: w.quotas.spent, lambda one, _: short_dollars(one.spent_usd), width=9, right=True,
        sort=lambda one: float(one.spent_usd),
    ),
    Column[Quota]("held", lambda w: w.quotas.held, lambda one, _: short_dollars(one.held_usd), width=8, right=True, rank=3),
    Column[Quota]("windows", lambda w: w.quotas.windows, _windows, width=18, grow=2, most=60, rank=1),
    Column[Quota]("resets", lambda w: w.quotas.resets, _resets, width=9, rank=2),
    Column[Quota]("keys", lambda w: w.quotas.keys, lambda one, _: count(one.keys), width=5, right=True),
)  # fmt: skip


class Quotas(Top[tuple[Quota, ...]]):
    def __init__(self) -> None:
        super().__init__()
        self.table = PagedTable(COLUMNS, key=lambda one: one.name, idiom=self.idiom, id="table")

    def body(self) -> ComposeResult:
        yield self.table

    async def look(self, client: AdminClient) -> tuple[Quota, ...]:
        return await client.quotas()

    def draw(self, picture: tuple[Quota, ...]) -> None:
        self.table.title = self.words.quotas.title.format(count=len(picture))
        self.table.show(picture)

    def label(self) -> None:
        self.table.empty = self.words.quotas.empty if self.picture is not None else self.words.table.loading
        self.table.relabel()

    def narrow(self, text: str) -> None:
        self.table.narrow(text)
