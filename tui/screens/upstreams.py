"""Upstreams: the accounts behind the relay, whether each is up, and if not, why and when it is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from laidian.admin.schema import Upstream
from tui.columns import Column
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.text import count

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient


def _why(upstream: Upstream, idiom: Idiom) -> str:
    """The worst circuit with its next try, or what the last probe said."""
    if upstream.circuits:
        worst = max(upstream.circuits, key=lambda one: one.failures)
        return idiom.words.upstreams.next_try.format(reason=worst.reason, time=idiom.until(worst.open_until))
    if upstream.last_probe is not None and not upstream.last_probe.ok:
        return upstream.last_probe.reason
    return ""


COLUMNS = (
    Column[Upstream]("name", lambda w: w.table.name, lambda one, _: one.name, width=14, grow=1, most=28, sort=lambda one: one.name),
    Column[Upstream]("kind", lambda w: w.upstreams.kind, lambda one, _: one.kind, width=10, rank=2),
    Column[Upstream]("state", lambda w: w.table.state, lambda one, idiom: idiom.state(one.state), width=11, sort=lambda one: one.state),
    Column[Upstream]("why", lambda w: w.upstreams.why, _why, width=20, grow=4, most=80),
    Column[Upstream]("models", lambda w: w.upstreams.models, lambda one, _: count(one.discovered), width=6, right=True, rank=1),
    Column[Upstream]("priority", lambda w: w.upstreams.priority, lambda one, _: str(one.priority), width=6, right=True, rank=3),
    Column[Upstream]("running", lambda w: w.upstreams.in_flight, lambda one, _: count(one.in_flight), width=7, right=True, rank=4),
)  # fmt: skip


class Upstreams(Top[tuple[Upstream, ...]]):
    def __init__(self) -> None:
        super().__init__()
        self.table = PagedTable(COLUMNS, key=lambda one: one.name, idiom=self.idiom, id="table")

    def body(self) -> ComposeResult:
        yield self.table

    async def look(self, client: AdminClient) -> tuple[Upstream, ...]:
        return await client.upstreams()

    def draw(self, picture: tuple[Upstream, ...]) -> None:
        up = sum(one.state == "up" for one in picture)
        self.table.title = self.words.upstreams.title.format(count=len(picture), up=up)
        self.table.show(picture)

    def label(self) -> None:
        self.table.empty = (
            self.words.upstreams.empty if self.picture is not None else self.words.table.loading
        )
        self.table.relabel()

    def narrow(self, text: str) -> None:
        self.table.narrow(text)
