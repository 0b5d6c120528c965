"""The application: asks once a second, shows what came, and says so when nothing does."""

from __future__ import annotations

import asyncio
import os
import time

from textual import events
from textual.app import App

from laidian.admin.client import AdminClient, AdminError
from tui.dashboard import Dashboard, Help
from tui.picture import look
from tui.words import CATALOGUES, Language, Words, language_of

REFRESH_S = 1.0
BLURRED_S = 5.0
"""Between looks while the terminal is not in front: nobody sees it, and a small machine has other work."""
AWAY_S = (1, 2, 3, 5)
"""Pauses after the first, second … look without an answer; the last one repeats."""


def run(client: AdminClient, language: Language | None = None) -> None:
    """Shows the dashboard until the operator quits, then closes the client. The language is the environment's unless given."""
    LaiDianApp(client, CATALOGUES[language or language_of(os.environ)]).run()


class LaiDianApp(App[None]):
    TITLE = "LaiDian"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, client: AdminClient, words: Words, *, refresh_s: float = REFRESH_S) -> None:
        super().__init__()
        self._client = client
        self._words = words
        self._refresh_s = refresh_s
        self._seen_at: float | None = None
        self._blurred = False
        self.bind("q", "quit", description=words.quit)
        self.bind("question_mark", "help", description=words.help, key_display="?")
        self.dashboard = Dashboard(words, client.address)

    async def on_mount(self) -> None:
        await self.push_screen(self.dashboard)
        self.run_worker(self._watch(), exclusive=True)

    async def on_unmount(self) -> None:
        await self._client.aclose()

    def on_app_blur(self, _: events.AppBlur) -> None:
        self._blurred = True

    def on_app_focus(self, _: events.AppFocus) -> None:
        self._blurred = False

    def action_help(self) -> None:
        self.push_screen(Help(self._words))

    async def _watch(self) -> None:
        """Never ends by itself: whatever the server does, the next look may find it well."""
        missed = 0
        while True:
            try:
                picture = await look(self._client)
            except AdminError as error:
                await self._wait(error.message, AWAY_S[min(missed, len(AWAY_S) - 1)])
                missed += 1
                continue
            missed = 0
            self._seen_at = time.monotonic()
            self.dashboard.draw(picture)
            await asyncio.sleep(max(self._refresh_s, BLURRED_S) if self._blurred else self._refresh_s)

    async def _wait(self, reason: str, seconds: int) -> None:
        """Counts down in the banner."""
        for left in range(seconds, 0, -1):
            seen = None if self._seen_at is None else int(time.monotonic() - self._seen_at)
            self.dashboard.draw_away(reason, again_in_s=left, seen_s_ago=seen)
            await asyncio.sleep(self._refresh_s)
