"""An Anthropic upstream's answer, streamed or whole, read into canonical events.

Text of thinking and its signature come as `ThoughtDelta`s of the maker `anthropic`; tool calls are numbered among themselves. Blocks of server
tools are left out, the sources that text cites are not. Unknown events, blocks and deltas are skipped.
The rule a newcomer would break: usage is told once, with `message_delta`; what `message_start` says is the beginning of it.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from laidian.protocol.anthropic_blocks import MAKER
from laidian.protocol.anthropic_family import error_said
from laidian.protocol.anthropic_usage import UsageReader
from laidian.protocol.canonical import (
    Cited,
    Event,
    Finished,
    Reason,
    RefusalDelta,
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

_REASONS: dict[str, Reason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "pause_turn": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""protocol.md 6.5. A reason that is not here is taken for a plain end."""


class _Citation(msgspec.Struct):
    url: str | None = None
    title: str | None = None


class _Details(msgspec.Struct):
    explanation: str | None = None


class _Piece(msgspec.Struct):
    """A block, or a delta of one, or the delta of the message."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = Raw()
    partial_json: str | None = None
    citation: _Citation | None = None
    citations: list[_Citation] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: _Details | None = None


class _Message(msgspec.Struct):
    id: str = ""
    model: str = ""
    usage: Raw = Raw()


class _Told(msgspec.Struct):
    type: str = ""
    index: int = 0
    message: _Message | None = None
    content_block: _Piece | None = None
    delta: _Piece | None = None
    usage: Raw = Raw()


class _Whole(msgspec.Struct):
    type: str = ""
    id: str = ""
    model: str = ""
    content: list[_Piece] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: _Details | None = None
    usage: Raw = Raw()
    error: Raw = Raw()


class _Kind(msgspec.Struct):
    type: str


_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_told = msgspec.json.Decoder(_Told).decode
_decode_whole = msgspec.json.Decoder(_Whole).decode

_READ = frozenset(
    {"message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta"}
)


class AnthropicReader(EventReader):
    """The `StreamReader` of Messages streams."""

    def __init__(self) -> None:
        super().__init__()
        self._done = False
        self._answer = _Answer()

    def _finished(self) -> bool:
        return self._done

    def _read(self, event: bytes, events: list[Event]) -> None:
        data = data_of(event)
        if data is None or self.ended:
            return
        kind = _kind(data)
        if kind == "message_stop":
            self.ended = self._done = True
        if kind == "error":
            raise StreamFault(error_said(data) or "the upstream reported an error in the stream")
        if kind not in _READ:
            return
        try:
            told = _decode_told(data)
        except (msgspec.DecodeError, RecursionError):
            raise _nonsense() from None
        heard = self._answer.told(told)
        self._done = self._done or any(isinstance(one, Finished) for one in heard)
        events += heard


def read_whole(body: bytes) -> list[Event]:
    """The events of a whole answer. Raises StreamFault when it is none."""
    try:
        whole = _decode_whole(body)
    except (msgspec.DecodeError, RecursionError):
        raise StreamFault("the upstream's answer is not a message") from None
    if whole.type == "error" or said(whole.error) is not None:
        raise StreamFault(error_said(body) or "the upstream answered 200 with an error inside")
    if whole.content is None or whole.stop_reason is None:
        raise StreamFault("the upstream's answer is not a finished message")
    answer = _Answer()
    events: list[Event] = [Started(whole.id, whole.model, 0)]
    for index, block in enumerate(whole.content):
        events += answer.open(index, block)
        events += answer.close(index)
    ending = _Piece(
        stop_reason=whole.stop_reason, stop_sequence=whole.stop_sequence, stop_details=whole.stop_details
    )
    return events + answer.finish(ending, whole.usage)


class _Answer:
    """What must be remembered of one answer while it comes."""

    def __init__(self) -> None:
        self._usage = UsageReader()
        self._tools: dict[int, int] = {}
        """Index of an open tool block to the number of its call."""
        self._silent: set[int] = set()
        """Calls that have no arguments yet."""
        self._calls = 0

    def told(self, told: _Told) -> list[Event]:
        match told.type:
            case "message_start" if told.message is not None:
                self._usage.see(told.message.usage)
                return [Started(told.message.id, told.message.model, 0)]  # Anthropic tells no time
            case "content_block_start" if told.content_block is not None:
                return self.open(told.index, told.content_block)
            case "content_block_delta" if told.delta is not None:
                return self._delta(told.index, told.delta)
            case "content_block_stop":
                return self.close(told.index)
            case "message_delta":
                return self.finish(told.delta or _Piece(), told.usage)
            case _:
                return []

    def open(self, index: int, block: _Piece) -> list[Event]:
        match block.type:
            case "text":
                return [*_text(block.text), *_cited(block.citations or [])]
            case "thinking":
                if not (block.thinking or block.signature):
                    return []
                return [ThoughtDelta(block.thinking or "", block.signature or "", MAKER)]
            case "redacted_thinking":
                return [ThoughtDelta("", block.data or "", MAKER, redacted=True)]
            case "tool_use":
                return self._call(index, block)
            case _:
                return []

    def _call(self, index: int, block: _Piece) -> list[Event]:
        number = self._tools[index] = self._calls
        self._calls += 1
        events: list[Event] = [ToolStarted(number, block.id or "", block.name or "")]
        arguments = said(block.input)
        if arguments is None or not arguments.strip(b"{} \t\r\n"):
            self._silent.add(number)  # in a stream they come in pieces
        else:
            events.append(ToolDelta(number, arguments.decode()))
        return events

    def _delta(self, index: int, delta: _Piece) -> list[Event]:
        match delta.type:
            case "text_delta":
                return _text(delta.text)
            case "thinking_delta":
                return [ThoughtDelta(delta.thinking, "", MAKER)] if delta.thinking else []
            case "signature_delta":
                return [ThoughtDelta("", delta.signature, MAKER)] if delta.signature else []
            case "input_json_delta" if delta.partial_json and index in self._tools:
                number = self._tools[index]
                self._silent.discard(number)
                return [ToolDelta(number, delta.partial_json)]
            case "citations_delta" if delta.citation is not None:
                return _cited([delta.citation])
            case _:
                return []

    def close(self, index: int) -> list[Event]:
        number = self._tools.pop(index, None)
        if number is None:
            return []
        if number in self._silent:
            self._silent.discard(number)
            return [ToolDelta(number, "{}"), ToolFinished(number)]
        return [ToolFinished(number)]

    def finish(self, ending: _Piece, usage: Raw) -> list[Event]:
        self._usage.see(usage)
        events: list[Event] = []
        reason = ending.stop_reason
        if reason is not None:
            for index in sorted(self._tools):
                events += self.close(index)
            if reason == "refusal" and ending.stop_details and ending.stop_details.explanation:
                events.append(RefusalDelta(ending.stop_details.explanation))
            events.append(Finished(_REASONS.get(reason, "stop"), ending.stop_sequence or ""))
        known = self._usage.usage()
        if known is not None and said(usage) is not None:
            events.append(Used(known, self._usage.service_tier))
        return events


def _text(text: str | None) -> list[Event]:
    return [TextDelta(text)] if text else []


def _cited(citations: list[_Citation]) -> list[Event]:
    return [Cited(citation.url, citation.title or "") for citation in citations if citation.url]


def _kind(data: bytes) -> str:
    try:
        return _decode_kind(data).type
    except (msgspec.DecodeError, RecursionError):
        raise _nonsense() from None


def _nonsense() -> StreamFault:
    return StreamFault("the upstream sent something that is not a message event into the stream")
