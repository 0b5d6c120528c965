"""Watches a native Gemini answer stream go by, and frames it as the client asked: events, or one JSON array.

The upstream is always asked for events. Each event is forwarded as it came once it is whole; in the array form its JSON is, with
Google's own separators around it. Comments and `[DONE]`, which some compatible servers send and Google's SDKs break on, are swallowed.
"""

from __future__ import annotations

import msgspec

from laidian.domain.estimate import likely_tokens
from laidian.errors import LaidianError
from laidian.protocol.dialect import StreamFault
from laidian.protocol.document import said
from laidian.protocol.event_stream import EventTap
from laidian.protocol.events import data_of
from laidian.protocol.gemini_family import GeminiFamily, error_message
from laidian.protocol.gemini_usage import read_tier, read_usage


class _Call(msgspec.Struct):
    name: str | None = None
    args: msgspec.Raw = msgspec.Raw()


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    function_call: _Call | None = None


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Grounding(msgspec.Struct, rename="camel"):
    web_search_queries: list[str] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    index: int = 0
    content: _Content | None = None
    finish_reason: str | None = None
    grounding_metadata: _Grounding | None = None
    continuation_token: str | None = None
    """With finishReason CONTINUATION, or as a checkpoint before it: the client goes on with it by itself (google-genai 3.4.0)."""


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class Chunk(msgspec.Struct, rename="camel"):
    """What the relay looks at in a GenerateContentResponse; pictures and the rest are stepped over."""

    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()

    def text(self) -> str:
        """Everything that the model wrote, for an estimate."""
        found: list[str] = []
        for candidate in self.candidates or ():
            for part in (candidate.content.parts if candidate.content else None) or ():
                if part.text:
                    found.append(part.text)
                if part.function_call is not None:
                    found.append((part.function_call.name or "") + bytes(part.function_call.args).decode())
        return "".join(found)

    def queries(self) -> set[str]:
        """What the model searched the web for."""
        found: set[str] = set()
        for candidate in self.candidates or ():
            if candidate.grounding_metadata is not None:
                found.update(candidate.grounding_metadata.web_search_queries or ())
        return found

    def continuation(self) -> str:
        """The last token to go on with; empty without one."""
        tokens = [one.continuation_token for one in self.candidates or () if one.continuation_token]
        return tokens[-1] if tokens else ""

    def blocked(self) -> bool:
        return self.prompt_feedback is not None and bool(self.prompt_feedback.block_reason)


decode_chunk = msgspec.json.Decoder(Chunk).decode


class ArrayFrame:
    """The form of a stream without `alt=sse`: one JSON array whose elements are flushed as they come (protocol.md 2.2)."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = False

    def element(self, data: bytes) -> bytes:
        before = b",\r\n" if self._begun else b"["
        self._begun = True
        return before + data

    def close(self) -> bytes:
        return b"]" if self._begun else b"[]"


class EventFrame:
    """The form with `alt=sse`, with Google's line ends."""

    __slots__ = ()

    def element(self, data: bytes) -> bytes:
        return b"data: " + data + b"\r\n\r\n"

    def close(self) -> bytes:
        return b""


class GeminiTap(EventTap):
    """See `Tap`."""

    begun_usage = None

    __slots__ = (
        "_array", "_finished", "_queries", "_seen", "_usage_raw", "made_id", "service_tier",
    )  # fmt: skip

    ended = False
    """No event is the last one: usage may follow a finishReason, and the end of the body is the end."""

    def __init__(self, *, array: bool) -> None:
        super().__init__()
        self._array = ArrayFrame() if array else None
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._queries: set[str] = set()
        self._usage_raw = b""
        self.service_tier = "default"
        self.made_id = ""
        """The token that another request can go on with."""

    @property
    def finished(self) -> bool:
        """Every candidate that was begun has a finishReason, or the prompt was blocked."""
        return bool(self._finished) and self._seen <= self._finished

    def end(self) -> bytes:
        """The closing bracket of an array. Raises StreamFault when no finishReason has come."""
        last = self._see_rest()
        if not self.finished:
            raise StreamFault("the upstream ended the stream before the answer was finished")
        return last + (self._array.close() if self._array else b"")

    def failure(self, error: LaidianError) -> bytes:
        """An error as the last element, in the form the client reads, and the end of that form."""
        return self.broken(GeminiFamily().error_body(error))

    def broken(self, error_body: bytes) -> bytes:
        """The end of a stream that failed, from an error answer's body, in the form the client reads."""
        if self._array is None:
            return EventFrame().element(error_body)
        return self._array.element(error_body) + self._array.close()

    def _see(self, event: bytes) -> bytes:
        data = data_of(event)
        if data is None:
            return b"" if event.strip() else self._blank(event)
        if data.strip() == b"[DONE]":
            return b""
        try:
            chunk = decode_chunk(data)
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault(
                "the upstream sent something that is not a Gemini chunk into the stream"
            ) from None
        error = said(chunk.error)
        if error is not None:
            raise StreamFault(error_message(error) or "the upstream reported an error in the stream")
        self._learn(chunk)
        return event if self._array is None else self._array.element(data)

    def _blank(self, event: bytes) -> bytes:
        return event if self._array is None else b"\n"

    def _learn(self, chunk: Chunk) -> None:
        for candidate in chunk.candidates or ():
            self._seen.add(candidate.index)
            if candidate.finish_reason:
                self._finished.add(candidate.index)
        self.made_id = chunk.continuation() or self.made_id
        if chunk.blocked():
            self._finished.add(-1)
        self._queries |= chunk.queries()
        self.output_tokens += likely_tokens(chunk.text().encode())
        raw = said(chunk.usage_metadata)
        if raw is not None:
            self._usage_raw = raw
            tier = read_tier(raw)
            self.service_tier = tier if tier != "default" else self.service_tier
        if self._usage_raw:
            self.usage = read_usage(self._usage_raw, len(self._queries)) or self.usage
