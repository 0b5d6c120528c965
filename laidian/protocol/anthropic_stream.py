"""Canonical events, written as an Anthropic stream for a client.

Blocks are numbered and one at a time is open (protocol.md 6.5): what another protocol sends for a second call while the first is still open
waits until that one is finished. The number of input tokens in `message_start` is an estimate, which `message_delta` puts right.
The rule a newcomer would break: every event carries an `event:` line, or the SDK does not see it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from laidian.domain.estimate import likely_tokens
from laidian.domain.usage import Usage
from laidian.errors import LaidianError
from laidian.protocol.anthropic_blocks import MAKER
from laidian.protocol.anthropic_estimate import likely_request_tokens
from laidian.protocol.anthropic_usage import WrittenUsage, written_usage
from laidian.protocol.canonical import (
    Event,
    Finished,
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

# What stands in the events


class _StartedMessage(msgspec.Struct):
    id: str
    model: str
    usage: WrittenUsage
    content: tuple[()] = ()
    stop_reason: None = None
    stop_sequence: None = None
    role: str = "assistant"
    type: str = "message"


class _MessageStart(msgspec.Struct, tag="message_start"):
    message: _StartedMessage


class _TextStart(msgspec.Struct, tag="text"):
    text: str = ""


class _ThinkingStart(msgspec.Struct, tag="thinking"):
    thinking: str = ""
    signature: str = ""


class _Redacted(msgspec.Struct, tag="redacted_thinking"):
    data: str


class _ToolStart(msgspec.Struct, tag="tool_use"):
    id: str
    name: str
    input: dict[str, str] = {}


_Start = _TextStart | _ThinkingStart | _Redacted | _ToolStart


class _BlockStart(msgspec.Struct, tag="content_block_start"):
    index: int
    content_block: _Start


class _TextPiece(msgspec.Struct, tag="text_delta"):
    text: str


class _ThinkingPiece(msgspec.Struct, tag="thinking_delta"):
    thinking: str


class _SignaturePiece(msgspec.Struct, tag="signature_delta"):
    signature: str


class _InputPiece(msgspec.Struct, tag="input_json_delta"):
    partial_json: str


_Piece = _TextPiece | _ThinkingPiece | _SignaturePiece | _InputPiece


class _BlockDelta(msgspec.Struct, tag="content_block_delta"):
    index: int
    delta: _Piece


class _BlockStop(msgspec.Struct, tag="content_block_stop"):
    index: int


class Ending(msgspec.Struct, frozen=True):
    """Why an answer ended, in Anthropic's words."""

    stop_reason: str
    stop_sequence: str | None = None


class _MessageDelta(msgspec.Struct, tag="message_delta"):
    delta: Ending
    usage: WrittenUsage


class _MessageStop(msgspec.Struct, tag="message_stop"):
    pass


class _Block:
    """One block of the answer. Pieces wait in it while an earlier block is open."""

    __slots__ = ("finished", "kind", "pieces", "start")

    def __init__(self, kind: Literal["text", "thinking", "redacted"] | int, start: _Start) -> None:
        self.kind = kind
        """For a tool, the number of its call."""
        self.start = start
        self.pieces: list[_Piece] = []
        self.finished = False


class Ended:
    """How an answer came to its end, gathered from its events for both forms of it."""

    def __init__(self, request: Request) -> None:
        self.usage: Usage | None = None
        self.service_tier = "default"
        self.estimated_input = likely_request_tokens(request)
        self._output_tokens = 0
        self._reason = "stop"
        self._stop_sequence = ""
        self._called = False
        self._refused = False

    def see(self, event: Event) -> None:
        match event:
            case Used(usage, tier):
                self.usage, self.service_tier = usage, tier
            case Finished(reason, stop_sequence):
                self._reason, self._stop_sequence = reason, stop_sequence
            case ToolStarted():
                self._called = True
                self._count(event.name)
            case ToolDelta(_, text) | TextDelta(text) | ThoughtDelta(text):
                self._count(text)
            case RefusalDelta(text):
                self._refused = True
                self._count(text)
            case _:
                pass

    def _count(self, text: str) -> None:
        self._output_tokens += likely_tokens(text.encode("utf-8", "surrogatepass"))

    @property
    def ending(self) -> Ending:
        match self._reason:
            case "length":
                return Ending("max_tokens")
            case "content_filter":
                return Ending("refusal")
            case "tool_calls":
                return Ending("tool_use")
            case _ if self._refused:
                return Ending("refusal")
            case _ if self._called:
                return Ending("tool_use")  # some servers say `stop` after calls too
            case _ if self._stop_sequence:
                return Ending("stop_sequence", self._stop_sequence)
            case _:
                return Ending("end_turn")

    def written(self) -> WrittenUsage:
        """The upstream's usage, or the estimate of it where it told none."""
        usage = self.usage or Usage(input=self.estimated_input, output=self._output_tokens)
        return written_usage(usage, self.service_tier)


class AnthropicWriter:
    """The `StreamWriter` of Messages streams."""

    def __init__(self, model: str, request: Request) -> None:
        self._model = model
        self._shows_thoughts = request.include_thoughts
        self._ended = Ended(request)
        self._id = ""
        self._begun = False
        self._index = 0
        self._announced = False
        """Whether the first of `_blocks` has been opened for the client."""
        self._blocks: list[_Block] = []
        """The open block and those that wait behind it."""
        self._out: list[bytes] = []

    def write(self, events: list[Event]) -> bytes:
        for event in events:
            self._ended.see(event)
            self._take(event)
        self._advance()
        return self._taken()

    def failure(self, error: LaidianError) -> None:
        """The family's error event will do."""

    def end(self) -> bytes:
        self._begin(Started("", self._model, 0))
        for block in self._blocks:
            block.finished = True
        self._advance()
        self._say(_MessageDelta(self._ended.ending, self._ended.written()))
        self._say(_MessageStop())
        return self._taken()

    def _take(self, event: Event) -> None:
        match event:
            case Started():
                self._begin(event)
            case TextDelta(text) | RefusalDelta(text):
                if text:
                    self._of_kind("text", _TextStart()).pieces.append(_TextPiece(text))
            case ThoughtDelta():
                if self._shows_thoughts:
                    self._think(event)
            case ToolStarted():
                self._finish_running()
                id_ = event.id or f"{self._id}_{event.index}".replace("msg_", "toolu_", 1)
                self._blocks.append(_Block(event.index, _ToolStart(id_, event.name)))
            case ToolDelta(index, arguments):
                block = self._tool(index)
                if block is not None and arguments:
                    block.pieces.append(_InputPiece(arguments))
            case ToolFinished(index):
                block = self._tool(index)
                if block is not None:
                    block.finished = True
            case Finished():
                for block in self._blocks:
                    block.finished = True
            case _:
                pass  # pictures, sound and sources have no place in this client's answers

    def _think(self, thought: ThoughtDelta) -> None:
        """Shown, and signed only by Anthropic: the signature of another maker proves nothing to it."""
        if thought.redacted:
            if thought.maker == MAKER:
                self._finish_running()
                self._blocks.append(_Block("redacted", _Redacted(thought.signature)))
            return
        signature = thought.signature if thought.maker == MAKER else ""
        if not (thought.text or signature):
            return
        block = self._of_kind("thinking", _ThinkingStart())
        if thought.text:
            block.pieces.append(_ThinkingPiece(thought.text))
        if signature:
            block.pieces.append(_SignaturePiece(signature))
            block.finished = True

    def _of_kind(self, kind: Literal["text", "thinking"], start: _Start) -> _Block:
        """The last block if it goes on with this kind of content, else a new one."""
        last = self._blocks[-1] if self._blocks else None
        if last is not None and last.kind == kind and not last.finished:
            return last
        self._finish_running()
        block = _Block(kind, start)
        self._blocks.append(block)
        return block

    def _finish_running(self) -> None:
        """Text and thinking end where something else begins; a call ends when it says so."""
        if self._blocks and not isinstance(self._blocks[-1].kind, int):
            self._blocks[-1].finished = True

    def _tool(self, index: int) -> _Block | None:
        """The call that still goes on; what comes for a finished one has no place, whether it is written yet or not."""
        return next((block for block in self._blocks if block.kind == index and not block.finished), None)

    def _advance(self) -> None:
        """Lets the first block go on as far as it has come, and the next ones after it when it is finished."""
        while self._blocks:
            block = self._blocks[0]
            self._begin(Started("", self._model, 0))
            if not self._announced:
                self._announced = True
                self._say(_BlockStart(self._index, block.start))
            for piece in block.pieces:
                self._say(_BlockDelta(self._index, piece))
            block.pieces.clear()
            if not block.finished:
                return
            self._say(_BlockStop(self._index))
            self._index += 1
            self._announced = False
            del self._blocks[0]

    def _begin(self, started: Started) -> None:
        if self._begun:
            return
        self._begun = True
        self._id = message_id(started.id)
        usage = written_usage(Usage(input=self._ended.estimated_input))
        self._say(_MessageStart(_StartedMessage(self._id, self._model, usage)))

    def _say(
        self, event: _MessageStart | _BlockStart | _BlockDelta | _BlockStop | _MessageDelta | _MessageStop
    ) -> None:
        name = str(event.__struct_config__.tag)
        self._out.append(b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(event)))

    def _taken(self) -> bytes:
        out = b"".join(self._out)
        self._out.clear()
        return out


def message_id(id_: str) -> str:
    """The upstream's id of the answer, in Anthropic's form."""
    return id_ if id_.startswith("msg_") else f"msg_{id_ or 'unnamed'}"
