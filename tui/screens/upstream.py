"""One upstream: its state and why, how fast it answers, what went wrong last. Beside the list, or as a screen of its own."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from laidian.admin.schema import Probe, Upstream, UsageRecord
from tui.cells import Cell, Lines, Shown, entitle, fitted, wrapped
from tui.chart import Chart, sparkline
from tui.frame import Detail
from tui.idiom import Idiom
from tui.screens.records import why
from tui.screens.upstream_actions import UPSTREAM_KEYS, UpstreamActions
from tui.text import clock, milliseconds

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

LABEL = 12
PROBES = 60
ERRORS = 20


class Close(msgspec.Struct, frozen=True):
    """An upstream seen from near by."""

    upstream: Upstream
    probes: tuple[Probe, ...]
    """Newest first."""
    errors: tuple[UsageRecord, ...]
    """Requests that it answered badly, newest first."""


async def look_close(client: AdminClient, upstream: Upstream) -> Close:
    from laidian.admin.client import UsageFilter

    failed = UsageFilter(upstream=upstream.name, status="error", since="30d")
    probes, page = await asyncio.gather(
        client.probes(upstream.name, limit=PROBES), client.usage(failed, limit=ERRORS)
    )
    return Close(upstream, probes, page.items)


def told(close: Close, idiom: Idiom, width: int) -> list[Shown]:
    one, words = close.upstream, idiom.words.upstreams
    lines: list[Shown] = []

    def put(label: str, *texts: Cell | str) -> None:
        first = True
        for text in texts:
            cell = text if isinstance(text, Cell) else Cell(text)
            for part in wrapped(cell.text, max(20, width - LABEL - 1)):
                lines.append(
                    (*fitted(Cell(label if first else "", "dim"), LABEL), Cell(" "), cell._replace(text=part))
                )
                first = False

    put(words.state_now, idiom.state(one.state))
    for circuit in one.circuits:
        what = " ".join(part for part in (circuit.credential, circuit.model) if part) or words.circuit_all
        said = words.circuit_is.format(what=what, reason=circuit.reason, time=idiom.until(circuit.open_until))
        put(words.circuit, Cell(said, "warn"))
    put(words.address, f"{one.kind}  {one.base_url}")
    put(words.last_probe, *_probe_lines(one.last_probe, idiom))
    put(
        words.credentials,
        *(
            Cell(
                f"{idiom.state('active' if key.enabled else 'disabled').text} {key.label} ({key.fingerprint})"
            )
            for key in one.credentials
        ),
    )
    put(words.groups, ", ".join(one.groups) or words.no_groups)
    put(words.errors_title, *([] if close.errors else [Cell(words.no_errors, "dim")]))
    for record in close.errors:
        lines.append(
            (
                Cell(f"  {clock(record.started_at)} ", "dim"),
                *fitted(record.key, 12),
                Cell(" "),
                *fitted(record.model or record.asked_model, 16),
                Cell(f" {record.status} ", "bad"),
                Cell(why(record, idiom)),
            )
        )
    return lines


def _probe_lines(probe: Probe | None, idiom: Idiom) -> list[Cell]:
    words = idiom.words.upstreams
    if probe is None:
        return [Cell(words.never_probed, "dim")]
    if probe.ok:
        time = milliseconds(probe.duration_ms)
        return [Cell(words.probe_good.format(ago=idiom.ago(probe.at), models=probe.models or 0, time=time))]
    return [Cell(words.probe_bad.format(ago=idiom.ago(probe.at), reason=probe.reason), "bad")]


def spark(probes: tuple[Probe, ...], width: int) -> str:
    """The probes as a line, oldest at the left; a failed one is a cross."""
    return sparkline([one.duration_ms if one.ok else math.nan for one in reversed(probes)], width)


class UpstreamPane(VerticalScroll):
    DEFAULT_CSS = """
    UpstreamPane { border: round $primary; padding: 0 1; height: 1fr; scrollbar-size-vertical: 1; }
    UpstreamPane Chart { height: 8; }
    UpstreamPane.-low Chart { height: 5; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as Textual has it
        super().__init__(id=id, can_focus=False)
        self._lines = Lines()
        self._chart_title = Lines()
        self._chart = Chart()
        self._seen: tuple[Close | None, Idiom] | None = None

    def compose(self) -> ComposeResult:
        yield self._chart_title
        yield self._chart
        yield self._lines

    def put(self, close: Close | None, idiom: Idiom) -> None:
        self._seen = (close, idiom)
        words = idiom.words.upstreams
        if close is None:
            entitle(self, "")
            self._chart_title.put()
            self._lines.put(Cell(words.choose, "dim"))
            return
        entitle(self, close.upstream.name)
        self._chart_title.put(Cell(words.chart, "dim"))
        probes = tuple(reversed(close.probes))
        self._chart.plot(
            [float(one.duration_ms) if one.ok else None for one in probes],
            kind="line",
            label=lambda value: milliseconds(round(value)),
            left=f"{idiom.ago(probes[0].at)}" if probes else "",
            right=words.now,
        )
        self._lines.put(*told(close, idiom, self.content_size.width or 80))

    def on_resize(self) -> None:
        self.set_class(self.size.height < 18, "-low")
        if self._seen is not None:
            self.put(*self._seen)


class UpstreamScreen(UpstreamActions, Detail[Close]):
    """Where there is no room beside the list."""

    BINDINGS: ClassVar[list[BindingType]] = [*UPSTREAM_KEYS]

    def __init__(self, name: str, top: str = "upstreams") -> None:
        super().__init__(top)
        self._name = name
        self.pane = UpstreamPane(id="pane")

    def body(self) -> ComposeResult:
        yield self.pane

    def path(self) -> str:
        return self._name

    def chosen(self) -> Upstream | None:
        return None if self.picture is None else self.picture.upstream

    async def look(self, client: AdminClient) -> Close:
        return await look_close(client, await client.upstream(self._name))

    def draw(self, picture: Close) -> None:
        self.pane.put(picture, self.idiom())
