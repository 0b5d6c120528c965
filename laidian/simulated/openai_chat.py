"""OpenAI chat completions, plain and streamed, stored where `store` is true. Claude models answer here too: Anthropic offers the same path."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .call import Call, Operation, with_usage
from .generation import generate, parts
from .openai_chat_checks import chat_prompt
from .openai_checks import maybe_object
from .openai_errors import bearer, openai_error, openai_model
from .shelf import MARK, StoredCompletion
from .values import Answer, Choice, Event, Json, JsonObject, Refusal, ToolCall, Usage

_FINISH = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "refusal": "stop",
}


async def answer_chat(call: Call, match: re.Match[str]) -> None:
    body = call.object()
    call.model = str(body.get("model", ""))
    prompt = chat_prompt(body)
    model = openai_model(prompt.model, "chat", "v1/chat/completions")
    shape = ChatShape(call, asks_usage(body))
    await generate(call, model, prompt, _Keeping(call, body, shape) if body.get("store") is True else shape)


def asks_usage(body: JsonObject) -> bool:
    return maybe_object(body, "stream_options").get("include_usage") is True


class ChatShape:
    array = False

    def __init__(self, call: Call, include_usage: bool, *, signatures: bool = False) -> None:
        self._call = call
        self._include_usage = include_usage
        self._signatures = signatures
        """Put Google's thought signature on tool calls."""

    def whole(self, answer: Answer) -> Json:
        body = self._head(answer, "chat.completion")
        body["choices"] = [
            {
                "index": choice.index,
                "message": self._message(choice),
                "logprobs": None,
                "finish_reason": _FINISH[choice.finish],
            }
            for choice in answer.choices
        ]
        return with_usage(body, "usage", self._usage(answer.usage))

    def events(self, answer: Answer, chunk_tokens: int) -> Iterator[Event]:
        reasoning = answer.usage.reasoning_tokens
        for choice in answer.choices:
            delta: JsonObject = {"role": "assistant", "content": "", "refusal": None}
            if choice.tool_calls:
                delta["content"] = None
            yield self._chunk(answer, choice.index, delta, output_tokens=reasoning)
        for part in parts(answer, chunk_tokens):
            choice = answer.choices[part.choice]
            tokens = part.output_tokens
            match part.kind:
                case "text":
                    field = "refusal" if choice.finish == "refusal" else "content"
                    yield self._chunk(answer, choice.index, {field: part.text}, output_tokens=tokens)
                case "call":
                    opened = self._tool_call(choice.tool_calls[part.call], "") | {"index": part.call}
                    yield self._chunk(answer, choice.index, {"tool_calls": [opened]}, output_tokens=tokens)
                case "arguments":
                    delta = self._argument_delta(choice.tool_calls[part.call], part.call, part.text)
                    yield self._chunk(answer, choice.index, delta, output_tokens=tokens)
                case "finish":
                    yield self._finish(answer, choice, tokens)
        yield from self._closing(answer)

    def error_event(self, refusal: Refusal) -> Event:
        return Event(openai_error(refusal, self._call.request_id))

    def _closing(self, answer: Answer) -> Iterator[Event]:
        tokens = answer.usage.output_tokens
        usage = self._usage(answer.usage)
        if self._include_usage and usage is not None:
            head = self._head(answer, "chat.completion.chunk")
            yield Event({**head, "choices": [], "usage": usage}, output_tokens=tokens)
        yield Event("[DONE]", output_tokens=tokens, terminal=True, raw=True)

    def _finish(self, answer: Answer, choice: Choice, tokens: int) -> Event:
        event = self._chunk(answer, choice.index, {}, _FINISH[choice.finish], output_tokens=tokens)
        last = choice.index == answer.choices[-1].index
        if self._call.fault == "usage-twice" and last and isinstance(event.data, dict):
            event.data["usage"] = self._usage(answer.usage)
        return event

    def _chunk(
        self, answer: Answer, index: int, delta: JsonObject, finish: str | None = None, *, output_tokens: int
    ) -> Event:
        body = self._head(answer, "chat.completion.chunk")
        body["choices"] = [{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}]
        if self._include_usage:
            body["usage"] = None
        content = bool(delta) and "role" not in delta
        return Event(body, output_tokens=output_tokens, content=content)

    def _head(self, answer: Answer, kind: str) -> JsonObject:
        return {
            "id": f"chatcmpl-{MARK}{answer.id}",
            "object": kind,
            "created": answer.created_s,
            "model": answer.model,
            "service_tier": answer.service_tier,
            "system_fingerprint": "simulated",
        }

    def _message(self, choice: Choice) -> JsonObject:
        message: JsonObject = {
            "role": "assistant",
            "content": None if choice.finish == "refusal" else choice.text,
            "refusal": choice.text if choice.finish == "refusal" else None,
            "annotations": [],
        }
        if choice.tool_calls:
            message["content"] = None
            message["tool_calls"] = [self._tool_call(call, call.arguments) for call in choice.tool_calls]
        return message

    def _tool_call(self, call: ToolCall, arguments: str) -> JsonObject:
        if call.custom:
            return {
                "id": f"call_{call.id}",
                "type": "custom",
                "custom": {"name": call.name, "input": arguments},
            }
        body: JsonObject = {
            "id": f"call_{call.id}",
            "type": "function",
            "function": {"name": call.name, "arguments": arguments},
        }
        if self._signatures:
            body["extra_content"] = {"google": {"thought_signature": "c2ltdWxhdGVk"}}
        return body

    def _argument_delta(self, call: ToolCall, index: int, text: str) -> JsonObject:
        inner: JsonObject = {"custom": {"input": text}} if call.custom else {"function": {"arguments": text}}
        return {"tool_calls": [{"index": index} | inner]}

    def _usage(self, usage: Usage) -> JsonObject | None:
        details: JsonObject = {"cached_tokens": usage.cached_input_tokens, "audio_tokens": 0}
        if usage.cache_write_tokens:
            details["cache_write_tokens"] = usage.cache_write_tokens
        return self._call.distorted(
            {
                "prompt_tokens": usage.input_tokens,
                "completion_tokens": usage.output_tokens,
                "total_tokens": usage.input_tokens + usage.output_tokens,
                "prompt_tokens_details": details,
                "completion_tokens_details": {
                    "reasoning_tokens": usage.reasoning_tokens,
                    "audio_tokens": 0,
                    "accepted_prediction_tokens": 0,
                    "rejected_prediction_tokens": 0,
                },
            }
        )


class _Keeping:
    """The same shape, of an answer that is kept."""

    array = False

    def __init__(self, call: Call, body: JsonObject, shape: ChatShape) -> None:
        self._call = call
        self._body = body
        self._shape = shape
        self.error_event = shape.error_event

    def whole(self, answer: Answer) -> Json:
        body = self._shape.whole(answer)
        self._keep(body)
        return body

    def events(self, answer: Answer, chunk_tokens: int) -> Iterator[Event]:
        self._keep(self._shape.whole(answer))
        yield from self._shape.events(answer, chunk_tokens)

    def _keep(self, whole: Json) -> None:
        if not isinstance(whole, dict):
            return
        found = self._body["messages"]
        messages = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        kept = StoredCompletion(
            {**whole, "metadata": self._body.get("metadata") or {}},
            [{"id": f"{whole['id']}-{place}", **one} for place, one in enumerate(messages)],
        )
        self._call.provider.shelves.completions.put(self._call.key, str(whole["id"]), kept)


OPERATIONS = (
    Operation("POST", re.compile(r"/v1/chat/completions"), answer_chat, "openai-chat", openai_error, bearer),
)
