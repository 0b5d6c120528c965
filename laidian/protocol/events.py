"""Server-sent events, cut at their boundaries without touching their bytes.

Splits on line feeds and carriage returns only: U+2028 is a legal character of a JSON string (protocol.md 4.1). Any of the
three line ends, a byte order mark, comments and events cut anywhere are accepted, as the WHATWG specification has them.
"""

from __future__ import annotations


class EventCutter:
    """Takes bytes as they come and gives whole events, each with its closing blank line, exactly as sent."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The events completed by `data`, in order."""
        if self._rest:
            data = self._rest + data
        if b"\r" in data:
            return self._feed_any(data)
        last = data.rfind(b"\n\n")
        if last < 0:
            self._rest = data
            return []
        self._rest = data[last + 2 :]
        head = data[: last + 2]
        if head.find(b"\n\n") == last:
            return [head]
        events = [event + b"\n\n" for event in head.split(b"\n\n")]
        events.pop()
        return events

    @property
    def rest(self) -> bytes:
        """What has not been completed by a blank line."""
        return self._rest

    def _feed_any(self, data: bytes) -> list[bytes]:
        """Streams with carriage returns: rare, so clear rather than quick."""
        events: list[bytes] = []
        start = line = position = 0
        size = len(data)
        while position < size:
            byte = data[position]
            if byte not in (0x0A, 0x0D):
                ends = [end for end in (data.find(b"\n", position), data.find(b"\r", position)) if end >= 0]
                if not ends:
                    break
                position = min(ends)
                continue
            if byte == 0x0D and position + 1 == size:
                break  # may be the first half of CRLF
            after = position + (2 if data[position : position + 2] == b"\r\n" else 1)
            if position == line:  # an empty line closes the event
                events.append(data[start:after])
                start = after
            line = position = after
        self._rest = data[start:]
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
