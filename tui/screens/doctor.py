"""Doctor: whether the instance is sound, and what to do where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll

from laidian.admin.schema import AuditReport, Check
from laidian.admin.schema import Doctor as Examination
from tui.cells import Cell, Lines, Shown
from tui.columns import Column
from tui.form import sentences, titled
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.question import Told
from tui.text import clock, count
from tui.words import Words

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

ORDER = {"fail": 0, "warn": 1, "ok": 2}


def _check(one: Check, idiom: Idiom) -> tuple[Cell, ...]:
    return idiom.sign(one.state), Cell(f" {one.id}")


COLUMNS = (
    Column[Check](
        "check", lambda w: w.doctor.check, _check, width=22, grow=1, most=36, sort=lambda one: one.id
    ),
    Column[Check]("found", lambda w: w.doctor.found, lambda one, _: one.found, width=40, grow=4, most=160),
)


class Doctor(Top[Examination]):
    DEFAULT_CSS = """
    Doctor #both { height: 1fr; }
    Doctor #table { height: 1fr; min-height: 6; }
    Doctor #near { height: 10; border: round $primary; padding: 0 1; scrollbar-size-vertical: 1; }
    Doctor.-short #near { height: 7; }
    Doctor.-wide #both { layout: horizontal; }
    Doctor.-wide #near { height: 1fr; width: 66; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "look_now", "doctor.again"),
        Binding("c", "copy_fix", "doctor.copy_fix"),
        Binding("l", "ledger", "doctor.ledger"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.table = PagedTable(COLUMNS, key=lambda one: one.id, idiom=self.idiom, id="table")
        self._near = VerticalScroll(id="near", can_focus=False)
        self._lines = Lines()
        self._examined: Examination | None = None

    def body(self) -> ComposeResult:
        with Container(id="both"):
            yield self.table
            with self._near:
                yield self._lines

    async def look(self, client: AdminClient) -> Examination:
        """Once, and again when it is asked for: some checks read the whole database."""
        if self._examined is None:
            self._examined = await client.doctor()
        return self._examined

    def look_again(self) -> None:
        self._examined = None
        super().look_again()

    def on_screen_resume(self) -> None:
        """Whoever comes back wants to know how it is now."""
        self._examined = None
        super().on_screen_resume()

    def draw(self, picture: Examination) -> None:
        words = self.words.doctor
        states = [one.state for one in picture.checks]
        self.table.title = words.title.format(
            count=count(len(states)), ok=states.count("ok"), warn=states.count("warn"), fail=states.count("fail"),
            at=clock(picture.at),
        )  # fmt: skip
        # What needs somebody comes first; otherwise the server's own order.
        checks: list[Check] = sorted(picture.checks, key=lambda one: ORDER[one.state])
        self.table.show(checks)
        self._draw_near()

    def _draw_near(self) -> None:
        check = self.table.row
        titled(self._near, "" if check is None else check.id)
        width = max(30, self._near.content_size.width or 60)
        self._lines.put(*([] if check is None else explained(self.words, check, width)))

    def label(self) -> None:
        words = self.words.doctor
        self.table.empty = words.empty if self.picture is not None else words.checking
        if self.picture is None:
            self.table.title = self.words.frame.go_doctor
        self.table.relabel()

    def on_paged_table_pointed(self, _: PagedTable.Pointed[Check]) -> None:
        self._draw_near()

    def on_paged_table_opened(self, event: PagedTable.Opened[Check]) -> None:
        """Where the pane is too small, over all of it."""
        self.console_app.push_screen(Told(event.row.id, explained(self.words, event.row, 70)))

    async def action_copy_fix(self) -> None:
        check = self.table.row
        if check is not None:
            await self.console_app.copy(check.fix or check.found)

    def action_ledger(self) -> None:
        self.notify(self.words.doctor.checking, markup=False, timeout=2)
        self.act(lambda client: client.audit(), self._audited)

    def _audited(self, report: AuditReport) -> None:
        words = self.words.doctor
        if report.clean:
            said = words.ledger_clean.format(
                records=count(report.records), quotas=count(report.quotas), keys=count(report.keys)
            )
            self.notify(said, markup=False)
        else:
            first = report.differences[0].message if report.differences else ""
            said = words.ledger_differs.format(count=count(report.differences_total), first=first)
            self.notify(said, severity="error", markup=False)


def explained(words: Words, check: Check, width: int) -> list[Shown]:
    own = words.doctor
    lines: list[Shown] = [Cell(own.why, "title"), *sentences((check.found,), width)]
    if check.state == "ok" and not check.fix:
        return [*lines, "", Cell(own.no_fix, "dim")]
    return [*lines, "", Cell(own.fix, "title"), *sentences(check.fix.splitlines(), width)]
