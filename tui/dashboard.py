"""The first screen: header, four cards, the latest requests, and a banner while the server is away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import DataTable, Footer, Static

from laidian.admin.schema import Status, UpstreamState, UsageRecord
from tui.picture import Picture
from tui.text import clock, dollars, duration, milliseconds, plain
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
    #cards { layout: grid; grid-size: 4 1; height: 6; }
    Dashboard.-narrow #cards { grid-size: 2 2; height: 8; }
    .card { border: round $primary; padding: 0 1; height: 100%; }
    #latest { height: 1fr; }
    #picture { height: 1fr; }
    #picture.-old { opacity: 50%; }
    """

    def __init__(self, words: Words, address: str) -> None:
        super().__init__()
        self._words = words
        self._address = address
        self._latest: tuple[UsageRecord, ...] | None = None

    def compose(self) -> ComposeResult:
        words = self._words
        yield Static(id="header", markup=False)
        yield Static(id="banner", markup=False)
        with Vertical(id="picture"):
            with Container(id="cards"):
                for name, title in (
                    ("in-flight", words.in_flight),
                    ("spend", words.spend_today),
                    ("keys", words.keys),
                    ("upstreams", words.upstreams),
                ):
                    card = Static(id=name, classes="card", markup=False)
                    card.border_title = title
                    yield card
            yield DataTable[Text](id="latest", cursor_type="none", zebra_stripes=True)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        words = self._words
        self._put("#header", plain(f"LaiDian  {self._address}  {words.connecting}"))
        table = self._table()
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
        self.query_one("#banner").remove_class("-shown")
        self.query_one("#picture").remove_class("-old")
        self._put("#header", self._head(status))
        self._put(
            "#in-flight",
            plain(str(status.in_flight), "bold"),
            plain(words.held.format(amount=dollars(status.held_usd))),
        )
        self._put(
            "#spend",
            plain(dollars(status.spent_today_usd), "bold"),
            plain(words.requests.format(count=status.requests_today)),
            plain(words.failed.format(count=status.failed_today), "red" if status.failed_today else ""),
        )
        self._put("#keys", plain(str(status.keys), "bold"))
        self._put("#upstreams", *self._upstreams(status))
        self._draw_latest(picture.latest)

    def draw_away(self, reason: str, *, again_in_s: int, seen_s_ago: int | None) -> None:
        """One banner over the last picture, which stays. `seen_s_ago`: None when there never was one."""
        words = self._words
        parts = [words.away.format(reason=reason), words.again_in.format(seconds=again_in_s)]
        if seen_s_ago is not None:
            parts.append(words.seen.format(seconds=seen_s_ago))
        self.query_one("#banner", Static).update(Text(plain(" ".join(parts)).plain))
        self.query_one("#banner").add_class("-shown")
        self.query_one("#picture").add_class("-old")

    def _head(self, status: Status) -> Text:
        words = self._words
        state = words.stopping if status.stopping else words.serving
        sign = "▲" if status.stopping else "●"
        up = words.up_for.format(time=duration(status.uptime_s))
        return plain(f"LaiDian {status.version}  {status.base_url}  {sign} {state}  {up}")

    def _upstreams(self, status: Status) -> Iterable[Text]:
        """The worst first, since a card may be too small for all; the title counts."""
        up = sum(one.state == "up" for one in status.upstreams)
        self.query_one("#upstreams").border_title = f"{self._words.upstreams} {up}/{len(status.upstreams)}"
        if not status.upstreams:
            yield plain(self._words.no_upstream)
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
        table = self._table()
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

    def _table(self) -> DataTable[Text]:
        return cast("DataTable[Text]", self.query_one("#latest", DataTable))

    def _put(self, place: str, *lines: Text) -> None:
        joined = Text("\n").join(lines)
        joined.no_wrap, joined.overflow = True, "ellipsis"
        self.query_one(place, Static).update(joined)
