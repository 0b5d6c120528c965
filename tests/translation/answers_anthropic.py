"""Answers of an Anthropic upstream. See `answers`. Thoughts are signed as the simulated provider signs them, which checks them."""

from __future__ import annotations

import json
from typing import Any

from laidian.simulated.anthropic_thinking import SIGNATURE

_INPUT = {
    "input_tokens": 70,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 30,
    "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
    "service_tier": "standard",
}
_USAGE = _INPUT | {"output_tokens": 50, "output_tokens_details": {"thinking_tokens": 20}}


def _whole(content: list[Any], reason: str = "end_turn") -> dict[str, Any]:
    return {
        "id": "msg_01XY",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": _USAGE,
    }


def _event(kind: str, **fields: Any) -> bytes:
    data = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return b"event: " + kind.encode() + b"\ndata: " + data.encode() + b"\n\n"


def _block(index: int, empty: dict[str, Any], *deltas: dict[str, Any]) -> bytes:
    return (
        _event("content_block_start", index=index, content_block=empty)
        + b"".join(_event("content_block_delta", index=index, delta=delta) for delta in deltas)
        + _event("content_block_stop", index=index)
    )


def _stream(*blocks: bytes, reason: str = "end_turn") -> bytes:
    message = _whole([]) | {"stop_reason": None, "usage": _INPUT | {"output_tokens": 1}}
    delta = {"stop_reason": reason, "stop_sequence": None}
    return (
        _event("message_start", message=message)
        + _event("ping")
        + b"".join(blocks)
        + _event("message_delta", delta=delta, usage=_USAGE)
        + _event("message_stop")
    )


def _texts(*deltas: str, index: int = 0) -> bytes:
    pieces = ({"type": "text_delta", "text": delta} for delta in deltas)
    return _block(index, {"type": "text", "text": ""}, *pieces)


def _called(index: int, id: str, name: str, *deltas: str) -> bytes:
    pieces = ({"type": "input_json_delta", "partial_json": delta} for delta in deltas)
    return _block(index, {"type": "tool_use", "id": id, "name": name, "input": {}}, *pieces)


_WEATHER = {
    "type": "tool_use",
    "id": "toolu_01a",
    "name": "get_weather",
    "input": {"city": '巴黎 "P"'},
}
_TIME = {"type": "tool_use", "id": "toolu_01b", "name": "get_time", "input": {"zone": "Europe/Paris"}}

WHOLE: dict[str, dict[str, Any]] = {
    "text": _whole([{"type": "text", "text": "Hello, 世界\u2028fine."}]),
    "tools": _whole([_WEATHER, _TIME], "tool_use"),
    "schema": _whole([{"type": "text", "text": '{"colour":"blue","sure":true}'}]),
    "reasoning": _whole(
        [
            {"type": "thinking", "thinking": "Six by nine? No.", "signature": SIGNATURE},
            {"type": "text", "text": "42."},
        ]
    ),
    "length": _whole([{"type": "text", "text": "Once upon a"}], "max_tokens"),
    "filtered": _whole([{"type": "text", "text": "I was about to"}], "refusal"),
}

STREAM: dict[str, bytes] = {
    "text": _stream(_texts("Hel", "lo, ", "世界\u2028", "fine.")),
    "tools": _stream(
        _called(0, "toolu_01a", "get_weather", "", '{"city": "巴', '黎 \\"P\\"', '"}'),
        _called(1, "toolu_01b", "get_time", '{"zone":"Euro', 'pe/Paris"}'),
        reason="tool_use",
    ),
    "schema": _stream(_texts('{"colour":', '"blue","sure":true}')),
    "reasoning": _stream(
        _block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Six by nine?"},
            {"type": "thinking_delta", "thinking": " No."},
            {"type": "signature_delta", "signature": SIGNATURE},
        ),
        _texts("42.", index=1),
    ),
    "length": _stream(_texts("Once ", "upon a"), reason="max_tokens"),
    "filtered": _stream(_texts("I was ", "about to"), reason="refusal"),
}

ERROR_BODY = {"type": "error", "error": {"type": "overloaded_error", "message": "The engine exploded."}}
ERROR_EVENT = b"event: error\ndata: " + json.dumps(ERROR_BODY).encode() + b"\n\n"
