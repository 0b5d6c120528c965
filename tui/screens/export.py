"""Writing usage into a file: CSV or JSON lines, as they come from the server, however many there are."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from laidian.admin.schema import UsageRecord
from tui.cells import Lines, entitle
from tui.dialog import Dialog
from tui.feed import Refused

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient, UsageFilter

FIELDS = tuple(name for name in UsageRecord.__struct_fields__ if name != "usage")
"""Columns of a CSV file; the quantities by unit are in JSON lines only."""
TOLD_EACH = 5_000


class Export(Dialog[None]):
    DEFAULT_CSS = "Export Input { border: none; height: 1; padding: 0; background: $boost; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "write", "usage.export_write", priority=True)]

    def __init__(self, only: UsageFilter, what: str, name: str) -> None:
        super().__init__()
        self._only = only
        self._what = what
        self._input = Input(name, id="export-file")
        self._said = Lines(id="export-said")
        self._busy = False

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        entitle(box, self.words.usage.export_title.format(what=self._what))
        with box:
            yield self._said
            yield self._input
            yield self.last_line

    def on_mount(self) -> None:
        super().on_mount()
        self.call_after_refresh(self._said.put_text, self.words.usage.export_says)
        self._input.focus()

    def action_write(self) -> None:
        path = Path(self._input.value.strip()).expanduser()
        words = self.words.usage
        if path.suffix not in (".csv", ".jsonl"):
            self._said.put_text(words.export_format.format(file=path), "bad")
        elif path.exists():
            self._said.put_text(words.export_exists.format(file=path), "bad")
        elif not self._busy:
            self._busy = True
            self.run_worker(self._written(path), exclusive=True)

    async def _written(self, path: Path) -> None:
        words = self.words.usage

        async def write(client: AdminClient) -> int:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", newline="", encoding="utf-8") as file:
                return await _write(client.export_usage(self._only), file, path.suffix, self._tell)

        try:
            total = await self.console_app.feed.ask(write)
        except Refused as error:
            self._said.put_text(error.message, "bad")
        except OSError as error:
            self._said.put_text(
                words.export_failed.format(file=path, reason=os.strerror(error.errno or 0)), "bad"
            )
        else:
            self.dismiss(None)
            self.notify(words.exported.format(count=f"{total:,}", file=path), markup=False)
        finally:
            self._busy = False

    def _tell(self, written: int) -> None:
        self._said.put_text(self.words.usage.exported.format(count=f"{written:,}", file=self._input.value))


async def _write(
    records: AsyncIterator[UsageRecord], file: io.TextIOBase | Any, suffix: str, tell: Any
) -> int:
    """How many were written."""
    written = 0
    table = csv.writer(file)
    if suffix == ".csv":
        table.writerow(FIELDS)
    async for record in records:
        if suffix == ".csv":
            table.writerow(["" if (value := getattr(record, name)) is None else value for name in FIELDS])
        else:
            file.write(msgspec.json.encode(record).decode() + "\n")
        written += 1
        if written % TOLD_EACH == 0:
            tell(written)
    return written
