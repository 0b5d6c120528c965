"""The line that the log gets for each request."""

from __future__ import annotations

import msgspec


class Line(msgspec.Struct, omit_defaults=True):
    """What the log says of one request: never a secret, never a prompt, no query string."""

    at_ms: int
    request_id: str
    operation: str
    status: int
    duration_ms: int
    key: str = ""
    group: str = ""
    model: str = ""
    upstream: str = ""
    stream: bool = False
    ended: str = ""
    error: str = ""
    fault: str = ""
    attempts: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usage_from: str = ""
    amount_nano: int = 0
    first_byte_ms: int | None = None
