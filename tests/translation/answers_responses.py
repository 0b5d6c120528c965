"""Answers of a Responses upstream. See `answers`."""

from __future__ import annotations

import json
from typing import Any

_USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 0},
    "output_tokens": 50,
    "output_tokens_details": {"reasoning_tokens": 20},
    "total_tokens": 150,
}


def _response(output: list[Any], status: str, reason: str | None = None) -> dict[str, Any]:
    done = status != "in_progress"
    return {
        "id": "resp_0123",
        "object": "response",
        "created_at": 1_795_000_000,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": "gpt-5.4-2026-03-05",
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": _USAGE if done else None,
        "user": None,
    }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _message(content: list[Any], status: str = "completed") -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": content}


def _call(id: str, call_id: str, name: str, arguments: str, status: str = "completed") -> dict[str, Any]:
    return {
        "id": id,
        "type": "function_call",
        "status": status,
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


_REASONING = {
    "id": "rs_1",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "Six by nine? No."}],
    "encrypted_content": "gAAAAencrypted",
}


def _framed(events: list[dict[str, Any]]) -> bytes:
    return b"".join(
        b"event: "
        + event["type"].encode()
        + b"\ndata: "
        + json.dumps(event | {"sequence_number": number}, ensure_ascii=False).encode()
        + b"\n\n"
        for number, event in enumerate(events)
    )


def _stream(middle: list[dict[str, Any]], output: list[Any], reason: str | None = None) -> bytes:
    status = "incomplete" if reason else "completed"
    begun = _response([], "in_progress")
    return _framed(
        [
            {"type": "response.created", "response": begun},
            {"type": "response.in_progress", "response": begun},
            *middle,
            {"type": f"response.{status}", "response": _response(output, status, reason)},
        ]
    )


def _texts(*deltas: str, place: int = 0, status: str = "completed") -> list[dict[str, Any]]:
    inside = {"item_id": "msg_1", "output_index": place, "content_index": 0}
    text = "".join(deltas)
    return [
        {
            "type": "response.output_item.added",
            "output_index": place,
            "item": _message([], "in_progress"),
        },
        {"type": "response.content_part.added", **inside, "part": _part("")},
        *(
            {
                "type": "response.output_text.delta",
                **inside,
                "delta": delta,
                "logprobs": [],
                "obfuscation": "x",
            }
            for delta in deltas
        ),
        {"type": "response.output_text.done", **inside, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **inside, "part": _part(text)},
        {
            "type": "response.output_item.done",
            "output_index": place,
            "item": _message([_part(text)], status),
        },
    ]


def _refusals(*deltas: str) -> list[dict[str, Any]]:
    inside = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "refusal", "refusal": "".join(deltas)}
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": _message([], "in_progress")},
        {"type": "response.content_part.added", **inside, "part": {"type": "refusal", "refusal": ""}},
        *({"type": "response.refusal.delta", **inside, "delta": delta} for delta in deltas),
        {"type": "response.refusal.done", **inside, "refusal": "".join(deltas)},
        {"type": "response.content_part.done", **inside, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": _message([part])},
    ]


def _called(place: int, id: str, call_id: str, name: str, *deltas: str) -> list[dict[str, Any]]:
    inside = {"item_id": id, "output_index": place}
    text = "".join(deltas)
    return [
        {
            "type": "response.output_item.added",
            "output_index": place,
            "item": _call(id, call_id, name, "", "in_progress"),
        },
        *({"type": "response.function_call_arguments.delta", **inside, "delta": delta} for delta in deltas),
        {"type": "response.function_call_arguments.done", **inside, "arguments": text, "name": name},
        {
            "type": "response.output_item.done",
            "output_index": place,
            "item": _call(id, call_id, name, text),
        },
    ]


def _thought(*deltas: str) -> list[dict[str, Any]]:
    inside = {"item_id": "rs_1", "output_index": 0, "summary_index": 0}
    text = "".join(deltas)
    return [
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {"id": "rs_1", "type": "reasoning", "summary": []},
        },
        {
            "type": "response.reasoning_summary_part.added",
            **inside,
            "part": {"type": "summary_text", "text": ""},
        },
        *({"type": "response.reasoning_summary_text.delta", **inside, "delta": delta} for delta in deltas),
        {"type": "response.reasoning_summary_text.done", **inside, "text": text},
        {
            "type": "response.reasoning_summary_part.done",
            **inside,
            "part": {"type": "summary_text", "text": text},
        },
        {"type": "response.output_item.done", "output_index": 0, "item": _REASONING},
    ]


_WEATHER = _call("fc_1", "call_a", "get_weather", '{"city": "巴黎 \\"P\\""}')
_TIME = _call("fc_2", "call_b", "get_time", '{"zone":"Europe/Paris"}')

WHOLE: dict[str, dict[str, Any]] = {
    "text": _response([_message([_part("Hello, 世界\u2028fine.")])], "completed"),
    "tools": _response([_WEATHER, _TIME], "completed"),
    "schema": _response([_message([_part('{"colour":"blue","sure":true}')])], "completed"),
    "reasoning": _response([_REASONING, _message([_part("42.")])], "completed"),
    "length": _response([_message([_part("Once upon a")], "incomplete")], "incomplete", "max_output_tokens"),
    "filtered": _response(
        [_message([_part("I was about to")], "incomplete")], "incomplete", "content_filter"
    ),
    "refusal": _response(
        [_message([{"type": "refusal", "refusal": "I cannot help with that."}])], "completed"
    ),
}

STREAM: dict[str, bytes] = {
    "text": _stream(_texts("Hel", "lo, ", "世界\u2028", "fine."), WHOLE["text"]["output"]),
    "tools": _stream(
        [
            *_called(0, "fc_1", "call_a", "get_weather", '{"city": "巴', '黎 \\"P\\"', '"}'),
            *_called(1, "fc_2", "call_b", "get_time", '{"zone":"Euro', 'pe/Paris"}'),
        ],
        [_WEATHER, _TIME],
    ),
    "schema": _stream(_texts('{"colour":', '"blue","sure":true}'), WHOLE["schema"]["output"]),
    "reasoning": _stream(
        [*_thought("Six by nine?", " No."), *_texts("42.", place=1)], WHOLE["reasoning"]["output"]
    ),
    "length": _stream(
        _texts("Once ", "upon a", status="incomplete"), WHOLE["length"]["output"], "max_output_tokens"
    ),
    "filtered": _stream(
        _texts("I was ", "about to", status="incomplete"), WHOLE["filtered"]["output"], "content_filter"
    ),
    "refusal": _stream(_refusals("I cannot ", "help with that."), WHOLE["refusal"]["output"]),
}

ERROR_BODY = {
    "error": {"message": "The engine exploded.", "type": "server_error", "param": None, "code": None}
}
ERROR_EVENT = (
    b"event: error\ndata: "
    + json.dumps(
        {
            "type": "error",
            "code": "server_error",
            "message": "The engine exploded.",
            "param": None,
            "sequence_number": 9,
        }
    ).encode()
    + b"\n\n"
)
