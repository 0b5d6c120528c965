"""Usage records made by hand, for what needs no server."""

from __future__ import annotations

from typing import Any

import msgspec

from laidian.admin.schema import UsageRecord


def record(number: int, **other: Any) -> UsageRecord:
    plain: dict[str, Any] = {
        "request_id": f"req_{number}", "key": "alice", "group": "g", "quota": "q", "upstream": "openai", "operation": "chat.completions",
        "model": "gpt-5.4", "asked_model": "gpt-5.4", "upstream_model": "gpt-5.4", "stream": False,
        "started_at": "2026-11-22T10:00:05.123Z", "first_byte_ms": 5, "duration_ms": 1_240, "status": 200, "ended": "complete",
        "error_code": "", "usage_from": "upstream", "input_tokens": 12, "cached_tokens": 0, "output_tokens": 34, "usage": {},
        "multiplier": "1x", "cost_usd": "0.018622", "shortfall_usd": "0.00", "client": "curl",
    }  # fmt: skip
    return msgspec.convert(plain | other, UsageRecord)
