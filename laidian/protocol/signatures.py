"""What a Gemini model signed its calls with, for clients that have no place to keep it.

From generation 3 on a call in the history has to bring its thought signature back. Clients of Gemini's protocol keep it by themselves,
those of Responses and many of chat do too (`extra_content`); Anthropic's have nowhere to put it. What such a client leaves out is filled
in from here, as long as it is remembered: in memory, a bounded number of bytes, a guess that saves the model its thoughts and never a
promise. The rule a newcomer would break: a signature goes back to the credential that it came from, and only for the key that got it.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from laidian.protocol.canonical import Event, Message, Request, ToolCall, ToolStarted

MOST_BYTES = 8 * 1024 * 1024
"""A signature has some hundred bytes to a few thousand; this is a few thousand calls per worker."""

Place = tuple[int, int, int]
"""Key, upstream and credential."""


class Signatures:
    """Of one worker."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[tuple[Place, str], str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def note(self, place: Place, events: list[Event]) -> None:
        """Keeps the signatures of the calls among the events; the oldest make room."""
        for event in events:
            if isinstance(event, ToolStarted) and event.signature and event.id:
                self._keep((place, event.id), event.signature)

    def recalled(self, place: Place, request: Request) -> Request:
        """The request with the signatures that its calls lack and that are known."""
        if not self._kept:
            return request
        messages = tuple(self._message(place, message) for message in request.messages)
        return msgspec.structs.replace(request, messages=messages)

    def _message(self, place: Place, message: Message) -> Message:
        if message.role != "assistant" or not any(isinstance(part, ToolCall) for part in message.parts):
            return message
        parts = tuple(
            msgspec.structs.replace(part, signature=self._kept.get((place, part.id), ""))
            if isinstance(part, ToolCall) and not part.signature
            else part
            for part in message.parts
        )
        return msgspec.structs.replace(message, parts=parts)

    def _keep(self, at: tuple[Place, str], signature: str) -> None:
        self._bytes += len(signature) - len(self._kept.pop(at, ""))
        self._kept[at] = signature
        while self._bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest)
