"""Wire types of requests in flight."""

from __future__ import annotations

import msgspec


class LiveRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request in flight: its hold."""

    request_id: str
    worker: str
    key: str
    group: str
    quota: str
    operation: str
    model: str
    asked_model: str
    upstream: str
    """Empty: none has answered yet, as far as known."""
    stream: bool
    started_at: str
    age_ms: int
    input_tokens: int
    """Likely."""
    output_tokens: int
    """Likely, so far; noted every two seconds."""
    held_usd: str
    multiplier: str
