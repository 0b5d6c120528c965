"""Anthropic Messages, forwarded byte for byte: only the model's name changes. Token counting too, which costs nothing.

The rule a newcomer would break: usage is believed only once a `message_delta` has brought it. `message_start` says an output of 1, and an
answer that breaks off there would be billed almost free.
"""

from __future__ import annotations

import msgspec

from laidian.domain.estimate import likely_tokens
from laidian.domain.usage import Usage
from laidian.errors import BadRequest
from laidian.protocol.anthropic_family import error_said
from laidian.protocol.anthropic_usage import UsageReader
from laidian.protocol.dialect import Answer, Peek, StreamFault
from laidian.protocol.document import Fields, said
from laidian.protocol.event_stream import EventTap
from laidian.protocol.events import data_of

MAX_MODEL_CHARS = 200
COUNT_PATH = "/messages/count_tokens"
STOP_EVENT = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class _Piece(msgspec.Struct):
    """A delta of a block, or what stands in a block from its start."""

    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    name: str | None = None
    stop_reason: str | None = None
    input: msgspec.Raw = msgspec.Raw()


class _Message(msgspec.Struct):
    type: str = ""
    content: list[_Piece] | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


class _Event(msgspec.Struct):
    type: str = ""
    message: _Message | None = None
    content_block: _Piece | None = None
    delta: _Piece | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


class _Kind(msgspec.Struct):
    type: str


class _Count(msgspec.Struct):
    input_tokens: int


_KNOWN_EVENTS = frozenset(
    {"message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop", "error"}
)


_decode_event = msgspec.json.Decoder(_Event).decode
_decode_message = msgspec.json.Decoder(_Message).decode
_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_count = msgspec.json.Decoder(_Count).decode


class Anthropic:
    """The `Dialect` of /v1/messages and /v1/messages/count_tokens."""

    def peek(self, body: bytes, path: str) -> Peek:
        """`path` may carry the query. Raises BadRequest naming the field when one that the relay must read is wrong or missing."""
        fields = Fields(body)
        path, _, query = path.partition("?")
        limit = fields.get("max_tokens", int)
        if is_count(path):
            limit = 0
        elif limit is None:
            raise BadRequest(
                "The request sets no output limit. Anthropic's protocol requires `max_tokens`.",
                param="max_tokens",
                code="missing_field",
            )
        elif limit < 0:
            raise BadRequest(
                f"`max_tokens` must be at least 0; got {limit}.", param="max_tokens", code="invalid_value"
            )
        stream = bool(fields.get("stream", bool)) and not is_count(path)
        fields.spans()  # refuses a field that stands twice, whichever it is
        return Peek(
            fields=fields,
            model=_model(fields),
            stream=stream,
            output_limit=limit,
            choices=1,
            wants_usage=stream,
            service_tier=_service_tier(fields),
            path=path,
            query="beta=true" if "beta=true" in query.split("&") else "",
        )

    def path(self, peek: Peek, model: str) -> str:
        """Of the client's query only `beta=true` goes on, which turns on Anthropic's beta fields."""
        path = COUNT_PATH if is_count(peek.path) else "/messages"
        return f"{path}?{peek.query}" if peek.query else path

    def splice(self, peek: Peek, model: str) -> bytes:
        if peek.model == model:
            return peek.fields.body
        return peek.fields.replaced({"model": msgspec.json.encode(model)})

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """Raises StreamFault when the body is neither a message nor, where that was asked for, a count."""
        try:
            message = _decode_message(body)
            if message.type == "error" or said(message.error) is not None:
                raise StreamFault(error_said(body) or "the upstream answered 200 with an error inside")
            if is_count(peek.path):
                _decode_count(body)
                return Answer(Usage(), "default", 0, body)
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault("the upstream's answer is not a message") from None
        if message.content is None:
            raise StreamFault("the upstream's answer has no content")
        reader = UsageReader()
        reader.see(message.usage)
        usage = reader.usage()
        tokens = 0 if usage else likely_tokens("".join(_text(piece) for piece in message.content).encode())
        return Answer(usage, reader.service_tier, tokens, body)

    def tap(self, peek: Peek) -> MessageTap:
        return MessageTap()


class MessageTap(EventTap):
    """Watches a message stream. See `Tap`; every byte goes on as it came."""

    made_id = ""

    __slots__ = (
        "_characters",
        "_goodbye",
        "_reader",
        "ended",
        "finished",
    )

    def __init__(self) -> None:
        super().__init__()
        self._reader = UsageReader()
        self._goodbye = STOP_EVENT
        self._characters = 0
        self.finished = False
        self.ended = False

    @property
    def service_tier(self) -> str:
        return self._reader.service_tier

    @property
    def begun_usage(self) -> Usage | None:
        """What the upstream said of the input at the start, with the likely output: better than an estimate of both, but one still."""
        known = self._reader.usage()
        if known is None:
            return None
        return msgspec.structs.replace(known, output=max(known.output, self.output_tokens))

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
        told = _read_event(data)
        match told.type:
            case "content_block_delta" | "content_block_start":
                self._count(told.delta or told.content_block)
            case "message_start":
                if told.message is not None:
                    self._reader.see(told.message.usage)
            case "message_delta":
                self._finish(told)
            case "message_stop":
                self.ended = self.finished = True
                self._goodbye = event
                return b""
            case "error":
                raise StreamFault(error_said(data) or "the upstream reported an error in the stream")
            case _:
                if said(told.error) is not None:
                    raise StreamFault(error_said(data) or "the upstream reported an error in the stream")
        return event

    def _finish(self, told: _Event) -> None:
        if told.delta is not None and told.delta.stop_reason is not None:
            self.finished = True
        if said(told.usage) is not None:
            self._reader.see(told.usage)
            self.usage = self._reader.usage()

    def _count(self, piece: _Piece | None) -> None:
        text = "" if piece is None else _text(piece)
        if text:
            # by characters here, since it runs per event: ASCII 4.2 a token, others 0.75 (domain.estimate)
            self._characters += len(text) * 10 if text.isascii() else likely_tokens(text.encode()) * 42
            self.output_tokens = -(-self._characters // 42)


def _read_event(data: bytes) -> _Event:
    """One event. Raises StreamFault for what is none; a kind that is not known yet may look as it likes."""
    try:
        return _decode_event(data)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        kind = _decode_kind(data).type
    except (msgspec.DecodeError, RecursionError):
        kind = "error"
    if kind in _KNOWN_EVENTS:
        raise StreamFault("the upstream sent something that is not a message event into the stream")
    return _Event(kind)


def is_count(path: str) -> bool:
    """Whether a client's path asks for a count of tokens and not for an answer."""
    return path.rstrip("/").endswith("/count_tokens")


def _text(piece: _Piece) -> str:
    text = piece.text or piece.thinking or piece.partial_json or ""
    if piece.name:
        arguments = said(piece.input)
        text += piece.name + ("" if arguments in (None, b"{}") else arguments.decode())
    return text


def _model(fields: Fields) -> str:
    model = fields.get("model", str)
    if not model:
        raise BadRequest(
            "The request names no model. Set `model`; GET /v1/models lists yours.",
            param="model",
            code="missing_model",
        )
    if len(model) > MAX_MODEL_CHARS or not model.isprintable():
        raise BadRequest(
            f"`model` must be at most {MAX_MODEL_CHARS} printable characters.",
            param="model",
            code="invalid_value",
        )
    return model


def _service_tier(fields: Fields) -> str:
    """By which rates the answer may be priced: `speed` fast has its own; `standard_only` forbids the priority tier."""
    if fields.get("speed", str) == "fast":
        return "fast"
    tier = fields.get("service_tier", str)
    return "default" if tier in (None, "standard_only") else tier
