"""A new key, shown once: every way to take it away, the settings of every client, and a test of it.

The rules a newcomer would break: the key's line has neither border nor blanks, so that a mouse selects exactly the key; nothing here says
"copied", since no terminal ever answers; and the secret is in no notice, no title and no other screen.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from laidian.admin.schema import KeyCreated, Snippet, Trial
from tui.cells import Cell, Lines
from tui.clipboard import send
from tui.dialog import Dialog
from tui.dialogs.qr import QrCode
from tui.dialogs.trial import Tried
from tui.feed import Refused
from tui.question import Sure
from tui.settings_of import ClientSettings
from tui.text import dollars


class Created(Dialog[None]):
    DEFAULT_CSS = """
    Created { align: left top; background: $surface; }
    Created > #created-title { height: 1; background: $panel; padding: 0 1; }
    Created > #created-about { height: auto; padding: 0 1; }
    Created > #created-key { height: auto; width: 1fr; margin: 1 0; text-style: bold; }
    Created > .dialog-keys { height: 1; padding: 0; margin: 0; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "created.copy"),
        Binding("s", "save", "created.save"),
        Binding("Q", "qr", "created.qr"),
        Binding("t", "test", "created.test"),
        Binding("left,h", "client(-1)", "created.previous", show=False),
        Binding("right,l,c", "client(1)", "created.next", key_display="← →"),
        Binding("up,k", "part(-1)", "created.part", show=False),
        Binding("down,j", "part(1)", "created.part", show=False),
        Binding("C", "copy_settings", "created.copy_settings"),
        Binding("enter", "leave", "created.done"),
        Binding("escape", "leave", "frame.close", show=False),
    ]

    def __init__(self, made: KeyCreated) -> None:
        super().__init__()
        self.made = made
        self.taken = False
        """It was copied or saved, as far as this program can know."""
        self.settings = ClientSettings(self.idiom, made.secret)
        self._about = Lines(id="created-about")

    def compose(self) -> ComposeResult:
        title = Lines(id="created-title")
        title.put(Cell(self.words.created.title.format(name=self.made.key.name), "title"))
        yield title
        yield self._about
        yield Static(Text(self.made.secret), id="created-key")
        yield self.settings
        yield self.last_line

    def on_mount(self) -> None:
        super().on_mount()
        words, key = self.words.created, self.made.key
        limit = words.limit if key.limit_usd is None else dollars(key.limit_usd)
        about = words.about_key.format(group=key.group, quota=key.quota, limit=limit)
        self._about.put(Cell(about, "dim"), "", Cell(words.once, "warn"))
        self.run_worker(self._ask_settings(), exclusive=True, group="settings")

    async def _ask_settings(self) -> None:
        try:
            found = await self.console_app.feed.ask(lambda client: client.snippets(key=str(self.made.key.id)))
        except Refused as refused:
            self.settings.said(refused.message)
        else:
            self.settings.show(found)

    @property
    def model(self) -> str:
        """That the key can use now, as the settings name it; empty: none."""
        return model_of(self.settings.snippets)

    # Ways to take it away

    async def action_copy(self) -> None:
        await send(self.made.secret, self.console_app.copy_to_clipboard)
        self.taken = True
        self.notify(self.words.created.copied, markup=False)

    def action_save(self) -> None:
        path = free_path(Path.home(), self.made.key.name)
        try:
            write_private(path, self.made.secret + "\n")
        except OSError as error:
            reason = error.strerror or str(error)
            self.notify(
                self.words.created.not_saved.format(path=path, reason=reason), severity="error", markup=False
            )
            return
        self.taken = True
        self.notify(self.words.created.saved.format(path=path), markup=False)

    def action_qr(self) -> None:
        self.taken = True
        title = self.words.created.qr_title.format(name=self.made.key.name)
        self.console_app.push_screen(QrCode(title, self.made.secret))

    def action_client(self, step: int) -> None:
        self.settings.choose(step)

    def action_part(self, step: int) -> None:
        self.settings.choose_part(step)

    async def action_copy_settings(self) -> None:
        text = self.settings.text
        if text:
            await send(text, self.console_app.copy_to_clipboard)
            self.taken = True
            self.notify(self.words.created.settings_copied.format(client=self.settings.client), markup=False)

    # Test

    def action_test(self) -> None:
        if not self.model:
            self.notify(self.words.created.test_no_model, severity="warning", markup=False)
            return
        self.console_app.push_screen(
            Tried(self.made.key.name, Trial(model=self.model, api_key=self.made.secret))
        )

    # Leaving

    def action_leave(self) -> None:
        if self.taken:
            self.dismiss(None)
            return
        words = self.words.created
        lines = (words.unused.format(name=self.made.key.name), Cell(words.unused_ways, "dim"))
        self.console_app.push_screen(Sure(words.unused_title, lines), self._left)

    def _left(self, sure: bool | None) -> None:
        if sure:
            self.dismiss(None)


def model_of(snippets: tuple[Snippet, ...]) -> str:
    """A model that a chat request can be sent to."""
    for snippet in snippets:
        for part in snippet.parts:
            if part.model and part.capability == "chat":
                return part.model
    return next((part.model for one in snippets for part in one.parts if part.model), "")


def free_path(folder: Path, name: str) -> Path:
    """`laidian-alice-mac.key`, with a number when there is one already: a key is never written over another."""
    stem = "laidian-" + (re.sub(r"[^\w.-]+", "-", name).strip("-.") or "key")
    number = 1
    while True:
        path = folder / (f"{stem}.key" if number == 1 else f"{stem}-{number}.key")
        if not path.exists():
            return path
        number += 1


def write_private(path: Path, text: str) -> None:
    """Readable by its owner alone from the first byte on. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
