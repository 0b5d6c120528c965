"""Upstreams: the accounts behind the relay, whether each is up, and if not, why and when it is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from laidian.admin.schema import Upstream
from tui.columns import Column
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.screens.upstream import Close, UpstreamPane, UpstreamScreen, look_close
from tui.screens.upstream_actions import UPSTREAM_KEYS, UpstreamActions
from tui.text import count

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient


def reason_of(upstream: Upstream, idiom: Idiom) -> str:
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
    Column[Upstream]("why", lambda w: w.upstreams.why, reason_of, width=20, grow=4, most=80),
    Column[Upstream]("models", lambda w: w.upstreams.models, lambda one, _: count(one.discovered), width=6, right=True, rank=1),
    Column[Upstream]("priority", lambda w: w.upstreams.priority, lambda one, _: str(one.priority), width=6, right=True, rank=3),
    Column[Upstream]("running", lambda w: w.upstreams.in_flight, lambda one, _: count(one.in_flight), width=7, right=True, rank=4),
)  # fmt: skip


class Near(msgspec.Struct, frozen=True):
    upstreams: tuple[Upstream, ...]
    close: Close | None
    """The one under the cursor."""


class Upstreams(UpstreamActions, Top[Near]):
    DEFAULT_CSS = """
    Upstreams #both { height: 1fr; layout: vertical; }
    Upstreams #both #table { height: 40%; min-height: 6; }
    Upstreams.-short #both #table { height: 1fr; }
    Upstreams.-short #pane { display: none; }
    Upstreams.-wide #both { layout: horizontal; }
    Upstreams.-wide #both #table { height: 1fr; width: 1fr; }
    Upstreams.-wide #pane { display: block; width: 70; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *UPSTREAM_KEYS,
        Binding("P", "probe_all", "upstreams.probe_all", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.table = PagedTable(COLUMNS, key=lambda one: one.name, idiom=self.idiom, id="table")
        self.pane = UpstreamPane(id="pane")

    def body(self) -> ComposeResult:
        with Container(id="both"):
            yield self.table
            yield self.pane

    async def look(self, client: AdminClient) -> Near:
        upstreams = await client.upstreams()
        row = self.table.row
        name = row.name if row is not None else upstreams[0].name if upstreams else ""
        near = next((one for one in upstreams if one.name == name), None)
        if near is None or not self.pane.display:
            return Near(upstreams, None)
        return Near(upstreams, await look_close(client, near))

    def draw(self, picture: Near) -> None:
        up = sum(one.state == "up" for one in picture.upstreams)
        self.table.title = self.words.upstreams.title.format(count=len(picture.upstreams), up=up)
        self.table.show(picture.upstreams)
        self.pane.put(picture.close, self.idiom())

    def label(self) -> None:
        self.table.empty = (
            self.words.upstreams.empty if self.picture is not None else self.words.table.loading
        )
        self.table.relabel()

    def on_paged_table_pointed(self, _: PagedTable.Pointed[Upstream]) -> None:
        if self.pane.display:
            self.look_again()

    def on_paged_table_opened(self, event: PagedTable.Opened[Upstream]) -> None:
        self.console_app.push_screen(UpstreamScreen(event.row.name))

    # What is done to the one under the cursor

    def chosen(self) -> Upstream | None:
        return self.table.row

    def action_probe_all(self) -> None:
        for one in self.picture.upstreams if self.picture is not None else ():
            self.probe(one.name)
