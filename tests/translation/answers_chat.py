"""Answers of a Chat Completions upstream. See `answers`."""

from __future__ import annotations

import json
from typing import Any

_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 30, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 20,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


def _whole(message: dict[str, Any], reason: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-CU1",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": "gpt-5.4-2026-03-05",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": None, "refusal": None, "annotations": []}
                | message,
                "logprobs": None,
                "finish_reason": reason,
            }
        ],
        "usage": _USAGE,
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }


def _event(choices: list[Any], usage: Any = None) -> bytes:
    chunk = {
        "id": "chatcmpl-CU1",
        "object": "chat.completion.chunk",
        "created": 1_795_000_000,
        "model": "gpt-5.4-2026-03-05",
        "service_tier": "default",
        "system_fingerprint": "fp_1",
        "choices": choices,
        "usage": usage,
        "obfuscation": "xY7",
    }
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


def _chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
    return _event([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}])


def _stream(*deltas: dict[str, Any], reason: str) -> bytes:
    head = _chunk({"role": "assistant", "content": "", "refusal": None})
    end = _chunk({}, reason) + _event([], _USAGE) + b"data: [DONE]\n\n"
    return head + b"".join(_chunk(delta) for delta in deltas) + end


def _opened(index: int, id: str, name: str) -> dict[str, Any]:
    call = {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}
    return {"tool_calls": [call]}


def _arguments(index: int, text: str) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "function": {"arguments": text}}]}


def _call(id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


WHOLE: dict[str, dict[str, Any]] = {
    "text": _whole({"content": "Hello, 世界\u2028fine."}, "stop"),
    "tools": _whole(
        {
            "tool_calls": [
                _call("call_a", "get_weather", '{"city": "巴黎 \\"P\\""}'),
                _call("call_b", "get_time", '{"zone":"Europe/Paris"}'),
            ]
        },
        "tool_calls",
    ),
    "schema": _whole({"content": '{"colour":"blue","sure":true}'}, "stop"),
    "reasoning": _whole({"content": "42.", "reasoning_content": "Six by nine? No."}, "stop"),
    "length": _whole({"content": "Once upon a"}, "length"),
    "filtered": _whole({"content": "I was about to"}, "content_filter"),
    "refusal": _whole({"refusal": "I cannot help with that."}, "stop"),
}

STREAM: dict[str, bytes] = {
    "text": _stream(
        {"content": "Hel"},
        {"content": "lo, "},
        {"content": "世界\u2028"},
        {"content": "fine."},
        reason="stop",
    ),
    "tools": _stream(
        _opened(0, "call_a", "get_weather"),
        _arguments(0, '{"city": "巴'),
        _arguments(0, '黎 \\"P\\"'),
        _arguments(0, '"}'),
        _opened(1, "call_b", "get_time"),
        _arguments(1, '{"zone":"Euro'),
        _arguments(1, 'pe/Paris"}'),
        reason="tool_calls",
    ),
    "schema": _stream({"content": '{"colour":'}, {"content": '"blue","sure":true}'}, reason="stop"),
    "reasoning": _stream(
        {"reasoning_content": "Six by nine?"},
        {"reasoning_content": " No."},
        {"content": "42."},
        reason="stop",
    ),
    "length": _stream({"content": "Once "}, {"content": "upon a"}, reason="length"),
    "filtered": _stream({"content": "I was "}, {"content": "about to"}, reason="content_filter"),
    "refusal": _stream({"refusal": "I cannot "}, {"refusal": "help with that."}, reason="stop"),
}

ERROR_BODY = {
    "error": {"message": "The engine exploded.", "type": "server_error", "param": None, "code": None}
}
ERROR_EVENT = b"data: " + json.dumps(ERROR_BODY).encode() + b"\n\n"
