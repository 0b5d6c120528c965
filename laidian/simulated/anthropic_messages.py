"""Anthropic: messages (plain, streamed), token counting and the model list.

Anthropic's `input_tokens` leave out what was read from or written to the cache; the bill's do not.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

import msgspec

from .anthropic_checks import check_version, messages_prompt
from .anthropic_errors import anthropic_error, anthropic_key, speaks_anthropic
from .anthropic_thinking import shows_thinking, thinking_block
from .call import Call, Operation, with_usage
from .generation import generate, parts, prompt_tokens
from .models import Model, find_model, models_of
from .values import Answer, Choice, Event, Json, JsonObject, Refusal, ToolCall, Usage

_STOP_REASONS = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "refusal": "refusal",
}


async def answer_messages(call: Call, match: re.Match[str]) -> None:
    body = call.object()
    call.model = str(body.get("model", ""))
    prompt = messages_prompt(body, _version(call))
    model = _model(prompt.model)
    if (prompt.max_output_tokens or 0) > model.max_output_tokens:
        limit = model.max_output_tokens
        raise Refusal(
            400,
            f"max_tokens: {prompt.max_output_tokens} > {limit}, which is the maximum allowed number of output tokens for {model.id}",
        )
    await generate(call, model, prompt, _Shape(call, body))


async def count_message_tokens(call: Call, match: re.Match[str]) -> None:
    prompt = messages_prompt(call.object(), _version(call), needs_limit=False)
    model = _model(prompt.model)
    await call.begin(model.id)
    await call.answer({"input_tokens": prompt_tokens(prompt)})


async def list_models(call: Call, match: re.Match[str]) -> None:
    check_version(_version(call))
    await call.begin("")
    entries: list[Json] = [_entry(model) for model in models_of("anthropic")]
    ids = [model.id for model in models_of("anthropic")]
    await call.answer({"data": entries, "has_more": False, "first_id": ids[0], "last_id": ids[-1]})


async def show_model(call: Call, match: re.Match[str]) -> None:
    check_version(_version(call))
    model = _model(match["model"])
    await call.begin(model.id)
    await call.answer(_entry(model))


def _version(call: Call) -> str | None:
    return call.exchange.headers.get("anthropic-version")


def _model(name: str) -> Model:
    model = find_model(name, "anthropic")
    if model is None:
        raise Refusal(404, f"model: {name}")
    return model


def _entry(model: Model) -> JsonObject:
    created = datetime.datetime.fromtimestamp(model.created_s, datetime.UTC)
    return {
        "type": "model",
        "id": model.id,
        "display_name": f"{model.id} (simulated)",
        "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
    }


class _Shape:
    array = False

    def __init__(self, call: Call, asked: JsonObject) -> None:
        self._call = call
        self._asked = asked

    def whole(self, answer: Answer) -> Json:
        choice = answer.choices[0]
        thoughts: list[Json] = [thinking_block(self._asked)] if self._thinks(answer) else []
        body = self._message(
            answer, thoughts + _blocks(choice), _STOP_REASONS[choice.finish], choice.stop_sequence
        )
        return with_usage(body, "usage", self._usage(answer.usage))

    def _thinks(self, answer: Answer) -> bool:
        return answer.usage.reasoning_tokens > 0 and shows_thinking(self._asked)

    def _thought(self) -> Iterator[Event]:
        """The block before all others."""
        block = thinking_block(self._asked)
        start: JsonObject = {"type": "thinking", "thinking": "", "signature": ""}
        yield _event("content_block_start", {"index": 0, "content_block": start}, 0)
        if block["thinking"]:
            thought: JsonObject = {"type": "thinking_delta", "thinking": block["thinking"]}
            yield _event("content_block_delta", {"index": 0, "delta": thought}, 0)
        signature: JsonObject = {"type": "signature_delta", "signature": block["signature"]}
        yield _event("content_block_delta", {"index": 0, "delta": signature}, 0)
        yield _event("content_block_stop", {"index": 0}, 0)

    def events(self, answer: Answer, chunk_tokens: int) -> Iterator[Event]:
        yield self._start(answer)
        yield _event("ping", {}, 0)
        choice = answer.choices[0]
        opened = first = -1
        if self._thinks(answer):
            opened = first = 0
            yield from self._thought()
        if not choice.tool_calls:
            opened += 1
            yield _event(
                "content_block_start", {"index": opened, "content_block": {"type": "text", "text": ""}}, 0
            )
        tokens = answer.usage.reasoning_tokens
        for part in parts(answer, chunk_tokens):
            if part.kind in ("call", "finish") and opened > first:
                yield _event("content_block_stop", {"index": opened}, tokens)
            tokens = part.output_tokens
            if part.kind == "call":
                opened += 1
                block = _call_block(choice.tool_calls[part.call], {})
                yield _event("content_block_start", {"index": opened, "content_block": block}, tokens)
            if part.kind in ("text", "arguments"):
                delta = _delta(part.text, arguments=part.kind == "arguments")
                yield _event("content_block_delta", {"index": opened, "delta": delta}, tokens, content=True)
        yield from self._end(answer, choice)

    def error_event(self, refusal: Refusal) -> Event:
        return Event(anthropic_error(refusal, self._call.request_id), "error")

    def _start(self, answer: Answer) -> Event:
        message = self._message(answer, [], None, None)
        usage = self._usage(msgspec.structs.replace(answer.usage, output_tokens=1, reasoning_tokens=0))
        if usage is not None:
            message["usage"] = usage
        return _event("message_start", {"message": message}, 0)

    def _end(self, answer: Answer, choice: Choice) -> Iterator[Event]:
        usage = self._usage(answer.usage)
        reason = _STOP_REASONS[choice.finish]
        data: JsonObject = {"delta": {"stop_reason": reason, "stop_sequence": choice.stop_sequence}}
        if usage is not None:
            data["usage"] = usage
        for _ in range(2 if self._call.fault == "usage-twice" else 1):
            yield _event("message_delta", data, answer.usage.output_tokens)
        yield _event("message_stop", {}, answer.usage.output_tokens, terminal=True)

    def _message(
        self, answer: Answer, content: list[Json], stop_reason: str | None, stop_sequence: str | None
    ) -> JsonObject:
        return {
            "id": f"msg_{answer.id}",
            "type": "message",
            "role": "assistant",
            "model": answer.model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": stop_sequence,
        }

    def _usage(self, usage: Usage) -> JsonObject | None:
        fresh = usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens
        report: JsonObject = {
            "input_tokens": fresh,
            "cache_creation_input_tokens": usage.cache_write_tokens,
            "cache_read_input_tokens": usage.cached_input_tokens,
            "cache_creation": {
                "ephemeral_5m_input_tokens": usage.cache_write_tokens,
                "ephemeral_1h_input_tokens": 0,
            },
            "output_tokens": usage.output_tokens,
            "service_tier": "standard",
        }
        if usage.reasoning_tokens:
            report["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
        return self._call.distorted(report)


def _blocks(choice: Choice) -> list[Json]:
    if choice.tool_calls:
        return [_call_block(call, _arguments(call)) for call in choice.tool_calls]
    return [{"type": "text", "text": choice.text}]


def _arguments(call: ToolCall) -> Json:
    """What of the arguments can be read; cut ones become empty, as there is no half object."""
    try:
        return msgspec.json.decode(call.arguments)
    except msgspec.DecodeError:
        return {}


def _call_block(call: ToolCall, arguments: Json) -> JsonObject:
    return {"type": "tool_use", "id": f"toolu_{call.id}", "name": call.name, "input": arguments}


def _delta(text: str, *, arguments: bool) -> JsonObject:
    if arguments:
        return {"type": "input_json_delta", "partial_json": text}
    return {"type": "text_delta", "text": text}


def _event(
    kind: str, fields: JsonObject, output_tokens: int, *, content: bool = False, terminal: bool = False
) -> Event:
    return Event({"type": kind, **fields}, kind, output_tokens, content, terminal)


def _operation(method: str, path: str, *, billed: bool = False, shared: bool = False) -> Operation:
    handlers = {
        "/v1/messages": answer_messages,
        "/v1/messages/count_tokens": count_message_tokens,
        "/v1/models": list_models,
        "/v1/models/(?P<model>.+)": show_model,
    }
    pattern = re.compile(path)
    if not shared:
        return Operation(method, pattern, handlers[path], "anthropic", anthropic_error, anthropic_key, billed)
    return Operation(
        method, pattern, handlers[path], "anthropic", anthropic_error, anthropic_key, billed, speaks_anthropic
    )


OPERATIONS = (
    _operation("POST", "/v1/messages", billed=True),
    _operation("POST", "/v1/messages/count_tokens"),
    _operation("GET", "/v1/models", shared=True),
    _operation("GET", "/v1/models/(?P<model>.+)", shared=True),
)
