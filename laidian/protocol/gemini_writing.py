"""Events, written as a Gemini client's answer: events of a stream, one JSON array, or one object.

The rules a newcomer would break: a function call goes out only when it is complete, since Gemini's clients know no pieces of one; and the
last chunk always has a finishReason, or gemini-cli asks again (protocol.md 4.6).
"""

from __future__ import annotations

import msgspec

from laidian.errors import LaidianError
from laidian.protocol.canonical import (
    AudioMade,
    Cited,
    Event,
    Finished,
    ImageMade,
    Reason,
    RefusalDelta,
    Request,
    Started,
    TextDelta,
    ThoughtDelta,
    ToolDelta,
    ToolFinished,
    ToolStarted,
    Used,
)
from laidian.protocol.dialect import Peek
from laidian.protocol.gemini_family import GeminiFamily
from laidian.protocol.gemini_logprobs import LogprobsResult, add_logprobs
from laidian.protocol.gemini_tap import ArrayFrame, EventFrame
from laidian.protocol.gemini_turns import MAKER
from laidian.protocol.gemini_usage import UsageMetadata, write_usage
from laidian.protocol.gemini_wire import Blob, Content, FunctionCall, Part

_REASONS: dict[Reason, str] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
}
MALFORMED = "MALFORMED_FUNCTION_CALL"


class _Web(msgspec.Struct):
    uri: str
    title: str


class _Source(msgspec.Struct):
    web: _Web


class _Grounding(msgspec.Struct, rename="camel"):
    grounding_chunks: list[_Source]


class _Candidate(msgspec.Struct, rename="camel", omit_defaults=True):
    content: Content
    finish_reason: str | None = None
    finish_message: str | None = None
    grounding_metadata: _Grounding | None = None
    logprobs_result: LogprobsResult | None = None
    index: int | None = None


class _Response(msgspec.Struct, rename="camel", omit_defaults=True):
    candidates: list[_Candidate]
    usage_metadata: UsageMetadata | None = None
    model_version: str | None = None
    response_id: str | None = None


class _Call:
    __slots__ = ("call_id", "finished", "name", "pieces", "signature")

    def __init__(self, started: ToolStarted) -> None:
        self.call_id, self.name, self.signature = started.id, started.name, started.signature
        self.pieces: list[str] = []
        self.finished = False


_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Writing:
    """What is known of one answer so far, and its parts that are ready to go out."""

    def __init__(self, peek: Peek, request: Request) -> None:
        self._model = peek.model
        self._thoughts = request.include_thoughts
        self._id = ""
        self._calls: dict[int, _Call] = {}
        self._parts: list[Part] = []
        self._sources: list[_Source] = []
        self._reason: Reason = "stop"
        self._malformed = ""
        self._used: Used | None = None
        self._logprobs: LogprobsResult | None = None

    def see(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Started():
                    self._id = event.id
                case TextDelta():
                    self._text(event.text)
                    if event.logprobs:
                        self._logprobs = add_logprobs(self._logprobs, event.logprobs)
                case RefusalDelta(text):
                    self._text(text)
                case ThoughtDelta():
                    self._thought(event)
                case ToolStarted():
                    self._calls[event.index] = _Call(event)
                case ToolDelta(index, arguments):
                    if index in self._calls:
                        self._calls[index].pieces.append(arguments)
                case ToolFinished(index):
                    self._finish(index)
                case ImageMade(data, mime) | AudioMade(data, mime):
                    self._parts.append(Part(inline_data=Blob(mime, data)))
                case Cited(url, title):
                    self._sources.append(_Source(_Web(url, title)))
                case Finished(reason):
                    self._reason = reason
                case Used():
                    self._used = event

    def chunk(self) -> bytes:
        """What has become ready since the last one; empty for nothing."""
        if not self._parts:
            return b""
        return self._written(_Candidate(Content(self._taken(), "model"), index=0), None)

    def last(self) -> bytes:
        """The rest, with the finishReason, the sources and the usage."""
        for index in sorted(self._calls):
            self._call(self._calls[index])
        self._calls.clear()
        reason, message = _REASONS[self._reason], None
        if self._malformed and self._reason != "length":
            reason, message = MALFORMED, f"The arguments of {self._malformed} are no JSON object."
        candidate = _Candidate(
            content=Content(self._taken() or [Part(text="")], "model"),
            finish_reason=reason,
            finish_message=message,
            grounding_metadata=_Grounding(self._sources) if self._sources else None,
            index=0,
        )
        used = self._used
        return self._written(candidate, None if used is None else write_usage(used.usage, used.service_tier))

    def _written(self, candidate: _Candidate, usage: UsageMetadata | None) -> bytes:
        candidate.logprobs_result, self._logprobs = self._logprobs, None
        return msgspec.json.encode(_Response([candidate], usage, self._model, self._id or None))

    def _taken(self) -> list[Part]:
        parts, self._parts = self._parts, []
        return parts

    def _text(self, text: str) -> None:
        last = self._parts[-1] if self._parts else None
        if last is not None and last.text is not None and not last.thought and not last.thought_signature:
            last.text += text
        elif text:
            self._parts.append(Part(text=text))

    def _thought(self, event: ThoughtDelta) -> None:
        """Thoughts only for a client that wants them; Google's own signatures always, for the next turn."""
        shown = event.text if self._thoughts else ""
        signature = event.signature if event.maker == MAKER else ""
        last = self._parts[-1] if self._parts else None
        if shown:
            if last is not None and last.thought and not last.thought_signature:
                last.text = (last.text or "") + shown
                last.thought_signature = signature or None
            else:
                self._parts.append(Part(text=shown, thought=True, thought_signature=signature or None))
        elif signature:
            if last is not None and last.function_call is None and not last.thought_signature:
                last.thought_signature = signature
            else:
                self._parts.append(Part(text="", thought_signature=signature))

    def _finish(self, index: int) -> None:
        """Calls go out in the order of their start, since the first one carries the turn's signature."""
        if index in self._calls:
            self._calls[index].finished = True
        while self._calls and self._calls[first := min(self._calls)].finished:
            self._call(self._calls.pop(first))

    def _call(self, call: _Call) -> None:
        arguments = "".join(call.pieces).strip() or "{}"
        try:
            _object(arguments)
        except (msgspec.DecodeError, RecursionError):
            self._malformed = call.name or "a call"  # cut off by the output limit, or not what was asked for
            return
        raw = msgspec.Raw(arguments.encode())
        self._parts.append(
            Part(
                function_call=FunctionCall(call.call_id or None, call.name, raw),
                thought_signature=call.signature or None,
            )
        )


class GeminiWriter:
    """See `StreamWriter`."""

    def __init__(self, peek: Peek, request: Request) -> None:
        self._frame = ArrayFrame() if peek.array else EventFrame()
        self._writing = Writing(peek, request)

    def write(self, events: list[Event]) -> bytes:
        self._writing.see(events)
        chunk = self._writing.chunk()
        return self._frame.element(chunk) if chunk else b""

    def end(self) -> bytes:
        return self._frame.element(self._writing.last()) + self._frame.close()

    def failure(self, error: LaidianError) -> bytes:
        """An error as the last element, in the form the client reads, and the end of that form."""
        return self.broken(GeminiFamily().error_body(error))

    def broken(self, error_body: bytes) -> bytes:
        """The end of a stream that failed, from an error answer's body, in the form the client reads."""
        return self._frame.element(error_body) + self._frame.close()


def write_whole(peek: Peek, request: Request, events: list[Event]) -> bytes:
    """A whole answer."""
    writing = Writing(peek, request)
    writing.see(events)
    return writing.last()
