"""Answers of a Gemini upstream. See `answers`."""

from __future__ import annotations

import json
from typing import Any

_DONE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 30,
    "candidatesTokenCount": 30,
    "thoughtsTokenCount": 20,
    "totalTokenCount": 150,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 100}],
}
_BEGUN = {"promptTokenCount": 100, "cachedContentTokenCount": 30, "totalTokenCount": 100}

SIGNATURE = "Ck4KPWdlbWluaS1zaWduYXR1cmU="
"""Of the first function call, the only one of a turn that has one (protocol.md 6.3)."""


def _chunk(parts: list[Any], reason: str | None, usage: dict[str, Any]) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if reason is not None:
        candidate["finishReason"] = reason
    return {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": "gemini-3-pro-preview",
        "responseId": "aBcD12",
    }


def _whole(parts: list[Any], reason: str = "STOP") -> dict[str, Any]:
    return _chunk(parts, reason, _DONE)


def _stream(*pieces: dict[str, Any], reason: str = "STOP") -> bytes:
    chunks = [_chunk([piece], None, _BEGUN) for piece in pieces[:-1]]
    chunks.append(_chunk([pieces[-1]], reason, _DONE))
    return b"".join(
        b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\r\n\r\n" for chunk in chunks
    )


_WEATHER = {
    "functionCall": {"id": "fn-a", "name": "get_weather", "args": {"city": '巴黎 "P"'}},
    "thoughtSignature": SIGNATURE,
}
_TIME = {"functionCall": {"id": "fn-b", "name": "get_time", "args": {"zone": "Europe/Paris"}}}

WHOLE: dict[str, dict[str, Any]] = {
    "text": _whole([{"text": "Hello, 世界\u2028fine."}]),
    "tools": _whole([_WEATHER, _TIME]),
    "schema": _whole([{"text": '{"colour":"blue","sure":true}'}]),
    "reasoning": _whole([{"text": "Six by nine? No.", "thought": True}, {"text": "42."}]),
    "length": _whole([{"text": "Once upon a"}], "MAX_TOKENS"),
    "filtered": _whole([{"text": "I was about to"}], "SAFETY"),
}

STREAM: dict[str, bytes] = {
    "text": _stream({"text": "Hel"}, {"text": "lo, "}, {"text": "世界\u2028"}, {"text": "fine."}),
    "tools": _stream(_WEATHER, _TIME, {"text": ""}),
    "schema": _stream({"text": '{"colour":'}, {"text": '"blue","sure":true}'}),
    "reasoning": _stream(
        {"text": "Six by nine?", "thought": True}, {"text": " No.", "thought": True}, {"text": "42."}
    ),
    "length": _stream({"text": "Once "}, {"text": "upon a"}, reason="MAX_TOKENS"),
    "filtered": _stream({"text": "I was "}, {"text": "about to"}, reason="SAFETY"),
}

ERROR_BODY = {"error": {"code": 503, "message": "The engine exploded.", "status": "UNAVAILABLE"}}
ERROR_EVENT = b"data: " + json.dumps(ERROR_BODY).encode() + b"\r\n\r\n"
