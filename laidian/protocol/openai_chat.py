"""OpenAI Chat Completions, forwarded byte for byte.

Touches three things: the model's name, the switch that makes a stream report its usage, and the chunk that the switch
causes, which a client that did not ask for it never sees. Everything else passes as it came.
"""

from __future__ import annotations

from typing import Any

import msgspec

from laidian.domain.estimate import likely_tokens
from laidian.protocol.dialect import Answer, Peek, StreamFault
from laidian.protocol.document import Fields, said
from laidian.protocol.event_stream import EventTap
from laidian.protocol.events import data_of
from laidian.protocol.openai_family import error_message
from laidian.protocol.openai_fields import choices, named_model, positive
from laidian.protocol.openai_usage import read_usage

DONE = b"[DONE]"
DONE_EVENT = b"data: [DONE]\n\n"


class _Function(msgspec.Struct):
    arguments: str | None = None
    name: str | None = None


class _ToolCall(msgspec.Struct):
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    text: str | None = None
    """Of a choice of the legacy completions, whose stream is this one in all else."""
    message: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    service_tier: str | None = None
    id: str | None = None


_decode_chunk = msgspec.json.Decoder(_Chunk).decode


class OpenAIChat:
    """The `Dialect` of /v1/chat/completions."""

    def peek(self, body: bytes, path: str) -> Peek:
        """Raises BadRequest naming the field when a field that the relay must read has the wrong type."""
        fields = Fields(body)
        model = named_model(fields)
        number = choices(fields)
        limit = _limit(fields)
        stream = bool(fields.get("stream", bool))
        fields.check_unique()
        return Peek(
            fields=fields,
            model=model,
            stream=stream,
            output_limit=None if limit is None else limit * number,
            choices=number,
            wants_usage=stream and wants_usage(fields),
            service_tier=fields.get("service_tier", str) or "default",
        )

    def path(self, peek: Peek, model: str) -> str:
        return "/chat/completions"

    def splice(self, peek: Peek, model: str) -> bytes:
        """Its own model name, and in a stream usage switched on."""
        fields = peek.fields
        changes: dict[str, bytes] = {}
        if peek.model != model:
            changes["model"] = msgspec.json.encode(model)
        if peek.stream and not peek.wants_usage:
            raw = fields.raw.get("stream_options")
            changes["stream_options"] = with_usage(None if raw is None else said(raw))
        return fields.replaced(changes) if changes else fields.body

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """Raises StreamFault when the body is not a chat completion."""
        try:
            answer = _decode_chunk(body)
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault("the upstream's answer is not a chat completion") from None
        error = said(answer.error)
        if error is not None:
            raise StreamFault(error_message(error) or "the upstream answered 200 with an error inside")
        if answer.choices is None:
            raise StreamFault("the upstream's answer has no choices")
        reported = said(answer.usage)
        usage = None if reported is None else read_usage(reported)
        tokens = 0 if usage else likely_tokens("".join(_text(one.message) for one in answer.choices).encode())
        return Answer(usage, answer.service_tier or "default", tokens, body)

    def tap(self, peek: Peek) -> ChatTap:
        """Hides the usage that only we asked for."""
        return ChatTap(hide_usage=not peek.wants_usage)


class ChatTap(EventTap):
    """Watches a chat stream. See `Tap`."""

    begun_usage = None

    __slots__ = (
        "_characters",
        "_goodbye",
        "_hide",
        "ended",
        "finished",
        "made_id",
        "service_tier",
    )

    def __init__(self, *, hide_usage: bool) -> None:
        super().__init__()
        self._hide = hide_usage
        self._goodbye = DONE_EVENT  # many compatible servers forget it, and clients wait for it
        self.ended = False
        self._characters = 0
        self.service_tier = "default"
        self.finished = False
        self.made_id = ""

    def end(self) -> bytes:
        last = self._see_rest()
        if self.finished:
            return last + self._goodbye
        raise StreamFault("the upstream ended the stream before the answer was finished")

    def _see(self, event: bytes) -> bytes:
        data = data_of(event)
        if data is None:
            return event
        if self.ended:
            return b""
        if data.strip() == DONE:
            self.ended = self.finished = True
            self._goodbye = event
            return b""
        try:
            chunk = _decode_chunk(data)
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault(
                "the upstream sent something that is not a chat chunk into the stream"
            ) from None
        error = said(chunk.error)
        if error is not None:
            raise StreamFault(error_message(error) or "the upstream reported an error in the stream")
        if chunk.service_tier:
            self.service_tier = chunk.service_tier
        if not self.made_id and chunk.id:
            self.made_id = chunk.id
        for choice in chunk.choices or ():
            if choice.finish_reason is not None:
                self.finished = True
            if choice.delta is not None:
                self._count(_text(choice.delta))
            elif choice.text:
                self._count(choice.text)
        reported = said(chunk.usage)
        if reported is None:
            return event.replace(b',"usage":null', b"") if self._hide else event
        self.usage = read_usage(reported) or self.usage
        return b"" if self._hide and not chunk.choices else event

    def _count(self, text: str) -> None:
        if text:
            # by characters here, since it runs per chunk: ASCII 4.2 a token, others 0.75 (domain.estimate)
            self._characters += len(text) * 10 if text.isascii() else likely_tokens(text.encode()) * 42
            self.output_tokens = -(-self._characters // 42)


def _text(delta: _Delta | None) -> str:
    if delta is None:
        return ""
    text = delta.content or delta.refusal or ""
    if delta.reasoning_content or delta.reasoning:
        text += delta.reasoning_content or delta.reasoning or ""
    for call in delta.tool_calls or ():
        if call.function is not None:
            text += (call.function.name or "") + (call.function.arguments or "")
    return text


def _limit(fields: Fields) -> int | None:
    newer = positive(fields, "max_completion_tokens")
    return newer if newer is not None else positive(fields, "max_tokens")


def wants_usage(fields: Fields) -> bool:
    """Whether a stream request asks for usage itself."""
    options = fields.get("stream_options", dict[str, Any])
    return bool(options) and options.get("include_usage") is True


def with_usage(options: bytes | None) -> bytes:
    """The client's stream options with usage switched on; its other options stay."""
    if options is None:
        return b'{"include_usage":true}'
    return Fields(options).replaced({"include_usage": b"true"})
