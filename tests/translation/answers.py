"""What upstreams answer, written by hand in each dialect: the same answers four times, whole and streamed.

All of them report the same usage, `USAGE`. Sources, 2026-11-22: chat and responses as openai-python 3.54.0 parses them (types/chat,
types/responses) in the order of protocol.md 4.2 and 4.3; gemini as google-genai 3.4.0 (protocol.md 4.6), anthropic as anthropic 2.12.0
(protocol.md 3).
"""

from __future__ import annotations

import json
from typing import Any

from laidian.domain.usage import Usage
from tests.translation import answers_anthropic, answers_chat, answers_gemini, answers_responses

USAGE = Usage(input=70, cached_input=30, output=30, reasoning=20)
"""100 prompt tokens of which 30 came from the cache, 50 completion tokens of which 20 were thought."""

_FILES = {
    "chat": answers_chat,
    "responses": answers_responses,
    "gemini": answers_gemini,
    "anthropic": answers_anthropic,
}

SCENARIOS = ("text", "tools", "schema", "reasoning", "length", "filtered")
"""Answers that every dialect can give."""


def whole(dialect: str, scenario: str) -> bytes:
    answer: dict[str, Any] = _FILES[dialect].WHOLE[scenario]
    return json.dumps(answer, ensure_ascii=False).encode()


def stream(dialect: str, scenario: str) -> bytes:
    return _FILES[dialect].STREAM[scenario]


def error_event(dialect: str) -> bytes:
    """What the upstream sends when it fails in the middle of a stream."""
    return _FILES[dialect].ERROR_EVENT


def error_body(dialect: str) -> bytes:
    """An error under status 200, as careless gateways answer."""
    return json.dumps(_FILES[dialect].ERROR_BODY).encode()
