"""What all taps and readers of server-sent events have in common: how bytes become events, and when a fault is told.

Whatever was good before a fault goes on to the client, also when both came in the same bytes. Half an event at the end of a stream is
no fault: what counts is whether the answer was finished before it.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod

from laidian.domain.usage import Usage
from laidian.errors import LaidianError
from laidian.protocol.canonical import Event, Started
from laidian.protocol.dialect import StreamFault
from laidian.protocol.events import EventCutter, data_of

EVENT_BYTES = 96 * 1024 * 1024
"""An unfinished event longer than this is a fault. One event can hold a whole picture: those of 4K are some 25 MB in base64."""


class EventTap(ABC):
    """Base of the taps (`dialect.Tap`) of event streams; a dialect's says what one event means (`_see`) and what the end is."""

    __slots__ = ("_cutter", "fault", "output_tokens", "usage")

    ended: bool

    def __init__(self) -> None:
        self._cutter = EventCutter()
        self.fault: StreamFault | None = None
        self.output_tokens = 0
        self.usage: Usage | None = None

    def feed(self, data: bytes) -> bytes:
        seen: list[bytes] = []
        try:
            for event in self._cutter.feed(data):
                seen.append(self._see(event))
            _bound(self._cutter)
        except StreamFault as fault:
            self.fault = fault
        return seen[0] if len(seen) == 1 else b"".join(seen)

    def failure(self, error: LaidianError) -> bytes | None:
        """See `Tap`."""
        return None

    @abstractmethod
    def _see(self, event: bytes) -> bytes:
        """One event, as it came: what it says is kept, what the client gets of it is returned. Raises StreamFault."""

    def _see_rest(self) -> bytes:
        """The last event, when its closing blank line never came."""
        rest = self._cutter.rest + b"\n\n"
        if self.ended or data_of(rest) is None:
            return b""
        try:
            return self._see(rest)
        except StreamFault:
            return b""


class EventReader(ABC):
    """Base of the readers (`codec.StreamReader`) of event streams; a dialect's says what one event means (`_read`) and when the
    answer is finished."""

    def __init__(self) -> None:
        self._cutter = EventCutter()
        self._fault: StreamFault | None = None
        """Met after good events in the same data: they are given first, it is raised by the next call."""
        self.ended = False

    def feed(self, data: bytes) -> list[Event]:
        """Raises StreamFault for an error event and for what is no stream of this dialect; where more than the beginning of an
        answer came before it in the same data, that is given first and the fault raised by the next call."""
        if self._fault is not None:
            raise self._fault
        events: list[Event] = []
        try:
            for event in self._cutter.feed(data):
                self._read(event, events)
            _bound(self._cutter)
        except StreamFault as fault:
            self.ended = True
            if all(isinstance(event, Started) for event in events):
                raise  # nothing is lost, and another upstream may still be tried
            self._fault = fault
        return events

    def end(self) -> list[Event]:
        """Raises StreamFault when the answer was not finished."""
        if self._fault is not None:
            raise self._fault
        events: list[Event] = []
        rest = self._cutter.rest
        if rest.strip() and not self.ended:
            with contextlib.suppress(StreamFault):
                self._read(rest + b"\n\n", events)
        if not self._finished():
            raise StreamFault("the upstream ended the stream before the answer was finished")
        return events

    @abstractmethod
    def _read(self, event: bytes, events: list[Event]) -> None:
        """One event, as it came; adds what it says to `events`. Raises StreamFault, what it added before remains."""

    @abstractmethod
    def _finished(self) -> bool:
        """Whether the answer came to its own end."""


def _bound(cutter: EventCutter) -> None:
    if cutter.waiting > EVENT_BYTES:
        raise StreamFault(
            f"the upstream sent an event longer than {EVENT_BYTES // 2**20} MB, which no answer has"
        )
