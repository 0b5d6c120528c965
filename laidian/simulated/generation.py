"""Answers to prompts for text, the same for every dialect: what is said, what it costs, how it is streamed.

A dialect brings a `Shape` (its JSON for a whole answer and for the events of a stream) and gets the rest from
here: counting, directives, output limits, tool calls, pacing, faults in mid-stream, and the bill.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

import msgspec

from .call import Call
from .directives import Directives, read_directives
from .models import Model
from .schema import minimal
from .streaming import stream_events
from .tokens import (
    BYTES_PER_TOKEN,
    LABEL,
    TOKENS_PER_MESSAGE,
    count_tokens,
    cut_text,
    fragments,
    make_text,
    usual_length,
)
from .values import Answer, Choice, Event, Json, Prompt, Refusal, Tool, ToolCall, Usage

ARGUMENT_FRAGMENT_TOKENS = 2


class Shape(Protocol):
    """How one dialect writes an answer."""

    array: bool
    """True when a stream is one JSON array in place of SSE."""

    def whole(self, answer: Answer) -> Json: ...

    def events(self, answer: Answer, chunk_tokens: int) -> Iterator[Event]: ...

    def error_event(self, refusal: Refusal) -> Event: ...


class Part(msgspec.Struct, frozen=True):
    """A step of a stream, before a dialect writes it."""

    choice: int
    kind: Literal["text", "call", "arguments", "finish"]
    """`call` opens a tool call; its arguments follow in fragments."""
    text: str
    call: int
    """Number of the tool call within its choice."""
    output_tokens: int
    """Output tokens generated so far, over the whole answer."""


async def generate(call: Call, model: Model, prompt: Prompt, shape: Shape) -> None:
    """Answer the prompt. Raises what `Call.begin` raises, and Refusal (400) for a prompt beyond the context."""
    directives = read_directives(prompt.last_user_text)
    call.model, call.stream, call.service_tier = model.id, prompt.stream, prompt.service_tier
    size = prompt_tokens(prompt)
    if size > model.context_tokens:
        raise Refusal(
            400,
            f"This model's maximum context length is {model.context_tokens} tokens. "
            f"However, your messages resulted in {size} tokens.",
            code="context_length_exceeded",
            param="messages",
        )
    await call.begin(model.id, stream=prompt.stream, fault=directives.fault)
    answer = compose(prompt, directives, model, call.number, call.started_s)
    await call.think(answer.usage.until(0), directives.delay_ms)
    if prompt.stream:
        events = list(shape.events(answer, directives.chunk))
        pace_ms = directives.pace_ms
        await stream_events(call, events, answer.usage, shape.error_event, pace_ms=pace_ms, array=shape.array)
        return
    call.usage = answer.usage
    await call.answer(shape.whole(answer))


def prompt_tokens(prompt: Prompt) -> int:
    """Input tokens by the package's counting rule."""
    texts = sum(count_tokens(text) for text in prompt.texts)
    return texts + prompt.messages * TOKENS_PER_MESSAGE + prompt.media_tokens


def compose(prompt: Prompt, directives: Directives, model: Model, number: int, created_s: int) -> Answer:
    """The whole answer and its usage; the same for the same prompt but for its id and time."""
    size = prompt_tokens(prompt)
    cached = min(directives.cached, size)
    limit = min(prompt.max_output_tokens or model.max_output_tokens, model.max_output_tokens)
    reasoning = min(directives.reasoning, limit)
    choices = tuple(
        _choice(prompt, directives, limit - reasoning, index, number) for index in range(prompt.choices)
    )
    usage = Usage(
        input_tokens=size,
        cached_input_tokens=cached,
        cache_write_tokens=min(directives.cache_write, size - cached),
        output_tokens=reasoning + sum(_choice_tokens(choice) for choice in choices),
        reasoning_tokens=reasoning,
    )
    return Answer(f"sim{number:08d}", created_s, model.id, choices, usage, prompt.service_tier or "default")


def parts(answer: Answer, chunk_tokens: int) -> Iterator[Part]:
    """The steps of a stream: the choices take turns, the first one first."""
    generated = answer.usage.reasoning_tokens
    running = [_choice_parts(choice, chunk_tokens) for choice in answer.choices]
    while running:
        for steps in tuple(running):
            part = next(steps, None)
            if part is None:
                running.remove(steps)
                continue
            generated += part.output_tokens
            yield msgspec.structs.replace(part, output_tokens=generated)


def _choice_parts(choice: Choice, chunk_tokens: int) -> Iterator[Part]:
    """Here `output_tokens` are those of the one step."""
    for text, tokens in _counted(choice.text, chunk_tokens):
        yield Part(choice.index, "text", text, 0, tokens)
    for number, call in enumerate(choice.tool_calls):
        yield Part(choice.index, "call", call.name, number, count_tokens(call.name))
        for text, tokens in _counted(call.arguments, ARGUMENT_FRAGMENT_TOKENS):
            yield Part(choice.index, "arguments", text, number, tokens)
    yield Part(choice.index, "finish", "", 0, 0)


def _counted(text: str, tokens_per_fragment: int) -> Iterator[tuple[str, int]]:
    size = counted = 0
    for fragment in fragments(text, tokens_per_fragment):
        size += len(fragment.encode())
        total = -(-size // BYTES_PER_TOKEN)
        yield fragment, total - counted
        counted = total


def _choice(prompt: Prompt, directives: Directives, budget: int, index: int, number: int) -> Choice:
    calls = _calls(prompt, directives, f"sim{number:08d}{index}")
    if calls:
        cut = _cut_calls(calls, budget)
        return Choice(index, "", cut, "tool_calls" if cut == calls else "length")
    text = _text(prompt, directives, index)
    stop = min((word for word in prompt.stop if word in text), key=text.index, default=None)
    if stop is not None:
        text = text[: text.index(stop)]
    if count_tokens(text) > budget:
        return Choice(index, cut_text(text, budget), (), "length")
    if directives.refuse is not None:
        return Choice(index, text, (), "refusal")
    return Choice(index, text, (), "stop" if stop is None else "stop_sequence", stop)


def _text(prompt: Prompt, directives: Directives, index: int) -> str:
    if prompt.schema is not None:
        value = minimal(prompt.schema) if prompt.schema else {"simulated": True}
        return msgspec.json.encode(value).decode()
    if directives.say is not None or directives.refuse is not None:
        return LABEL + (directives.say or directives.refuse or "")
    seed = "\0".join((*prompt.texts, str(index)))
    return make_text(seed, usual_length(seed) if directives.tokens is None else directives.tokens)


def _calls(prompt: Prompt, directives: Directives, id_prefix: str) -> tuple[ToolCall, ...]:
    wanted = directives.tools if prompt.tool_choice != "none" and not prompt.answers_tools else 0
    tools = prompt.tools
    if prompt.tool_choice == "required" or prompt.tool_choice.startswith("="):
        wanted = max(wanted, 1)
        forced = prompt.tool_choice.removeprefix("=")
        tools = tuple(tool for tool in tools if tool.name == forced) or tools
    if not tools:
        return ()
    if not prompt.parallel_tools:
        wanted = min(wanted, 1)
    chosen = (tools[place % len(tools)] for place in range(wanted))
    return tuple(
        ToolCall(f"{id_prefix}{place}", tool.name, _arguments(tool), tool.custom)
        for place, tool in enumerate(chosen)
    )


def _arguments(tool: Tool) -> str:
    return "simulated" if tool.custom else msgspec.json.encode(minimal(tool.schema)).decode()


def _cut_calls(calls: tuple[ToolCall, ...], budget: int) -> tuple[ToolCall, ...]:
    """The calls that fit; the last one may lose the end of its arguments."""
    kept: list[ToolCall] = []
    for call in calls:
        budget -= count_tokens(call.name)
        if budget < 0:
            break
        kept.append(msgspec.structs.replace(call, arguments=cut_text(call.arguments, budget)))
        budget -= count_tokens(call.arguments)
    return tuple(kept)


def _choice_tokens(choice: Choice) -> int:
    calls = sum(count_tokens(call.name) + count_tokens(call.arguments) for call in choice.tool_calls)
    return count_tokens(choice.text) + calls
