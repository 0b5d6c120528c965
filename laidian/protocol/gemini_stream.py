"""A Gemini upstream's answer, whole or as a stream, read into events.

Each chunk is a whole GenerateContentResponse: texts are pieces, function calls come complete, usage is cumulative. The rules a newcomer
would break: a stream without any finishReason is broken however cleanly it ends (protocol.md 4.6), and a finishReason of `STOP` beside a
function call means that the call is to be answered.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b

import msgspec

from laidian.protocol.canonical import (
    AudioMade,
    Cited,
    Event,
    Finished,
    ImageMade,
    Reason,
    Started,
    TextDelta,
    ThoughtDelta,
    ToolDelta,
    ToolFinished,
    ToolStarted,
    Used,
)
from laidian.protocol.dialect import StreamFault
from laidian.protocol.document import said
from laidian.protocol.event_stream import EventReader
from laidian.protocol.events import data_of
from laidian.protocol.gemini_family import error_message
from laidian.protocol.gemini_logprobs import read_logprobs
from laidian.protocol.gemini_turns import MAKER
from laidian.protocol.gemini_usage import read_tier, read_usage
from laidian.protocol.gemini_wire import Blob, Content, FunctionCall, Part, standard_base64

_REASONS: dict[str, Reason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "LANGUAGE": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "NO_IMAGE": "content_filter",
    "ESCALATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
}
"""protocol.md 6.3; every other one (OTHER, MALFORMED_FUNCTION_CALL …) is `stop` after content and a fault without."""

_UNSPECIFIED = "FINISH_REASON_UNSPECIFIED"


class _Web(msgspec.Struct):
    uri: str | None = None
    title: str | None = None


class _Source(msgspec.Struct):
    web: _Web | None = None


class _Grounding(msgspec.Struct, rename="camel"):
    web_search_queries: list[str] | None = None
    grounding_chunks: list[_Source] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    index: int = 0
    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    grounding_metadata: msgspec.Raw = msgspec.Raw()
    logprobs_result: msgspec.Raw = msgspec.Raw()


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class _Response(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: msgspec.Raw = msgspec.Raw()
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None
    error: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Response).decode
_decode_grounding = msgspec.json.Decoder(_Grounding).decode


class Reading:
    """What is known of one answer so far."""

    def __init__(self) -> None:
        self.finish: Reason | None = None
        self._id = ""
        self._calls = 0
        self._content = False
        self._queries: set[str] = set()
        self._cited: set[str] = set()
        self._usage_raw = b""
        self._used: Used | None = None

    def read(self, data: bytes) -> list[Event]:
        """The events of one chunk, or of a whole answer. Raises StreamFault for an error and for what is no answer."""
        try:
            response = _decode(data)
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault("the upstream sent something that is not an answer of Gemini's") from None
        error = said(response.error)
        if error is not None:
            raise StreamFault(error_message(error) or "the upstream reported an error in its answer")
        events: list[Event] = []
        if not self._id:
            self._id = response.response_id or blake2b(data, digest_size=12).hexdigest()
            events.append(Started(self._id, response.model_version or "", _seconds(response.create_time)))
        # only the first candidate: several are never asked for
        candidate = next((one for one in response.candidates or () if one.index == 0), None)
        if candidate is not None:
            events += self._candidate(candidate)
        events += self._usage(said(response.usage_metadata))
        blocked = response.prompt_feedback is not None and response.prompt_feedback.block_reason
        reason = candidate.finish_reason if candidate is not None else None
        if blocked and candidate is None:
            events += self._finished("content_filter")
        elif reason and reason != _UNSPECIFIED:
            events += self._finished(self._reason(reason, candidate.finish_message if candidate else None))
        return events

    def _candidate(self, candidate: _Candidate) -> list[Event]:
        events: list[Event] = []
        for part in candidate.content.listed() if candidate.content is not None else ():
            events += self._part(part)
        self._content = self._content or bool(events)
        scored = said(candidate.logprobs_result)
        if scored is not None:
            _score(events, read_logprobs(scored))
        grounding = said(candidate.grounding_metadata)
        return events + self._sources(grounding) if grounding is not None else events

    def _part(self, part: Part) -> list[Event]:
        signature = part.thought_signature or ""
        if part.function_call is not None:
            return self._call(part.function_call, signature)
        if part.thought:
            return [ThoughtDelta(part.text or "", signature, MAKER)] if part.text or signature else []
        events: list[Event] = [TextDelta(part.text)] if part.text else []
        if part.inline_data is not None:
            events += _media(part.inline_data)
        if signature:
            events.append(ThoughtDelta(signature=signature, maker=MAKER))
        return events

    def _call(self, call: FunctionCall, signature: str) -> list[Event]:
        index = self._calls
        self._calls += 1
        call_id = call.id or "call_" + blake2b(f"{self._id}:{index}".encode(), digest_size=12).hexdigest()
        arguments = (said(call.args) or b"{}").decode()
        return [
            ToolStarted(index, call_id, call.name, signature=signature),
            ToolDelta(index, arguments),
            ToolFinished(index),
        ]

    def _sources(self, raw: bytes) -> list[Event]:
        try:
            grounding = _decode_grounding(raw)
        except (msgspec.DecodeError, RecursionError):
            return []  # what is said of sources decides nothing
        self._queries.update(grounding.web_search_queries or ())
        events: list[Event] = []
        for source in grounding.grounding_chunks or ():
            if source.web is not None and source.web.uri and source.web.uri not in self._cited:
                self._cited.add(source.web.uri)
                events.append(Cited(source.web.uri, source.web.title or ""))
        return events

    def _usage(self, raw: bytes | None) -> list[Event]:
        """Cumulative: the last one counts, and is said again when a later chunk names more searches."""
        self._usage_raw = raw or self._usage_raw
        usage = read_usage(self._usage_raw, len(self._queries)) if self._usage_raw else None
        if usage is None:
            return []
        used = Used(usage, read_tier(self._usage_raw))
        if used == self._used:
            return []
        self._used = used
        return [used]

    def _reason(self, reason: str, message: str | None) -> Reason:
        known = _REASONS.get(reason)
        if known is None and not self._content:
            detail = f": {message[:200]}" if message else ""
            raise StreamFault(f"the model gave no answer ({reason[:64]}{detail})")
        return "tool_calls" if known in (None, "stop") and self._calls else known or "stop"

    def _finished(self, reason: Reason) -> list[Event]:
        if reason == self.finish:
            return []
        self.finish = reason
        return [Finished(reason)]


class GeminiReader(EventReader):
    """See `StreamReader`. No event of Gemini's is the last one."""

    def __init__(self) -> None:
        super().__init__()
        self._reading = Reading()

    def _finished(self) -> bool:
        return self._reading.finish is not None

    def _read(self, event: bytes, events: list[Event]) -> None:
        data = data_of(event)
        if data is not None and data.strip() not in (b"", b"[DONE]"):
            events += self._reading.read(data)


def read_whole(body: bytes) -> list[Event]:
    """Raises StreamFault when the body is no complete answer."""
    reading = Reading()
    events = reading.read(body)
    if reading.finish is None:
        raise StreamFault("the upstream's answer has no finishReason")
    return events


def _score(events: list[Event], logprobs: bytes) -> None:
    """Probabilities are those of the chunk's text, and stand with its last piece."""
    for place in reversed(range(len(events))):
        event = events[place]
        if isinstance(event, TextDelta):
            events[place] = TextDelta(event.text, logprobs)
            return


def _media(blob: Blob) -> list[Event]:
    data = standard_base64(blob.data)
    if not data:
        return []
    if blob.mime_type.startswith("audio/"):
        return [AudioMade(data, blob.mime_type)]
    return [ImageMade(data, blob.mime_type or "image/png")]


def _seconds(created: str | None) -> int:
    """RFC 3339 to epoch seconds; 0 when it is not said."""
    try:
        return int(datetime.fromisoformat(created).timestamp()) if created else 0
    except ValueError:
        return 0
