"""Who listens to this worker's events, and the one task that looks for them while anybody does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from laidian.admin.schema import Gap, Heard
from laidian.admin.service.news import Listener, Look
from laidian.errors import LaidianError
from laidian.store.changes import Marks

_log = logging.getLogger(__name__)

LookAt = Callable[[Marks | None, bool], Awaitable[Look]]
"""What is new since some marks; whether the counters are wanted, too."""

LOOK_S = 0.4
STATS_S = 1.0
MOST_WAITING = 1_000
"""Events that a listener may be behind."""


class Inbox:
    """What one listener has not read yet."""

    def __init__(self, last_event_id: str) -> None:
        self.listener = Listener(last_event_id)
        self._waiting: list[Heard] = []
        self.arrived = asyncio.Event()

    def take(self) -> list[Heard]:
        found, self._waiting = self._waiting, []
        self.arrived.clear()
        return found

    def put(self, found: Look) -> None:
        events = self.listener.hear(found)
        if len(self._waiting) + len(events) > MOST_WAITING:
            last = events[-1:] or self._waiting[-1:]
            self._waiting = [
                Heard(id=last[0].id, event=Gap(reason="this reader was too slow; read the listings again"))
            ]
        else:
            self._waiting += events
        if self._waiting:
            self.arrived.set()


class Feed:
    """The one task of a worker that looks for what is new, while anybody listens."""

    def __init__(self) -> None:
        self.listeners: set[Inbox] = set()
        self._task: asyncio.Task[None] | None = None

    def join(self, inbox: Inbox, look: LookAt, stopping: Callable[[], bool]) -> None:
        """Begins to look, if nobody else listens."""
        self.listeners.add(inbox)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._look(look, stopping))

    def leave(self, inbox: Inbox) -> None:
        self.listeners.discard(inbox)

    async def _look(self, look: LookAt, stopping: Callable[[], bool]) -> None:
        """Ends when nobody listens any more."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while self.listeners and not stopping():
            with_stats = loop.time() >= due_s
            if with_stats:
                due_s = loop.time() + STATS_S
            for inbox in list(self.listeners):
                try:
                    inbox.put(await look(inbox.listener.seen, with_stats))
                except LaidianError as error:
                    _log.warning("the stream of events could not look: %s", error.message)
            await asyncio.sleep(LOOK_S)
        for inbox in self.listeners:
            inbox.arrived.set()
