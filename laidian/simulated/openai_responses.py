"""OpenAI Responses, plain and streamed, stored unless `store` is false.

The order of events and their required fields are those that openai-python 3.54.0's stream helper enforces:
`response.created` first, an item before its deltas, `sequence_number` without gaps, one terminal event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .call import Call, Operation
from .generation import generate, parts
from .openai_background import answer_later
from .openai_errors import bearer, openai_error, openai_model
from .openai_responses_checks import conversation_id, responses_prompt
from .shelf import MARK, Running, StoredResponse, with_id
from .values import Answer, Event, Json, JsonObject, Prompt, Refusal, ToolCall, Usage


async def answer_responses(call: Call, match: re.Match[str]) -> None:
    body = call.object()
    call.model = str(body.get("model", ""))
    prompt = responses_prompt(body, call.provider.shelves, call.key)
    model = openai_model(prompt.model, "chat", "v1/responses")
    if body.get("background") is True:
        await answer_later(call, model, prompt, ResponseShape(call, body, prompt))
        return
    await generate(call, model, prompt, ResponseShape(call, body, prompt))


class ResponseShape:
    array = False

    def __init__(self, call: Call, body: JsonObject, prompt: Prompt) -> None:
        self._call = call
        self._body = body
        self._prompt = prompt
        self._sequence = 0

    def whole(self, answer: Answer) -> Json:
        self.store(answer, self.replay(answer, 1))
        return self._response(answer, _items(answer), done=True)

    def events(self, answer: Answer, chunk_tokens: int) -> Iterator[Event]:
        events = tuple(self._played(answer, chunk_tokens))
        self.store(answer, events)
        yield from events

    def replay(self, answer: Answer, chunk_tokens: int) -> tuple[Event, ...]:
        """The stream of the answer, from its beginning."""
        played = ResponseShape(self._call, self._body, self._prompt)
        return tuple(played._played(answer, chunk_tokens))

    def store(
        self, answer: Answer, events: tuple[Event, ...], running: Running | None = None
    ) -> StoredResponse | None:
        """Keeps the response, and lets its conversation grow by it; None when it is not to be kept."""
        body, prompt, call = self._body, self._prompt, self._call
        if body.get("store") is False:
            return None
        items = [item for item in _items(answer) if isinstance(item, dict)]
        spoken = [answer.choices[0].text] if answer.choices[0].text else []
        call_ids = frozenset(str(item["call_id"]) for item in items if "call_id" in item)
        given = _input_items(body)
        response = self._response(answer, [*items], done=True)
        stored = StoredResponse(
            response, events, given, (*prompt.texts, *spoken), prompt.messages + 1, call_ids, running
        )
        call.provider.shelves.responses.put(call.key, str(response["id"]), stored)
        conversation = call.provider.shelves.conversations.get(call.key, conversation_id(body) or "")
        if conversation is not None:
            conversation.items += [*given, *items]
            conversation.texts = [*prompt.texts, *spoken]
            conversation.messages = prompt.messages + 1
        return stored

    def _played(self, answer: Answer, chunk_tokens: int) -> Iterator[Event]:
        for kind in ("response.created", "response.in_progress"):
            yield self._event(kind, {"response": self._response(answer, [], done=False)}, 0)
        items = _items(answer)
        if answer.usage.reasoning_tokens:
            yield from self._reasoning(items[0], answer.usage.reasoning_tokens)
        if answer.choices[0].tool_calls:
            yield from self._calls(answer, items, chunk_tokens)
        else:
            yield from self._message(answer, items, chunk_tokens)
        kind = "response.incomplete" if answer.choices[0].finish == "length" else "response.completed"
        for _ in range(2 if self._call.fault == "usage-twice" else 1):
            response = self._response(answer, items, done=True)
            yield self._event(kind, {"response": response}, answer.usage.output_tokens, terminal=True)

    def error_event(self, refusal: Refusal) -> Event:
        error: JsonObject = {
            "code": refusal.code or "server_error",
            "message": refusal.message,
            "param": None,
        }
        return self._event("error", error, 0)

    def _reasoning(self, item: Json, tokens: int) -> Iterator[Event]:
        for kind in ("response.output_item.added", "response.output_item.done"):
            yield self._event(kind, {"output_index": 0, "item": item}, tokens)

    def _message(self, answer: Answer, items: list[Json], chunk_tokens: int) -> Iterator[Event]:
        place: JsonObject = {"output_index": len(items) - 1}
        empty = _message_item(answer, "in_progress", [])
        inside: JsonObject = {**place, "item_id": empty["id"], "content_index": 0}
        tokens = answer.usage.reasoning_tokens
        yield self._event("response.output_item.added", {**place, "item": empty}, tokens)
        refused = answer.choices[0].finish == "refusal"
        said, written = ("refusal", _refusal_part) if refused else ("output_text", _text_part)
        more: JsonObject = {} if refused else {"logprobs": []}
        yield self._event("response.content_part.added", {**inside, "part": written("")}, tokens)
        for part in parts(answer, chunk_tokens):
            if part.kind == "text":
                delta = {**inside, "delta": part.text, **more}
                yield self._event(f"response.{said}.delta", delta, part.output_tokens, content=True)
        text, tokens = answer.choices[0].text, answer.usage.output_tokens
        done = {**inside, "refusal" if refused else "text": text, **more}
        yield self._event(f"response.{said}.done", done, tokens)
        yield self._event("response.content_part.done", {**inside, "part": written(text)}, tokens)
        yield self._event("response.output_item.done", {**place, "item": items[-1]}, tokens)

    def _calls(self, answer: Answer, items: list[Json], chunk_tokens: int) -> Iterator[Event]:
        calls = answer.choices[0].tool_calls
        first = len(items) - len(calls)
        tokens = answer.usage.reasoning_tokens
        opened: int | None = None
        for part in parts(answer, chunk_tokens):
            if part.kind in ("call", "finish") and opened is not None:
                yield from self._call_done(calls[opened], first + opened, items[first + opened], tokens)
                opened = None
            tokens = part.output_tokens
            if part.kind == "call":
                opened = part.call
                item = _call_item(calls[opened], "in_progress", "")
                added: JsonObject = {"output_index": first + opened, "item": item}
                yield self._event("response.output_item.added", added, tokens)
            if part.kind == "arguments":
                call = calls[part.call]
                inside: JsonObject = {"item_id": _call_item_id(call), "output_index": first + part.call}
                yield self._event(
                    _call_event(call, "delta"), {**inside, "delta": part.text}, tokens, content=True
                )

    def _call_done(self, call: ToolCall, index: int, item: Json, tokens: int) -> Iterator[Event]:
        inside: JsonObject = {"item_id": _call_item_id(call), "output_index": index}
        field = "input" if call.custom else "arguments"
        yield self._event(
            _call_event(call, "done"), {**inside, field: call.arguments, "name": call.name}, tokens
        )
        yield self._event("response.output_item.done", {"output_index": index, "item": item}, tokens)

    def _event(
        self,
        kind: str,
        fields: JsonObject,
        output_tokens: int,
        *,
        content: bool = False,
        terminal: bool = False,
    ) -> Event:
        data: JsonObject = {"type": kind, "sequence_number": self._sequence, **fields}
        self._sequence += 1
        return Event(data, kind, output_tokens, content, terminal)

    def _response(self, answer: Answer, items: list[Json], *, done: bool) -> JsonObject:
        cut = answer.choices[0].finish == "length"
        ended = "incomplete" if cut else "completed"
        body = self._body
        conversation = conversation_id(body)
        return {
            "id": f"resp_{MARK}{answer.id}",
            "object": "response",
            "created_at": answer.created_s,
            "status": ended if done else "in_progress",
            "background": body.get("background") is True,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if cut and done else None,
            "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"),
            "metadata": body.get("metadata") or {},
            "model": answer.model,
            "output": items,
            "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
            "previous_response_id": body.get("previous_response_id"),
            "conversation": None if conversation is None else {"id": conversation},
            "reasoning": body.get("reasoning") or {"effort": None, "summary": None},
            "service_tier": answer.service_tier,
            "store": body.get("store") is not False,
            "temperature": _or(body.get("temperature"), 1.0),
            "text": body.get("text") or {"format": {"type": "text"}},
            "tool_choice": body.get("tool_choice") or "auto",
            "tools": body.get("tools") or [],
            "top_p": _or(body.get("top_p"), 1.0),
            "truncation": body.get("truncation") or "disabled",
            "usage": self._usage(answer.usage) if done else None,
            "user": body.get("user"),
        }

    def _usage(self, usage: Usage) -> JsonObject | None:
        return self._call.distorted(
            {
                "input_tokens": usage.input_tokens,
                "input_tokens_details": {
                    "cached_tokens": usage.cached_input_tokens,
                    "cache_write_tokens": usage.cache_write_tokens,
                },
                "output_tokens": usage.output_tokens,
                "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
                "total_tokens": usage.input_tokens + usage.output_tokens,
            }
        )


def _input_items(body: JsonObject) -> tuple[JsonObject, ...]:
    """The input as it is kept: items with ids."""
    value = body.get("input")
    items: list[Json] = [{"role": "user", "content": value}] if isinstance(value, str) else []
    if isinstance(value, list):
        items = value
    return tuple(with_id(item) for item in items if isinstance(item, dict))


def _items(answer: Answer) -> list[Json]:
    items: list[Json] = []
    choice = answer.choices[0]
    if answer.usage.reasoning_tokens:
        items.append({"id": f"rs_{answer.id}", "type": "reasoning", "summary": []})
    if choice.tool_calls:
        return items + [_call_item(call, "completed", call.arguments) for call in choice.tool_calls]
    status = "incomplete" if choice.finish == "length" else "completed"
    part = _refusal_part(choice.text) if choice.finish == "refusal" else _text_part(choice.text)
    return [*items, _message_item(answer, status, [part])]


def _message_item(answer: Answer, status: str, content: list[Json]) -> JsonObject:
    return {
        "id": f"msg_{answer.id}",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def _text_part(text: str) -> JsonObject:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _refusal_part(text: str) -> JsonObject:
    return {"type": "refusal", "refusal": text}


def _call_item(call: ToolCall, status: str, arguments: str) -> JsonObject:
    kind, field = ("custom_tool_call", "input") if call.custom else ("function_call", "arguments")
    return {
        "id": _call_item_id(call),
        "type": kind,
        "status": status,
        "call_id": f"call_{call.id}",
        "name": call.name,
        field: arguments,
    }


def _call_item_id(call: ToolCall) -> str:
    return f"{'ctc' if call.custom else 'fc'}_{call.id}"


def _call_event(call: ToolCall, step: str) -> str:
    return (
        f"response.custom_tool_call_input.{step}"
        if call.custom
        else f"response.function_call_arguments.{step}"
    )


def _or(value: Json, default: float) -> Json:
    return default if value is None else value


OPERATIONS = (
    Operation(
        "POST", re.compile(r"/v1/responses"), answer_responses, "openai-responses", openai_error, bearer
    ),
)
