"""What a request wants and what an answer says, without the accidents of any dialect: what a translation must not change."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from laidian.domain.usage import Usage
from laidian.protocol.canonical import (
    Event,
    Finished,
    Image,
    RefusalDelta,
    Request,
    Started,
    Text,
    TextDelta,
    ThoughtDelta,
    ToolCall,
    ToolDelta,
    ToolFinished,
    ToolResult,
    ToolStarted,
    Used,
)


class Wanted(msgspec.Struct, frozen=True):
    """A request, its turns merged by role and its JSON parsed."""

    turns: tuple[Any, ...]
    tools: tuple[Any, ...] = ()
    """(name, description, schema)"""
    choice: tuple[Any, ...] = ("auto", ())
    schema: Any = None
    """Of the answer."""
    limit: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    effort: str | None = None
    stream: bool = False


class Meaning(msgspec.Struct, frozen=True):
    """An answer read to its end."""

    text: str = ""
    thought: str = ""
    refusal: str = ""
    calls: tuple[Any, ...] = ()
    """(name, arguments)"""
    reason: str = ""
    usage: Usage | None = None


def wanted(request: Request) -> Wanted:
    merged: list[tuple[str, list[Any]]] = []
    for message in request.messages:
        role = "system" if message.role == "developer" else message.role
        parts = [_part(part) for part in message.parts]
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(parts)
        else:
            merged.append((role, parts))
    choice = request.tool_choice
    return Wanted(
        turns=tuple((role, *parts) for role, parts in merged),
        tools=tuple(
            (tool.name, tool.description, json.loads(tool.parameters or b"{}")) for tool in request.tools
        ),
        choice=("auto", ()) if choice is None else _choice(choice.mode, choice.names),
        schema=json.loads(request.format.schema) if request.format and request.format.schema else None,
        limit=request.max_output_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        stop=request.stop,
        effort=request.effort,
        stream=request.stream,
    )


def _choice(mode: str, names: tuple[str, ...]) -> tuple[Any, ...]:
    """Being made to call one tool is the same, however it is said."""
    return ("named", names) if mode == "required" and len(names) == 1 else (mode, names)


def _part(part: Any) -> Any:
    match part:
        case Text(text):
            return text
        case Image():
            return ("image", part.mime, part.data, part.url)
        case ToolCall():
            return ("call", part.name, json.loads(part.arguments))
        case ToolResult():
            return (
                "result",
                part.name,
                "".join(inner.text for inner in part.parts if isinstance(inner, Text)),
            )
        case other:
            return other


def meaning(events: list[Event]) -> Meaning:
    """Fails when the events break the canonical rules: one start and one end, calls numbered in order, nothing after the end."""
    assert isinstance(events[0], Started), events[0]
    assert [type(event) for event in events].count(Started) == 1
    ends = [place for place, event in enumerate(events) if isinstance(event, Finished)]
    assert len(ends) == 1, "an answer ends once"
    assert all(isinstance(event, Used) for event in events[ends[0] + 1 :]), "content after the end"
    calls = _calls(events)
    used = [event for event in events if isinstance(event, Used)]
    finished = events[ends[0]]
    assert isinstance(finished, Finished)
    return Meaning(
        text="".join(event.text for event in events if isinstance(event, TextDelta)),
        thought="".join(event.text for event in events if isinstance(event, ThoughtDelta)),
        refusal="".join(event.text for event in events if isinstance(event, RefusalDelta)),
        calls=tuple((name, json.loads(arguments)) for name, arguments in calls),
        reason=finished.reason,
        usage=used[-1].usage if used else None,
    )


def _calls(events: list[Event]) -> list[tuple[str, str]]:
    names: list[str] = []
    arguments: list[str] = []
    ids: list[str] = []
    closed: set[int] = set()
    for event in events:
        match event:
            case ToolStarted():
                assert event.index == len(names), "calls are numbered in the order of their start"
                names.append(event.name)
                arguments.append("")
                ids.append(event.id)
            case ToolDelta(index, piece):
                assert index not in closed, "arguments after the end of their call"
                arguments[index] += piece
            case ToolFinished(index):
                assert index not in closed
                closed.add(index)
            case _:
                pass
    assert len(closed) == len(names), "a call that was never closed"
    assert len(set(ids)) == len(ids)
    assert all(ids), "a call without an id cannot be answered"
    return list(zip(names, arguments, strict=True))
