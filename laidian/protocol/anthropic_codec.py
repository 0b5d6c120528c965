"""Anthropic Messages as one side of a translation: the `Codec` that joins what the other files of this dialect read and write."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from laidian.protocol.anthropic_encode import write_request
from laidian.protocol.anthropic_estimate import likely_request_tokens
from laidian.protocol.anthropic_reader import AnthropicReader, read_whole
from laidian.protocol.anthropic_request import read_request
from laidian.protocol.anthropic_stream import AnthropicWriter, Ended, message_id
from laidian.protocol.anthropic_usage import WrittenUsage
from laidian.protocol.anthropic_wire import RedactedBlock, TextBlock, ThinkingBlock, ToolUseBlock
from laidian.protocol.canonical import (
    Encoded,
    Event,
    RefusalDelta,
    Request,
    Started,
    TextDelta,
    ThoughtDelta,
    ToolDelta,
    ToolStarted,
)
from laidian.protocol.dialect import Peek

_Block = TextBlock | ThinkingBlock | RedactedBlock | ToolUseBlock

_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode


class _Message(msgspec.Struct):
    id: str
    model: str
    content: list[_Block]
    stop_reason: str
    stop_sequence: str | None
    usage: WrittenUsage
    role: str = "assistant"
    type: str = "message"


class _Counted(msgspec.Struct):
    input_tokens: int
    estimated: bool = True
    """Not Anthropic's: says that nobody counted."""


class AnthropicCodec:
    """The `Codec` of /v1/messages."""

    def decode_request(self, peek: Peek) -> Request:
        return read_request(peek)

    def encode_request(self, request: Request, model: str) -> Encoded:
        return write_request(request, model)

    def stream_path(self, model: str, *, stream: bool) -> str:
        """One path for both: the body says whether it is a stream."""
        return "/messages"

    def reader(self) -> AnthropicReader:
        return AnthropicReader()

    def writer(self, peek: Peek, request: Request) -> AnthropicWriter:
        return AnthropicWriter(peek.model, request)

    def read_whole(self, body: bytes) -> list[Event]:
        return read_whole(body)

    def write_whole(self, peek: Peek, request: Request, events: list[Event]) -> bytes:
        """Calls whose arguments are no object, because the answer was cut off in them, have an empty one."""
        ended = Ended(request)
        id_ = ""
        blocks: list[_Block] = []
        arguments: dict[int, tuple[ToolUseBlock, list[str]]] = {}
        for event in events:
            ended.see(event)
            match event:
                case Started():
                    id_ = event.id
                case ToolStarted():
                    call = ToolUseBlock(event.id or f"toolu_{id_}_{event.index}", event.name, Raw(b"{}"))
                    arguments[event.index] = (call, [])
                    blocks.append(call)
                case ToolDelta(index, text) if index in arguments:
                    arguments[index][1].append(text)
                case TextDelta() | RefusalDelta() | ThoughtDelta():
                    _continue(blocks, event, shows_thoughts=request.include_thoughts)
                case _:
                    pass
        for call, pieces in arguments.values():
            call.input = _object("".join(pieces))
        ending = ended.ending
        message = _Message(
            message_id(id_), peek.model, blocks, ending.stop_reason, ending.stop_sequence, ended.written()
        )
        return msgspec.json.encode(message)

    def estimated_count(self, peek: Peek) -> bytes:
        """The answer to count_tokens where the model's upstream has nothing of the kind: an estimate that says that it is one."""
        return msgspec.json.encode(_Counted(likely_request_tokens(read_request(peek))))


def _continue(
    blocks: list[_Block], event: TextDelta | RefusalDelta | ThoughtDelta, *, shows_thoughts: bool
) -> None:
    """Adds text or thinking to the last block, or as a new one."""
    last = blocks[-1] if blocks else None
    if not isinstance(event, ThoughtDelta):
        if isinstance(last, TextBlock):
            last.text += event.text
        elif event.text:
            blocks.append(TextBlock(event.text))
        return
    signature = event.signature if event.maker == "anthropic" else ""
    if not shows_thoughts or not (event.text or signature):
        return
    if event.redacted:
        blocks += [RedactedBlock(signature)] if signature else []
    elif isinstance(last, ThinkingBlock) and not last.signature:
        last.thinking += event.text
        last.signature = signature
    else:
        blocks.append(ThinkingBlock(event.text, signature))


def _object(arguments: str) -> Raw:
    try:
        _decode_object(arguments)
    except (msgspec.DecodeError, RecursionError):
        return Raw(b"{}")
    return Raw(arguments.encode())
