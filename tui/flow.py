"""What runs and what ended last, kept for every screen that shows it: from the server's events, or from looking again and again.

Both ways come to the same: requests in flight by id, and a ring of the newest that ended. The rule a newcomer would break: what the
stream told is never mixed up with a look that is older; `caught_up` replaces, `ended` adds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laidian.admin.schema import Event, LiveRequest, UsageRecord

KEPT = 500
"""Requests that ended; older ones are in the usage explorer."""


class Flow:
    def __init__(self) -> None:
        self.running: dict[str, LiveRequest] = {}
        self.ended: list[UsageRecord] = []
        """Newest first."""
        self.seen = 0
        """How many ended since this program looks; for counting what came during a pause."""
        self._known: set[str] = set()

    def caught_up(self, running: Iterable[LiveRequest], ended: Iterable[UsageRecord]) -> None:
        """A look: all that run, and the newest that ended, newest first."""
        self.running = {one.request_id: one for one in running}
        self.add(ended)

    def hear(self, event: Event) -> None:
        """One message of the server's stream; those that say nothing of requests change nothing."""
        from laidian.admin.schema import Ended, Progress, Refused, Started

        if isinstance(event, Started | Progress):
            self.start(event.request)
        elif isinstance(event, Ended | Refused):
            self.add((event.record,))

    def start(self, request: LiveRequest) -> None:
        """It began, or it has come further."""
        if request.request_id not in self._known:
            self.running[request.request_id] = request

    def add(self, ended: Iterable[UsageRecord]) -> None:
        """Newest first; those known already are passed over."""
        new = [one for one in ended if one.request_id not in self._known]
        for one in new:
            self.running.pop(one.request_id, None)
        self._known.update(one.request_id for one in new)
        self.seen += len(new)
        self.ended[:0] = new
        for old in self.ended[KEPT:]:
            self._known.discard(old.request_id)
        del self.ended[KEPT:]
