"""What a dialect has to offer to be translated, and how a pair of them becomes one forwarding.

A codec is the translating half of a dialect. Four exist (OpenAI chat, OpenAI Responses, Gemini, Anthropic), so four files translate
every pair. Pictures by OpenAI's Images API are only asked for: no upstream is chosen to answer another dialect by it. A registry of codecs is handed in by the composition root; nothing here imports one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from laidian.domain.estimate import likely_tokens
from laidian.domain.usage import Usage
from laidian.errors import LaidianError
from laidian.protocol.canonical import (
    Encoded,
    Event,
    Finished,
    ImageMade,
    RefusalDelta,
    Request,
    Started,
    TextDelta,
    ThoughtDelta,
    ToolDelta,
    ToolStarted,
    Used,
)
from laidian.protocol.dialect import Answer, Peek, StreamFault

LIKELY_PICTURE_TOKENS = 1_120
"""Of a picture of 1K or 2K by Gemini's models, the only ones that are translated to and draw (Google's price list, seen 2026-11)."""

Noted = Callable[[list[Event]], None]


class StreamReader(Protocol):
    """Reads an upstream's stream. Keeps no text beyond the event in progress."""

    ended: bool
    """Whether the dialect's last event has come."""

    def feed(self, data: bytes) -> list[Event]:
        """Events completed by `data`. Raises StreamFault for an error event and for what is no stream of this dialect; where good
        events came with it, they are given first and the fault is raised at the next call."""
        ...

    def end(self) -> list[Event]:
        """At the upstream's end of body. Raises StreamFault when the answer was not finished."""
        ...


class StreamWriter(Protocol):
    """Writes a client's stream, whole events only; tolerates any order of events that the canonical rules allow."""

    def write(self, events: list[Event]) -> bytes:
        """What the client gets at once; may be empty."""
        ...

    def failure(self, error: LaidianError) -> bytes | None:
        """As `Tap.failure`."""
        ...

    def end(self) -> bytes:
        """The closing events: finish, usage where the client asked for it, terminator. After the last `write`."""
        ...


class Asking(Protocol):
    """What a dialect offers whose clients are served by upstreams of other dialects."""

    def decode_request(self, peek: Peek) -> Request:
        """Raises BadRequest naming the client's field that cannot be carried to any other dialect."""
        ...

    def writer(self, peek: Peek, request: Request) -> StreamWriter:
        """`peek.model` is the name that the client knows; it goes into the answer."""
        ...

    def write_whole(self, peek: Peek, request: Request, events: list[Event]) -> bytes:
        """Raises LaidianError for an answer that is none in this dialect, although it was made and is charged."""
        ...


class Codec(Asking, Protocol):
    """Both directions between one dialect and the canonical form."""

    def encode_request(self, request: Request, model: str) -> Encoded:
        """Raises BadRequest, with `request.name_of(field)`, for what this dialect cannot say."""
        ...

    def stream_path(self, model: str, *, stream: bool) -> str:
        """Path and query below the upstream's base URL."""
        ...

    def reader(self) -> StreamReader: ...

    def read_whole(self, body: bytes) -> list[Event]:
        """Raises StreamFault when the body is no complete answer of this dialect."""
        ...


class TranslatingTap:
    """A `Tap` that reads one dialect and writes another."""

    made_id = ""

    def __init__(
        self,
        reader: StreamReader,
        writer: StreamWriter,
        now_s: int,
        likely_input: Callable[[], int],
        noted: Noted | None = None,
    ) -> None:
        self._likely_input = likely_input
        self._noted = noted
        self._reader = reader
        self._writer = writer
        self._now_s = now_s
        self._count = Count()
        self.fault: StreamFault | None = None

    @property
    def usage(self) -> Usage | None:
        return self._count.usage

    @property
    def begun_usage(self) -> Usage | None:
        return self._count.guessed(self._likely_input)

    @property
    def service_tier(self) -> str:
        return self._count.service_tier

    @property
    def output_tokens(self) -> int:
        return self._count.output_tokens

    @property
    def finished(self) -> bool:
        return self._count.finished

    @property
    def ended(self) -> bool:
        return self._reader.ended

    def feed(self, data: bytes) -> bytes:
        try:
            events = self._reader.feed(data)
        except StreamFault as fault:
            self.fault = fault
            return b""
        self._see(events)
        return self._writer.write(_dated(events, self._now_s))

    def failure(self, error: LaidianError) -> bytes | None:
        return self._writer.failure(error)

    def end(self) -> bytes:
        events = self._reader.end()
        self._see(events)
        return self._writer.write(_dated(events, self._now_s)) + self._writer.end()

    def _see(self, events: list[Event]) -> None:
        self._count.see(events)
        if self._noted is not None:
            self._noted(events)


class Count:
    """What the relay must know of an answer's events."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.service_tier = "default"
        self.finished = False
        self.output_tokens = 0
        self._pictures = 0

    def guessed(self, likely_input: Callable[[], int]) -> Usage | None:
        """For an answer with pictures whose upstream says nothing of usage: they are sold apart from text, and dearer."""
        if self.usage is not None or not self._pictures:
            return None
        pictures = self._pictures * LIKELY_PICTURE_TOKENS
        return Usage(input=likely_input(), output=self.output_tokens, image_output=pictures)

    def see(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case TextDelta(text) | RefusalDelta(text) | ThoughtDelta(text):
                    self.output_tokens += likely_tokens(text.encode())
                case ToolDelta(_, arguments):
                    self.output_tokens += likely_tokens(arguments.encode())
                case ToolStarted():
                    self.output_tokens += likely_tokens(event.name.encode())
                case ImageMade():
                    self._pictures += 1
                case Used(usage, service_tier):
                    self.usage, self.service_tier = usage, service_tier
                case Finished():
                    self.finished = True
                case _:
                    pass


class Translation(msgspec.Struct, frozen=True):
    """One request on its way through two codecs."""

    client: Asking
    upstream: Codec
    peek: Peek
    request: Request
    encoded: Encoded
    now_s: int
    """For answers of dialects that tell no time."""
    noted: Noted | None = None
    """Shown every event of the answer, in order."""

    @property
    def dropped(self) -> tuple[str, ...]:
        """For the response header that names what was left out."""
        return tuple(dict.fromkeys((*self.request.dropped, *self.encoded.dropped)))

    def tap(self) -> TranslatingTap:
        writer = self.client.writer(self.peek, self.request)
        likely_input = self.peek.likely_input_tokens
        return TranslatingTap(self.upstream.reader(), writer, self.now_s, likely_input, self.noted)

    def read_answer(self, body: bytes) -> Answer:
        """The answer in the client's dialect, with what it says of itself. Raises StreamFault."""
        events = self.upstream.read_whole(body)
        if self.noted is not None:
            self.noted(events)
        count = Count()
        count.see(events)
        try:
            written = self.client.write_whole(self.peek, self.request, _dated(events, self.now_s))
        except LaidianError as error:
            return Answer(count.usage, count.service_tier, count.output_tokens, b"", error)
        guessed = count.guessed(self.peek.likely_input_tokens)
        return Answer(count.usage, count.service_tier, count.output_tokens, written, begun_usage=guessed)


def translate(
    client: Asking,
    upstream: Codec,
    peek: Peek,
    model: str,
    now_s: int,
    recalled: Callable[[Request], Request] | None = None,
    noted: Noted | None = None,
) -> Translation:
    """Raises BadRequest when the request cannot be carried. `recalled` may add to the request what its client could not keep."""
    request = client.decode_request(peek)
    if recalled is not None:
        request = recalled(request)
    encoded = upstream.encode_request(request, model)
    return Translation(client, upstream, peek, request, encoded, now_s, noted)


def _dated(events: list[Event], now_s: int) -> list[Event]:
    """Anthropic's answers tell no time; a client of another dialect would show 1970."""
    return [
        msgspec.structs.replace(event, created_s=now_s)
        if isinstance(event, Started) and not event.created_s
        else event
        for event in events
    ]
