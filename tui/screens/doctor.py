"""Doctor: whether the ledger adds up, and what differs where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from textual.app import ComposeResult

from laidian.admin.schema import AuditReport
from tui.cells import Cell
from tui.columns import Column
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.text import count

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient


class Found(msgspec.Struct, frozen=True):
    check: str
    state: str
    text: str


def _check(one: Found, idiom: Idiom) -> tuple[Cell, ...]:
    return idiom.sign(one.state), Cell(f" {one.check}")


COLUMNS = (
    Column[Found]("check", lambda w: w.doctor.check, _check, width=22, grow=1, most=36),
    Column[Found]("found", lambda w: w.doctor.found, lambda one, _: one.text, width=40, grow=4, most=140),
)


class Doctor(Top[AuditReport]):
    def __init__(self) -> None:
        super().__init__()
        self.table = PagedTable(
            COLUMNS, key=lambda one: f"{one.check} {one.text}", idiom=self.idiom, id="table"
        )
        self._report: AuditReport | None = None

    def body(self) -> ComposeResult:
        yield self.table

    async def look(self, client: AdminClient) -> AuditReport:
        """A replay of the whole ledger: once, and again when it is asked for."""
        if self._report is None:
            self._report = await client.audit()
        return self._report

    def look_again(self) -> None:
        self._report = None
        super().look_again()

    def draw(self, picture: AuditReport) -> None:
        words = self.words.doctor
        if picture.clean:
            text = words.ledger_clean.format(
                records=count(picture.records), quotas=picture.quotas, keys=count(picture.keys)
            )
            self.table.show([Found("ledger", "ok", text)])
        else:
            self.table.show(
                [Found(f"{one.check} {one.subject}", "fail", one.message) for one in picture.differences]
            )

    def label(self) -> None:
        self.table.title = self.words.doctor.title
        self.table.empty = self.words.doctor.empty if self.picture is not None else self.words.table.loading
        self.table.relabel()

    def narrow(self, text: str) -> None:
        self.table.narrow(text)
