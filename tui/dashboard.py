"""The first screen: header, four cards, the latest requests, and a banner while the server is away."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import DataTable, Footer, Static

from laidian.admin.schema import Status, UpstreamState, UsageRecord
from tui.picture import Picture
from tui.text import clean, clock, dollars, duration, milliseconds, plain
from tui.words import Words

GLYPHS: dict[UpstreamState, tuple[str, str]] = {
    "up": ("●", "green"),
    "resting": ("▲", "yellow"),
    "no_credential": ("✕", "red"),
    "disabled": ("◌", "bright_black"),
    "deleted": ("◌", "bright_black"),
}
"""Sign and colour of a state; its word always stands beside, since neither may be visible."""
WORST_FIRST: tuple[UpstreamState, ...] = ("no_credential", "resting", "up", "disabled", "deleted")


class Help(ModalScreen[None]):
    BINDINGS = [("escape,q,question_mark", "dismiss", "")]  # noqa: RUF012 - Textual's own way
    CSS = """
    Help { align: center middle; }
    Help > Static { width: auto; max-width: 90%; height: auto; border: round $accent; padding: 1 2; }
    """

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        yield Static(Text(self._words.help_text), id="help", markup=False)

    async def action_dismiss(self, result: None = None) -> None:
        self.dismiss(result)


class Dashboard(Screen[None]):
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (96, "-normal")]  # noqa: RUF012 - Textual's own way
    CSS = """
    #header { height: 1; background: $panel; text-style: bold; padding: 0 1; }
    #banner { height: auto; background: $error; color: $text; padding: 0 1; display: none; }
    #banner.-shown { display: block; }
    #cards { layout: grid; grid-size: 5 1; height: 6; }
    #upstreams { column-span: 2; }
    Dashboard.-narrow #upstreams { column-span: 1; }
    Dashboard.-narrow #cards { grid-size: 2 2; height: 8; }
    .card { border: round $primary; padding: 0 1; height: 100%; }
    #latest { height: 1fr; border: round $primary; }
    #picture { height: 1fr; }
    #picture.-old { opacity: 50%; }
    """

    def __init__(self, words: Words, address: str) -> None:
        super().__init__()
        self._words = words
        self._address = address
        self._latest: tuple[UsageRecord, ...] | None = None
        # Kept, not looked up: a picture may come while the screen is being taken down.
        self._header = Static(id="header", markup=False)
        self._banner = Static(id="banner", markup=False)
        self._picture = Vertical(id="picture")
        self._in_flight = _card("in-flight", words.in_flight)
        self._spend = _card("spend", words.spend_today)
        self._keys = _card("keys", words.keys)
        self._upstreams = _card("upstreams", words.upstreams)
        self._table: DataTable[Text] = DataTable(id="latest", cursor_type="none", zebra_stripes=True)

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._banner
        with self._picture:
            with Container(id="cards"):
                yield from (self._in_flight, self._spend, self._keys, self._upstreams)
            yield self._table
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        words = self._words
        _put(self._header, plain(f"LaiDian  {self._address}  {words.connecting}"))
        table = self._table
        table.border_title = words.latest
        table.add_columns(
            words.column_time,
            words.column_key,
            words.column_model,
            words.column_upstream,
            words.column_status,
            words.column_in,
            words.column_out,
            words.column_cost,
            words.column_took,
        )

    def draw(self, picture: Picture) -> None:
        """A new picture; the banner goes."""
        status, words = picture.status, self._words
        self._banner.remove_class("-shown")
        self._picture.remove_class("-old")
        _put(self._header, self._head(status))
        _put(
            self._in_flight,
            plain(str(status.in_flight), "bold"),
            plain(words.held.format(amount=dollars(status.held_usd))),
        )
        _put(
            self._spend,
            plain(dollars(status.spent_today_usd), "bold"),
            plain(words.requests.format(count=status.requests_today)),
            plain(words.failed.format(count=status.failed_today), "red" if status.failed_today else ""),
        )
        _put(self._keys, plain(str(status.keys), "bold"))
        _put(self._upstreams, *self._upstream_lines(status))
        self._draw_latest(picture.latest)

    def draw_away(self, reason: str, *, again_in_s: int, seen_s_ago: int | None) -> None:
        """One banner over the last picture, which stays. `seen_s_ago`: None when there never was one."""
        words = self._words
        parts = [words.away.format(reason=reason), words.again_in.format(seconds=again_in_s)]
        if seen_s_ago is not None:
            parts.append(words.seen.format(seconds=seen_s_ago))
        self._banner.update(Text(clean(" ".join(parts))))
        self._banner.add_class("-shown")
        self._picture.add_class("-old")

    def _head(self, status: Status) -> Text:
        words = self._words
        state = words.stopping if status.stopping else words.serving
        sign = "▲" if status.stopping else "●"
        up = words.up_for.format(time=duration(status.uptime_s))
        return plain(f"LaiDian {status.version}  {status.base_url}  {sign} {state}  {up}")

    def _upstream_lines(self, status: Status) -> Iterable[Text]:
        """The worst first, since a card may be too small for all; the title counts."""
        up = sum(one.state == "up" for one in status.upstreams)
        self._upstreams.border_title = f"{self._words.upstreams} {up}/{len(status.upstreams)}"
        if not status.upstreams:
            yield plain(self._words.no_upstream)
            yield plain("laidian upstream add", "bold")
        for one in sorted(status.upstreams, key=lambda one: WORST_FIRST.index(one.state)):
            sign, color = GLYPHS[one.state]
            word: str = getattr(self._words, f"state_{one.state}")
            yield Text.assemble(
                (f"{sign} {word}", color), " ", plain(one.name), no_wrap=True, overflow="ellipsis"
            )

    def _draw_latest(self, latest: tuple[UsageRecord, ...]) -> None:
        """Only when something changed: a table that is filled anew is measured anew."""
        if latest == self._latest:
            return
        self._latest = latest
        table = self._table
        table.clear()
        table.border_subtitle = "" if latest else self._words.no_records
        for record in latest:
            bad = "red" if record.status >= 400 or record.status == 0 else ""
            estimated = "~" if record.usage_from == "estimated" else ""
            table.add_row(
                plain(clock(record.started_at)),
                plain(record.key),
                plain(record.model),
                plain(record.upstream or "-"),
                plain(f"{record.status} {record.error_code}".strip(), bad),
                plain(str(record.input_tokens)),
                plain(str(record.output_tokens)),
                plain(dollars(record.cost_usd) + estimated),
                plain(milliseconds(record.duration_ms)),
            )


def _card(name: str, title: str) -> Static:
    card = Static(id=name, classes="card", markup=False)
    card.border_title = title
    return card


def _put(place: Static, *lines: Text) -> None:
    joined = Text("\n").join(lines)
    joined.no_wrap, joined.overflow = True, "ellipsis"
    place.update(joined)
