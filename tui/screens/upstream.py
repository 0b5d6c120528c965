"""One upstream: its state and why, how fast it answers, what went wrong last. Beside the list, or as a screen of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from laidian.admin.schema import Probe, Upstream, UpstreamError, UpstreamHealth
from tui.cells import Cell, Lines, Shown, entitle, fitted, wrapped
from tui.chart import Chart
from tui.frame import Detail
from tui.idiom import Idiom
from tui.screens.upstream_actions import UPSTREAM_KEYS, UpstreamActions
from tui.text import clock, count, milliseconds

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

LABEL = 12
ERRORS = 20


class Close(msgspec.Struct, frozen=True):
    """An upstream seen from near by."""

    upstream: Upstream
    health: UpstreamHealth
    errors: tuple[UpstreamError, ...]
    """Tries that did not go well, newest first, also where another upstream answered then."""


async def look_close(client: AdminClient, upstream: Upstream) -> Close:
    health, errors = await asyncio.gather(
        client.upstream_health(upstream.name), client.upstream_errors(upstream.name, limit=ERRORS)
    )
    return Close(upstream, health, errors)


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

    health = close.health
    put(words.state_now, idiom.state(one.state))
    for circuit in one.circuits:
        what = " ".join(part for part in (circuit.credential, circuit.model) if part) or words.circuit_all
        said = words.circuit_is.format(what=what, reason=circuit.reason, time=idiom.until(circuit.open_until))
        put(words.circuit, Cell(said, "warn"))
    put(words.address, f"{one.kind}  {one.base_url}")
    put(words.last_probe, *_probe_lines(one.last_probe, idiom))
    if health.next_probe_at is not None:
        put(words.next_probe, idiom.until(health.next_probe_at))
    share = "-" if health.success_percent_24h is None else f"{health.success_percent_24h:g}%"
    put(
        words.day,
        words.day_is.format(
            share=share,
            requests=count(health.requests_24h),
            failed=count(health.failed_24h),
            p50=_ms(health.first_byte_p50_ms),
            p95=_ms(health.first_byte_p95_ms),
        ),
    )
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
    put(words.errors_title, " " if close.errors else Cell(words.no_errors, "dim"))
    for error in close.errors:
        said = " ".join(part for part in (error.outcome, error.message) if part)
        lines.append(
            (
                Cell(f"  {clock(error.at)} ", "dim"),
                *fitted(error.key, 12),
                Cell(" "),
                *fitted(error.model, 16),
                Cell(f" {error.status or '-'} ", "bad"),
                Cell(said),
                Cell(f"  {words.answered}" if error.answered else "", "dim"),
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


def _ms(value: int | None) -> str:
    return "-" if value is None else milliseconds(value)


def _float(value: int | None) -> float | None:
    return None if value is None else float(value)


def _scale(value: float) -> str:
    return milliseconds(round(value))


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
        hours = close.health.hours
        self._chart.plot(
            [_float(one.first_byte_p50_ms) for one in hours],
            [_float(one.first_byte_p95_ms) for one in hours],
            kind="line",
            label=_scale,
            left=clock(hours[0].at)[:5] if hours else "",
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
