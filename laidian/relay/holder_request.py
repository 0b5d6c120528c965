"""One settled request as the holder of its key sees it, in a line: what it was, how it ended, what it cost.

Refuses to show where it went, as receipts do.
"""

from __future__ import annotations

import msgspec

from laidian.clock import moment
from laidian.domain.money import format_usd
from laidian.domain.usage import INPUT_UNITS, OUTPUT_UNITS
from laidian.store.usage import RecordRow

_CACHED = ("cached_input", "cached_image_input", "cached_audio_input")


class HolderRequest(msgspec.Struct, frozen=True):
    request_id: str
    started_at: str
    operation: str
    model: str
    """What was priced."""
    asked_model: str
    stream: bool
    status: int
    """HTTP status; 0 when none was sent."""
    error_code: str
    duration_ms: int
    input_tokens: int
    """With those read from a cache."""
    cached_tokens: int
    output_tokens: int
    estimated: bool
    """Whether the provider did not say what was used."""
    charged_usd: str


def holder_request(row: RecordRow) -> HolderRequest:
    return HolderRequest(
        request_id=row.request_id,
        started_at=moment(row.started_at_ms),
        operation=row.operation,
        model=row.model,
        asked_model=row.asked_model,
        stream=bool(row.stream),
        status=row.status,
        error_code=row.error_code,
        duration_ms=row.duration_ms,
        input_tokens=sum(getattr(row.usage, unit) for unit in INPUT_UNITS),
        cached_tokens=sum(getattr(row.usage, unit) for unit in _CACHED),
        output_tokens=sum(getattr(row.usage, unit) for unit in OUTPUT_UNITS),
        estimated=row.usage_from == "estimated",
        charged_usd=format_usd(row.amount_nano - row.shortfall_nano),
    )
