"""OpenAI Responses, forwarded byte for byte.

Touches the model's name and nothing else: usage is always in the last event. The one event that is ever written here is the
`response.failed` that ends a stream whose upstream broke off, because Codex overlooks a bare `error` (protocol.md 0.6, 4.3).
The rule a newcomer would break: the last event is held back for `end`, so that the client sees it only after the settlement.
"""

from __future__ import annotations

from typing import Any

import msgspec

from laidian.domain.estimate import likely_tokens
from laidian.errors import BadRequest, LaidianError
from laidian.protocol.dialect import Answer, Peek, StreamFault
from laidian.protocol.document import Fields, said
from laidian.protocol.event_stream import EventTap
from laidian.protocol.events import data_of
from laidian.protocol.openai_family import error_message
from laidian.protocol.openai_fields import checked_model, positive
from laidian.protocol.openai_responses_object import event, failed_from_the_start, fault_of
from laidian.protocol.openai_responses_usage import read_responses_usage

MAX_KEPT_BYTES = 1024 * 1024
"""Of the answer so far, for `response.failed`; larger items (pictures) are left out of it, the client has them already."""

UPSTREAM_CODES = frozenset(
    {
        "",
        "server_error",
        "rate_limit_exceeded",
        "insufficient_quota",
        "credit_balance_exhausted",
        "project_spend_limit_exceeded",
        "organization_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "server_is_overloaded",
        "slow_down",
        "vector_store_timeout",
        "invalid_api_key",
        "upstream_error",
        "internal_error",
    }
)
"""Codes of a failed response that speak of the provider or of the operator's account, not of the request.

They must not reach the client as its own: `insufficient_quota` would tell it that its quota has ended (protocol.md 5.4).
"""

_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})

_SPOKEN = frozenset(
    {
        "response.output_text.delta",
        "response.refusal.delta",
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.delta",
        "response.reasoning_text.delta",
        "response.reasoning_summary_text.delta",
        "response.mcp_call_arguments.delta",
        "response.code_interpreter_call_code.delta",
    }
)
"""Events whose `delta` is text that the model made."""


class _Event(msgspec.Struct):
    type: str
    sequence_number: int | None = None
    output_index: int | None = None
    delta: str | None = None
    item: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()


class _Typed(msgspec.Struct):
    type: str


class _ErrorEvent(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None
    error: msgspec.Raw = msgspec.Raw()


class _Error(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None


class _Content(msgspec.Struct):
    text: str | None = None
    refusal: str | None = None


class _Item(msgspec.Struct):
    content: list[_Content] | None = None
    summary: list[_Content] | None = None
    arguments: Any = None
    input: Any = None


class _Identified(msgspec.Struct):
    id: str | None = None
    status: str | None = None


class _Response(msgspec.Struct):
    object: str | None = None
    status: str | None = None
    service_tier: str | None = None
    usage: msgspec.Raw = msgspec.Raw()
    tool_usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    output: list[msgspec.Raw] | None = None


_decode_event = msgspec.json.Decoder(_Event).decode
_decode_type = msgspec.json.Decoder(_Typed).decode
_decode_error_event = msgspec.json.Decoder(_ErrorEvent).decode
_decode_error = msgspec.json.Decoder(_Error).decode
_decode_item = msgspec.json.Decoder(_Item).decode
_decode_identified = msgspec.json.Decoder(_Identified).decode
_decode_response = msgspec.json.Decoder(_Response).decode


class OpenAIResponses:
    """The `Dialect` of /v1/responses."""

    def peek(self, body: bytes, path: str) -> Peek:
        """Raises BadRequest naming the field when a field that the relay must read has the wrong type."""
        fields = Fields(body)
        limit = positive(fields, "max_output_tokens")
        model = _model(fields)
        fields.check_unique()
        return Peek(
            fields=fields,
            model=model,
            stream=bool(fields.get("stream", bool)),
            output_limit=limit,
            choices=1,
            wants_usage=True,  # it is in the last event of every stream
            service_tier=fields.get("service_tier", str) or "default",
        )

    def path(self, peek: Peek, model: str) -> str:
        return "/responses"

    def splice(self, peek: Peek, model: str) -> bytes:
        """Its own model name."""
        if peek.model == model:
            return peek.fields.body
        return peek.fields.replaced({"model": msgspec.json.encode(model)})

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """Raises StreamFault when the body is no response, or a failed one for which the provider is at fault."""
        return read_response(body)

    def tap(self, peek: Peek) -> ResponsesTap:
        return ResponsesTap()

    def failed_from_the_start(self, peek: Peek, error: LaidianError, request_id: str, now_s: int) -> bytes:
        """What ends a stream of which the client has seen nothing but comments."""
        return failed_from_the_start(peek, error, request_id, now_s)


def read_response(body: bytes) -> Answer:
    """A whole response, however it ended. Raises StreamFault when it is none, or a failed one for which the provider is at fault."""
    try:
        response = _decode_response(body)
    except (msgspec.DecodeError, RecursionError):
        raise StreamFault("the upstream's answer is not a response object") from None
    error = said(response.error)
    if response.output is None:
        raise StreamFault(
            (error and error_message(error)) or "the upstream's answer is a response without output"
        )
    if error is not None and (code := error_code(error)) in UPSTREAM_CODES:
        raise StreamFault(error_message(error) or "the upstream failed to make a response", code)
    usage = read_responses_usage(said(response.usage), said(response.tool_usage))
    tokens = 0 if usage else sum(likely_tokens(_item_text(bytes(one)).encode()) for one in response.output)
    return Answer(usage, response.service_tier or "default", tokens, body)


def state_of(body: bytes) -> tuple[str, str]:
    """(id, status) of a response object; empty where it is none."""
    try:
        found = _decode_identified(body)
    except (msgspec.DecodeError, RecursionError):
        return "", ""
    return found.id or "", found.status or ""


class ResponsesTap(EventTap):
    """Watches a stream of response events. See `Tap`; `failure` is what the relay sends instead of the family's error event."""

    begun_usage = None

    __slots__ = (
        "_characters",
        "_created",
        "_goodbye",
        "_kept",
        "_kept_bytes",
        "_next",
        "ended",
        "finished",
        "made_id",
        "service_tier",
    )

    def __init__(self) -> None:
        super().__init__()
        self._characters = 0
        self._created = b""
        """The response object as it was last said before the end."""
        self._goodbye = b""
        self._kept: dict[int, _Open] = {}
        self._kept_bytes = 0
        self._next = 0
        """The sequence number after the last one seen."""
        self.ended = False
        self.finished = False
        self.made_id = ""
        self.service_tier = "default"

    def end(self) -> bytes:
        self._see_rest()
        if self.finished:
            return self._goodbye
        raise StreamFault("the upstream ended the stream before the response was finished")

    def failure(self, error: LaidianError) -> bytes | None:
        """The event that ends the stream for the client: same response, next number, output so far, no usage.

        None when the client has not seen a response begin, so that there is none to fail.
        """
        if not self._created:
            return None
        items = (one.incomplete() for _, one in sorted(self._kept.items()))
        changes = {
            "status": b'"failed"',
            "error": msgspec.json.encode(fault_of(error)),
            "incomplete_details": b"null",
            "output": b"[" + b",".join(items) + b"]",
            "usage": b"null",
        }
        try:
            response = Fields(self._created).replaced(changes)
        except BadRequest:  # an upstream that says a field twice
            return None
        return event("response.failed", self._next, b',"response":' + response)

    def _see(self, event: bytes) -> bytes:
        data = data_of(event)
        if self.ended:
            return b""
        if data is None:
            return event
        if data.strip() == b"[DONE]":
            return b""  # some compatible servers say goodbye as chat does; no client of this API waits for it
        try:
            said_ = _decode_event(data)
        except msgspec.ValidationError:
            return self._see_unknown(event, data)
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault("the upstream sent something that is not JSON into the stream") from None
        if said_.type in _TERMINAL:
            return self._see_last(event, said_)
        if said_.type == "error":
            raise fault_of_event(data)
        if said_.sequence_number is not None:
            self._next = said_.sequence_number + 1
        else:
            self._next += 1
        if said_.type in _SPOKEN:
            self._hear(said_)
        elif said_.type == "response.output_item.added" or said_.type == "response.output_item.done":
            self._keep(said_)
        elif said_.type in ("response.created", "response.in_progress", "response.queued"):
            self._created = said(said_.response) or self._created
            self.made_id = self.made_id or state_of(self._created)[0]
        return event

    def _see_unknown(self, one: bytes, data: bytes) -> bytes:
        """An event of a kind whose fields are of other types than those known here: it passes."""
        try:
            kind = _decode_type(data).type
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault(
                "the upstream sent something that is not a response event into the stream"
            ) from None
        if kind in _TERMINAL or kind == "error":
            raise fault_of_event(data)
        self._next += 1
        return one

    def _see_last(self, one: bytes, last: _Event) -> bytes:
        raw = said(last.response)
        try:
            response = _decode_response(raw or b"")
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault("the upstream ended the stream with something that is not a response") from None
        self.usage = read_responses_usage(said(response.usage), said(response.tool_usage)) or self.usage
        self.service_tier = response.service_tier or self.service_tier
        error = said(response.error)
        if (
            last.type == "response.failed"
            and (code := "" if error is None else error_code(error)) in UPSTREAM_CODES
        ):
            words = "" if error is None else error_message(error)
            raise StreamFault(words or "the upstream failed in the middle of the response", code)
        self.ended = self.finished = True
        self._goodbye = one
        return b""

    def _hear(self, spoken: _Event) -> None:
        text = spoken.delta
        if not text:
            return
        # by characters here, since it runs per event: ASCII 4.2 a token, others 0.75 (domain.estimate)
        self._characters += len(text) * 10 if text.isascii() else likely_tokens(text.encode()) * 42
        self.output_tokens = -(-self._characters // 42)
        index = spoken.output_index or 0
        kept = self._kept.get(index)
        if kept is None:
            return
        kept.hear(spoken.type, text)
        self._kept_bytes += len(text)
        if self._kept_bytes > MAX_KEPT_BYTES:
            del self._kept[index]

    def _keep(self, at: _Event) -> None:
        raw, index = said(at.item), at.output_index
        if raw is None or index is None or self._kept_bytes + len(raw) > MAX_KEPT_BYTES:
            self._kept.pop(index or 0, None)
            return
        self._kept_bytes += len(raw)
        self._kept[index] = _Open(raw, done=at.type == "response.output_item.done")


class _Open:
    """An output item as far as it has come."""

    __slots__ = ("_done", "_item", "_texts")

    def __init__(self, item: bytes, *, done: bool) -> None:
        self._item = item
        self._done = done
        self._texts: dict[str, list[str]] = {}

    def hear(self, kind: str, text: str) -> None:
        self._texts.setdefault(kind, []).append(text)

    def incomplete(self) -> bytes:
        """The item as JSON: as it was finished, or with what came of it."""
        if self._done:
            return self._item
        changes: dict[str, bytes] = {"status": b'"incomplete"'}
        content: list[dict[str, object]] = []
        for kind, pieces in self._texts.items():
            text = "".join(pieces)
            match kind:
                case "response.output_text.delta":
                    content.append({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
                case "response.refusal.delta":
                    content.append({"type": "refusal", "refusal": text})
                case "response.reasoning_text.delta":
                    content.append({"type": "reasoning_text", "text": text})
                case "response.reasoning_summary_text.delta":
                    changes["summary"] = msgspec.json.encode([{"type": "summary_text", "text": text}])
                case "response.function_call_arguments.delta" | "response.mcp_call_arguments.delta":
                    changes["arguments"] = msgspec.json.encode(text)
                case "response.custom_tool_call_input.delta":
                    changes["input"] = msgspec.json.encode(text)
                case _:
                    pass
        if content:
            changes["content"] = msgspec.json.encode(content)
        try:
            return Fields(self._item).replaced(changes)
        except BadRequest:  # an upstream's item with a field twice: as it came
            return self._item


def _model(fields: Fields) -> str:
    model = fields.get("model", str)
    if not model:
        stored = fields.raw.get("prompt")
        if model is None and stored is not None and said(stored) is not None:
            return ""  # the stored prompt names its own (openai-python 3.54.0: `model` is not required)
    return checked_model(model)


def error_code(raw: bytes) -> str:
    try:
        return str(_decode_error(raw).code or "")
    except (msgspec.DecodeError, RecursionError):
        return ""


def fault_of_event(data: bytes) -> StreamFault:
    """An `error` event in either spelling: flat as the API has it, or nested as everywhere else."""
    message = code = ""
    try:
        found = _decode_error_event(data)
        nested = said(found.error)
        message, code = found.message or "", str(found.code or "")
        if nested is not None:
            message, code = error_message(nested) or message, error_code(nested) or code
    except (msgspec.DecodeError, RecursionError):
        pass
    return StreamFault(message or "the upstream reported an error in the stream", code or "upstream_error")


def _item_text(raw: bytes) -> str:
    """What the model wrote in one output item, for an estimate."""
    try:
        item = _decode_item(raw)
    except (msgspec.DecodeError, RecursionError):
        return ""
    text = "".join(
        (one.text or "") + (one.refusal or "") for one in (*(item.content or ()), *(item.summary or ()))
    )
    for more in (item.arguments, item.input):
        if isinstance(more, str):
            text += more
    return text
