"""Server-sent events, cut at their boundaries without touching their bytes.

Splits on line feeds and carriage returns only: U+2028 is a legal character of a JSON string (protocol.md 4.1). Any of the
three line ends, a byte order mark, comments and events cut anywhere are accepted, as the WHATWG specification has them.
"""

from __future__ import annotations

import re

SHORT_BYTES = 4096
"""An unfinished event of at most so many bytes is simply put before what comes next."""

_CR = 0x0D
_LINE_END = re.compile(rb"\r\n?|\n")
_END = re.compile(rb"(?:\r\n|\n|\r(?=[^\n])){2}")
"""Two line ends; a carriage return at the very end may be half of one."""


class EventCutter:
    """Takes bytes as they come and gives whole events, each with its closing blank line, exactly as sent.

    A long event that comes in small pieces is gathered in one buffer and looked at only where a piece joins it: a picture of 20 MB on
    one line costs its length, not its length times its pieces.
    """

    __slots__ = ("_long", "_rest", "_tail")

    def __init__(self) -> None:
        self._rest = b""
        """What is not complete, while it is short."""
        self._long = bytearray()
        """The same, once it is long."""
        self._tail = b""
        """The last bytes of `_long`: as many as the longest end of an event lacks one of."""

    def feed(self, data: bytes) -> list[bytes]:
        """The events completed by `data`, in order."""
        if self._rest:
            data = self._rest + data
        elif self._long:
            if not self._closes(data):
                self._long += data
                self._tail = (self._tail + data)[-3:]
                return []
            self._long += data
            data = bytes(self._long)
            self._long = bytearray()
        if b"\r" in data:
            return self._feed_any(data)
        last = data.rfind(b"\n\n")
        if last < 0:
            self._keep(data)
            return []
        end = last + 2
        if end == len(data):  # a whole event, as they mostly come
            self._rest = b""
        else:
            self._keep(data[end:])
        head = data[:end]
        if head.find(b"\n\n") == last:
            return [head]
        events = [event + b"\n\n" for event in head.split(b"\n\n")]
        events.pop()
        return events

    @property
    def rest(self) -> bytes:
        """What has not been completed by a blank line. Copied when it is long: to know how long, ask `waiting`."""
        return self._rest or bytes(self._long)

    @property
    def waiting(self) -> int:
        """Bytes of `rest`."""
        return len(self._rest) or len(self._long)

    def _keep(self, rest: bytes) -> None:
        if len(rest) <= SHORT_BYTES:
            self._rest = rest
            return
        self._rest = b""
        self._long += rest
        self._tail = rest[-3:]

    def _closes(self, data: bytes) -> bool:
        """Whether an event can end in `data`, which follows what is kept."""
        seam = self._tail + data
        if b"\r" in seam:
            return _END.search(seam) is not None
        return b"\n\n" in seam

    def _feed_any(self, data: bytes) -> list[bytes]:
        """Streams with carriage returns: rare, so clear rather than quick."""
        events: list[bytes] = []
        start = line = 0
        size = len(data)
        for found in _LINE_END.finditer(data):
            position, after = found.span()
            if after == size and data[position] == _CR and after - position == 1:
                break  # may be the first half of CRLF
            if position == line:  # an empty line closes the event
                events.append(data[start:after])
                start = after
            line = after
        self._keep(data[start:])
        return events


def data_of(event: bytes) -> bytes | None:
    """The joined `data:` lines of one event, None when it has none (a comment, a lone `event:`)."""
    if (
        event.startswith(b"data: ")
        and event.endswith(b"\n\n")
        and event.find(b"\n") == len(event) - 2
        and b"\r" not in event
    ):
        return event[6:-2]
    found: list[bytes] = []
    for line in (
        event.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    ):
        if line.startswith(b"data:"):
            found.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line == b"data":
            found.append(b"")
    return b"\n".join(found) if found else None
